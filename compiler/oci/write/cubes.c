/* SPDX-License-Identifier: Apache-2.0 */
/* A diagram over arguments as cubes, which are what EQ and MASKED_EQ say; neighbours are joined. */
#include "compiler/oci/write/writer.h"

static bool take_cube(void *ctx, const struct dd_cube *c)
{
	struct cube_list *l = ctx;

	if (verdict_eq(c->verdict, l->w->jd))
		return true;
	vec_push(l->w->arena, &l->v, *c);
	return true;
}

int oci_by_cube(const struct dd_cube *a, const struct dd_cube *b)
{
	int c = (int)b->verdict.kind - (int)a->verdict.kind;

	if (!c)
		c = (a->verdict.data > b->verdict.data) - (a->verdict.data < b->verdict.data);
	for (unsigned i = 0; i < 6 && !c; i++)
		c = (a->mask[i] < b->mask[i]) - (a->mask[i] > b->mask[i]);
	for (unsigned i = 0; i < 6 && !c; i++)
		c = (a->value[i] > b->value[i]) - (a->value[i] < b->value[i]);
	return c;
}

/* ---- joining cubes ---- */

struct cube_table { /* open addressing: places in the list + 1; 0 is free, GONE was taken */
	struct cube_list *l;
	uint32_t *slot;
	size_t size; /* a power of two */
};

enum { GONE = UINT32_MAX };

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static uint64_t hash_arg(const struct dd_cube *c, unsigned arg)
{
	return mix(c->mask[arg] + mix(c->value[arg] + arg));
}

static uint64_t hash_cube(const struct dd_cube *c)
{
	uint64_t h = (uint64_t)c->verdict.kind << 16 | c->verdict.data;

	for (unsigned i = 0; i < 6; i++)
		h += hash_arg(c, i);
	return h;
}

static uint32_t *find_cube(const struct cube_table *t, const struct dd_cube *c, uint64_t hash)
{
	for (size_t i = hash & (t->size - 1);; i = (i + 1) & (t->size - 1)) {
		uint32_t at = t->slot[i];
		if (!at || (at != GONE && !oci_by_cube(&t->l->v.v[at - 1], c)))
			return &t->slot[i];
	}
}

/* Without a bit that another cube differs in alone; that one leaves the table. */
static bool join_cube(const struct cube_table *t, struct dd_cube *c, bool *gone)
{
	uint64_t hash = hash_cube(c);

	for (unsigned arg = 0; arg < 6; arg++)
		for (uint64_t left = c->mask[arg]; left; left &= left - 1) {
			struct dd_cube other = *c;
			other.value[arg] ^= left & -left;
			uint32_t *slot = find_cube(t, &other,
						   hash - hash_arg(c, arg) + hash_arg(&other, arg));
			if (!*slot)
				continue;
			gone[*slot - 1] = true;
			*slot = GONE;
			c->mask[arg] &= ~(left & -left);
			c->value[arg] &= c->mask[arg];
			return true;
		}
	return false;
}

/*
 * Two cubes that differ in one bit of a value become one without that bit: the union of what
 * they covered, so all stay disjoint. Until no two do.
 */
static void join_cubes(struct cube_list *l)
{
	struct cube_table t = { .l = l, .size = 64 };
	bool *gone = ARENA_ARRAY(l->w->arena, bool, l->v.n + 1);
	size_t n = 0;

	while (t.size < l->v.n * 4)
		t.size *= 2;
	t.slot = ARENA_ARRAY(l->w->arena, uint32_t, t.size);
	for (size_t i = 0; i < l->v.n; i++) {
		while (join_cube(&t, &l->v.v[i], gone))
			;
		*find_cube(&t, &l->v.v[i], hash_cube(&l->v.v[i])) = (uint32_t)i + 1;
	}
	for (size_t i = 0; i < l->v.n; i++)
		if (!gone[i])
			l->v.v[n++] = l->v.v[i];
	l->v.n = n;
}

bool oci_cubes(struct cube_list *l, dd_node n)
{
	struct dd *d = l->w->d->dd;

	/* Counted, not walked: what is far beyond is refused at once. */
	if (n == DD_NONE || dd_count_paths(d, n, &l->w->jd) > CUBES_MAX ||
	    dd_count_paths(d, n, NULL) > PATHS_MAX)
		return false;
	dd_cubes(d, n, take_cube, l);
	join_cubes(l);
	return true;
}
