/* SPDX-License-Identifier: Apache-2.0 */
/* Entries: names, conditions, and the rules that become of them. */
#include <string.h>

#include "compiler/oci/parse.h"

enum { ENTRIES_MAX = 1 << 16, NAMES_MAX = 1 << 18 };

static const struct written in_entry = { NULL, "action", "errnoRet", "errno", NULL };

/* ---- args ---- */

static bool read_op(struct parser *p, const struct json *arg, enum oci_op *out)
{
	const struct json *op = oci_member(arg, "op");

	if (op && !parse_expect(p, op, JSON_STRING, "op"))
		return false;
	for (int i = 0; op && i < OCI_OP_NR; i++)
		if (str_is(op->text, oci_op_names[i])) {
			*out = (enum oci_op)i;
			return true;
		}
	return false;
}

static void check_lossy(struct parser *p, const struct json *arg, const char *key)
{
	const struct json *j = oci_member(arg, key);
	uint64_t n = j && j->kind == JSON_NUMBER && j->is_u64 ? j->u64 : 0;

	/* A double has 53 bits of mantissa; what stands in fewer significant bits survives. */
	while (n && !(n & 1))
		n >>= 1;
	if (n >> 53)
		parse_fault(p, OCI_FAULT_LOSSY, j->span, false)->word = j->text;
}

/* handed: libseccomp gets a rule of this entry; named: runc looks at the operator at all. */
static bool read_arg(struct parser *p, const struct json *j, bool named, bool handed,
		     struct oci_arg *out)
{
	bool crun = p->out->runtime.kind == OCI_CRUN;
	uint64_t index, value, two;

	if (j->kind != JSON_NULL && !parse_expect(p, j, JSON_OBJECT, "args"))
		return false;
	parse_keys(p, j, oci_arg_keys);
	bool good = parse_number(p, j, "index", &index);
	good &= parse_number(p, j, "value", &value);
	good &= parse_number(p, j, "valueTwo", &two);
	check_lossy(p, j, "value");
	check_lossy(p, j, "valueTwo");
	if (good && index > 5) {
		const struct json *at = oci_member(j, "index");
		struct oci_fault *f =
			crun && index > UINT32_MAX ? /* its reader takes 32 bits */
				parse_decode_fault(p, OCI_FAULT_ARG_INDEX, at, "index") :
				parse_fault(p, OCI_FAULT_ARG_INDEX, at->span, handed);
		f->word = at->text;
		good = false;
	}
	const struct json *op = oci_member(j, "op");
	if (!read_op(p, j, &out->op)) {
		if (op && op->kind != JSON_STRING)
			return false;
		struct oci_fault *f = parse_fault(p, OCI_FAULT_OPERATOR, op ? op->span : j->span,
						  crun ? handed || !op : named);
		f->word = op ? op->text : STR("");
		f->key = op ? NULL : "op";
		return false;
	}
	if (two && out->op != OCI_MASKED_EQ) {
		struct oci_fault *f =
			parse_fault(p, OCI_FAULT_VALUE_TWO, oci_member(j, "valueTwo")->span, false);
		f->word = op->text;
	}
	out->index = (uint8_t)index;
	out->mask = out->op == OCI_MASKED_EQ ? value : UINT64_MAX;
	out->value = out->op == OCI_MASKED_EQ ? two & value : value;
	out->two = two;
	out->span = j->span;
	return good;
}

/* libseccomp drops a comparison under mask 0; split, any such one makes a rule without conditions. */
static bool is_always(const struct oci_entry *e)
{
	size_t empty = 0;

	vec_each(&e->args, arg)
		empty += arg->op == OCI_MASKED_EQ && !arg->mask;
	return empty == e->args.n || (e->splits && empty);
}

struct values { /* between two numbers, and with these bits */
	uint64_t least, most, mask, bits;
};

static struct values values_of(const struct oci_arg *a)
{
	switch (a->op) {
	case OCI_EQ: return (struct values){ a->value, a->value, 0, 0 };
	case OCI_LE: return (struct values){ 0, a->value, 0, 0 };
	case OCI_GE: return (struct values){ a->value, UINT64_MAX, 0, 0 };
	case OCI_MASKED_EQ: return (struct values){ 0, UINT64_MAX, a->mask, a->value };
	default: return (struct values){ 0, UINT64_MAX, 0, 0 };
	}
}

