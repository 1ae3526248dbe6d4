/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/unseen.h"

bool unseen_estimate(const struct recording *r, struct unseen *out)
{
	size_t words;
	double m, q1, q2;

	if (!r->runs || r->runs->n < 2)
		return false;
	*out = (struct unseen){ .runs = r->runs->n };
	words = (r->runs->n + 63) / 64;
	vec_each(&r->calls, c) {
		size_t runs = 0;

		if (c->assumed)
			continue;
		for (size_t i = 0; c->in && i < words; i++)
			runs += (size_t)__builtin_popcountll(c->in[i]);
		out->once += runs == 1;
		out->twice += runs == 2;
	}
	m = (double)out->runs;
	q1 = (double)out->once;
	q2 = (double)out->twice;
	out->more = q1 != 0 ? (m - 1) / m * q1 * (q1 - 1) / (2 * (q2 + 1)) : 0;
	return true;
}
