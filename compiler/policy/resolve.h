/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Inside of policy_resolve(): tree to POLICY, in the steps scopes -> headers -> items -> rules
 * -> checks. Only files of compiler/policy/ include this. Everything lives in the arena of the
 * resolver; every step reports what is wrong and goes on.
 */
#include "compiler/base/table.h"
#include "compiler/policy/policy.h"

#define WORD(w) STRARG((w).text)

enum { /* bounds on hostile input */
       INCLUDE_DEPTH = 16,
       USES_MAX = 4096,      /* expansions of sets in one policy */
       ITEMS_MAX = 1 << 20,  /* statements of one policy, sets expanded */
       RULES_MAX = 1 << 20,  /* call rules of one policy */
       NAMES_MAX = 1024,     /* policies, or sets, of one file */
       VALUES_MAX = 1 << 16, /* elements of one `in` set */
       ABSENT_SHOWN = 6,     /* calls named where some architecture lacks them */
       ABSENT_LINES = 4,     /* sets of them that get a line each; more are told together */
};

/* ---- scopes (compose.c): which sets a file sees ---- */

struct scope;

struct set_def {
	const char *name;
	const struct ast_stmt *stmt;
	struct scope *scope;
	bool used;
};

struct scope { /* one source */
	const struct source *source;
	const struct ast_file *file;
	VEC(struct set_def *) sets;
	VEC(struct scope *) includes;
	struct scope *parent; /* while its includes are being read */
	bool reading;
	unsigned mark; /* of the last search that came by */
};

struct except { /* one `except` list; `up`: of the `use` around it */
	const struct ast_word *words;
	const struct except *up;
	bool *hit;
};

/* A statement of the policy, sets expanded. */
struct item {
	const struct ast_stmt *stmt;
	const char *set; /* NULL: the policy's own */
	struct span use;
	unsigned arches;   /* of the listed: where its `when`s hold */
	unsigned possible; /* of the listed: where they could, whatever the environment */
	bool by_arch;      /* they hold on some of the listed architectures only */
	const struct env_cond *const
		*env; /* keep_when: by architecture, what is left open; NULL: nothing */
	const struct except *except;
};

struct read_rule { /* a statement in AppArmor's words, as a policy reads it; NULL: it was wrong */
	const struct ast_stmt *stmt;
	const struct policy *policy;
	const struct aa_rule *rule;
};

struct absent { /* calls that are on no rule of these architectures: one note for all of them */
	unsigned arches;
	struct span first;
	VEC(const struct syscall_info *) calls;
};

struct resolver {
	struct arena *arena;
	struct diags *ds;
	const struct resolve_options *opt;
	struct table seen; /* diagnostics already given: a set used twice is reported once */
	VEC(struct scope *) scopes;
	unsigned mark;
	struct table read_at; /* of a file's policies, by statement */
	VEC(struct read_rule) read;

	/* the policy at hand */
	struct policy *p;
	struct environment env;
	bool blind; /* `when` knows the architecture of the call only */
	unsigned
		asked; /* bits: capabilities, kernel, host were reported as not known, the host as assumed */
	bool variables_unread; /* reported: what is declared is not known */
	bool probing; /* first pass: looks for capability lines only; env may be incomplete */
	struct verdict foreign[ARCH_NR]; /* as written; the policy has one */
	unsigned listed; /* architectures as written; p->arches is what --arch leaves of them */
	const struct policy *full; /* told: it has as many call rules as there may be */
	size_t uses;
	VEC(struct item) items;
	VEC(const struct cond *) parts; /* of chains and sets being lowered, inner ones last */
	VEC(struct except *) excepts;
	VEC(struct absent) absent;
	VEC(const struct set_def *) expanded; /* without except, everywhere: again adds nothing */
};

/* ---- report.c ---- */

/* Like diag_add(), but the same words at the same place are said once. Never NULL. */
struct diag *resolve_report(struct resolver *r, enum diag_id id, struct span sp, const char *fmt,
			    ...) __attribute__((format(printf, 4, 5)));
/* "more than `most` WHAT", and the way out. */
void resolve_too_large(struct resolver *r, struct span sp, int most, const char *what,
		       const char *way);
/* "major.minor": 0 or -EINVAL. */
int resolve_version(struct str s, uint16_t *out);

/* ---- others.c: AppArmor's own words ---- */

/* Are all variables declared? False: told. *any: there is one. */
bool resolve_items_declared(struct resolver *r, const struct aa_item *i, bool *any);

/* ---- head.c: the line of AppArmor's words for the head of the profile ---- */
void header_apparmor_resolve(struct resolver *r, const struct ast_stmt *st);

/* ---- compose.c ---- */

