/* SPDX-License-Identifier: Apache-2.0 */
/* Two files that answer for calls, compared in all that they say. */
#include "compiler/tell/diff.h"

/*
 * A policy that does not count on seccomp filters nothing: its header is no verdict on calls.
 * True when d is one; its architectures are then whatever the other side's are.
 */
static bool open_calls(struct dd *dd, struct decide *d)
{
	if (d->in.format != INPUT_PALE || d->parts.v[0].policy->layers & LAYER_SECCOMP)
		return false;
	d->root = dd_terminal(dd, (struct verdict){ VERDICT_ALLOW, 0 });
	return true;
}

/* The architectures whose calls no machine of --host makes. */
static unsigned never_made(const struct environment *env)
{
	unsigned never = 0;

	for (int a = 0; env->host_known && a < ARCH_NR; a++)
		if (!env_runs(env->host, (enum arch)a))
			never |= ARCH_BIT(a);
	return never;
}

static const struct compare *compare_calls(struct session *s, struct dd *dd, struct decide *a,
					   struct decide *b, const struct diff_asked *o)
{
	if (!(o->layers & LAYER_SECCOMP))
		return ARENA_NEW(s->arena, struct compare);
	bool open_a = open_calls(dd, a), open_b = open_calls(dd, b);
	struct compare_side x = { a->root, open_a ? b->arches : a->arches,
				  a->in.format == INPUT_JSON };
	struct compare_side y = { b->root, open_b ? a->arches : b->arches,
				  b->in.format == INPUT_JSON };
	return compare_roots(s->arena, dd, &x, &y, o->only, never_made(o->env));
}

void diff_sum_up(struct diff *d)
{
	d->has[CHANGE_UNDECIDED] |= d->compare->undecided > 0;
	d->open = d->has[CHANGE_UNDECIDED];
	for (enum change c = 0; c < CHANGE_UNDECIDED; c++)
		d->differs |= d->has[c];
}

void diff_decided_files(struct session *s, struct dd *dd, struct decide *a, struct decide *b,
			const struct diff_asked *asked, struct diff *out)
{
	*out = (struct diff){
		.a = a,
		.b = b,
		.a_for = out->a_for,
		.b_for = out->b_for,
		.layers = asked->layers,
		.compare = compare_calls(s, dd, a, b, asked),
	};
	diff_group(s, out, asked->only);
	if (asked->layers & LAYER_SECCOMP)
		diff_logging(s, out);
	if (asked->layers & LAYER_APPARMOR)
		diff_resources(s, out, &asked->apparmor[0], &asked->apparmor[1]);
	diff_sum_up(out);
}
