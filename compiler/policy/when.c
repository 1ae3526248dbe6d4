/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions on the environment (language.md, rule 11), in three values: what is not known may
 * still not matter (`capability x or kernel >= 5.9` on a known kernel).
 */
#include <errno.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/policy/resolve.h"

enum tri { TRI_FALSE, TRI_TRUE, TRI_UNKNOWN };

static enum tri tri_of(bool b)
{
	return b ? TRI_TRUE : TRI_FALSE;
}

static enum tri tri_not(enum tri t)
{
	return t == TRI_UNKNOWN ? t : tri_of(t == TRI_FALSE);
}

/* Either decides alone where it is the strong one: false among 'and', true among 'or'. */
static enum tri tri_join(enum tri strong, enum tri x, enum tri y)
{
	if (x == strong || y == strong)
		return strong;
	return x == TRI_UNKNOWN ? x : y;
}

/* What is strong among conditions of a kind. */
static enum tri strong_of(bool and)
{
	return tri_of(!and);
}

static bool find_arch(struct resolver *r, const struct ast_word *w, enum arch *out)
{
	int a = arch_find(w->text);

	if (a >= 0) {
		*out = (enum arch)a;
		return true;
	}
	struct suggest s;
	diag_suggest_start(r->ds, &s, w->text);
	for (int i = 0; i < ARCH_NR; i++)
		suggest_offer(&s, str_c(arch_info((enum arch)i)->name));
	struct diag *d = resolve_report(r, DIAG_PL102, w->span, "unknown architecture '" PRISTR "'",
					WORD(*w));
	diag_suggest(r->ds, d, w->span, &s);
	return false;
}

static enum tri eval_caps(struct resolver *r, const struct ast_env *env)
{
	bool all = true;

	for (const struct ast_word *w = env->words; w; w = w->next) {
		int cap = resolve_capability(r, w);
		if (cap < 0)
			continue;
		if (!(r->env.caps >> cap & 1))
			all = false;
	}
	return r->env.caps_known && !r->blind ? tri_of(all) : TRI_UNKNOWN;
}

static enum tri eval_kernel(struct resolver *r, const struct ast_env *env)
{
	uint16_t v;

	if (resolve_version(env->version.text, &v) < 0) {
		struct diag *d =
			resolve_report(r, DIAG_PL101, env->version.span,
				       "'" PRISTR "' is not a kernel version", WORD(env->version));
		diag_help(r->ds, d, "write it as MAJOR.MINOR, such as 5.9");
		return TRI_FALSE;
	}
	if (!r->env.kernel_known || r->blind)
		return TRI_UNKNOWN;
	switch (env->op) {
	case AST_CMP_EQ: return tri_of(r->env.kernel == v);
	case AST_CMP_NE: return tri_of(r->env.kernel != v);
	case AST_CMP_LT: return tri_of(r->env.kernel < v);
	case AST_CMP_LE: return tri_of(r->env.kernel <= v);
	case AST_CMP_GT: return tri_of(r->env.kernel > v);
	case AST_CMP_GE: return tri_of(r->env.kernel >= v);
	case AST_CMP_IN:
	case AST_CMP_HAS:
	case AST_CMP_HAS_ANY:
	case AST_CMP_LACKS:
	case AST_CMP_NR: break;
	}
	BUG("when kernel");
}

static enum tri eval_words(struct resolver *r, const struct ast_env *env, enum arch is)
{
	enum arch a = ARCH_NR;
	bool any = false;

	for (const struct ast_word *w = env->words; w; w = w->next)
		if (find_arch(r, w, &a) && a == is)
			any = true;
	return tri_of(any);
}

/* Could a call of this architecture be made on one of these machines? */
static enum tri possible_host(const struct ast_env *env, enum arch arch)
{
	for (const struct ast_word *w = env->words; w; w = w->next) {
		int a = arch_find(w->text);
		if (a < 0 || !strcmp(arch_info((enum arch)a)->family, arch_info(arch)->family))
			return TRI_UNKNOWN;
	}
	return TRI_FALSE;
}

