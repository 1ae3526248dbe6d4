/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a confined program might do, as users write it: "open /etc/passwd r", "exec /bin/sh",
 * "link /new /old", "cap chown", "socket inet stream", "signal send term peer=p", "ptrace trace
 * peer=p", "userns", "io_uring sqpoll". The first word says what it is; `owner` or `other` behind it says whose the
 * file is. A word that holds a blank stands in quotes, where \" and \\ are those characters.
 */
#include "compiler/apparmor/apparmor.h"
#include "compiler/rules/rules.h"

enum aa_access_kind {
	AA_ACCESS_OPEN,
	AA_ACCESS_EXEC,
	AA_ACCESS_LINK,
	AA_ACCESS_RULE, /* what a rule of its class would have to allow */
	AA_ACCESS_NR
};

struct aa_access {
	const struct source *source; /* its text */
	enum aa_access_kind kind;
	enum file_who who;          /* FILE_WHO_NR: not said, both */
	struct str path, target;    /* target of link: what exists already */
	unsigned perms;             /* PERM_*; of RULE: of its class, one bit for a capability */
	const struct aa_rule *rule; /* of RULE: one capability, family and type, signal; no glob */
	struct str peer;            /* of a signal and ptrace: the label */
};

/*
 * Is this, asked of a policy, an access and no call? Its first word is an access's and a blank
 * follows, but no '('; a word alone that is both is a call.
 */
bool aa_access_is(struct str text);

/* The source is of ds. False: what is wrong, or not answered yet, was told. Owner: the arena. */
bool aa_access_read(struct arena *a, const struct source *src, struct aa_access *out,
		    struct diags *ds);

/* A bare path: opened with every permission. */
bool aa_access_path(struct arena *a, const struct source *src, struct aa_access *out,
		    struct diags *ds);
