/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A policy file through the library, for test programs: parse, resolve, everything to stderr. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/cbpf/cbpf.h"
#include "grammar/parse.h"

struct loaded {
	struct arena *arena;
	struct sources *sources;
	struct diags *diags;
	struct policies *policies;
};

static inline void print_diags(const struct loaded *l)
{
	BUF_AUTO b = { 0 };

	for (size_t i = 0; i < l->diags->list.n; i++)
		if (l->diags->list.v[i]->severity == SEVERITY_ERROR)
			diag_print_text(l->diags, l->diags->list.v[i], false, &b);
	if (b.n)
		fwrite(b.p, 1, b.n, stderr);
}

/* Leaves with 2 when the file is not a policy. PALE_SETS: a directory of sets. */
static inline struct loaded load_policies(const char *path)
{
	const char *dirs[] = { getenv("PALE_SETS"), NULL };
	struct resolve_options opt = { .set_dirs = dirs };
	struct loaded l = { .arena = arena_new(NULL) };
	struct source *src;

	l.sources = sources_new(l.arena);
	l.diags = diags_new(l.arena, l.sources);
	if (source_load(l.sources, path, &src)) {
		fprintf(stderr, "%s: cannot read\n", path);
		exit(2);
	}
	struct ast_file *file = pale_parse_source(l.arena, src, l.diags);
	l.policies = policy_resolve(l.arena, file, &opt, l.diags);
	if (l.diags->errors) {
		print_diags(&l);
		exit(2);
	}
	return l;
}

static inline uint64_t random_next(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

/* Calls that a policy's rules are about: numbers and argument values at their boundaries. */
struct sampler {
	const struct policy *p;
	uint64_t random;
	VEC(uint64_t) values[6];
	VEC(uint32_t) numbers;
	VEC(uint32_t) audits;
};

static inline void sample_cond(struct sampler *s, struct arena *a, const struct cond *c)
{
	if (!c)
		return;
	if (c->kind == COND_CMP) {
		uint64_t v = c->cmp.value, m = c->cmp.mask;
		const uint64_t all[] = {
			v,      v - 1,        v + 1,          m,       ~m,
			v | ~m, v ^ (m & -m), v ^ 1ull << 32, v << 32, (uint64_t)(int64_t)(int32_t)v
		};
		for (size_t i = 0; i < ARRAY_SIZE(all); i++)
			vec_push(a, &s->values[c->cmp.arg], all[i]);
		return;
	}
	sample_cond(s, a, c->left);
	sample_cond(s, a, c->right);
}

static inline void sampler_init(struct sampler *s, struct arena *a, const struct policy *p,
				uint64_t seed)
{
	static const uint64_t edges[] = { 0,          1,           0x7fffffff, 0x80000000,
					  0xffffffff, 0x100000000, 1ull << 63, ~0ull };

	*s = (struct sampler){ .p = p, .random = seed };
	for (unsigned i = 0; i < 6; i++)
		for (size_t k = 0; k < ARRAY_SIZE(edges); k++)
			vec_push(a, &s->values[i], edges[k]);
	vec_each(&p->calls, r) {
		vec_push(a, &s->numbers, r->nr);
		vec_push(a, &s->numbers, r->nr);
		vec_push(a, &s->numbers, r->nr + 1);
		vec_push(a, &s->numbers, r->nr - 1);
		sample_cond(s, a, r->cond);
	}
	vec_push(a, &s->numbers, UINT32_MAX);
	vec_push(a, &s->numbers, 0x40000000);
	for (unsigned i = 0; i < ARCH_NR; i++)
		vec_push(a, &s->audits, arch_info((enum arch)i)->audit);
}

static inline struct call sampler_next(struct sampler *s)
{
	uint64_t r = random_next(&s->random);
	struct call c = { .audit_arch = s->audits.v[r % s->audits.n] };

	r >>= 16;
	if (r % 64 == 0)
		c.audit_arch = (uint32_t)random_next(&s->random);
	r >>= 8;
	if (r % 4)
		c.nr = s->numbers.v[(r >> 2) % s->numbers.n];
	else
		c.nr = (uint32_t)(r >> 2) % 1024 | ((r >> 20) % 8 ? 0 : 0x40000000);
	if (r % 256 == 0)
		c.nr = (uint32_t)random_next(&s->random);
	for (unsigned i = 0; i < 6; i++) {
		r = random_next(&s->random);
		c.args[i] = s->values[i].v[(r >> 8) % s->values[i].n];
		if (r % 8 == 0)
			c.args[i] = (uint32_t)c.args[i] | random_next(&s->random) << 32;
		else if (r % 8 == 1)
			c.args[i] = random_next(&s->random);
	}
	return c;
}
