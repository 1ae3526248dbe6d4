/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions on the environment: evaluate, decide over a box of environments, split a box. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/policy/env.h"

enum { STEPS_MAX = 100000 }; /* boxes looked at before an overlap is too hard to tell */

#define ORDER(a, b)                                                                                \
	do {                                                                                       \
		if ((a) != (b))                                                                    \
			return (a) < (b) ? -1 : 1;                                                 \
	} while (0)

bool env_holds(const struct env_cond *c, const struct environment *env)
{
	if (!c)
		return true;
	switch (c->kind) {
	case ENV_CAP: return env->caps >> c->cap & 1;
	case ENV_KERNEL: return env->kernel >= c->version;
	case ENV_HOST: return c->hosts & ARCH_BIT(env->host);
	case ENV_AND: return env_holds(c->left, env) && env_holds(c->right, env);
	case ENV_OR: return env_holds(c->left, env) || env_holds(c->right, env);
	case ENV_NOT: return !env_holds(c->left, env);
	}
	BUG("env_kind");
}

bool env_runs(enum arch host, enum arch call)
{
	const char *family = arch_info(call)->family;

	/* A family is named after the architecture that makes the calls of all of it. */
	return host == call ||
	       (!strcmp(arch_info(host)->family, family) && !strcmp(arch_info(host)->name, family));
}

struct env_cube env_all(unsigned arches)
{
	struct env_cube all = { .last = UINT16_MAX };

	for (int h = 0; h < ARCH_NR; h++)
		for (int a = 0; a < ARCH_NR; a++)
			if (arches & ARCH_BIT(a) && env_runs((enum arch)h, (enum arch)a))
				all.hosts |= ARCH_BIT(h);
	return all;
}

int env_decide(const struct env_cond *c, const struct env_cube *in)
{
	int x, y;

	if (!c)
		return 1;
	switch (c->kind) {
	case ENV_CAP: return in->caps >> c->cap & 1 ? 1 : in->no_caps >> c->cap & 1 ? 0 : -1;
	case ENV_KERNEL: return in->first >= c->version ? 1 : in->last < c->version ? 0 : -1;
	case ENV_HOST: return !(in->hosts & c->hosts) ? 0 : !(in->hosts & ~c->hosts) ? 1 : -1;
	case ENV_AND:
		x = env_decide(c->left, in);
		y = x ? env_decide(c->right, in) : 0;
		return !x || !y ? 0 : x < 0 ? x : y;
	case ENV_OR:
		x = env_decide(c->left, in);
		y = x == 1 ? 1 : env_decide(c->right, in);
		return x == 1 || y == 1 ? 1 : x < 0 ? x : y;
	case ENV_NOT: x = env_decide(c->left, in); return x < 0 ? x : !x;
	}
	BUG("env_kind");
}

void env_split(const struct env_cond *c, const struct env_cube *in, struct env_cube *yes,
	       struct env_cube *no)
{
	while (c->kind >= ENV_AND)
		c = c->kind == ENV_NOT || env_decide(c->left, in) < 0 ? c->left : c->right;
	*yes = *no = *in;
	switch (c->kind) {
	case ENV_CAP:
		yes->caps |= UINT64_C(1) << c->cap;
		no->no_caps |= UINT64_C(1) << c->cap;
		return;
	case ENV_KERNEL:
		yes->first = c->version;
		no->last = (uint16_t)(c->version - 1);
		return;
	case ENV_HOST:
		yes->hosts &= c->hosts;
		no->hosts &= ~c->hosts;
		return;
	case ENV_AND:
	case ENV_OR:
	case ENV_NOT: break;
	}
	BUG("env_kind");
}

static int overlap(const struct env_cond *x, const struct env_cond *y, const struct env_cube *in,
		   struct env_cube *where, size_t *steps)
{
	int dx = env_decide(x, in), dy = env_decide(y, in);
	struct env_cube yes, no;

	if (!dx || !dy)
		return 0;
	if (dx > 0 && dy > 0) {
		*where = *in;
		return 1;
	}
	if ((*steps)++ >= STEPS_MAX)
		return -1;
	env_split(dx < 0 ? x : y, in, &yes, &no);
	int found = overlap(x, y, &yes, where, steps);
	return found ? found : overlap(x, y, &no, where, steps);
}

int env_overlap(const struct env_cond *x, const struct env_cond *y, const struct env_cube *in,
		struct env_cube *where)
{
	size_t steps = 0;

	*where = *in;
	if (!in->hosts || in->first > in->last)
		return 0;
	return overlap(x, y, in, where, &steps);
}

int env_compare(const struct env_cond *x, const struct env_cond *y)
{
	if (x == y)
		return 0;
	if (!x || !y)
		return x ? 1 : -1;
	ORDER(x->kind, y->kind);
	ORDER(x->cap, y->cap);
	ORDER(x->version, y->version);
	ORDER(x->hosts, y->hosts);
	int c = env_compare(x->left, y->left);
	return c ? c : env_compare(x->right, y->right);
}

void env_cube_print(const struct env_cube *c, const struct env_cube *of, struct buf *out)
{
	unsigned least = c->hosts & -c->hosts;
	size_t start = out->n;

	for (unsigned cap = 0; cap < CAPABILITY_NR; cap++)
		if (c->caps >> cap & 1)
			buf_printf(out, "%scapability %s", out->n > start ? ", " : "",
				   capability_name(cap));
	for (unsigned cap = 0; cap < CAPABILITY_NR; cap++)
		if (c->no_caps >> cap & 1)
			buf_printf(out, "%sno capability %s", out->n > start ? ", " : "",
				   capability_name(cap));
	if (c->first != of->first || c->last != of->last) {
		uint16_t kernel = c->first ? c->first : c->last;
		buf_printf(out, "%skernel %u.%u", out->n > start ? ", " : "", kernel >> 8,
			   kernel & 0xff);
	}
	for (int h = 0; h < ARCH_NR && c->hosts != of->hosts; h++)
		if (ARCH_BIT(h) == least)
			buf_printf(out, "%shost %s", out->n > start ? ", " : "",
				   arch_info((enum arch)h)->name);
}
