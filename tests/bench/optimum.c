/* SPDX-License-Identifier: Apache-2.0 */
/*
 * optimum FILE MOST [TRACE|- [uncached]]: how few instructions a decision can take on average, and
 * how many the generated program takes. x86_64, arguments zero; weights: every known call once, or
 * those of the trace; `uncached`: those alone that the cache of Linux 5.11 does not answer, else
 * Linux 5.10, which has none. Prints: optimum, generated, and without a trace the optimum where no path is
 * longer than MOST (0: unbounded) as the first figure.
 *
 * The optimum is over this class of trees on the number, searched without regard to time, with
 * a programme that shares nothing with the generator's:
 *	- tests A >= k at every boundary, and A == k for the twelve hottest numbers (by an exchange
 *	  argument those are tested hottest first) or, unweighted, for those with the longest leaves;
 *	- at the bottom, equality tests in a row, or one test A & m with any of the 511 masks of
 *	  nine bits and on each side at most two equality tests;
 *	- with a trace, in front of all that at most one test A & ~b, b any set of nine bits,
 *	  whose numbers have one leaf.
 * With a trace the generator may do a little better: it looks for such sets below splits too.
 * What the leaves themselves take (arguments) is that of the generated program.
 */
#include <math.h>

#include "compiler/base/bug.h"
#include "compiler/decision/decision.h"
#include "tests/bench/policy.h"

enum { VALUES = 512, LISTS = 200, POINTS = 12, LANES = 24, ODD = 2, TESTS_AROUND = 4 };

struct item { /* a range of numbers with one leaf */
	uint32_t first, last;
	int leaf;
	double weight;
	int height;
};

struct list {
	struct item v[LISTS];
	size_t n;
	uint32_t points[POINTS];
	size_t npoints;
};

struct search {
	double weight[VALUES]; /* of the numbers */
	int leaf[VALUES], height[VALUES];
	bool present[VALUES];
	struct list all;
	double *cost; /* by (i, j, h, lane) */
	double bottom[LANES];
	bool hot; /* points are the hottest numbers; else those with long leaves */
};

/* ---- lists ---- */

static bool is_lone(const struct item *r)
{
	return r->first == r->last;
}

/* The whole list without the numbers that are not present. */
static struct list present_list(const struct search *s)
{
	struct list l = { .n = 0 };

	for (size_t k = 0; k < s->all.n; k++) {
		struct item r = s->all.v[k];
		if (r.last < VALUES) {
			while (r.first <= r.last && !s->present[r.first])
				r.first++;
			if (r.first > r.last)
				continue;
			while (!s->present[r.last])
				r.last--;
			r.weight = 0;
			for (uint32_t x = r.first; x <= r.last; x++)
				r.weight += s->present[x] ? s->weight[x] : 0;
		}
		if (l.n && l.v[l.n - 1].leaf == r.leaf) {
			l.v[l.n - 1].last = r.last;
			l.v[l.n - 1].weight += r.weight;
		} else {
			l.v[l.n++] = r;
		}
	}
	return l;
}

static void add_points(const struct search *s, struct list *l)
{
	double rank[VALUES];

	for (uint32_t x = 0; x < VALUES; x++)
		rank[x] = !s->present[x] ? 0 : s->hot ? s->weight[x] : s->height[x] > 4;
	for (size_t max = s->hot ? POINTS : 2; l->npoints < max;) {
		uint32_t best = 0;
		for (uint32_t x = 1; x < VALUES; x++)
			best = rank[x] > rank[best] ? x : best;
		if (rank[best] <= 0)
			return;
		l->points[l->npoints++] = best;
		rank[best] = 0;
	}
}

/* ---- one problem: items i..j, the first h points between them tested ---- */

struct problem {
	const struct list *l;
	size_t i, j, h;
};

static double *cell(const struct search *s, struct problem q)
{
	return s->cost + ((q.i * q.l->n + q.j) * (POINTS + 1) + q.h) * LANES;
}

static bool in_items(struct problem q, uint32_t value)
{
	return value >= q.l->v[q.i].first && value <= q.l->v[q.j].last;
}

static size_t count_points(struct problem q)
{
	size_t n = 0;

	for (size_t p = 0; p < q.l->npoints; p++)
		n += in_items(q, q.l->points[p]);
	return n;
}

static bool is_tested(struct problem q, uint32_t value)
{
	for (size_t p = 0, h = q.h; p < q.l->npoints && h; p++) {
		if (!in_items(q, q.l->points[p]))
			continue;
		if (q.l->points[p] == value)
			return true;
		h--;
	}
	return false;
}