/*
 * The machine that makes this architecture's calls: the one that is given, where it is of the
 * family; else the family's own, as no other makes them. ARCH_NR: nothing says it, which only
 * i386 or arm alone leave open (a 64-bit kernel makes their calls, and a 32-bit one).
 */
static enum arch machine_of(const struct resolver *r, enum arch arch)
{
	int family = arch_find(str_c(arch_info(arch)->family));

	if (r->env.host_known && env_runs(r->env.host, arch))
		return r->env.host;
	if (family < 0)
		BUG("a family that no architecture names");
	if (r->listed & ARCH_BIT(family) || arch == ARCH_X32)
		return (enum arch)family;
	return arch == ARCH_I386 || arch == ARCH_ARM ? ARCH_NR : (enum arch)family;
}

static bool machines_known(const struct resolver *r)
{
	for (unsigned a = 0; a < ARCH_NR; a++)
		if (r->listed & ARCH_BIT(a) && machine_of(r, (enum arch)a) == ARCH_NR)
			return false;
	return true;
}

static enum tri eval_host(struct resolver *r, const struct ast_env *env, enum arch arch)
{
	enum arch machine = machine_of(r, arch);
	enum tri t = eval_words(r, env, machine == ARCH_NR ? r->env.host : machine);

	return machine == ARCH_NR ? TRI_UNKNOWN : t;
}

static enum tri eval_env(struct resolver *r, const struct ast_env *env, enum arch arch)
{
	enum tri x, y;

	switch (env->kind) {
	case AST_ENV_CAPABILITY: return eval_caps(r, env);
	case AST_ENV_KERNEL: return eval_kernel(r, env);
	case AST_ENV_HOST:
		if (r->blind)
			return possible_host(env, arch);
		return eval_host(r, env, arch);
	case AST_ENV_ARCH: return eval_words(r, env, arch);
	case AST_ENV_AND:
	case AST_ENV_OR:
		x = eval_env(r, env->left, arch);
		y = eval_env(r, env->right, arch);
		return tri_join(strong_of(env->kind == AST_ENV_AND), x, y);
	case AST_ENV_NOT: return tri_not(eval_env(r, env->left, arch));
	}
	BUG("ast_env_kind");
}

/* The first time that something is missing says it; a profile may ask for it thirty times. */
static bool first_asked(struct resolver *r, unsigned what)
{
	bool first = !(r->asked & what);

	r->asked |= what;
	return first;
}

/* Says of every unknown part which option would tell. */
static void report_unknown(struct resolver *r, const struct ast_env *env)
{
	struct diag *d;

	switch (env->kind) {
	case AST_ENV_AND:
	case AST_ENV_OR:
		report_unknown(r, env->left);
		report_unknown(r, env->right);
		return;
	case AST_ENV_NOT: report_unknown(r, env->left); return;
	case AST_ENV_CAPABILITY:
		if (r->env.caps_known || !first_asked(r, 1))
			return;
		d = resolve_report(
			r, DIAG_PL131, env->span,
			"this depends on capabilities, and nothing says which there are");
		diag_help(r->ds, d, "give --caps LIST, or write 'capability' lines in the policy");
		return;
	case AST_ENV_KERNEL:
		if (r->env.kernel_known || !first_asked(r, 2))
			return;
		d = resolve_report(r, DIAG_PL131, env->span,
				   "this depends on the kernel's version, which is not known here");
		diag_help(r->ds, d, "give --kernel VERSION");
		return;
	case AST_ENV_HOST:
		if (machines_known(r) || !first_asked(r, 4))
			return;
		d = resolve_report(
			r, DIAG_PL131, env->span,
			r->env.host_known ?
				"this depends on the machine, and the one that is given makes none "
				"of these calls" :
				"this depends on the machine, which is not known here");
		diag_help(r->ds, d, "give --host ARCH");
		return;
	case AST_ENV_ARCH: return;
	}
	BUG("ast_env_kind");
}

