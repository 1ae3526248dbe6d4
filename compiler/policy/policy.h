/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * POLICY: the one central type. Every format is a reader into it and a writer out of it.
 * Names are gone here: numbers, typed comparisons, and the places they came from. A call rule
 * is held once per architecture it applies to, so that numbers, argument order and constants
 * that differ between machines need no special case further down.
 *
 * Everything lives in the arena given to policy_resolve(). Order of rules carries no meaning.
 */
#include <stdbool.h>
#include <stdint.h>

#include "compiler/base/diag.h"
#include "compiler/base/vec.h"
#include "compiler/base/verdict.h"
#include "compiler/policy/env.h"
#include "compiler/rules/rules.h"
#include "compiler/tables/tables.h"
#include "grammar/ast.h"

/* ---- conditions on arguments ---- */

enum cmp_op { CMP_EQ, CMP_NE, CMP_LT, CMP_LE, CMP_GT, CMP_GE, CMP_OP_NR };

enum cond_kind { COND_CMP, COND_AND, COND_OR, COND_NOT };

/*
 * (arg & mask) op value, on the low `width` bits. Width 32: what the register holds above is
 * ignored, mask and value fit 32 bits. is_signed orders LT..GE as two's complement of `width`
 * (mask is then all ones). Sets, ranges, has/lacks are lowered to these.
 */
struct cmp {
	uint8_t arg;   /* 0..5 */
	uint8_t width; /* 16, 32 or 64 */
	bool is_signed;
	enum cmp_op op;
	uint64_t mask;
	uint64_t value;
};

struct cond {
	enum cond_kind kind;
	union {
		struct cmp cmp;
		struct { /* AND, OR; NOT: left */
			const struct cond *left, *right;
		};
	};
};

/* ---- rules ---- */

struct origin { /* where a rule came from; shared by its per-architecture copies */
	const struct ast_stmt *stmt;
	const struct ast_call *call; /* NULL for resource rules */
	struct span span;            /* the call or item, for carets */
	const char *set; /* the set that brought it ("start-run"); NULL: the policy's own */
	struct span use; /* the word in `use` that brought it; NO_SPAN */
	const struct env_cond *const *env; /* left out: by architecture, what is open; else NULL */
};

struct call_rule {
	enum arch arch;
	uint32_t nr;                    /* seccomp_data.nr: with the architecture's base */
	const struct syscall_info *sys; /* NULL for #470 */
	struct verdict verdict;
	const struct cond *cond;    /* NULL: always */
	const struct env_cond *env; /* NULL: always; else resolved with keep_when */
	const struct origin *origin;
};

enum rule_action { RULE_ALLOW, RULE_LOG, RULE_DENY, RULE_QUIET_DENY };

struct file_rule {
	enum rule_action action;
	bool owner;
	unsigned perms;
	char exec[4];      /* "ix" "px" "Px" "cx" "Cx" "ux" "Ux" "pix" ...; "x" in a deny; "" */
	struct str path;   /* AppArmor glob; variables as written */
	struct str target; /* behind ->; empty */
	const struct origin *origin;
};

struct capability_rule {
	enum rule_action action;
	unsigned cap;
	const struct origin *origin;
};

struct network_rule { /* -1: any */
	enum rule_action action;
	int family, type, protocol;
	const struct origin *origin;
};

struct signal_rule {
	enum rule_action action;
	bool send, receive;
	int signal;      /* number; -1: any */
	struct str peer; /* empty: any */
	const struct origin *origin;
};

struct limit_rule {
	const char *resource; /* "nofile" */
	int rlimit;           /* RLIMIT_* */
	uint64_t value;       /* at most; UINT64_MAX: infinity */
	const struct origin *origin;
};

enum layer { LAYER_SECCOMP = 1, LAYER_APPARMOR = 2 };

struct policy {
	struct str name;
	struct span span; /* its name, for messages */
	const struct ast_stmt *stmt;