static bool is_gone(struct problem q, size_t k)
{
	return is_lone(&q.l->v[k]) && is_tested(q, q.l->v[k].first);
}

static double weigh(const struct search *s, struct problem q)
{
	double w = 0;

	for (size_t k = q.i; k <= q.j; k++)
		w += q.l->v[k].weight;
	for (size_t p = 0; p < q.l->npoints; p++)
		if (is_tested(q, q.l->points[p]))
			w -= s->weight[q.l->points[p]];
	return w > 0 ? w : 0;
}

/* With a trace the longest path is what it is: the last lane alone is kept. */
static size_t first_lane(const struct search *s, size_t height)
{
	return s->hot ? LANES - 1 : height;
}

static size_t lane_below(const struct search *s, size_t b)
{
	return s->hot ? b : b - 1;
}

static void offer(const struct search *s, double *out, double cost, size_t height)
{
	for (size_t b = first_lane(s, height); b < LANES; b++)
		out[b] = cost < out[b] ? cost : out[b];
}

/* Equality tests for all but one leaf, the heaviest first. */
static void try_lone(const struct search *s, struct problem q, double weight, double *out)
{
	for (size_t rest = q.i; rest <= q.j; rest++) {
		double w = weight, cost = 0;
		size_t height = 0, n = 0, odd[POINTS];
		bool fits = !is_gone(q, rest);
		for (size_t k = q.i; k <= q.j && fits; k++) {
			if (is_gone(q, k) || q.l->v[k].leaf == q.l->v[rest].leaf)
				continue;
			fits = is_lone(&q.l->v[k]) && n < POINTS;
			size_t at = n;
			for (; fits && at && q.l->v[odd[at - 1]].weight < q.l->v[k].weight; at--)
				odd[at] = odd[at - 1];
			if (fits) {
				odd[at] = k;
				n++;
			}
		}
		if (!fits)
			continue;
		for (size_t k = 0; k < n; k++) {
			size_t h = k + 1 + (size_t)q.l->v[odd[k]].height;
			cost += w;
			w -= q.l->v[odd[k]].weight;
			height = h > height ? h : height;
		}
		size_t h = n + (size_t)q.l->v[rest].height;
		offer(s, out, cost, h > height ? h : height);
		if (!is_lone(&q.l->v[rest]))
			return;
	}
}

/* One side of a bit test: false where more than ODD numbers do not have its commonest leaf. */
static bool weigh_side(const struct search *s, struct problem q, uint32_t mask, bool set,
		       double *cost, size_t *height)
{
	size_t n[64] = { 0 }, nodd = 0;
	uint32_t odd[ODD];
	double w = 0;
	int most = -1, rest = 0;

	for (uint32_t x = q.l->v[q.i].first; x <= q.l->v[q.j].last; x++) {
		if (((x & mask) != 0) != set || !s->present[x] || is_tested(q, x))
			continue;
		w += s->weight[x];
		if (++n[s->leaf[x] & 63] > (most < 0 ? 0 : n[most & 63]))
			most = s->leaf[x];
	}
	for (uint32_t x = q.l->v[q.i].first; x <= q.l->v[q.j].last; x++) {
		if (((x & mask) != 0) != set || !s->present[x] || is_tested(q, x))
			continue;
		if (s->leaf[x] == most) {
			rest = s->height[x];
			continue;
		}
		if (nodd == ODD)
			return false;
		odd[nodd++] = x;
	}
	if (nodd == 2 &&
	    (s->weight[odd[1]] > s->weight[odd[0]] ||
	     (s->weight[odd[1]] >= s->weight[odd[0]] && s->height[odd[1]] > s->height[odd[0]]))) {
		uint32_t swap = odd[0];
		odd[0] = odd[1];
		odd[1] = swap;
	}
	for (size_t k = 0; k < nodd; k++) {
		size_t h = k + 2 + (size_t)s->height[odd[k]];
		*cost += w;
		w -= s->weight[odd[k]];
		*height = h > *height ? h : *height;
	}
	size_t h = 1 + nodd + (size_t)rest;
	*height = h > *height ? h : *height;
	return true;
}

static void try_bits(const struct search *s, struct problem q, double weight, double *out)
{
	if (q.l->v[q.j].last >= VALUES || q.j - q.i < 2 || q.j - q.i > 16 ||
	    (q.h && q.h != count_points(q)))
		return;
	for (uint32_t mask = 1; mask < VALUES; mask++) {
		double cost = weight;
		size_t height = 0;
		if (weigh_side(s, q, mask, false, &cost, &height) &&
		    weigh_side(s, q, mask, true, &cost, &height))
			offer(s, out, cost, height);
	}
}

