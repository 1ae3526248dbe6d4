/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/apparmor/slow.h"

#include <stdlib.h>
#include <string.h>

#include "compiler/apparmor/needs.h"
#include "compiler/base/bug.h"

/* Steps of the parser's that are some 4 s: of 3.0's, of newer ones'. */
enum { STEPS_OLD = 10 << 20, STEPS_NEW = 40 << 20 };

static int by_path(const void *x, const void *y)
{
	const struct file_rule *const *a = x, *const *b = y;

	return str_cmp((*a)->path, (*b)->path);
}

static size_t common(struct str x, struct str y)
{
	size_t n = 0;

	while (n < x.n && n < y.n && x.p[n] == y.p[n])
		n++;
	return n;
}

void apparmor_tell_slow(struct arena *a, const struct policy *p, const struct apparmor_target *t,
			struct diags *ds)
{
	size_t n = p->files.n, rules = 0, steps = 0, most = 0, before = 0;
	const struct file_rule **sorted = ARENA_ARRAY(a, const struct file_rule *, n + 1);
	const struct file_rule *worst = NULL;
	struct diag *d;

	for (size_t i = 0; i < n; i++)
		sorted[i] = &p->files.v[i];
	qsort(sorted, n, sizeof(*sorted), by_path);
	for (size_t i = 0; i < n; i++) {
		size_t len = sorted[i]->path.n;
		size_t next = i + 1 < n ? common(sorted[i]->path, sorted[i + 1]->path) : 0;
		size_t shared = before > next ? before : next;
		/* Behind each byte that it shares: what is left of it. */
		size_t own = shared * len - shared * shared / 2;

		if (next == len && sorted[i + 1]->path.n == len)
			continue; /* the same once more, which is one expression */
		before = next;
		steps += own;
		rules += own > 0;
		worst = own > most ? sorted[i] : worst;
		most = own > most ? own : most;
	}
	bool old = !t || t->release == AA_RELEASE_3_0;
	if (!worst || steps < (old ? STEPS_OLD : STEPS_NEW))
		return;
	d = diag_add(
		ds, DIAG_PL470, worst->origin->span,
		"AppArmor's parser takes seconds, or minutes, to load this%s: %zu file rules have long "
		"beginnings in common, of names of up to %zu bytes",
		old ? ", 3.0's" : "", rules, worst->path.n);
	diag_help(ds, d,
		  "'apparmor_parser -O no-expr-simplify' takes a fraction of that, in parser.conf "
		  "'Optimize=no-expr-simplify'; or let '**' stand for the deep ones");
}