	struct str program; /* empty: not said */
	uint16_t level;     /* KERNEL_VERSION_OF */
	uint16_t kernel;    /* that it is for: the environment's, the level where that is open */
	unsigned layers;    /* LAYER_* */
	unsigned arches;    /* ARCH_BIT() of those listed */
	/*
	 * What an errno's name means differs between architectures, hence one verdict for each,
	 * listed or not; kinds are the same on all.
	 */
	struct verdict dflt[ARCH_NR], unknown[ARCH_NR];
	/* The line in a `when arch` that says it; NULL: the policy's own line, or none. */
	const struct ast_stmt *dflt_by[ARCH_NR], *unknown_by[ARCH_NR];
	struct verdict foreign;
	/*
	 * What else the head of its AppArmor profile says, typed (name and attachment are the policy's
	 * own, which it lacks), and where; NULL: no such line.
	 */
	const struct aa_header *head;
	const struct origin *head_by;
	bool log_refusals; /* calls that are refused stand in the kernel's log: SECCOMP_FILTER_FLAG_LOG */

	VEC(struct call_rule) calls; /* sorted by (arch, nr), then verdict */
	VEC(struct file_rule) files;
	VEC(struct capability_rule) caps;
	VEC(struct network_rule) networks;
	VEC(struct signal_rule) signals;
	VEC(struct limit_rule) limits;
	/*
	 * AppArmor's other classes, of mount, umount, pivot_root, ptrace, unix, dbus, mqueue, userns,
	 * io_uring and change_profile: `use` is NULL, `origin` is not, and of the prefix only mode and
	 * audit are said.
	 */
	VEC(const struct aa_rule *) others;
	const struct glob_variables *variables; /* AppArmor's, where a path asks; NULL: none does */
	bool says_caps;                         /* at least one capability statement stands in it */
	bool conditional;                       /* some call rule has an `env` */
	/*
	 * keep_when: the resource rules under a condition that is open, as a policy without calls;
	 * NULL: there are none.
	 */
	struct policy *left_out;
};

/* ---- tree to policy ---- */

struct resolve_options {
	struct environment env;
	/*
	 * What env does not know stays with the call rules as their condition, and the policy's own
	 * capability lines are no environment: the policy in every environment. Resource rules carry
	 * no conditions; those under an open one are `left_out`. Without it such a `when` is an error.
	 */
	bool keep_when;
	const char *const
		*set_dirs; /* --sets, then $PALE_PATH, then the installed ones; NULL-ended */
	unsigned arches;   /* --arch: keep only these of the listed; 0: all */
	const char *const *
		apparmor_dirs; /* asked for AppArmor's includes before /etc/apparmor.d; NULL-ended, or NULL */
	bool foreign; /* read from another format: what its loaders accept is no error or news */
};

/*
 * Resolves every policy of a file: names, types, includes, sets, conditions, conflicts of one
 * rank (language.md, rule 2). All errors it can find are reported. Returns the policies in
 * source order; those with errors are there too: look at ds->errors before using any.
 */
struct policies {
	VEC(struct policy *) list;
};
struct policies *policy_resolve(struct arena *a, struct ast_file *file,
				const struct resolve_options *opt, struct diags *ds);

/* The policy's own header line of that word; NULL: it is not written. */
const struct ast_stmt *policy_header(const struct policy *p, enum ast_header header);
/* Where it stands; else the policy's name. */
struct span policy_header_span(const struct policy *p, enum ast_header header);

/*
 * The policy's line of its profile's head as a release reads it; NULL: it does not, and why is told.
 * variables: AppArmor's, NULL where none is known. Owner: the arena.
 */
const struct aa_header *policy_read_head(struct arena *a, const struct ast_stmt *st,
					 enum aa_release release,
					 const struct glob_variables *variables, struct diags *ds);

/* ---- meaning ---- */

struct call { /* struct seccomp_data without the instruction pointer */
	uint32_t audit_arch;
	uint32_t nr;
	uint64_t args[6];
};

/* Why: the rule that decided, or which of the policy's own lines did. */
enum decided_by { BY_RULE, BY_DEFAULT, BY_UNKNOWN, BY_FOREIGN, BY_TRACER_SKIP };