/* Can no value meet both? Not told of all that cannot. */
static bool exclude(const struct oci_arg *a, const struct oci_arg *b)
{
	struct values x = values_of(a), y = values_of(b);
	uint64_t least = x.least > y.least ? x.least : y.least;
	uint64_t most = x.most < y.most ? x.most : y.most;
	uint64_t mask = x.mask | y.mask, bits = x.bits | y.bits;

	return (x.bits ^ y.bits) & x.mask & y.mask || least > most || bits > most ||
	       (bits | ~mask) < least || (least == most && (least & mask) != bits);
}

/*
 * Can it only mean that each condition is enough? As all of them no call would meet it; and where
 * it is an errno beside a default that is one, who takes it so refuses as well. Without a default there
 * is no filter.
 */
static bool is_choice(const struct parser *p, const struct oci_entry *e)
{
	if (!e->readable || e->verdict.kind != VERDICT_ERRNO ||
	    (p->out->has_default && p->out->dflt.kind != VERDICT_ERRNO))
		return false;
	for (size_t i = 0; i < e->args.n; i++)
		for (size_t k = i + 1; k < e->args.n && k < i + OCI_CRUN_ARGS; k++)
			if (e->args.v[i].index == e->args.v[k].index &&
			    exclude(&e->args.v[i], &e->args.v[k]))
				return true;
	return false;
}

static void check_repeated(struct parser *p, const struct oci_entry *e)
{
	bool equal = true;

	if (!e->splits || !e->names.n || is_choice(p, e))
		return;
	vec_each(&e->args, arg)
		equal &= arg->op == OCI_EQ && arg->index == e->args.v[0].index;
	struct oci_fault *f = parse_fault(p, equal ? OCI_FAULT_REPEATED_EQUAL : OCI_FAULT_REPEATED,
					  e->args.v[1].span, false);
	f->word = e->names.v[0].text;
}

/* Is this where crun loses the profile? Nothing behind it is looked at. */
static bool loses_profile(struct parser *p, const struct json *j, const char *list)
{
	/* An engine, written in Go, makes an empty object of a null. */
	if (j->kind != JSON_NULL || !p->out->in_config || !oci_null_loses(&p->out->runtime))
		return false;
	parse_fault(p, OCI_FAULT_NULL_ITEM, j->span, false)->key = list;
	p->out->lost = true;
	return true;
}

/* false: what a runtime would not take, were it in force. */
static bool read_args(struct parser *p, struct oci_entry *e, bool named, bool handed)
{
	const struct json *list = parse_member(p, e->json, "args", JSON_ARRAY);
	size_t max = p->out->runtime.kind == OCI_CRUN ? OCI_CRUN_ARGS : SIZE_MAX, n = 0;
	unsigned seen = 0;
	bool good = true;

	for (const struct json *j = parse_items(list); j; j = j->next, n++) {
		struct oci_arg arg = { 0 };
		bool looked = n < max;
		if (loses_profile(p, j, "args"))
			return false;
		if (!read_arg(p, j, named && looked, handed && looked, &arg)) {
			good &= !looked;
			continue;
		}
		if (!looked)
			continue;
		e->splits |= seen >> arg.index & 1;
		seen |= 1u << arg.index;
		vec_push(p->arena, &e->args, arg);
	}
	e->always = is_always(e);
	return good && (!list || list->kind == JSON_ARRAY);
}

/* ---- entries ---- */

static void classify(struct parser *p, const struct oci_word *n)
{
	unsigned selector;

	if (n->sys || syscall_foreign_arches(n->text) || multiplexer_of(n->text, &selector) ||
	    (n->text.n && memchr(n->text.p, 0, n->text.n))) /* a fault of its own, SJ046 */
		return;
	parse_fault(p, syscall_alias(n->text) ? OCI_FAULT_LIBC : OCI_FAULT_STRANGER, n->span, false)
		->word = n->text;
}

static void add_name(struct parser *p, struct oci_entry *e, const struct json *j)
{
	struct oci_word n = { .span = j->span };

	if (!parse_element(p, j, "names", &n.text))
		return;
	if (!n.text.n) {
		parse_fault(p, OCI_FAULT_EMPTY_NAME, j->span, p->out->runtime.kind == OCI_RUNC);
		return;
	}
	if (p->names++ >= NAMES_MAX) {
		parse_too_many(p, j->span, "names", NAMES_MAX);
		return;
	}
	n.sys = syscall_by_name(n.text);
	vec_push(p->arena, &e->names, n);
}

