/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The linter: what a profile means, said where it stands. One row a rule above its function (its id
 * is a diagnostic's), one function a rule in rules_*.c. Reads pale policies, Docker/OCI JSON and
 * AppArmor's text; findings are diagnostics.
 */
#include "compiler/apparmor/expand.h"
#include "compiler/policy/policy.h"
#include "compiler/systemd/settings.h"
#include "grammar/json.h"

struct lint_rule {
	enum diag_id id;
	unsigned formats;    /* LINT_* */
	const char *explain; /* paragraphs for --explain: what, why, evidence, way out */
};

enum {
	LINT_PALE = 1,
	LINT_JSON = 2,
	LINT_APPARMOR = 4,      /* asked of each profile, child and hat that is loaded */
	LINT_APPARMOR_FILE = 8, /* of the file, once, before its profiles */
	LINT_DEPLOYMENT = 16,   /* what starts containers */
};

/* "safe", "unsafe": findings of the rule have a fix, that at best; NULL: none has (fixable.def). */
const char *lint_rule_fix(enum diag_id id);

size_t lint_rule_count(void);
const struct lint_rule *lint_rule_at(size_t i);

/* What is asked for as a rule and is none (left_out.def). NULL behind the last. */
struct lint_left_out {
	const char *id, *slug, *why;
};
const struct lint_left_out *lint_left_out_at(size_t i);

/* Findings go to ds (sorted); returns their number, or -1 when the input could not be read. */
struct oci_runtime;
struct questions; /* questions.h */
struct lint_filter {
	/* What depends on one is about it; NULL: JSON as oci_runtime_default reads it, and what any
	 * of them needs. */
	const struct oci_runtime *runtime;
	struct questions *questions;  /* for all files of a run; NULL: for this one */
	enum systemd_release systemd; /* whose groups of calls a unit's are */
	bool operators;               /* a SeccompProfile's spec, which has no 'defaultErrnoRet' */
};
int lint_json(struct arena *a, const struct lint_filter *with, const struct json *root,
	      struct diags *ds);
int lint_pale(struct arena *a, const struct lint_filter *with, const struct ast_file *file,
	      const struct policies *policies, struct diags *ds);

struct lint_named; /* named.h; NULL: which objects there are is not known */
bool lint_has_base(const struct json *spec);
/* A spec and its base in one, as the operator does it. */
const struct json *lint_operator_unite(struct arena *a, const struct json *spec,
				       const struct json *base);
/* A spec united with its base; NULL: no file of the run has the base. */
const struct json *lint_operator_whole(struct arena *a, struct sources *sources,
				       const struct lint_named *named, const struct json *spec);
/*
 * The same of a SeccompProfile's spec, united with its base ('baseProfileName') as the operator does, where one of the
 * run's files has that; else that is told alone which holds whatever the base adds.
 */
int lint_operator_profile(struct arena *a, const struct lint_filter *with, const struct json *spec,
			  const struct lint_named *named, struct diags *ds);

/* Profiles that it holds are lint_operator_profile()'s; those that it names are looked for. */
struct deployment;
int lint_deployment(struct arena *a, const struct lint_filter *with, const struct deployment *d,
		    const struct lint_named *named, struct diags *ds);
/* Does it name AppArmor profiles, or the operator's, so that it matters? */
bool lint_asks_apparmor(struct arena *a, const struct deployment *d);

struct aa_means_pool;
struct aa_paths; /* aa_paths.h */

/*
 * What profiles have in common, one after the other: patterns, and automata, which share states. What
 * is made of one alone goes with it. Behind a profile with which it takes too much the next begins
 * anew. All 0: nothing yet.
 */
struct lint_work {
	struct arena *arena; /* a scratch of what lint_apparmor() was given first */
	struct aa_means_pool *pool;
	struct aa_accesses *accesses; /* that rules ask about, read (aa_facts.c) */
};
void lint_work_end(struct lint_work *work);

/*
 * AppArmor's text as the release that is asked for reads it. The file's source is the library's and
 * ds's. Errors are what `pale check` says; of a profile that has any, or whose rules together are not decided,
 * no rule is asked.
 */
struct lint_apparmor {
	struct aa_library *library;
	struct aa_asked asked;
	struct lint_work *work; /* for all files of a run, and ended before the first one's arena */
	struct aa_paths *paths; /* for all files of a run, too */
};

/* Owner: the arena. */
struct aa_paths *aa_paths_new(struct arena *a);

/*
 * What reading AppArmor's text and checking it have told gets the ids of the linter's catalogue,
 * and what is told of one cause several times becomes one finding. Of one file, when all is told.
 */
void lint_apparmor_name(struct diags *ds);
/* Is it such an id, of what keeps a parser from taking the text? */
bool lint_refuses_apparmor(enum diag_id id);

int lint_apparmor(struct arena *a, const struct lint_apparmor *with, const struct aa_file *file,
		  struct diags *ds);