/* A machine other than the one that is taken makes these calls too, and has another answer; or -1. */
static int other_machine(struct resolver *r, const struct ast_env *env, enum arch arch, enum tri t)
{
	const struct environment given = r->env;
	int found = -1;

	for (int h = 0; h < ARCH_NR && found < 0; h++) {
		if (h == ARCH_X32 || !env_runs((enum arch)h, arch)) /* no kernel is x32's */
			continue;
		r->env.host_known = true;
		r->env.host = (enum arch)h;
		enum tri there = eval_env(r, env, arch);
		found = there != TRI_UNKNOWN && there != t ? h : -1;
	}
	r->env = given;
	return found;
}

/* Without --host the machine is the family's own; a program that a 32-bit kernel loads is not its. */
static void tell_assumed(struct resolver *r, const struct ast_env *env, enum arch arch, enum tri t)
{
	int other = r->env.host_known || r->probing || t == TRI_UNKNOWN ?
			    -1 :
			    other_machine(r, env, arch, t);
	enum arch machine = machine_of(r, arch);

	if (other < 0 || machine == ARCH_NR || !first_asked(r, 8))
		return;
	const char *taken = arch_info(machine)->name, *name = arch_info((enum arch)other)->name;
	struct diag *d =
		resolve_report(r, DIAG_PL238, env->span,
			       "for calls of %s the machine is taken to be "
			       "%s here; on a machine of %s this condition answers otherwise",
			       arch_info(arch)->name, taken, name);
	diag_help(r->ds, d,
		  "give --host %s for those machines, or --host %s to say that it is meant", name,
		  taken);
}

unsigned when_arches(struct resolver *r, const struct ast_env *env)
{
	unsigned mask = 0;
	bool unknown = false;

	for (int a = 0; a < ARCH_NR; a++) {
		if (!(r->listed & ARCH_BIT(a)))
			continue;
		enum tri t = eval_env(r, env, (enum arch)a);
		tell_assumed(r, env, (enum arch)a, t);
		if (t == TRI_TRUE)
			mask |= ARCH_BIT(a);
		if (t == TRI_UNKNOWN)
			unknown = true;
	}
	if (unknown && !r->probing)
		report_unknown(r, env);
	return mask;
}

/* ---- keep_when ---- */

struct open { /* what is left of a condition: cond where t is unknown */
	enum tri t;
	const struct env_cond *cond;
};

static const struct env_cond *env_new(struct resolver *r, struct env_cond c)
{
	return arena_dup(r->arena, &c, sizeof(c));
}

static struct open open_join(struct resolver *r, enum env_kind kind, struct open x, struct open y)
{
	enum tri strong = strong_of(kind == ENV_AND);

	if (x.t != TRI_UNKNOWN)
		return x.t == strong ? x : y;
	if (y.t != TRI_UNKNOWN)
		return y.t == strong ? y : x;
	return (struct open){ TRI_UNKNOWN,
			      env_new(r, (struct env_cond){
						 .kind = kind, .left = x.cond, .right = y.cond }) };
}

static struct open open_not(struct resolver *r, struct open x)
{
	if (x.t != TRI_UNKNOWN)
		return (struct open){ tri_not(x.t), NULL };
	return (struct open){ TRI_UNKNOWN,
			      env_new(r, (struct env_cond){ .kind = ENV_NOT, .left = x.cond }) };
}

static struct open open_caps(struct resolver *r, const struct ast_env *env)
{
	struct open all = { eval_caps(r, env), NULL };

	if (all.t != TRI_UNKNOWN)
		return all;
	all.t = TRI_TRUE;
	for (const struct ast_word *w = env->words; w; w = w->next) {
		int cap = capability_find(w->text);
		if (cap < 0)
			continue; /* reported */
		struct env_cond c = { .kind = ENV_CAP, .cap = (unsigned)cap };
		all = open_join(r, ENV_AND, all, (struct open){ TRI_UNKNOWN, env_new(r, c) });
	}
	return all;
}

