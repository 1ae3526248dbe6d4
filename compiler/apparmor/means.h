/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the file rules of a profile mean together: for every path, by whether the file is the
 * asking process' own, what is allowed, denied, audited, refused without a word, and how it is
 * executed. What rules add up to depends on the release of the parser, and on nothing else; this
 * is the one place that knows (parser_regex.c, process_dfa_entry; libapparmor_re/hfa.cc,
 * accept_perms of 3.0.8, 4.1.0, 4.1.8 and 5.0.2; held against their tables by tests/apparmor).
 *
 * All profiles of a run share a pool, and with it every state that those which are read for one
 * release have in common, by their includes.
 */
#include "compiler/apparmor/apparmor.h"
#include "compiler/rules/rules.h"
#include "compiler/automata/machine.h"

/* The half of a link that has a target: the link has no more rights than what it leads to. */
enum { AA_PERM_SUBSET = 1 << 7 };

/* Rules of nobody: what the parser adds by itself, and for what (profile.cc, add_proc_access). */
enum aa_added { AA_ADDED_NONE, AA_ADDED_CHANGE_PROFILE, AA_ADDED_HATS };

/* A file rule, its variables opened. */
struct aa_opened {
	const struct aa_rule *rule;   /* whose it is; NULL: nobody's */
	enum aa_added added;          /* of nobody's */
	const struct aa_alias *alias; /* that makes another rule of it; NULL: it is as written */
	bool no_append;               /* of PERM_W: without PERM_A, as no rule that is written */
	const struct glob *path;
	const struct glob
		*link;  /* of PERM_L: what a link may lead to; NULL: anything, as a subset */
	unsigned perms; /* PERM_*, as written: what letters imply is added here */
	enum aa_exec exec;
	bool unsafe, subset, audit;
	struct str target; /* of exec, its profile's whole label; "": none */
	enum aa_owner owner;
	enum aa_mode mode;
	int priority; /* releases before 4.1 have none */
};

struct aa_files {
	VEC(struct aa_opened) list;
	const struct glob *everything; /* of `file,` and `all,`; NULL: none of these yet */
	enum aa_release release;       /* by which rules are read; set before any is added */
};

/*
 * What a rule of this profile says about files: those of other classes nothing, `all,` two. It must
 * have been read with the profile's variables, and its use be live. Owner: the arena.
 */
void aa_files_add(struct arena *arena, const struct aa_rule *r, const struct aa_profile *p,
		  struct aa_files *out);

struct aa_ruled {
	const struct aa_rule *const *v;
	size_t n;
};

/*
 * What the parser adds to a profile of these live rules: that it may change its profile by writing
 * to /proc, where it has change_profile rules or hats. Without aliases, which come behind.
 */
void aa_files_add_own(struct arena *arena, const struct aa_profile *p, struct aa_ruled rules,
		      struct aa_files *out);

/*
 * A further rule for each alias that a rule begins with, by path, or link target (parser_alias.c;
 * an alias makes no alias of what another has made). False: one is no glob, which was told.
 */
bool aa_files_alias(struct arena *arena, const struct aa_policy *policy, const struct aa_profile *p,
		    struct diags *ds, struct aa_files *files);

/* How a path is executed. */
struct aa_transition {
	enum aa_exec exec; /* AA_EXEC_NONE: it is not */
	bool unsafe;
	struct str target;
};

/* Of one path, or of a link: PERM_* (and AA_PERM_SUBSET) by half. */
struct aa_answer {
	unsigned allow[FILE_WHO_NR];
	unsigned deny[FILE_WHO_NR];   /* by a rule that says so */
	unsigned audit[FILE_WHO_NR];  /* allowed, and logged */
	unsigned quiet[FILE_WHO_NR];  /* refused, and not logged */
	unsigned prompt[FILE_WHO_NR]; /* a notifier is asked, if one listens; else refused */
	struct aa_transition exec[FILE_WHO_NR];
	/* Of allow, what this release grants or not by where its memory lies (4.1.0). */
	unsigned varies[FILE_WHO_NR];
	unsigned audit_varies[FILE_WHO_NR]; /* the same of audit */
	bool conflict;        /* two rules disagree about how to execute: the parser refuses */
	bool conflict_varies; /* or not, by where its memory lies */
};

/*
 * Does a rule of this glob go before those with stars, where both say how to execute? 3.0.8 calls
 * a class in brackets a glob, 4.0 and later (24f834b12) do not.
 */
bool aa_is_exact(enum aa_release release, const struct glob *g);

struct aa_means_pool;

/* Owner: the arena. */
struct aa_means_pool *aa_means_pool_new(struct arena *a);
/* The patterns of what is read for it: many profiles include the same. As long as the pool. */
struct aa_known *aa_means_pool_known(struct aa_means_pool *p);

/* Two rules that disagree about how to execute `path`. */
struct aa_conflict {
	const struct aa_opened *one, *two;
	struct str path; /* a shortest; one that the kernel can ask about, if there is one */
	bool varies;     /* it depends on the parser's memory whether it refuses */
};

/* The label of a rule's target; "" where the kernel finds the profile by the path. In the arena. */
struct str aa_target_label(struct arena *arena, const struct aa_profile *p,
			   const struct aa_file_rule *f);

struct aa_means {
	const struct aa_means_pool *pool;
	enum aa_release release; /* whose rules they are */
	struct machine machine;
	bool decided; /* false: more states or steps than MACHINE_STATES_MAX, MACHINE_STEPS_MAX */
};

struct aa_means aa_means_build(struct aa_means_pool *p, enum aa_release release,
			       const struct aa_opened *files, size_t n);

/*
 * What one rule says of which paths: of one pool and release, rules of the same number say the same.
 * UINT32_MAX: too much to read.
 */
uint32_t aa_means_saying(struct aa_means_pool *p, enum aa_release release,
			 const struct aa_opened *f);

/* Of a path, or of the class that a walk over the machine has found. Only of what is decided. */
const struct aa_answer *aa_means_path(const struct aa_means *m, struct str path);
const struct aa_answer *aa_means_class(const struct aa_means_pool *p, unsigned class);
/* Of a link from `path` to `target`: PERM_L and AA_PERM_SUBSET. `path` itself must have PERM_L. */
const struct aa_answer *aa_means_link(struct arena *a, const struct aa_means *m, struct str path,
				      struct str target);

/* The text of both that is looked up, as the kernel asks of links and of changes on exec. */
struct str aa_pair(struct arena *a, struct str path, struct str target);

/* The rules that conflict, a pair for each set of rules that does. Owner: the arena. */
struct aa_conflicts {
	VEC(struct aa_conflict) list;
	bool decided;
};
struct aa_conflicts aa_means_conflicts(struct arena *a, const struct aa_means *m,
				       const struct aa_opened *files, size_t n);
