/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON to profile, with the eyes of the runtimes: keys as Go matches them, null as absent. What
 * is malformed is left out here; rules_form.c says so.
 */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/lint/internal.h"

static const struct {
	const char *name;
	enum verdict_kind kind;
} actions[] = {
	{ "SCMP_ACT_ALLOW", VERDICT_ALLOW },
	{ "SCMP_ACT_ERRNO", VERDICT_ERRNO },
	{ "SCMP_ACT_KILL", VERDICT_KILL_THREAD },
	{ "SCMP_ACT_KILL_PROCESS", VERDICT_KILL_PROCESS },
	{ "SCMP_ACT_KILL_THREAD", VERDICT_KILL_THREAD },
	{ "SCMP_ACT_LOG", VERDICT_LOG },
	{ "SCMP_ACT_NOTIFY", VERDICT_NOTIFY },
	{ "SCMP_ACT_TRACE", VERDICT_TRACE },
	{ "SCMP_ACT_TRAP", VERDICT_TRAP },
};

static const char *const ops[OP_NR] = {
	[OP_NE] = "SCMP_CMP_NE", [OP_LT] = "SCMP_CMP_LT",	    [OP_LE] = "SCMP_CMP_LE",
	[OP_EQ] = "SCMP_CMP_EQ", [OP_GE] = "SCMP_CMP_GE",	    [OP_GT] = "SCMP_CMP_GT",
	[OP_MASKED_EQ] = "SCMP_CMP_MASKED_EQ",
};

const char *profile_action_at(size_t i)
{
	return i < ARRAY_SIZE(actions) ? actions[i].name : NULL;
}

const char *profile_op_at(size_t i)
{
	return i < OP_NR ? ops[i] : NULL;
}

bool profile_action(struct str word, enum verdict_kind *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (str_is(word, actions[i].name)) {
			*kind = actions[i].kind;
			return true;
		}
	}
	return false;
}

bool profile_op(struct str word, enum json_op *op)
{
	for (unsigned i = 0; i < OP_NR; i++) {
		if (str_is(word, ops[i])) {
			*op = (enum json_op)i;
			return true;
		}
	}
	return false;
}

bool entry_permits(const struct entry *e)
{
	return e->verdict.kind == VERDICT_ALLOW || e->verdict.kind == VERDICT_LOG;
}

static const struct json *get(const struct json *o, const char *key)
{
	const struct json *v = json_get_fold(o, key);

	return v && v->kind != JSON_NULL ? v : NULL;
}

static bool get_u64(const struct json *o, const char *key, uint64_t *out)
{
	const struct json *v = get(o, key);

	if (!v)
		return true; /* Go's zero value */
	if (v->kind != JSON_NUMBER || !v->is_u64)
		return false;
	*out = v->u64;
	return true;
}

/* An action with the errno that the runtimes give it: EPERM where none is written. */
static bool read_verdict(const struct json *o, const char *action, const char *errno_key,
			 struct verdict *out)
{
	const struct json *v = get(o, action);
	uint64_t data = 1;

	if (!v || v->kind != JSON_STRING || !profile_action(v->text, &out->kind))
		return false;
	if (out->kind != VERDICT_ERRNO && out->kind != VERDICT_TRACE)
		return true;
	if (!get_u64(o, errno_key, &data))
		return false;
	out->data = (uint16_t)data;
	return true;
}

static void add_arch(struct arena *a, struct profile *p, const struct json *v)
{
	struct profile_name n = { .text = v->text, .span = v->span };

	if (v->kind != JSON_STRING)
		return;
	vec_push(a, &p->arch_names, n);
	for (int i = 0; i < ARCH_NR; i++)
		if (str_is(v->text, arch_info((enum arch)i)->oci))
			p->arches |= ARCH_BIT((unsigned)i);
}

static void add_archs(struct arena *a, struct profile *p, const struct json *list)
{
	if (list && list->kind == JSON_ARRAY)
		for (const struct json *v = list->first; v; v = v->next)
			add_arch(a, p, v);
}

static void read_arches(struct arena *a, struct profile *p)
{
	const struct json *map = get(p->json, "archMap");
	int native = arch_native();

	add_archs(a, p, get(p->json, "architectures"));
	if (map && map->kind == JSON_ARRAY && !p->in_config) {
		for (const struct json *row = map->first; row; row = row->next) {
			const struct json *one = get(row, "architecture");

			if (one)
				add_arch(a, p, one);
			add_archs(a, p, get(row, "subArchitectures"));
		}
	}
	p->arches_written = p->arch_names.n > 0;
	if (!p->arches_written && native >= 0)
		p->arches = ARCH_BIT((unsigned)native);
}

/* Docker's "arches" are hosts: a call under any ABI of that machine. */
static unsigned arches_of_host(struct str token)
{
	unsigned mask = 0;

	for (int i = 0; i < ARCH_NR; i++) {
		const struct arch_info *host = arch_info((enum arch)i);
		const char *family = arch_family((enum arch)i, ARCH_BIT(i));

		if (!str_is(token, host->go) || strcmp(family, host->name) != 0)
			continue;
		for (int k = 0; k < ARCH_NR; k++)
			if (!strcmp(arch_family((enum arch)k, ARCH_BIT(i)), family))
				mask |= ARCH_BIT((unsigned)k);
	}
	return mask;
}

