/* SPDX-License-Identifier: Apache-2.0 */
/* Entries with GE and LE: the imports of profiles that compare whole registers in order. */
#include <stdlib.h>
#include <string.h>

#include "compiler/oci/write/writer.h"

enum { BOUNDS_MAX = 256 };

struct bounds {
	uint64_t v[BOUNDS_MAX]; /* where the answer may change */
	size_t n;
	int arg;  /* the only one; -1: none yet */
	bool bad; /* another argument, or a mask */
};

static void collect(struct bounds *b, const struct cond *c)
{
	if (!c || b->bad)
		return;
	if (c->kind != COND_CMP) {
		collect(b, c->left);
		if (c->kind != COND_NOT)
			collect(b, c->right);
		return;
	}
	b->bad |= (b->arg >= 0 && b->arg != c->cmp.arg) || c->cmp.width != 64 || c->cmp.is_signed ||
		  c->cmp.mask != UINT64_MAX || b->n + 2 > BOUNDS_MAX;
	if (b->bad)
		return;
	b->arg = c->cmp.arg;
	b->v[b->n++] = c->cmp.value;
	if (c->cmp.value != UINT64_MAX)
		b->v[b->n++] = c->cmp.value + 1;
}

static int by_value(const void *x, const void *y)
{
	const uint64_t *a = x, *b = y;

	return (*a > *b) - (*a < *b);
}

static bool add_interval(struct writer *w, struct oci_cube *out, size_t *n, const struct bounds *b,
			 uint64_t first, uint64_t last, struct verdict v)
{
	struct oci_cube o = { .c.verdict = v, .ordered = true, .arg = (uint8_t)b->arg };

	if (verdict_eq(v, w->jd))
		return true;
	/* One comparison an entry: an interval must touch an end, or be one value that all
	 * architectures see whole. */
	if (!first) {
		o.op = OCI_LE;
		o.bound = last;
	} else if (last == UINT64_MAX) {
		o.op = OCI_GE;
		o.bound = first;
	} else if (first == last) {
		o.op = OCI_EQ;
		o.bound = first;
	} else {
		return false;
	}
	out[(*n)++] = o;
	return o.bound >> 32 == 0;
}

bool oci_order(struct writer *w, const struct oci_name *name, dd_node node, struct oci_cube *out,
	       size_t *n)
{
	struct bounds b = { .arg = -1 };
	uint64_t args[6] = { 0 };

	*n = 0;
	b.v[b.n++] = 0;
	for (int a = 0; a < ARCH_NR; a++) {
		size_t i, end;
		if (!(w->p->arches & ARCH_BIT(a)) || oci_is_narrow((enum arch)a) ||
		    name->sys->nr[a] < 0)
			continue;
		policy_calls_of(w->p, (enum arch)a, oci_number(name->sys, (enum arch)a), &i, &end);
		for (; i < end; i++)
			collect(&b, w->p->calls.v[i].cond);
	}
	if (b.bad || b.arg < 0)
		return false;
	qsort(b.v, b.n, sizeof(b.v[0]), by_value);
	for (size_t i = 0, k; i < b.n; i = k) {
		args[b.arg] = b.v[i];
		struct verdict v = dd_eval(w->d->dd, node, args);
		/* As far as the answer stays the same. */
		for (k = i + 1; k < b.n; k++) {
			args[b.arg] = b.v[k];
			if (!verdict_eq(dd_eval(w->d->dd, node, args), v))
				break;
		}
		uint64_t last = k < b.n ? b.v[k] - 1 : UINT64_MAX;
		if (!add_interval(w, out, n, &b, b.v[i], last, v))
			return false;
	}
	return true;
}