/* Kernel at least this version; beyond the last one there is none. */
static struct open open_from(struct resolver *r, unsigned version)
{
	if (!version || version > UINT16_MAX)
		return (struct open){ tri_of(!version), NULL };
	return (struct open){ TRI_UNKNOWN,
			      env_new(r, (struct env_cond){ .kind = ENV_KERNEL,
							    .version = (uint16_t)version }) };
}

static struct open open_kernel(struct resolver *r, const struct ast_env *env)
{
	struct open known = { eval_kernel(r, env), NULL };
	uint16_t v;

	if (known.t != TRI_UNKNOWN || resolve_version(env->version.text, &v) < 0)
		return known;
	struct open from = open_from(r, v), after = open_from(r, v + 1u);
	switch (env->op) {
	case AST_CMP_GE: return from;
	case AST_CMP_LT: return open_not(r, from);
	case AST_CMP_GT: return after;
	case AST_CMP_LE: return open_not(r, after);
	case AST_CMP_EQ: return open_join(r, ENV_AND, from, open_not(r, after));
	case AST_CMP_NE: return open_join(r, ENV_OR, open_not(r, from), after);
	case AST_CMP_IN:
	case AST_CMP_HAS:
	case AST_CMP_HAS_ANY:
	case AST_CMP_LACKS:
	case AST_CMP_NR: break;
	}
	BUG("when kernel");
}

static struct open open_host(struct resolver *r, const struct ast_env *env, enum arch arch)
{
	struct env_cond c = { .kind = ENV_HOST };
	enum arch a = ARCH_NR;

	if (r->env.host_known) {
		enum arch machine = machine_of(r, arch);
		return (struct open){
			eval_words(r, env, machine == ARCH_NR ? r->env.host : machine), NULL
		};
	}
	for (const struct ast_word *w = env->words; w; w = w->next)
		if (find_arch(r, w, &a))
			c.hosts |= ARCH_BIT(a);
	if (!c.hosts)
		return (struct open){ TRI_FALSE, NULL };
	return (struct open){ TRI_UNKNOWN, env_new(r, c) };
}

static struct open open_env(struct resolver *r, const struct ast_env *env, enum arch arch)
{
	struct open x, y;

	switch (env->kind) {
	case AST_ENV_CAPABILITY: return open_caps(r, env);
	case AST_ENV_KERNEL: return open_kernel(r, env);
	case AST_ENV_HOST: return open_host(r, env, arch);
	case AST_ENV_ARCH: return (struct open){ eval_words(r, env, arch), NULL };
	case AST_ENV_AND:
	case AST_ENV_OR:
		x = open_env(r, env->left, arch);
		y = open_env(r, env->right, arch);
		return open_join(r, env->kind == AST_ENV_AND ? ENV_AND : ENV_OR, x, y);
	case AST_ENV_NOT: return open_not(r, open_env(r, env->left, arch));
	}
	BUG("ast_env_kind");
}

unsigned when_keep(struct resolver *r, const struct ast_env *ast,
		   const struct env_cond *env[ARCH_NR])
{
	unsigned mask = 0;

	for (int a = 0; a < ARCH_NR; a++) {
		if (!(r->listed & ARCH_BIT(a)))
			continue;
		struct open o = open_env(r, ast, (enum arch)a);
		if (o.t == TRI_FALSE)
			continue;
		mask |= ARCH_BIT(a);
		if (o.t == TRI_TRUE)
			continue;
		struct open outer = { env[a] ? TRI_UNKNOWN : TRI_TRUE, env[a] };
		env[a] = open_join(r, ENV_AND, outer, o).cond;
	}
	return mask;
}

unsigned when_possible(struct resolver *r, const struct ast_env *env)
{
	unsigned mask = 0;

	r->blind = true;
	for (int a = 0; a < ARCH_NR; a++)
		if (r->listed & ARCH_BIT(a) && eval_env(r, env, (enum arch)a) != TRI_FALSE)
			mask |= ARCH_BIT(a);
	r->blind = false;
	return mask;
}