static unsigned arches_of_list(const struct json *filter)
{
	const struct json *list = get(filter, "arches");
	unsigned mask = 0;

	if (list && list->kind == JSON_ARRAY)
		for (const struct json *v = list->first; v; v = v->next)
			if (v->kind == JSON_STRING)
				mask |= arches_of_host(v->text);
	return mask;
}

static bool has_content(const struct json *filter)
{
	static const char *const keys[] = { "caps", "arches" };
	const struct json *v = get(filter, "minKernel");

	if (v && !(v->kind == JSON_STRING && !v->text.n))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		v = get(filter, keys[i]);
		if (v && v->count)
			return true;
	}
	return false;
}

static void read_gate(struct arena *a, const struct profile *p, const struct sources *s,
		      struct entry *e)
{
	const struct json *in = get(e->json, "includes"), *ex = get(e->json, "excludes");
	const struct json *list;
	struct str x = STR(""), y = STR("");
	char *text;

	e->arches = p->arches;
	if (p->in_config)
		return; /* a runtime knows no such keys */
	if (in && has_content(in)) {
		x = span_text(s, in->span);
		list = get(in, "arches");
		if (list && list->count)
			e->arches &= arches_of_list(in);
	}
	if (ex && has_content(ex)) {
		y = span_text(s, ex->span);
		e->arches &= ~arches_of_list(ex);
	}
	if (!x.n && !y.n)
		return;
	text = arena_alloc(a, x.n + y.n + 2);
	memcpy(text, x.p, x.n);
	text[x.n] = '!';
	memcpy(text + x.n + 1, y.p, y.n);
	e->gate = (struct str){ text, x.n + y.n + 1 };
}

static void add_name(struct arena *a, struct entry *e, const struct json *v)
{
	struct profile_name n = { .text = v->text, .span = v->span };

	if (v->kind != JSON_STRING || !v->text.n)
		return;
	n.sys = syscall_by_name(v->text);
	vec_push(a, &e->names, n);
}

static bool read_args(struct arena *a, struct entry *e)
{
	const struct json *list = get(e->json, "args"), *op;
	unsigned seen = 0;

	if (!list)
		return true;
	if (list->kind != JSON_ARRAY)
		return false;
	for (const struct json *v = list->first; v; v = v->next) {
		struct profile_arg arg = { .span = v->span };

		op = get(v, "op");
		if (!op || op->kind != JSON_STRING || !profile_op(op->text, &arg.op) ||
		    !get_u64(v, "index", &arg.index) || !get_u64(v, "value", &arg.value) ||
		    !get_u64(v, "valueTwo", &arg.two) || arg.index > 5)
			return false;
		e->splits |= seen >> arg.index & 1;
		seen |= 1u << arg.index;
		vec_push(a, &e->args, arg);
	}
	return true;
}

/* libseccomp drops a comparison under mask 0; split, any such one makes a rule without conditions. */
static bool is_always(const struct entry *e)
{
	size_t empty = 0;

	vec_each(&e->args, arg)
		empty += arg->op == OP_MASKED_EQ && !arg->value;
	return empty == e->args.n || (e->splits && empty);
}

static void read_entry(struct arena *a, struct profile *p, const struct sources *s,
		       const struct json *v)
{
	struct entry e = { .json = v, .action = v->span };
	const struct json *names = get(v, "names"), *name = get(v, "name");
	const struct json *action = get(v, "action");

	if (v->kind != JSON_OBJECT)
		return;
	if (action)
		e.action = action->span;
	read_gate(a, p, s, &e);
	if (name && !p->in_config)
		add_name(a, &e, name);
	if (names && names->kind == JSON_ARRAY)
		for (const struct json *n = names->first; n; n = n->next)
			add_name(a, &e, n);
	e.readable = read_verdict(v, "action", "errnoRet", &e.verdict);
	e.readable &= read_args(a, &e);
	e.always = is_always(&e);
	e.is_default = e.readable && p->has_default && verdict_eq(e.verdict, p->dflt);
	vec_push(a, &p->entries, e);
}

struct profile *profile_read(struct arena *a, const struct json *root, const struct sources *s)
{
	const struct json *inner = get(get(root, "linux"), "seccomp"), *v;
	struct profile *p;

	if (!root || root->kind != JSON_OBJECT)
		return NULL;
	p = ARENA_NEW(a, struct profile);
	p->in_config = inner && inner->kind == JSON_OBJECT;
	p->json = p->in_config ? inner : root;
	p->has_default = read_verdict(p->json, "defaultAction", "defaultErrnoRet", &p->dflt);
	p->errno_written = get(p->json, "defaultErrnoRet") != NULL;
	v = get(p->json, "defaultAction");
	p->dflt_span = v ? v->span
			 : (struct span){ p->json->span.source, p->json->span.begin,
					  p->json->span.begin + 1 };
	read_arches(a, p);
	v = get(p->json, "syscalls");
	if (v && v->kind == JSON_ARRAY)
		for (v = v->first; v; v = v->next)
			read_entry(a, p, s, v);
	return p;
}
