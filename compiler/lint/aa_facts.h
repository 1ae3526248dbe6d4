/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the rules about AppArmor look at: a profile expanded, its rules with their types, and what
 * they mean together (compiler/apparmor/answer.h). Whatever may be asked by `pale sim` may be asked
 * here, in the same words, and what is found comes with such an access as its witness.
 */
#include "compiler/apparmor/answer.h"
#include "compiler/lint/internal.h"

struct aa_facts {
	struct arena *arena;
	const struct aa_file *file; /* the text at hand */
	enum aa_release release;    /* as which it is read */
	struct aa_library *library; /* by which it was */
	const struct aa_policy *policy;
	const struct aa_profile *profile; /* NULL: rules of the file */
	const struct aa_asking *q;    /* its rules, live ones, and their machine; NULL likewise */
	struct aa_accesses *accesses; /* that were asked about */
	struct aa_known *known;       /* patterns, and what they have in common (known.h) */
	struct aa_paths *paths;       /* aa_paths.h: of the run */
	struct aa_path_hits *hits;    /* and of the profile; NULL: not yet looked for */
	VEC(struct aa_told) told;     /* one finding a cause, over all profiles */
	bool partial;   /* without includes that are not there, or wrong (aa_rest.h) */
	bool undecided; /* of the profile: a question took more states than are walked (AP329) */
	size_t states_left; /* of the profile: pairs of states, for questions that each rule asks */
};

struct aa_told {
	enum diag_id id;
	const struct aa_stmt *stmt;
	struct diag *diag;
	size_t more;   /* places behind those that have a label */
	size_t weight; /* how many accesses it is about */
};

/* Does it stand in the file at hand, and not in one that this includes? */
static inline bool aa_is_own(const struct aa_use *use)
{
	return !use->from;
}

/* Where the user can do something about it: the rule's head, or the include that brings it in. */
struct span aa_place(const struct aa_use *use);

/*
 * A finding about a rule. A rule that several profiles of the file include is one finding: NULL for
 * the second, which the first gets as a further place. With a label where the rule itself stands, if
 * an include brings it in.
 */
struct diag *aa_tell(struct lint *l, enum diag_id id, const struct aa_use *use, const char *fmt,
		     ...) __attribute__((format(printf, 4, 5)));

/* What was told of this rule under this id, of whichever profile; NULL: nothing was. */
struct aa_told *aa_told_of(struct lint *l, enum diag_id id, const struct aa_use *use);

/* The text is this one's, and its place, which it has as a further one, the first. */
void aa_tell_instead(struct lint *l, struct aa_told *t, struct span place, const char *text);

/* Was all of it found? False is noted for AP329, and given back. */
bool aa_decided(struct lint *l, bool decided);

/* How many places of findings have no label, once all profiles are done. */
void aa_tell_more(struct lint *l);

/*
 * Asks as `pale sim` does: "open /proc/sysrq-trigger w", "ptrace trace peer=unconfined". Of one half;
 * what is no file has none. The access must read (it is ours): a BUG else.
 */
struct aa_verdict aa_asks(struct lint *l, const char *access, enum file_who who);
struct aa_access aa_reads(struct lint *l, const char *access); /* the question alone */
/*
 * The same of what a profile's own words are in, such as a witness of a walk, and of no half. False:
 * it is not answered (a label with a namespace), and nothing is known.
 */
struct aa_accesses;
/* Those that are asked about, each read once. Owner: the arena, which is that of what is asked. */
struct aa_accesses *aa_accesses_new(struct arena *a);
bool aa_may_ask(struct lint *l, const char *access, struct aa_verdict *out);
/*
 * The same of a path, which may hold any byte: one PERM_* (PERM_X: exec) of one half. And the access
 * as users write it, "open owner /a r", "exec /a"; FILE_WHO_NR: whosever it is. In the arena; safe
 * to print.
 */
struct aa_verdict aa_asks_path(struct lint *l, struct str path, unsigned perm, enum file_who who);
const char *aa_path_access(struct lint *l, struct str path, unsigned perm, enum file_who who);
/* Is it allowed, whatever is logged? */
bool aa_allows(const struct aa_verdict *v);
/* Is it refused, by rules or for want of one? */
bool aa_refuses(const struct aa_verdict *v);
/* The first rule that decides; NULL: none of the profile's, a mode or the parser's own does. */
const struct aa_use *aa_decides(const struct aa_verdict *v);
/* Is the rule one of those that decide, or that would where the others were not? */
bool aa_is_decided_by(const struct aa_verdict *v, const struct aa_use *use);
/* The first that decides; NULL: it is nobody's, or `all,`, of which AP302 speaks. */
const struct aa_spoken *aa_decider(const struct aa_verdict *v);
