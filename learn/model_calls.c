/* SPDX-License-Identifier: Apache-2.0 */
/* A recording under construction: calls and what is told of them, signals, rules. */
#include "learn/model_calls.h"

#include <string.h>

#include "compiler/base/bug.h"
#include "learn/record/rule.h"

void model_phase(struct model *m, enum model_phase phase)
{
	model_calls(m)->phase = phase;
}

void model_serves(struct model *m, const char *from, uint64_t first_ns)
{
	struct recorded_run *run = &model_recording(m)->run;

	if (run->serving_ns && run->serving_ns <= first_ns)
		return;
	run->serve_from = from;
	run->serving_ns = first_ns ? first_ns : 1; /* 0: not known */
}

/* The lists that count now: 0, of the whole run; 1, of serving. */
#define EACH_LIST(m, list)                                                                         \
	for (int list = model_calls(m)->phase == PHASE_APART;                                      \
	     list <= (model_calls(m)->phase != PHASE_ANY); list++)

static struct recorded_call *call_of(struct model *m, int list, enum arch a, uint32_t nr)
{
	struct recorded_call fresh = { .arch = a, .nr = nr, .first_ns = UINT64_MAX, .held = true };
	uint32_t *at;

	BUG_ON(nr >= TRACE_NRS);
	at = &model_calls(m)->at[list][a][nr];
	if (!*at && list) {
		vec_push(model_arena(m), &model_recording(m)->serve_calls, fresh);
		*at = (uint32_t)model_recording(m)->serve_calls.n;
	} else if (!*at) {
		vec_push(model_arena(m), &model_recording(m)->calls, fresh);
		*at = (uint32_t)model_recording(m)->calls.n;
	}
	return list ? &model_recording(m)->serve_calls.v[*at - 1] :
		      &model_recording(m)->calls.v[*at - 1];
}

void model_call(struct model *m, enum arch a, uint32_t nr, uint64_t count, uint64_t first_ns)
{
	EACH_LIST(m, list)
	{
		struct recorded_call *c = call_of(m, list, a, nr);

		c->count = count_add(c->assumed ? 0 : c->count, count);
		c->held = c->assumed = false;
		if (first_ns < c->first_ns)
			c->first_ns = first_ns;
	}
}

void model_held_call(struct model *m, enum arch a, uint32_t nr, uint64_t count)
{
	EACH_LIST(m, list)
	{
		struct recorded_call *c = call_of(m, list, a, nr);

		c->count = count_add(c->assumed ? 0 : c->count, count);
		c->assumed = false;
		c->first_ns = 0;
	}
}

void model_assumed_call(struct model *m, enum arch a, uint32_t nr, uint64_t count)
{
	EACH_LIST(m, list)
	{
		struct recorded_call *c = call_of(m, list, a, nr);

		c->assumed |= !c->count;
		if (c->assumed) {
			c->count = count_add(c->count, count);
			c->first_ns = 0;
		}
	}
}

static struct recorded_arg *arg_of(struct model *m, struct recorded_call *c, unsigned arg)
{
	struct recorded_arg fresh = { .index = (uint8_t)arg };

	vec_each(&c->args, a)
		if (a->index == arg)
			return a;
	vec_push(model_arena(m), &c->args, fresh);
	return &c->args.v[c->args.n - 1];
}

static void add_value(struct model *m, struct recorded_arg *ra, uint64_t value, uint64_t count)
{
	struct recorded_value fresh = { value, count };

	ra->ones |= value;
	ra->zeros |= ~value;
	vec_each(&ra->values, v) {
		if (v->value == value) {
			v->count += count;
			return;
		}
	}
	if (ra->values.n >= RECORDING_VALUES_MAX) {
		ra->unbounded = true;
		return;
	}
	vec_push(model_arena(m), &ra->values, fresh);
}

void model_value(struct model *m, enum arch a, uint32_t nr, unsigned arg, uint64_t value,
		 uint64_t count)
{
	EACH_LIST(m, list)
	add_value(m, arg_of(m, call_of(m, list, a, nr), arg), value, count);
}

void model_bits(struct model *m, enum arch a, uint32_t nr, unsigned arg, uint64_t ones,
		uint64_t zeros, bool unbounded)
{
	EACH_LIST(m, list)
	{
		struct recorded_arg *ra = arg_of(m, call_of(m, list, a, nr), arg);

		ra->ones |= ones;
		ra->zeros |= zeros;
		ra->unbounded |= unbounded;
	}
}

static struct recorded_tuple *tuple_of(struct model *m, int list, enum arch a, uint32_t nr,
				       const uint64_t args[3])
{
	struct recorded_tuple fresh = { { args[0], args[1], args[2] }, 0, true };
	const uint64_t of[] = { (uint64_t)list, a, nr, args[0], args[1], args[2] };
	uint64_t hash = hash_bytes(HASH_START, of, sizeof(of));
	struct table *places = &model_calls(m)->tuples;
	struct recorded_call *c = call_of(m, list, a, nr);
	struct table_walk w = table_start(hash);
	size_t at;

	/* What another call has under this hash is none of this one's. */
	while ((at = table_next(places, &w)) != TABLE_END)
		if (at < c->tuples.n &&
		    !memcmp(c->tuples.v[at].args, fresh.args, sizeof(fresh.args)))
			return &c->tuples.v[at];
	table_add(model_arena(m), places, hash, c->tuples.n);
	vec_push(model_arena(m), &c->tuples, fresh);
	return &c->tuples.v[c->tuples.n - 1];
}

