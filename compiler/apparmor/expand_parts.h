/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of expanding share: expand*.c; nobody else includes it. */
#include "compiler/apparmor/expand.h"
#include "compiler/apparmor/features.h"
#include "compiler/rules/rules.h"
#include "compiler/apparmor/vars.h"

struct scope;

struct expanding {
	struct arena *arena;
	struct aa_library *lib;
	struct diags *ds;
	struct aa_policy *p;
	const struct aa_features *kernel;
	struct aa_reader rd;
	/* Statements inside statements: of expand.c, so that no file calls back by name. */
	void (*walk)(struct expanding *x, const struct aa_stmt *list, const struct scope *scope);
	struct aa_vars vars;
	const struct aa_stmt *first; /* the first profile: the preamble ends there */
	VEC(struct named) named;     /* profiles by name, for those that are there twice */
	struct table names;
	size_t flat;  /* bytes read for it, includes each time anew */
	bool stopped; /* past a bound, which was told: the rest is not read */
};

struct named {
	const struct aa_profile *profile;
	const void *group;
};

/* What a prefix says, in words; unspecified is not allow (parser_yacc.y, opt_prefix). */
enum aa_said { AA_SAID_NOTHING, AA_SAID_ALLOW, AA_SAID_DENY, AA_SAID_PROMPT };

struct words {
	int priority;
	bool audit;
	enum aa_said mode;
	enum aa_owner owner;
};

/* Blocks around a rule, the innermost first. */
struct block {
	const struct block *outer;
	struct aa_prefix words; /* as written */
	const struct aa_stmt *stmt;
};

/* A list of rules that the parser puts together before it joins it to the one around it. */
struct level {
	bool network; /* a network rule stands in it */
};

/* Where statements stand. */
struct scope {
	struct aa_profile *profile; /* NULL: outside of profiles */
	enum aa_reach reach;
	const void *group; /* of children whose names must differ: a branch, a block; NULL: all */
	const struct block *block;
	const struct block *cut; /* around the innermost branch that does not hold */
	struct level *level;
	bool in_if;      /* of a branch that holds, in this profile */
	bool if_network; /* and a network rule in it reaches the profile (3.0) */
	struct aa_seen *seen;
	const struct aa_from *from;
	unsigned depth; /* of profiles */
};

/* A name as it may be printed. */
const char *aax_shown(struct expanding *x, struct str name);
/* A diagnostic at a place that came in by includes, which are noted. */
struct diag *aax_tell(struct expanding *x, enum diag_id id, struct span sp,
		      const struct aa_from *from, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
void aax_note_way(struct expanding *x, struct diag *d, const struct aa_from *from);
/* The target does not have what stands here, since when it is there. */
void aax_tell_newer(struct expanding *x, struct span sp, const struct aa_from *from,
		    const char *what, enum aa_release since);
/* Of a file: the words that this release reads as more than older ones do, which it refuses. */
void aax_tell_joints(struct expanding *x, const struct aa_file *file, const struct aa_from *from);

/* ---- expand_include.c ---- */
void aax_follow(struct expanding *x, const struct aa_stmt *s, const struct scope *scope);
void aax_abi(struct expanding *x, const struct aa_stmt *s, const struct scope *scope);

/* ---- expand_set.c ---- */
void aax_set_variable(struct expanding *x, const struct aa_stmt *s, const struct aa_from *from);
void aax_set_boolean(struct expanding *x, const struct aa_stmt *s, const struct aa_from *from);
/* What the expression gives; false where it has errors, which are told. */
bool aax_decide_if(struct expanding *x, const struct aa_expr *e, const struct aa_from *from);

/* ---- expand_rule.c ---- */
void aax_add_rule(struct expanding *x, const struct aa_stmt *s, const struct scope *scope);

/* ---- expand_profile.c ---- */
void aax_add_profile(struct expanding *x, const struct aa_stmt *s, const struct scope *scope);
/* Once all is read: labels, and whether the words of rules hold variables that nobody declares. */
void aax_finish(struct expanding *x);
