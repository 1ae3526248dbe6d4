/* SPDX-License-Identifier: Apache-2.0 */
/* Values that the tree builder tests for by themselves: points above a split, lone ones at the bottom. */
#include "compiler/base/bug.h"
#include "compiler/cbpf/gen.h"
#include "compiler/cbpf/tree.h"

static uint32_t height_of(const struct tree *t, code_id leaf)
{
	return t->c->nodes.v[leaf].height;
}

/* ---- points ---- */

/* The h-th point between i and j. */
size_t tree_point_between(const struct tree *t, size_t i, size_t j, size_t h)
{
	for (size_t p = 0; p < t->npoints; p++)
		if (t->at[p] >= i && t->at[p] <= j && h-- == 0)
			return p;
	BUG("no such point");
}

/* Of the leaf of the next point between i and j. */
size_t tree_point_height(const struct tree *t, struct problem q)
{
	return height_of(t, t->r[t->at[tree_point_between(t, q.i, q.j, q.h)]].leaf);
}

/* Of the first h points between i and j: how many lie in i..s-1. */
size_t tree_points_left(const struct tree *t, struct problem q, size_t s)
{
	size_t n = 0, h = q.h;

	for (size_t p = 0; p < t->npoints && h; p++) {
		if (t->at[p] < q.i || t->at[p] > q.j)
			continue;
		n += t->at[p] < s;
		h--;
	}
	return n;
}

float tree_weight_beside(const struct tree *t, struct problem q)
{
	double w = t->sum[q.j + 1] - t->sum[q.i];
	size_t h = q.h;

	for (size_t p = 0; p < t->npoints && h; p++) {
		if (t->at[p] < q.i || t->at[p] > q.j)
			continue;
		w -= t->points[p].weight;
		h--;
	}
	return w > 0 ? (float)w : 0;
}

/* Has the lone range `at` been tested as one of the first points? */
static bool is_tested(const struct tree *t, struct problem q, size_t at)
{
	size_t h = q.h;

	if (!h || !tree_is_lone(&t->r[at]))
		return false;
	for (size_t p = 0; p < t->npoints && h; p++) {
		if (t->at[p] < q.i || t->at[p] > q.j)
			continue;
		if (t->at[p] == at)
			return true;
		h--;
	}
	return false;
}

size_t tree_same_points_until(const struct tree *t, struct problem q, size_t s)
{
	size_t end = q.j + 1;

	for (size_t p = 0; q.h && p < t->npoints; p++)
		if (t->at[p] >= s && t->at[p] < end)
			end = t->at[p] + 1;
	return end;
}

/* ---- lone values ---- */

/* Of the leaves of lone values the commonest, the first of those. */
static code_id commonest_leaf(const struct tree *t, struct problem q)
{
	code_id leaf[LONE_MAX + 1];
	size_t n = 0, most = 0, best = 0;

	for (size_t k = q.i; k <= q.j; k++)
		if (!(q.h && is_tested(t, q, k)))
			leaf[n++] = t->r[k].leaf;
	for (size_t k = 0; k + most < n; k++) { /* none behind that can be commoner */
		size_t same = 0;
		for (size_t m = k; m < n; m++)
			same += leaf[m] == leaf[k];
		if (same > most) {
			most = same;
			best = k;
		}
	}
	return n ? leaf[best] : t->r[q.i].leaf;
}

/* The leaf left when lone values are taken out: that of a wide range, else the commonest. */
static code_id rest_leaf(const struct tree *t, struct problem q)
{
	for (size_t k = q.i; k <= q.j; k++)
		if (!tree_is_lone(&t->r[k]))
			return t->r[k].leaf;
	if (q.j - q.i > LONE_MAX)
		return t->r[q.i].leaf; /* more than can be tested in a row, whatever is left over */
	return commonest_leaf(t, q);
}

static bool goes_before(const struct tree *t, size_t x, size_t y)
{
	if (t->r[x].weight != t->r[y].weight)
		return t->r[x].weight > t->r[y].weight;
	return height_of(t, t->r[x].leaf) > height_of(t, t->r[y].leaf);
}

/* One more range; false: no value alone, or one too many. */
static bool add_lone(const struct tree *t, size_t k, struct lone *out)
{
	if (t->r[k].leaf == out->rest)
		return true;
	if (!tree_is_lone(&t->r[k]) || out->n == LONE_MAX)
		return false;
	size_t at = out->n++;
	for (; at && goes_before(t, k, out->at[at - 1]); at--)
		out->at[at] = out->at[at - 1];
	out->at[at] = k;
	return true;
}

bool tree_find_lone(const struct tree *t, struct problem q, struct lone *out)
{
	if (q.j - q.i > 2 * LONE_MAX)
		return false;
	out->n = 0;
	out->rest = rest_leaf(t, q);
	for (size_t k = q.i; k <= q.j; k++)
		if (!(q.h && is_tested(t, q, k)) && !add_lone(t, k, out))
			return false;
	return true;
}

void tree_extend_lone(const struct tree *t, size_t i, size_t j, struct lone_row *row)
{
	if (row->settled) {
		row->found = row->found && j - i <= 2 * LONE_MAX && add_lone(t, j, &row->lone);
		return;
	}
	row->settled = !tree_is_lone(&t->r[j]);
	row->found = tree_find_lone(t, (struct problem){ i, j, 0 }, &row->lone);
}

float tree_lone_cost(const struct tree *t, const struct lone *l, float weight)
{
	float cost = 0;

	for (size_t k = 0; k < l->n; k++) {
		cost += weight + t->test_cost;
		weight -= (float)t->r[l->at[k]].weight;
	}
	return cost;
}

size_t tree_lone_height(const struct tree *t, const struct lone *l)
{
	size_t height = l->n + height_of(t, l->rest);

	for (size_t k = 0; k < l->n; k++) {
		size_t h = k + 1 + height_of(t, t->r[l->at[k]].leaf);
		height = h > height ? h : height;
	}
	return height;
}