/* Does the runtime look at anything for a name? An empty one counts. */
static bool read_names(struct parser *p, struct oci_entry *e)
{
	bool crun = p->out->runtime.kind == OCI_CRUN;
	const struct json *name = oci_member(e->json, "name"),
			  *names = parse_member(p, e->json, "names", JSON_ARRAY);

	if (p->out->in_config || (name && !parse_expect(p, name, JSON_STRING, "name")))
		name = p->out->in_config ? name : NULL;
	if (name && name->kind == JSON_STRING && !name->text.n)
		name = NULL; /* Docker treats an empty `name` as absent */
	e->list = names && names->kind == JSON_ARRAY ? names : NULL;
	if (parse_items(names))
		vec_room(p->arena, &e->names, names->count < NAMES_MAX ? names->count : 0);
	for (const struct json *j = parse_items(names); j; j = j->next)
		add_name(p, e, j);
	if (name && p->out->in_config) {
		struct oci_fault *f =
			parse_fault(p, OCI_FAULT_NAME_UNREAD, name->key_span, crun && !names);
		f->word = name->kind == JSON_STRING ? name->text : STR("");
		return parse_items(names) != NULL;
	}
	if (name && parse_items(names)) {
		struct oci_fault *f = parse_decode_fault(p, OCI_FAULT_NAME_AND_NAMES, name, "name");
		f->span = name->key_span;
		f->other = names->key_span;
		f->word = name->text;
	} else if (name) {
		parse_fault(p, OCI_FAULT_OLD_NAME, name->span, false)->word = name->text;
	} else if (!parse_items(names) &&
		   (names || !oci_member(e->json, "names") || p->out->in_config)) {
		parse_fault(p, OCI_FAULT_NO_NAMES, names ? names->span : e->json->span,
			    crun && !names);
	}
	if (name)
		add_name(p, e, name);
	return name || parse_items(names);
}

static bool is_handed(const struct parser *p, const struct oci_entry *e)
{
	vec_each(&e->names, n)
		if (e->readable && !e->is_default && oci_name_known(&p->out->runtime, n))
			return true;
	return false;
}

/* What runc cannot start (InitSeccomp()); crun loads all of it. */
static void check_notify(struct parser *p, const struct oci_entry *e)
{
	const struct json *path = oci_member(p->out->json, "listenerPath");
	bool runc = p->out->runtime.kind == OCI_RUNC;

	if (!e->readable || e->verdict.kind != VERDICT_NOTIFY || !e->names.n)
		return;
	vec_each(&e->names, n)
		if (str_is(n->text, "write"))
			parse_fault(p, OCI_FAULT_NOTIFY_WRITE, n->span, runc);
	if (!path || (path->kind == JSON_STRING && !path->text.n))
		parse_fault(p, OCI_FAULT_NO_LISTENER, e->action_span, runc);
}

/*
 * An errno of the default's that Docker before 23 does not hand over (moby's profiles/seccomp): there
 * the entry says what the default does not.
 */
static bool is_kept_by_old_engines(const struct parser *p)
{
	const struct verdict *v = &p->out->dflt;
	unsigned docker = p->out->runtime.docker;

	return v->kind == VERDICT_ERRNO && v->data != 1 &&
	       (!docker || docker < OCI_VERSION(23, 0, 0));
}

static void add_rules(struct parser *p, const struct oci_entry *e)
{
	BUF_AUTO skipped = { 0 };
	size_t none = p->out->rules.n;

	vec_room(p->arena, &p->out->rules, e->names.n);
	vec_each(&e->names, n) {
		size_t before = p->out->rules.n;
		classify(p, n);
		if (!oci_add_rules(p->arena, p->out, p->at, n))
			parse_too_many(p, n->span, "rules", NAMES_MAX);
		if (before != p->out->rules.n)
			continue;
		buf_puts(&skipped, skipped.n ? ", " : "");
		buf_safe(&skipped, n->text);
	}
	if (e->is_default && none != p->out->rules.n && !is_kept_by_old_engines(p))
		parse_fault(p, OCI_FAULT_DEFAULT_AGAIN, e->action_span, false);
	if (skipped.n)
		parse_drop(p, arena_printf(p->arena, "not calls of these architectures: %s",
					   skipped.p));
}

