/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a record of AppArmor (compiler/file/denied.h) asked for: in words, as an access, and as the
 * rule that would allow it.
 */
#include "compiler/apparmor/means.h"
#include "compiler/apparmor/access.h"
#include "compiler/file/denied.h"

enum { DENIAL_PARTS = 16 };

/* A rule, or an access, around the word of its permission. */
struct denial_text {
	const char *before,
		*after; /* before NULL: there is none; after NULL: it has no permissions */
};

struct denial {
	struct denied d;
	const char *words; /* "to read /etc/shadow", may be printed */
	bool file;         /* open, exec, link: `access` is it, but for its source */
	struct aa_access access;
	/* Of all others. What the permissions are called: one at least, "" where they have no words. */
	const char *perms[DENIAL_PARTS];
	unsigned nperms;
	struct denial_text text;      /* as `pale sim` takes it, of one permission */
	struct denial_text rule;      /* without its ','; none: no rule allows it */
	struct denial_text rule_3_0;  /* as 3.0 has it; none: 3.0 has no such rules */
	struct denial_text statement; /* the same in a policy, without its ';' */
	/* What they allow more than was asked for; NULL: nothing. */
	const char *rule_wider, *rule_3_0_wider, *statement_wider;
	const char *hint; /* what info= means; NULL: nothing more than is said */
	bool certain;     /* `hint` alone is why: what rules say does not matter */
};

/*
 * Of one that asks something (not DENIED_OTHER). NULL, or why it is none that is understood. Texts
 * are in the arena, or in d's.
 */
const char *denial_of(struct arena *a, const struct denied *d, struct denial *out);

/* "open owner /etc/shadow r"; `part`: which permission, of what is no file. */
void denial_put_access(struct buf *out, const struct denial *n, unsigned part);
/* "unix (send, receive) type=stream": of the permissions whose bits are set in `parts`. */
void denial_put_parts(struct buf *out, const struct denial *n, const struct denial_text *t,
		      unsigned parts);
/*
 * The rule that allows these permissions (PERM_*) of a denial of files: "owner /etc/shadow r". exec:
 * by which letters, with its target; `prefix` stands in front: "priority=1 ".
 */
void denial_put_rule(struct buf *out, const struct denial *n, unsigned perms,
		     const struct aa_transition *exec, const char *prefix);
/* The same as a statement of a policy: "owner file r /etc/shadow". False: policies cannot say it. */
bool denial_put_statement(struct buf *out, const struct denial *n, unsigned perms,
			  const struct aa_transition *exec);