static void try_tests(const struct search *s, struct problem q, double weight, double *out)
{
	size_t npoints = count_points(q);

	if (q.h < npoints) {
		struct problem next = { q.l, q.i, q.j, q.h + 1 };
		uint32_t value = 0;
		for (size_t p = 0, h = q.h; p < q.l->npoints; p++)
			if (in_items(q, q.l->points[p]) && h-- == 0) {
				value = q.l->points[p];
				break;
			}
		for (size_t b = first_lane(s, (size_t)s->height[value] + 1); b < LANES; b++)
			if (weight + cell(s, next)[lane_below(s, b)] < out[b])
				out[b] = weight + cell(s, next)[lane_below(s, b)];
	}
	uint32_t tested[POINTS];
	size_t n = 0;
	for (size_t p = 0; p < q.l->npoints && n < q.h; p++)
		if (in_items(q, q.l->points[p]))
			tested[n++] = q.l->points[p];
	for (size_t k = q.i + 1; k <= q.j; k++) {
		struct problem x = { q.l, q.i, k - 1, 0 }, y = { q.l, k, q.j, 0 };
		for (size_t p = 0; p < n; p++)
			x.h += tested[p] < q.l->v[k].first;
		y.h = n - x.h;
		const double *left = cell(s, x), *right = cell(s, y);
		for (size_t b = first_lane(s, 1); b < LANES; b++) {
			double cost = weight + left[lane_below(s, b)] + right[lane_below(s, b)];
			out[b] = cost < out[b] ? cost : out[b];
		}
	}
}

/* The least executed tests times weight, by the longest path. */
static const double *solve(struct search *s, const struct list *l, bool bits)
{
	for (size_t i = l->n; i-- > 0;) {
		for (size_t j = i; j < l->n; j++) {
			struct problem q = { l, i, j, 0 };
			for (q.h = count_points(q) + 1; q.h-- > 0;) {
				double *out = cell(s, q), weight = weigh(s, q);
				for (size_t b = 0; b < LANES; b++)
					out[b] = 1e30;
				try_lone(s, q, weight, out);
				if (out[LANES - 1] <= 0)
					continue;
				try_tests(s, q, weight, out);
				if (bits && out[LANES - 1] > weight)
					try_bits(s, q, weight, out);
			}
		}
	}
	return cell(s, (struct problem){ l, 0, l->n - 1, 0 });
}

/* ---- sets of one leaf in front ---- */

static double total(const struct list *l)
{
	double w = 0;

	for (size_t k = 0; k < l->n; k++)
		w += l->v[k].weight;
	return w;
}

/* Numbers that are subsets of `bits` go; false (and none does): they have several leaves. */
static bool take_out(struct search *s, uint32_t bits, double *weight)
{
	int leaf = -1;

	*weight = 0;
	for (uint32_t x = 0; x < VALUES; x++) {
		if (x & ~bits || !s->present[x])
			continue;
		if (leaf >= 0 && s->leaf[x] != leaf)
			return false;
		leaf = s->leaf[x];
		*weight += s->weight[x];
	}
	for (uint32_t x = 0; x < VALUES; x++)
		s->present[x] &= (x & ~bits) != 0;
	return leaf >= 0;
}

/* bound: what is of no use unless it is less. */
static double search_sets(struct search *s, unsigned sets, double bound)
{
	struct list l = present_list(s);
	double all = total(&l), best;
	bool kept[VALUES];

	add_points(s, &l);
	best = solve(s, &l, false)[LANES - 1];
	if (best < bound * 1.01) /* else what bits save at the bottom cannot help */
		best = solve(s, &l, true)[LANES - 1];
	memcpy(kept, s->present, sizeof(kept));
	for (uint32_t bits = 0; sets && bits < VALUES; bits++) {
		double taken;
		/* What is left takes a test each at least. */
		if (take_out(s, bits, &taken) && all + (all - taken) < best) {
			double cost = all + search_sets(s, sets - 1, best - all);
			best = cost < best ? cost : best;
		}
		memcpy(s->present, kept, sizeof(kept));
	}
	return best;
}

/* ---- what is measured ---- */