static void read_entry(struct parser *p, const struct json *j)
{
	struct written w = in_entry;
	struct oci_entry e = { .json = j,
			       .action_span = j->span,
			       .asks = { NO_SPAN, NO_SPAN, NO_SPAN } };
	const struct json *action = oci_member(j, "action"), *comment;
	static const struct oci_gate open;

	p->at = (uint32_t)p->out->entries.n;
	e.gate = &open;
	vec_push(p->arena, &p->out->entries, e);
	if (j->kind != JSON_NULL && !parse_expect(p, j, JSON_OBJECT, "syscalls"))
		return;
	parse_keys(p, j, oci_entry_keys);
	w.object = j;
	w.by_name = &e.errno_name;
	if (action)
		e.action_span = action->span;
	e.readable = parse_verdict(p, &w, &e.verdict);
	if (!action)
		parse_fault(p, OCI_FAULT_NO_ACTION, j->span, true);
	e.is_default = e.readable && p->out->has_default && verdict_eq(e.verdict, p->out->dflt);
	parse_gate(p, &e);
	comment = p->out->in_config ? NULL : parse_member(p, j, "comment", JSON_STRING);
	e.comment = comment ? comment->text : STR("");
	bool named = read_names(p, &e);
	bool handed = is_handed(p, &e);
	parse_errno_range(p, &w, &e.verdict, handed);
	e.readable &= read_args(p, &e, named, handed);
	e.stops = p->out->entries.v[p->at].stops;
	p->out->entries.v[p->at] = e;
	check_repeated(p, &e);
	check_notify(p, &e);
	if (e.readable)
		add_rules(p, &e);
	else
		vec_each(&e.names, n)
			classify(p, n);
}

/* Room for a rule of each name, which is what most come to. */
static void make_room(struct parser *p, const struct json *calls)
{
	size_t n = 0;

	for (const struct json *j = parse_items(calls); j; j = j->next) {
		const struct json *names = oci_member(j, "names");
		n += names && names->kind == JSON_ARRAY ? names->count : 0;
	}
	vec_room(p->arena, &p->out->entries, calls ? calls->count : 0);
	vec_room(p->arena, &p->out->rules, n < NAMES_MAX ? n : 0);
}

void parse_entries(struct parser *p, const struct json *calls)
{
	make_room(p, calls);
	for (const struct json *j = parse_items(calls); j; j = j->next) {
		if (p->out->lost || loses_profile(p, j, "syscalls"))
			break;
		if (p->out->entries.n >= ENTRIES_MAX) {
			p->at = OCI_NO_ENTRY;
			parse_too_many(p, j->span, "entries", ENTRIES_MAX);
			break;
		}
		read_entry(p, j);
	}
	p->at = OCI_NO_ENTRY;
}

void parse_rules_again(struct parser *p)
{
	struct oci_profile *out = p->out;
	size_t n = out->rules.n + out->strangers.n;

	memset(&out->rules, 0, sizeof(out->rules));
	memset(&out->strangers, 0, sizeof(out->strangers));
	vec_room(p->arena, &out->rules, n);
	for (uint32_t i = 0; i < out->entries.n; i++)
		vec_each(&out->entries.v[i].names, name)
			if (out->entries.v[i].readable && !oci_add_rules(p->arena, out, i, name))
				out->unusable = true;
}

/*
 * crun's reader gives up at the null and has no words for it, so that the container gets no filter:
 * of what would keep it from starting only what the reader met before counts.
 */
static bool counts_before(const struct oci_fault *f, uint32_t lost)
{
	switch (f->kind) {
	case OCI_FAULT_TYPE:
	case OCI_FAULT_NUMBER: return true;
	case OCI_FAULT_NO_ACTION:
	case OCI_FAULT_NO_NAMES: return f->entry < lost;
	case OCI_FAULT_OPERATOR: return f->key != NULL;
	default: return false;
	}
}

void parse_lost(struct parser *p)
{
	struct oci_profile *out = p->out;
	uint32_t lost = OCI_NO_ENTRY;

	vec_each(&out->faults, f)
		lost = f->kind == OCI_FAULT_NULL_ITEM ? f->entry : lost;
	vec_each(&out->entries, e)
		e->stops = false;
	out->stops = false;
	vec_each(&out->faults, f) {
		f->stops = f->stops && counts_before(f, lost);
		out->stops |= f->stops;
	}
}
