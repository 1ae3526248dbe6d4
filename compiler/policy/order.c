/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One order for the rules of a policy, whatever order they were written in: what makes union
 * commutative and output the same for the same meaning. Doubles are dropped.
 */
#include <stdlib.h>

#include "compiler/policy/resolve.h"
#include "grammar/apparmor_print.h"

#define ORDER(a, b)                                                                                \
	do {                                                                                       \
		if ((a) != (b))                                                                    \
			return (a) < (b) ? -1 : 1;                                                 \
	} while (0)

static int compare_cmp(const struct cmp *x, const struct cmp *y)
{
	ORDER(x->arg, y->arg);
	ORDER(x->width, y->width);
	ORDER(x->is_signed, y->is_signed);
	ORDER(x->op, y->op);
	ORDER(x->mask, y->mask);
	ORDER(x->value, y->value);
	return 0;
}

int cond_compare(const struct cond *x, const struct cond *y)
{
	if (x == y)
		return 0;
	if (!x || !y)
		return x ? 1 : -1;
	ORDER(x->kind, y->kind);
	if (x->kind == COND_CMP)
		return compare_cmp(&x->cmp, &y->cmp);
	int c = cond_compare(x->left, y->left);
	return c ? c : cond_compare(x->right, y->right);
}

/* Which of two equal rules stays: the one written first. */
static int compare_origin(const struct origin *x, const struct origin *y)
{
	if (!x || !y) /* rules that programs made */
		return (x != NULL) - (y != NULL);
	ORDER(x->span.source, y->span.source);
	ORDER(x->span.begin, y->span.begin);
	ORDER(x->use.begin, y->use.begin);
	return 0;
}

static int same_call(const struct call_rule *x, const struct call_rule *y)
{
	ORDER(x->arch, y->arch);
	ORDER(x->nr, y->nr);
	ORDER(x->verdict.kind, y->verdict.kind);
	ORDER(x->verdict.data, y->verdict.data);
	int c = cond_compare(x->cond, y->cond);
	return c ? c : env_compare(x->env, y->env);
}

static int same_file(const struct file_rule *x, const struct file_rule *y)
{
	int c = str_cmp(x->path, y->path);

	if (c)
		return c;
	ORDER(x->action, y->action);
	ORDER(x->owner, y->owner);
	ORDER(x->perms, y->perms);
	c = str_cmp(str_c(x->exec), str_c(y->exec));
	return c ? c : str_cmp(x->target, y->target);
}

static int same_cap(const struct capability_rule *x, const struct capability_rule *y)
{
	ORDER(x->cap, y->cap);
	ORDER(x->action, y->action);
	return 0;
}

static int same_network(const struct network_rule *x, const struct network_rule *y)
{
	ORDER(x->family, y->family);
	ORDER(x->type, y->type);
	ORDER(x->protocol, y->protocol);
	ORDER(x->action, y->action);
	return 0;
}

static int same_signal(const struct signal_rule *x, const struct signal_rule *y)
{
	ORDER(x->signal, y->signal);
	ORDER(x->action, y->action);
	ORDER(x->send, y->send);
	ORDER(x->receive, y->receive);
	return str_cmp(x->peer, y->peer);
}

static int same_limit(const struct limit_rule *x, const struct limit_rule *y)
{
	ORDER(x->rlimit, y->rlimit);
	return 0; /* the smaller one is first and stays: "at most" twice */
}

static int same_other(const struct aa_rule *x, const struct aa_rule *y)
{
	ORDER(x->class, y->class);
	ORDER(x->prefix.mode, y->prefix.mode);
	ORDER(x->prefix.audit, y->prefix.audit);
	return aa_order(x->origin->stmt->rule, y->origin->stmt->rule);
}

/* qsort() callbacks: the order above, then the place, so that what stays does not vary. */
#define COMPARE(name, T, same, last)                                                               \
	static int name(const void *a, const void *b)                                              \
	{                                                                                          \
		const struct T *x = a, *y = b;                                                     \
		int c = same(x, y);                                                                \
		if (c)                                                                             \
			return c;                                                                  \
		last;                                                                              \
		return compare_origin(x->origin, y->origin);                                       \
	}

COMPARE(order_calls, call_rule, same_call, )
COMPARE(order_files, file_rule, same_file, )
COMPARE(order_caps, capability_rule, same_cap, )
COMPARE(order_networks, network_rule, same_network, )
COMPARE(order_signals, signal_rule, same_signal, )
COMPARE(order_limits, limit_rule, same_limit, ORDER(x->value, y->value))

static int order_others(const void *a, const void *b)
{
	const struct aa_rule *x = *(const struct aa_rule *const *)a;
	const struct aa_rule *y = *(const struct aa_rule *const *)b;
	int c = same_other(x, y);

	return c ? c : compare_origin(x->origin, y->origin);
}

static void normalize_others(struct policy *p)
{
	size_t kept = 0;

	if (p->others.n)
		qsort(p->others.v, p->others.n, sizeof(*p->others.v), order_others);
	for (size_t i = 0; i < p->others.n; i++)
		if (!kept || same_other(p->others.v[kept - 1], p->others.v[i]))
			p->others.v[kept++] = p->others.v[i];
	p->others.n = kept;
}

#define NORMALIZE(vec, order, same)                                                                \
	do {                                                                                       \
		size_t kept = 0;                                                                   \
		if ((vec)->n)                                                                      \
			qsort((vec)->v, (vec)->n, sizeof(*(vec)->v), order);                       \
		for (size_t i = 0; i < (vec)->n; i++)                                              \
			if (!kept || same(&(vec)->v[kept - 1], &(vec)->v[i]) != 0)                 \
				(vec)->v[kept++] = (vec)->v[i];                                    \
		(vec)->n = kept;                                                                   \
	} while (0)

void policy_normalize(struct policy *p)
{
	NORMALIZE(&p->calls, order_calls, same_call);
	p->conditional = false;
	vec_each(&p->calls, rule)
		p->conditional |= rule->env != NULL;
	NORMALIZE(&p->files, order_files, same_file);
	NORMALIZE(&p->caps, order_caps, same_cap);
	NORMALIZE(&p->networks, order_networks, same_network);
	NORMALIZE(&p->signals, order_signals, same_signal);
	NORMALIZE(&p->limits, order_limits, same_limit);
	normalize_others(p);
}
