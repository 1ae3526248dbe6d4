/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What an AppArmor profile, or a policy's AppArmor half, answers to accesses (compiler/apparmor/access.h), as text. */
#include "compiler/apparmor/answer.h"
#include "compiler/file/session.h"

/* Whom accesses are asked. */
struct access_of {
	const struct aa_asking *q;   /* NULL: the policy does not count on AppArmor */
	const struct policy *policy; /* NULL: an AppArmor profile */
	const struct aa_asking
		*older; /* as AppArmor 3.0 reads the policy, told where it differs; or NULL */
};

/* A line for each half of files, or one where they are alike. -1: what is wrong is in s. */
int access_simulate(struct session *s, const struct access_of *of, const char *text,
		    struct buf *out);
/* Every rule that speaks of an access, or of a path (text begins with '/'), and what decides. */
int access_explain(struct session *s, const struct access_of *of, const char *text,
		   struct buf *out);

const char *access_outcome(enum aa_outcome o); /* "allowed, audited" */
/*
 * "web.apparmor:3:9: /etc/passwd r  (included at web.apparmor:2:3)"; of a policy as put_rule() has
 * it.
 */
void put_aa_rule(struct buf *out, const struct sources *sources, const struct aa_rule *r);
/* "  web.apparmor:3:9: deny /etc/passwd r", or "  no rule allows r" */
void access_put_deciding(struct buf *out, const struct sources *sources,
			 const struct aa_access *access, const struct aa_verdict *v);
/* "Px -> web//child": in capitals where the environment is cleared. */
void put_exec(struct buf *out, enum aa_exec exec, bool unsafe, struct str target);
/* "safe", "unsafe", as rules say it: the environment is cleared, or not; "". */
const char *access_environment(enum aa_environment e);
/*
 * "allowed", of an execution "allowed ix", of a change of the profile at one "allowed safe"; where an owner's file is answered otherwise than others',
 * "owner allowed", a TAB, "other refused". No rule is named.
 */
void access_put_brief(const struct aa_asking *q, const struct aa_access *access, struct buf *out);