/* Instructions executed up to the first look at an argument, and beyond it (`ret` with the first). */
static void count_steps(const struct cbpf *prog, uint32_t nr, unsigned *around, unsigned *leaf,
			int *height)
{
	struct call c = { .audit_arch = arch_info(ARCH_X86_64)->audit, .nr = nr };
	struct cbpf tail = *prog;
	unsigned all;
	size_t pc = 0, steps = 0;

	cbpf_run(prog, &c, &all);
	for (;; steps++) {
		const struct sock_filter *f = &prog->insns[pc];
		uint32_t a = steps < 2 ? c.audit_arch : nr;
		if (BPF_CLASS(f->code) == BPF_RET || (BPF_CLASS(f->code) == BPF_LD && f->k >= 16))
			break;
		if (BPF_CLASS(f->code) == BPF_LD)
			pc++;
		else if (f->code == (BPF_JMP | BPF_JA))
			pc += f->k + 1;
		else if (f->code == (BPF_JMP | BPF_JEQ | BPF_K))
			pc += 1u + (a == f->k ? f->jt : f->jf);
		else if (f->code == (BPF_JMP | BPF_JGE | BPF_K))
			pc += 1u + (a >= f->k ? f->jt : f->jf);
		else if (f->code == (BPF_JMP | BPF_JSET | BPF_K))
			pc += 1u + (a & f->k ? f->jt : f->jf);
		else
			BUG("an instruction that the generator does not use on numbers");
	}
	tail.insns += pc;
	tail.n -= pc;
	*height = (int)cbpf_longest(&tail);
	*leaf = all - (unsigned)steps - 1;
	*around = (unsigned)steps + 1;
}

static void fill(struct search *s, const struct policy *p, const struct decision *d,
		 const struct cbpf *prog, const uint64_t *trace, bool uncached)
{
	const uint32_t audit = arch_info(ARCH_X86_64)->audit;

	vec_each(&d->ranges[ARCH_X86_64], r) {
		unsigned around, leaf;
		struct item item = { r->first, r->last, (int)r->node, 0, 1 };
		count_steps(prog, r->first, &around, &leaf, &item.height);
		for (uint32_t x = r->first; x <= r->last && x < VALUES; x++) {
			bool known = policy_knows(p, ARCH_X86_64, x);
			bool cached = uncached && cbpf_const_allow(prog, audit, x);
			s->present[x] = true;
			s->leaf[x] = item.leaf;
			s->height[x] = item.height;
			s->weight[x] = !known || cached ? 0 : trace ? (double)trace[x] : 1;
			item.weight += s->weight[x];
		}
		if (item.last < 0x40000000)
			s->all.v[s->all.n++] = item;
	}
	s->all.v[s->all.n - 1].last = 0x3fffffff;
	s->all.v[s->all.n++] = (struct item){ 0x40000000, UINT32_MAX - 1, -2, 0, 1 };
	s->all.v[s->all.n++] = (struct item){ UINT32_MAX, UINT32_MAX, -3, 0, 1 };
}

int main(int argc, char **argv)
{
	static struct search s;
	struct cbpf_options opt = { .family = "x86_64" };
	struct cbpf_weights w;
	struct cbpf prog;
	double sum = 0, leaves = 0, all = 0, best;

	if (argc < 3)
		return 2;
	bool uncached = argc > 4;
	struct loaded l =
		load_bench(argv[1], uncached ? KERNEL_VERSION_OF(5, 11) : KERNEL_VERSION_OF(5, 10));
	const struct policy *p = l.policies->list.v[0];
	uint64_t *trace = argc > 3 && strcmp(argv[3], "-") ? load_trace(argv[3]) : NULL;
	w = (struct cbpf_weights){ ARCH_X86_64, trace, 1024 };
	opt.weights = trace ? &w : NULL;
	struct decision *d = decision_build(l.arena, p, l.diags);
	if (!d || cbpf_generate(l.arena, p, &opt, &prog, l.diags))
		return 1;
	fill(&s, p, d, &prog, trace, uncached);
	s.hot = trace;
	s.cost = calloc((size_t)LISTS * LISTS * (POINTS + 1) * LANES, sizeof(*s.cost));
	for (uint32_t nr = 0; nr < VALUES; nr++) {
		unsigned around, leaf;
		int height;
		count_steps(&prog, nr, &around, &leaf, &height);
		sum += s.weight[nr] * (around + leaf);
		leaves += s.weight[nr] * leaf;
		all += s.weight[nr];
	}
	if (trace) {
		best = search_sets(&s, 1, INFINITY);
	} else {
		struct list list = present_list(&s);
		size_t most = strtoul(argv[2], NULL, 10);
		add_points(&s, &list);
		best = solve(&s, &list, true)[most ? most - (TESTS_AROUND - 1) : LANES - 1];
	}
	printf("%.3f\t%.3f\n", (best + leaves) / all + (double)TESTS_AROUND, sum / all);
	free(s.cost);
	free(trace);
	arena_free(l.arena);
	return 0;
}
