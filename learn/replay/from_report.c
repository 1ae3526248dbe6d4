/* SPDX-License-Identifier: Apache-2.0 */
/* What `pale run --report` counted: calls that a policy refused, with their arguments. */
#include "compiler/base/bug.h"
#include "compiler/policy/policy.h"
#include "grammar/json.h"
#include "learn/replay/replaying.h"

static bool number_of(const struct json *object, const char *key, uint64_t *out)
{
	const struct json *v = json_get(object, key);

	if (!v || v->kind != JSON_NUMBER || !v->is_u64)
		return false;
	*out = v->u64;
	return true;
}

/* The six of a call; false: they are not there. */
static bool read_arguments(const struct json *list, uint64_t args[6])
{
	size_t n = 0;

	if (!list || list->kind != JSON_ARRAY)
		return false;
	for (const struct json *e = list->first; e && n < 6; e = e->next)
		if (e->kind == JSON_NUMBER && e->is_u64)
			args[n++] = e->u64;
	return n == 6;
}

static void add_arguments(struct replay *r, const struct trace_call *call, enum arch a, uint32_t nr,
			  const uint64_t args[6], uint64_t count)
{
	uint64_t tuple[3];

	for (unsigned i = 0; i < 6; i++) {
		uint64_t value = call->wide >> i & 1 ? args[i] : (uint32_t)args[i];

		if (call->of)
			value = trace_of(args[i], args[call->of - 1]);
		if (call->args >> i & 1 && !call->in && (!call->only || args[call->only - 1]))
			model_value(r->m, a, nr, i, value, count);
	}
	for (unsigned i = 0; i < 3; i++)
		tuple[i] = (uint32_t)args[i];
	if (call->tuple & TRACE_TUPLE)
		model_tuple(r->m, a, nr, tuple, count);
}

/* NULL, or what is wrong with it. */
static const char *read_refusal(struct replay *r, const struct json *v)
{
	const struct json *name = v->kind == JSON_OBJECT ? json_get(v, "arch") : NULL;
	uint64_t nr, count, args[6];
	struct trace_call call;
	struct trace_rule rule;
	int a;

	if (!name || name->kind != JSON_STRING || !number_of(v, "nr", &nr) ||
	    !number_of(v, "count", &count) || !read_arguments(json_get(v, "args"), args))
		return "a refusal without its arch, nr, count or args";
	a = arch_find(name->text);
	r->taken++;
	if (a < 0) {
		r->r->run.losses.unknown_abi = count_add(r->r->run.losses.unknown_abi, count);
		return NULL;
	}
	nr -= arch_info((enum arch)a)->nr_base;
	if (nr >= RECORDING_NRS) {
		r->r->run.odd_numbers = count_add(r->r->run.odd_numbers, count);
		return NULL;
	}
	if (r->taken == 1)
		r->r->run.host = (enum arch)a;
	rules_of((enum arch)a, (uint32_t)nr, &call, &rule);
	model_call(r->m, (enum arch)a, (uint32_t)nr, count, 0);
	add_arguments(r, &call, (enum arch)a, (uint32_t)nr, args, count);
	return NULL;
}

void report_replay_line(struct replay *r, struct str line)
{
	if (r->report.n <= SOURCE_MAX) {
		buf_add(&r->report, line.p, line.n);
		buf_putc(&r->report, '\n');
	}
	if (r->report.failed)
		arena_no_memory(r->s->arena);
}

void report_replay_file(struct replay *r)
{
	struct str text = { r->report.p, r->report.n };
	const struct json *top = NULL, *list = NULL;
	const char *wrong = NULL;
	uint64_t lost = 0;

	r->report.n = 0;
	if (!text.n)
		return;
	if (text.n <= SOURCE_MAX)
		top = json_parse(r->s->arena, source_add(r->s->sources, r->file, text),
				 r->s->diags);
	if (top && top->kind == JSON_OBJECT)
		list = json_get(top, "refusals");
	if (!list || list->kind != JSON_ARRAY) {
		replay_bad(r, &r->bad, "no report of 'pale run --report'");
		return;
	}
	if (number_of(top, "lost", &lost))
		r->r->run.losses.calls_full = count_add(r->r->run.losses.calls_full, lost);
	for (const struct json *v = list->first; v && !wrong; v = v->next)
		wrong = read_refusal(r, v);
	if (wrong)
		replay_bad(r, &r->bad, wrong);
}