/* A call as the command line writes it, on one architecture. */
struct ast_call_args;
struct written_call {
	struct call call;
	const struct syscall_info *sys; /* NULL for #470 */
	unsigned given;                 /* bit n: argument n was written; the others are 0 */
};
/* 0, or -1 with diagnostics (an unknown name, a value out of range, ...). */
int policy_call_read(struct arena *a, const struct ast_call_args *c, enum arch arch,
		     struct written_call *out, struct diags *ds);

struct decision_why {
	enum decided_by by;
	const struct call_rule *rule; /* BY_RULE */
	enum arch arch;               /* BY_RULE, BY_DEFAULT, BY_UNKNOWN */
};

/*
 * The specification (language.md, rules 1, 7, 8): walks the resolved rules, shares no code
 * with any generator. why may be NULL. The policy must not be `conditional`.
 */
struct verdict policy_eval(const struct policy *p, const struct call *c, struct decision_why *why);
/* The same in an environment, which must know whatever the policy asks. */
struct verdict policy_eval_in(const struct policy *p, const struct environment *env,
			      const struct call *c, struct decision_why *why);
/* Is this call, of a listed architecture, refused whatever the environment? */
bool policy_refuses(const struct policy *p, enum arch a, const struct call *c);
/*
 * Does some call of this number (with base) pass for which `among` holds (NULL: any)? `sample`: one of
 * them. *by: the rule that lets it; NULL: a header line does.
 */
bool policy_lets(const struct policy *p, enum arch a, uint32_t nr, const struct cond *among,
		 const uint64_t sample[6], const struct origin **by);
bool cond_eval(const struct cond *c, const uint64_t args[6]); /* NULL cond: true */
/* Are there arguments that satisfy both? 1 and *args, 0, or -1 when that is too hard to tell. */
int cond_overlap(const struct cond *x, const struct cond *y, uint64_t args[6]);

/*
 * Is dflt (or unknown) one verdict on all listed architectures? Yes: *out is it. No: *out is
 * the first one's, and *other an architecture that differs from it.
 */
bool policy_one_verdict(const struct policy *p, const struct verdict v[ARCH_NR],
			struct verdict *out, enum arch *other);

/* Is this number (with base) known on this architecture at the policy's level? */
bool policy_knows(const struct policy *p, enum arch a, uint32_t nr);
/* The half-open index range of p->calls for one (arch, nr). */
void policy_calls_of(const struct policy *p, enum arch a, uint32_t nr, size_t *first, size_t *end);
/* The same for who goes from number to number: all rules before `from` are on numbers before. */
void policy_calls_from(const struct policy *p, size_t from, enum arch a, uint32_t nr, size_t *first,
		       size_t *end);

struct call_cost {                       /* what the conditions on one call compare */
	const struct call_rule *dearest; /* the rule that compares most; NULL: there is no rule */
	size_t rules, comparisons;       /* on its call: more comparisons than on any other */
	size_t conditional;              /* rules that compare */
};
struct call_cost policy_dearest_call(const struct policy *p);
/*
 * May it be compiled for these architectures (ARCH_BIT())? Counted are rules and what they compare, so
 * that all shapes end at one size, before any work. False: PL220, at the rule that compares most.
 */
bool policy_check_size(const struct policy *p, unsigned arches, struct diags *ds);

/* Warnings: layers that disagree (rule 6), nothing can start (rule 10). */
void policy_check(const struct policy *p, struct diags *ds);
/* The part of it that is about starting: execve is refused on a machine family (PL202). */
void policy_check_start(const struct policy *p, struct diags *ds);

/* An error where refusals are to be logged and no layer of the policy is one that logs them so (PL130). */
void policy_check_log(const struct policy *p, struct diags *ds);

/*
 * A copy in which every refusal is a log line, by resource rules too, without limits: it refuses
 * nothing. The header lines in its tree are the original's.
 */
struct policy *policy_logging(struct arena *a, const struct policy *p);
/* Such a copy cannot log it: the rule refuses to execute what another one may let be executed. */
bool file_rule_denies_exec(const struct file_rule *f);

/* Union (language.md, rule 3): NULL and diagnostics where header lines differ. */
struct policy *policy_union(struct arena *a, const struct policy *x, const struct policy *y,
			    struct diags *ds);
