/* SPDX-License-Identifier: Apache-2.0 */
/* A recording under construction: which program made which call. */
#include <string.h>

#include "learn/model_calls.h"

static model_program add_program(struct model *m, struct str path)
{
	struct model_calls *k = model_calls(m);
	struct recorded_program fresh = { .path = path };
	struct table none = { 0 };

	vec_push(model_arena(m), &model_recording(m)->programs, fresh);
	vec_push(model_arena(m), &k->programs_at, none);
	return k->programs_at.n;
}

static model_program others(struct model *m)
{
	struct model_calls *k = model_calls(m);

	if (!k->others)
		k->others = add_program(m, (struct str){ NULL, 0 });
	return k->others;
}

model_program model_program_of(struct model *m, struct str path)
{
	struct model_calls *k = model_calls(m);
	struct table_walk w;
	model_program by;
	size_t at;

	if (!path.p)
		return others(m);
	w = table_start(hash_str(path));
	while ((at = table_next(&k->programs, &w)) != TABLE_END)
		if (str_eq(model_recording(m)->programs.v[at].path, path))
			return at + 1;
	if (k->programs.n >= RECORDING_PROGRAMS)
		return others(m);
	by = add_program(m, (struct str){ str_dup(model_arena(m), path), path.n });
	table_add(model_arena(m), &k->programs, w.hash, by - 1);
	return by;
}

void model_made(struct model *m, model_program by, enum arch a, uint32_t nr, uint64_t count,
		uint64_t first_ns)
{
	struct recorded_program *p = &model_recording(m)->programs.v[by - 1];
	struct table *t = &model_calls(m)->programs_at.v[by - 1];
	struct table_walk w = table_start((uint64_t)a << 32 | nr); /* as good as any hash: few */
	struct recorded_made fresh = { .arch = a,
				       .nr = nr,
				       .first_ns = UINT64_MAX,
				       .serve_first_ns = UINT64_MAX },
			     *c;
	size_t at = table_next(t, &w);

	if (at == TABLE_END) {
		at = p->calls.n;
		vec_push(model_arena(m), &p->calls, fresh);
		table_add(model_arena(m), t, w.hash, at);
	}
	c = &p->calls.v[at];
	if (model_calls(m)->phase != PHASE_APART) {
		c->count = count_add(c->count, count);
		c->first_ns = first_ns < c->first_ns ? first_ns : c->first_ns;
	}
	if (model_calls(m)->phase == PHASE_ANY)
		return;
	c->serves = true;
	c->serve_count = count_add(c->serve_count, count);
	c->serve_first_ns = first_ns < c->serve_first_ns ? first_ns : c->serve_first_ns;
}