struct scope *scope_open(struct resolver *r, const struct source *src, const struct ast_file *f);
/* Fills r->items with the body of a policy (or a set), sets and `when` expanded. */
/* Is this header line one that a `when arch LIST` of the policy's own body may hold? */
bool header_of_arch(const struct ast_stmt *when, const struct ast_stmt *st);
void compose_items(struct resolver *r, struct scope *scope, const struct ast_stmt *body,
		   const struct set_def *self);
void compose_check_excepts(struct resolver *r);

/* ---- when.c: the architectures (of r->listed) on which a condition holds ---- */
unsigned when_arches(struct resolver *r, const struct ast_env *env);
/*
 * keep_when: those on which it holds or may hold; env[] (by architecture) gets what is left open
 * joined to it.
 */
unsigned when_keep(struct resolver *r, const struct ast_env *ast,
		   const struct env_cond *env[ARCH_NR]);
/* Those on which it could hold, whatever the environment. Reports nothing. */
unsigned when_possible(struct resolver *r, const struct ast_env *env);

/* ---- value.c: written values to numbers ---- */

struct operand {          /* what a comparison looks at, on one architecture */
	const char *call; /* for messages */
	const char *name;
	enum arch arch;
	uint8_t arg;
	bool reg;
	enum arg_kind kind;
	const char *domain;
	uint8_t width;
	bool narrowed; /* a long, on a machine of 32 bits */
	bool is_signed;
	uint64_t enum_mask;
};

uint64_t width_mask(unsigned width);
bool value_resolve(struct resolver *r, const struct operand *o, const struct ast_value *v,
		   uint64_t *out);
/* A name of a domain, for words outside conditions; reports unknown ones under `id`. */
bool value_word(struct resolver *r, const char *domain, const char *what, struct str text,
		struct span span, uint64_t *out);

/* A capability by its name, in either spelling; -1 after saying what is wrong with it. */
int resolve_capability(struct resolver *r, const struct ast_word *w);

/* ---- cond.c ---- */

struct cond_site {
	const struct syscall_info *sys; /* NULL for #470 */
	const char *name;
	enum arch arch;
	struct verdict verdict;
};

/* false: reported. *out NULL when there is no condition. */
bool cond_resolve(struct resolver *r, const struct cond_site *site, const struct ast_cond *c,
		  const struct cond **out);
const struct cond *cond_new_cmp(struct arena *a, struct cmp cmp);
const struct cond *cond_new_join(struct arena *a, enum cond_kind kind, const struct cond *l,
				 const struct cond *r); /* a NULL side is left out */

/* ---- item.c ---- */

struct origin *resolve_origin(struct resolver *r, const struct item *it,
			      const struct ast_call *call, struct span span);
/* Is a resource rule left out here? Its condition is open, and it cannot carry one. */
bool resolve_open(const struct item *it);
/* Where resource rules under an open condition go: no layer's rules, but what diff asks for. */
struct policy *resolve_left_out(struct resolver *r);

/* ---- calls.c, resources.c: items to rules ---- */

/* What is written, on each architecture. false: reported. `what` for messages: "default". */
bool verdict_resolve(struct resolver *r, const struct ast_verdict *v, const char *what,
		     struct verdict out[ARCH_NR]);
void verdict_errno(const char *name,
		   struct verdict out[ARCH_NR]); /* "ENOSYS": it is in the table */
void resolve_calls(struct resolver *r, const struct item *it);
/* Tells once of all calls met that some of the listed architectures lack. */
void resolve_report_absent(struct resolver *r);
/* Says that no call has this name, and which one may be meant. */
void resolve_unknown_call(struct resolver *r, const struct ast_word *name);
void resolve_rule_add(struct resolver *r, const struct item *it, struct call_rule rule);
void resolve_network(struct resolver *r, const struct item *it);
void resolve_namespace(struct resolver *r, const struct item *it);
void resolve_resource(struct resolver *r, const struct item *it);
/* AppArmor's variables for the policy at hand, read when first asked for; reported at `sp`. */
const struct glob_variables *resolve_variables(struct resolver *r, struct span sp);
/* Is this a pattern that AppArmor reads, and as it is written? false: reported. */
bool resolve_glob(struct resolver *r, const struct ast_word *w, enum glob_kind kind);
/* Are its variables declared? false: reported. */
bool resolve_declared(struct resolver *r, const struct ast_word *w);
void resolve_other(struct resolver *r, const struct item *it); /* others.c */
void resolve_multiplexed(struct resolver *r);

/* ---- order.c, conflict.c: also for union ---- */
void policy_normalize(struct policy *p); /* sorts, drops doubles */
int cond_compare(const struct cond *x, const struct cond *y);
void conflict_check(struct arena *a, const struct policy *p, struct diags *ds);
