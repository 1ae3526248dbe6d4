/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/unseen.h"

/* In how many runs it was made. */
static size_t runs_of(const struct recording *r, const struct recorded_call *c)
{
	size_t runs = 0;

	if (c->assumed || !r->runs)
		return c->count && !c->assumed;
	for (size_t i = 0; c->in && i < (r->runs->n + 63) / 64; i++)
		runs += (size_t)__builtin_popcountll(c->in[i]);
	return runs;
}

static void count_call(struct unseen *u, size_t runs)
{
	u->once += runs == 1;
	u->twice += runs == 2;
}

static void estimate(struct unseen *u)
{
	double m = (double)u->runs, q1 = (double)u->once, q2 = (double)u->twice;

	u->more = q1 != 0 ? (m - 1) / m * q1 * (q1 - 1) / (2 * (q2 + 1)) : 0;
}

bool unseen_estimate(const struct recording *r, struct unseen *out)
{
	if (!r->runs || r->runs->n < 2)
		return false;
	*out = (struct unseen){ .runs = r->runs->n };
	vec_each(&r->calls, c)
		count_call(out, runs_of(r, c));
	estimate(out);
	return true;
}

size_t unseen_with(const struct recording *earlier, const uint64_t (*made)[RECORDING_NRS / 64],
		   struct unseen *out)
{
	size_t beyond = 0;

	*out = (struct unseen){ .runs = (earlier->runs ? earlier->runs->n : 1) + 1 };
	vec_each(&earlier->calls, c) {
		size_t runs = runs_of(earlier, c);

		if (runs)
			count_call(out, runs + (made[c->arch][c->nr / 64] >> c->nr % 64 & 1));
	}
	for (unsigned a = 0; a < ARCH_NR; a++)
		for (uint32_t nr = 0; nr < RECORDING_NRS; nr++) {
			const struct recorded_call *c;

			if (!(made[a][nr / 64] >> nr % 64 & 1))
				continue;
			c = recording_call(earlier, (enum arch)a, nr);
			beyond += !c || !runs_of(earlier, c);
		}
	out->once += beyond;
	estimate(out);
	return beyond;
}