void model_tuple(struct model *m, enum arch a, uint32_t nr, const uint64_t args[3], uint64_t count)
{
	EACH_LIST(m, list)
	{
		struct recorded_tuple *t = tuple_of(m, list, a, nr, args);

		t->count = count_add(t->count, count);
		t->held = false;
	}
}

void model_held_tuple(struct model *m, enum arch a, uint32_t nr, const uint64_t args[3],
		      uint64_t count)
{
	EACH_LIST(m, list)
	{
		struct recorded_tuple *t = tuple_of(m, list, a, nr, args);

		t->count = count_add(t->count, count);
	}
}

/* What is kept of them: the one, or what stands for all beyond those that are. */
static struct recorded_address *address_of(struct model *m, struct address k)
{
	struct recorded_address fresh = { .first_ns = UINT64_MAX };
	size_t ports = 0;

	vec_each(&model_recording(m)->addresses, a) {
		if (!memcmp(&a->address, &k, sizeof(k)))
			return a;
		ports += address_group(&a->address) == address_group(&k) && !a->address.others;
	}
	if (ports >= RECORDING_VALUES_MAX && !k.others) {
		k.port = 0;
		k.others = 1;
		return address_of(m, k);
	}
	fresh.address = k;
	vec_push(model_arena(m), &model_recording(m)->addresses, fresh);
	return &model_recording(m)->addresses.v[model_recording(m)->addresses.n - 1];
}

void model_address(struct model *m, const struct address *k, uint64_t count, uint64_t first_ns)
{
	struct recorded_address *a = address_of(m, *k);

	a->count = count_add(a->count, count);
	if (first_ns < a->first_ns)
		a->first_ns = first_ns;
}

static struct recorded_capability *capability_of(struct model *m, int list,
						 const struct recorded_capability *like)
{
	struct recorded_capability fresh = *like;

	fresh.count = 0;
	if (list) {
		vec_each(&model_recording(m)->serve_caps, c)
			if (c->cap == like->cap && c->arch == like->arch && c->nr == like->nr)
				return c;
		vec_push(model_arena(m), &model_recording(m)->serve_caps, fresh);
		return &model_recording(m)->serve_caps.v[model_recording(m)->serve_caps.n - 1];
	}
	vec_each(&model_recording(m)->caps, c)
		if (c->cap == like->cap && c->arch == like->arch && c->nr == like->nr)
			return c;
	vec_push(model_arena(m), &model_recording(m)->caps, fresh);
	return &model_recording(m)->caps.v[model_recording(m)->caps.n - 1];
}

void model_capability(struct model *m, unsigned cap, enum arch a, uint32_t nr, uint64_t count,
		      uint64_t first_ns)
{
	struct recorded_capability like = { .cap = cap, .arch = a, .nr = nr, .first_ns = first_ns };

	EACH_LIST(m, list)
	{
		struct recorded_capability *c = capability_of(m, list, &like);

		c->count = count_add(c->count, count);
		if (first_ns < c->first_ns)
			c->first_ns = first_ns;
	}
}

/* What is kept of it: itself, or what stands for all beyond those that are. */
static struct recorded_signal *signal_of(struct model *m, const struct signalled *what)
{
	struct recorded_signal fresh = { .what = *what, .first_ns = UINT64_MAX };
	size_t peers = 0;

	vec_each(&model_recording(m)->signals, s) {
		if (!signalled_cmp(&s->what, what))
			return s;
		peers += s->what.sent == what->sent && s->what.signal == what->signal;
	}
	if (peers >= RECORDING_VALUES_MAX && what->peer > SIGNAL_OURS) {
		fresh.what.peer = SIGNAL_UNKNOWN;
		fresh.what.who = (struct str){ NULL, 0 };
		return signal_of(m, &fresh.what);
	}
	if (what->who.n)
		fresh.what.who.p = str_dup(model_arena(m), what->who);
	vec_push(model_arena(m), &model_recording(m)->signals, fresh);
	return &model_recording(m)->signals.v[model_recording(m)->signals.n - 1];
}

void model_signal(struct model *m, const struct signalled *what, uint64_t count, uint64_t first_ns)
{
	struct recorded_signal *s = signal_of(m, what);

	s->count = count_add(s->count, count);
	if (first_ns < s->first_ns)
		s->first_ns = first_ns;
}

bool model_rule(struct model *m, const char *text, uint64_t count, uint64_t first_ns)
{
	struct arena *scratch = arena_scratch(model_arena(m));
	struct str spelled = rule_spelling(scratch, str_c(text));
	struct recorded_rule fresh = { { NULL, 0 }, count, first_ns, NULL };

	vec_each(&model_recording(m)->rules, r) {
		if (!spelled.p || !str_eq(r->text, spelled))
			continue;
		r->count = count_add(r->count, count);
		r->first_ns = first_ns < r->first_ns ? first_ns : r->first_ns;
		arena_free(scratch);
		return true;
	}
	if (spelled.p && model_recording(m)->rules.n >= RULES_MAX) {
		model_recording(m)->run.losses.paths_full++;
	} else if (spelled.p) {
		fresh.text = (struct str){ str_dup(model_arena(m), spelled), spelled.n };
		vec_push(model_arena(m), &model_recording(m)->rules, fresh);
	}
	arena_free(scratch);
	return spelled.p;
}
