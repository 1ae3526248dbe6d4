/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the rules look at. A profile is JSON as a runtime reads it, with places (compiler/oci);
 * facts (facts.h) are what a profile or a policy lets through, the same for both formats. AppArmor's
 * text comes expanded, with its meaning (aa_facts.h).
 */
#include "compiler/base/group.h"
#include "compiler/deploy/deploy.h"
#include "compiler/lint/lint.h"
#include "compiler/oci/profile.h"
#include "compiler/oci/runtime/runtime.h"
#include "compiler/systemd/settings.h"
#include "compiler/tables/tables.h"

/* ---- JSON: struct oci_profile, as the one reader gives it ---- */

static inline bool entry_permits(const struct oci_entry *e) /* allow or log */
{
	return e->verdict.kind == VERDICT_ALLOW || e->verdict.kind == VERDICT_LOG;
}

static inline bool entry_gated(const struct oci_entry *e) /* in force in some environments only */
{
	return !oci_gate_any(e->gate);
}

/* ---- both formats ---- */

struct facts;
struct unit_facts;

struct lint {
	struct arena *arena;
	struct diags *ds;
	const struct json *root;           /* JSON */
	const struct oci_profile *profile; /* JSON; NULL when it is none */
	bool operators;                    /* JSON: as lint_filter has it */
	const struct ast_file *file;       /* pale */
	const struct policy *policy;       /* pale: the one being looked at; NULL: the file */
	const struct oci_runtime *runtime; /* NULL: any */
	struct group
		refused; /* JSON: calls of which libseccomp does not take the entries together */
	const struct oci_overlaps *overlaps; /* JSON */
	const struct uses *uses; /* JSON: of names (rules_meaning.c); NULL: nobody has asked */
	struct facts *facts;     /* NULL with no profile, no policy, or no filter in it */
	struct aa_facts *aa;     /* AppArmor (aa_facts.h); else NULL */
	const struct deployment *deployment; /* else NULL */
	enum systemd_release systemd;        /* of a deployment: as whose a unit is read */
	unsigned docker; /* of a deployment: the engine's version, as DOCKER() has it; 0: any */
	const struct lint_named *named; /* of a deployment; NULL: not known */
	bool asks_apparmor;             /* a deployment names a profile */
	const struct unit_facts *unit;  /* of a deployment (unit_facts.h) */
	bool unit_asked;
};

typedef void lint_fn(struct lint *l, enum diag_id id);

/*
 * What goes with a statement that is cut: its lines, and the comment behind it, where nothing else
 * stands on them; else the blanks before it.
 */
struct span lint_lines_of(struct str text, struct span sp);

/*
 * The capability that the kernel asks for whatever the call's arguments are, and in the machine's own user namespace: a
 * new one does not give it (rules_risk.c). -1: none.
 */
int lint_risk_asks(const char *call);
/* The same in the user namespace at hand, for what the call is of risk for. */
int lint_risk_asks_there(const char *call);

/* Does it name SeccompProfiles of the operator (rules_operator.c)? */
bool lint_asks_operator(const struct deployment *d);

/* Of DP608: a unit's (rules_unit.c). */
void lint_unit_new_privileges(struct lint *l, enum diag_id id);

/* The file of a seccomp profile that an option names, from the folder of what names it; NULL: it names none. */
const char *lint_filter_path(struct lint *l, const struct deploy_option *o);

/* ---- findings: one a rule, with the names that prove it ---- */

#define GROUP(l) ((struct group){ .arena = (l)->arena })

/* "x86_64, i386"; in the arena of l. */
const char *lint_arches(struct lint *l, unsigned arches);

/*
 * RULE(id, slug, severity, formats, function, one line, explanation): a rule, above its function or
 * above one that several share. RULE_TOLD: one that another part of pale finds. The explanation says
 * what is found, why it matters, what shows it, and the way out. Gathered into lint_rules.def, of
 * which the ids in diag.def and the table in lint.c are made; a row begins in the first column and
 * ends with `")` at the end of a line.
 */
#define RULE(id, slug, severity, formats, fn, doc, explain) lint_fn fn;
#define RULE_TOLD(id, slug, severity, formats, doc, explain)

/* Rules about the file as a whole: sets that nothing uses. */
void lint_pale_file(struct arena *a, const struct ast_file *file, struct diags *ds);
