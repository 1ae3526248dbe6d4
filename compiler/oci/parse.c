/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON to entries and rules, every value looked at where it stands, and nothing said: what is
 * wrong becomes a fault, with what a runtime does about it. The shapes are those of moby
 * (profiles/seccomp), the OCI runtime specification and runc (libcontainer/specconv,
 * libcontainer/seccomp); tests/oci/test_one_reader.py holds them against the real runc and crun.
 */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/oci/internal.h"

enum { ENTRIES_MAX = 1 << 16, NAMES_MAX = 1 << 18 };

struct parser {
	struct arena *arena;
	struct oci_profile *out;
	const struct oci_read_options *opt; /* never NULL */
	enum arch host;    /* whose errno numbers their names are, and whose filter it becomes */
	uint32_t at;       /* the entry being read; OCI_NO_ENTRY */
	size_t names;      /* so far */
	struct oci_fault spare; /* what does not go into the list any more */
};

static struct oci_fault *fault(struct parser *p, enum oci_fault_kind kind, struct span span, bool stops)
{
	struct oci_profile *out = p->out;
	struct oci_fault f = { .kind = kind, .stops = stops, .entry = p->at, .span = span, .other = NO_SPAN };

	if (stops && p->at == OCI_NO_ENTRY)
		out->stops = true;
	else if (stops)
		out->entries.v[p->at].stops = true;
	p->spare = f;
	if (++out->nfaults[kind] > OCI_FAULTS_MAX)
		return &p->spare;
	vec_push(p->arena, &out->faults, f);
	return &out->faults.v[out->faults.n - 1];
}

/* A fault of the text as JSON: whoever decodes it gives up, whatever entries are in force. */
static struct oci_fault *decode_fault(struct parser *p, enum oci_fault_kind kind, const struct json *j,
				      const char *key)
{
	uint32_t at = p->at;

	p->at = OCI_NO_ENTRY;
	struct oci_fault *f = fault(p, kind, j->span, true);
	p->at = at;
	f->key = key;
	return f;
}

static void too_many(struct parser *p, struct span span, const char *what, uint64_t most)
{
	if (p->out->unusable)
		return;
	struct oci_fault *f = fault(p, OCI_FAULT_TOO_MANY, span, false);
	f->key = what;
	f->number = most;
	p->out->unusable = true;
}

static bool expect(struct parser *p, const struct json *j, enum json_kind kind, const char *what)
{
	if (j->kind == kind)
		return true;
	decode_fault(p, OCI_FAULT_TYPE, j, what)->want = kind;
	return false;
}

/* o[key] where it is there and of this kind. */
static const struct json *member_of(struct parser *p, const struct json *o, const char *key,
				    enum json_kind kind)
{
	const struct json *m = oci_member(o, key);

	return m && expect(p, m, kind, key) ? m : NULL;
}

/* An element that is to be a string: Go makes "" of null. */
static bool element(struct parser *p, const struct json *j, const char *what, struct str *out)
{
	*out = STR("");
	if (j->kind == JSON_NULL)
		return true;
	if (!expect(p, j, JSON_STRING, what))
		return false;
	*out = j->text;
	return true;
}

/* Absent is 0, as in Go. false: no reader takes it. */
static bool read_number(struct parser *p, const struct json *o, const char *key, uint64_t *out)
{
	const struct json *j = oci_member(o, key);

	*out = 0;
	if (!j)
		return true;
	if (j->kind != JSON_NUMBER || !j->is_u64) {
		decode_fault(p, OCI_FAULT_NUMBER, j, key);
		return false;
	}
	*out = j->u64;
	return true;
}

static const struct json *items(const struct json *array)
{
	return array && array->kind == JSON_ARRAY ? array->first : NULL;
}

/* ---- keys ---- */

/* Those that are plainly remarks. */
static bool is_remark(struct str key)
{
	return !key.n || key.p[0] == '$' || key.p[0] == '_' || key.p[0] == '/' || key.p[0] == '#' ||
	       str_ieq(key, STR("comment")) || str_ieq(key, STR("description"));
}

static bool has_content(const struct json *j)
{
	return j->kind == JSON_STRING ? j->text.n > 0 : j->kind != JSON_NULL && (j->kind < JSON_ARRAY || j->count);
}

/* Docker's own, which a runtime does not know. */
static bool is_engine_key(const char *key)
{
	static const char *const keys[] = { "archMap", "includes", "excludes" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(key, keys[i]))
			return true;
	return false;
}

static bool is_list(const struct json *j)
{
	return j->kind == JSON_ARRAY || j->kind == JSON_OBJECT;
}

static bool same_value(const struct json *x, const struct json *y)
{
	const struct json *a = x->first, *b = y->first;

	if (x->kind != y->kind || x->boolean != y->boolean || !str_eq(x->text, y->text) || x->count != y->count)
		return false;
	for (; a && b; a = a->next, b = b->next) /* the reader has bounded the depth */
		if (!str_eq(a->key, b->key) || !same_value(a, b))
			return false;
	return true;
}

/* A value that no reader refuses, were it of the type that is wanted: pale looks at the last alone. */
static bool is_harmless(const struct json *j)
{
	bool words = j->kind == JSON_ARRAY;

	for (const struct json *w = j->first; w; w = w->next)
		words &= w->kind == JSON_STRING;
	return words || j->kind == JSON_STRING || j->kind == JSON_NULL || (j->kind == JSON_NUMBER && j->is_u64);
}

/* Does Go forget the earlier value? Elements it decodes into the old ones: strings alone replace. */
static bool replaces(const struct json *old, const struct json *new)
{
	bool alike = old->kind == new->kind || old->kind == JSON_NULL || new->kind == JSON_NULL;

	if (!alike || !is_harmless(old) || str_ieq(new->key, STR("minKernel")))
		return false;
	return !is_list(old) || !old->count || is_harmless(new);
}

/* A config.json goes to the runtime as it is; engines read profiles, and are written in Go. */
static bool crun_reads(const struct parser *p)
{
	return p->out->in_config && p->out->runtime.kind == OCI_CRUN;
}

/* No answer can be given: what the profile says is another thing to each reader. */
static struct oci_fault *unusable(struct parser *p, enum oci_fault_kind kind, const struct json *m)
{
	struct oci_fault *f = fault(p, kind, m->key_span, false);

	f->word = m->key;
	p->out->unusable = true;
	return f;
}

/* crun takes keys as they are spelt, and of two the first (yajl) or the last (json-c). */
static void check_twice(struct parser *p, const struct json *before, const struct json *m)
{
	struct oci_fault *f;

	if (same_value(before, m) && str_eq(before->key, m->key))
		f = fault(p, OCI_FAULT_KEY_SAME, m->key_span, false);
	else if (crun_reads(p))
		f = unusable(p, OCI_FAULT_KEY_OF_CRUN, m);
	else
		f = replaces(before, m) ? fault(p, OCI_FAULT_KEY_TWICE, m->key_span, false) :
					  unusable(p, OCI_FAULT_KEY_MERGED, m);
	f->word = m->key;
	f->other = before->key_span;
}

static void check_key(struct parser *p, const struct json *m, const char *key)
{
	enum oci_fault_kind kind = OCI_FAULT_KEY_CASE;

	if (!key && is_remark(m->key))
		return;
	if (!key)
		kind = OCI_FAULT_KEY;
	else if (p->out->in_config && is_engine_key(key) && has_content(m))
		kind = OCI_FAULT_DIALECT;
	else if (str_is(m->key, key))
		return;
	struct oci_fault *f = kind == OCI_FAULT_KEY_CASE && crun_reads(p) ?
			      unusable(p, OCI_FAULT_KEY_OF_CRUN, m) : fault(p, kind, m->key_span, false);
	f->word = m->key;
	f->key = key;
}

static void check_keys(struct parser *p, const struct json *object, const char *const *known)
{
	const struct json *before[16] = { 0 }; /* by place in `known` */

	for (const struct json *m = object->first; object->kind == JSON_OBJECT && m; m = m->next) {
		const char *key = oci_key_find(m, known);
		check_key(p, m, key);
		for (size_t i = 0; key && i < ARRAY_SIZE(before) && known[i]; i++) {
			if (known[i] != key)
				continue;
			if (before[i])
				check_twice(p, before[i], m);
			before[i] = m;
		}
	}
}

/* The objects around linux.seccomp: of other keys there nothing is said. */
static void check_outer(struct parser *p, const struct json *object, const char *key)
{
	const struct json *before = NULL;

	for (const struct json *m = object->first; (m = json_find_fold(m, key)); m = m->next) {
		if (!str_is(m->key, key))
			check_key(p, m, key);
		if (before)
			check_twice(p, before, m);
		before = m;
	}
}

/* ---- actions ---- */

struct written { /* an action and the two ways to write its errno */
	const struct json *object;
	const char *action, *number, *name;
	struct str *by_name; /* set where the name decides */
};
static const struct written in_profile = { NULL, "defaultAction", "defaultErrnoRet", "defaultErrno", NULL };
static const struct written in_entry = { NULL, "action", "errnoRet", "errno", NULL };

static bool find_errno(const struct parser *p, const struct json *name, uint64_t *out)
{
	return name->kind == JSON_STRING &&
	       (constant_find("errno", name->text, p->host, out) == 0 ||
		(str_u64(name->text, out) == 0 && *out <= OCI_ERRNO_MAX));
}

/* Is this the name's number on some architecture? */
static bool means_somewhere(const struct json *name, uint64_t data)
{
	uint64_t n;

	for (enum arch a = 0; a < ARCH_NR; a++)
		if (constant_find("errno", name->text, a, &n) == 0 && n == data)
			return true;
	return false;
}

/*
 * Podman's name of an errno (containers/common pkg/seccomp) goes before the number there; Docker
 * and the runtimes read the number alone. A name by itself was written for Podman. So was one that
 * is another number on some machines only (ENOSYS is 89 on MIPS); where the two differ on all, the
 * number decides.
 */
static void settle_errno(struct parser *p, const struct written *w, bool numbered, uint64_t *data)
{
	const struct json *name = oci_member(w->object, w->name);
	bool podman = !p->opt->docker && !p->out->in_config;
	enum oci_fault_kind kind = OCI_FAULT_PODMAN;
	uint64_t n = *data;

	if (!name || (name->kind == JSON_STRING && !name->text.n))
		return;
	if (!find_errno(p, name, &n))
		kind = OCI_FAULT_PODMAN_WORD;
	else if (numbered && n != *data)
		kind = means_somewhere(name, *data) ? OCI_FAULT_PODMAN_HERE : OCI_FAULT_PODMAN_OTHER;
	if (podman && kind != OCI_FAULT_PODMAN_WORD && kind != OCI_FAULT_PODMAN_OTHER)
		*w->by_name = name->text;
	if (numbered && n == *data && kind == OCI_FAULT_PODMAN)
		return;
	struct oci_fault *f = fault(p, kind, name->span, false);
	f->key = w->name;
	f->word = name->kind == JSON_STRING ? name->text : STR("");
	f->number = kind == OCI_FAULT_PODMAN ? n : *data;
	if (podman && (kind == OCI_FAULT_PODMAN || kind == OCI_FAULT_PODMAN_HERE))
		*data = n;
}

/* crun takes an errno beside an action that has none for a mistake; runc skips it. */
static void check_idle(struct parser *p, const struct written *w, const struct json *action)
{
	const struct json *number = oci_member(w->object, w->number);
	const struct json *name = oci_member(w->object, w->name);

	if (number) {
		struct oci_fault *f = fault(p, OCI_FAULT_IDLE_ERRNO, number->span,
					    p->out->runtime.kind == OCI_CRUN);
		f->key = w->number;
		f->word = action->text;
	}
	if (name) {
		struct oci_fault *f = fault(p, OCI_FAULT_PODMAN_IDLE, name->span, false);
		f->key = w->name;
		f->word = action->text;
	}
}

/* runc and crun keep 16 bits; crun's reader takes 32. */
static bool read_errno(struct parser *p, const struct written *w, enum verdict_kind kind, uint64_t *data)
{
	const struct json *number = oci_member(w->object, w->number);
	uint64_t n;

	*data = 1; /* EPERM, for TRACE too (runc libcontainer/seccomp getAction) */
	if (!read_number(p, w->object, w->number, &n))
		return false;
	if (number && n > UINT32_MAX && p->out->runtime.kind == OCI_CRUN) {
		decode_fault(p, OCI_FAULT_ERRNO_RANGE, number, w->number)->number = n;
		return false;
	}
	if (number)
		*data = n;
	if (kind == VERDICT_ERRNO)
		settle_errno(p, w, number != NULL, data);
	return true;
}

/* `handed`: libseccomp gets to see it. */
static void check_errno(struct parser *p, const struct written *w, const struct verdict *v, bool handed)
{
	const struct json *number = oci_member(w->object, w->number);
	enum oci_fault_kind kind = OCI_FAULT_ERRNO_RANGE;
	bool stops = v->kind == VERDICT_ERRNO && v->data > OCI_ERRNO_MAX && handed;

	if (!number || number->kind != JSON_NUMBER || !number->is_u64 ||
	    (v->kind != VERDICT_ERRNO && v->kind != VERDICT_TRACE))
		return;
	if (v->kind == VERDICT_ERRNO && !v->data)
		kind = OCI_FAULT_ERRNO_ZERO;
	else if (!(v->kind == VERDICT_ERRNO && v->data > OCI_ERRNO_MAX) && number->u64 <= UINT16_MAX)
		return;
	struct oci_fault *f = fault(p, kind, number->span, stops);
	f->key = w->number;
	f->number = number->u64;
}

static bool read_verdict(struct parser *p, const struct written *w, struct verdict *out)
{
	const struct json *action = oci_member(w->object, w->action);
	uint64_t data;

	if (!action || !expect(p, action, JSON_STRING, w->action))
		return false;
	const struct oci_action *a = oci_action_find(action->text);
	if (!a) {
		fault(p, OCI_FAULT_ACTION, action->span, true)->word = action->text;
		return false;
	}
	bool carries = a->kind == VERDICT_ERRNO || a->kind == VERDICT_TRACE;
	if (!read_errno(p, w, a->kind, &data))
		return false;
	if (!carries)
		check_idle(p, w, action);
	*out = (struct verdict){ a->kind, carries ? (uint16_t)data : 0 };
	return true;
}

static void read_default(struct parser *p)
{
	struct oci_profile *out = p->out;
	struct written w = in_profile;
	const struct json *dflt = oci_member(out->json, "defaultAction");
	const struct json *calls = oci_member(out->json, "syscalls");
	bool crun = out->runtime.kind == OCI_CRUN;
	uint64_t unused;

	w.object = out->json;
	w.by_name = &out->dflt_errno_name;
	out->errno_written = oci_member(out->json, "defaultErrnoRet") != NULL;
	out->dflt_span = dflt ? dflt->span : (struct span){ out->json->span.source, out->json->span.begin,
							    out->json->span.begin + 1 };
	if (!dflt || (dflt->kind == JSON_STRING && !dflt->text.n)) {
		/* An engine, and runc, take a profile without rules for none at all. */
		bool none = !items(calls) && (!crun || !out->in_config);
		fault(p, OCI_FAULT_NO_DEFAULT, out->dflt_span, !none);
		read_number(p, out->json, "defaultErrnoRet", &unused);
		return;
	}
	out->has_default = read_verdict(p, &w, &out->dflt);
	if (!out->has_default)
		return;
	check_errno(p, &w, &out->dflt, true);
	if (out->dflt.kind == VERDICT_NOTIFY)
		fault(p, OCI_FAULT_NOTIFY_DEFAULT, out->dflt_span, !crun);
}

/* ---- architectures ---- */

/* handed: the runtime of this machine gets the word. Its bit; 0: pale has no table for it. */
static unsigned read_arch(struct parser *p, const struct json *j, const char *what, bool handed)
{
	struct str word;

	if (!element(p, j, what, &word))
		return 0;
	const struct oci_arch_word *w = oci_arch_word_find(word);
	struct oci_word name = { .text = word, .span = j->span };
	int a = oci_arch_find(word);
	bool refused = handed && !oci_arch_taken(&p->out->runtime, w);
	enum oci_fault_kind kind = OCI_FAULT_ARCH;

	vec_push(p->arena, &p->out->arch_names, name);
	if (a >= 0)
		p->out->declared |= ARCH_BIT(a);
	if (w && !refused) {
		if (handed && w->big_endian != arch_info(p->host)->big_endian) {
			kind = OCI_FAULT_BYTE_ORDER;
			refused = true;
		} else if (a < 0 && handed) {
			kind = OCI_FAULT_ARCH_LEFT;
		} else {
			return a < 0 ? 0 : ARCH_BIT(a);
		}
	}
	fault(p, kind, j->span, refused)->word = word;
	return a < 0 ? 0 : ARCH_BIT(a);
}

static unsigned read_arches(struct parser *p, const struct json *list, const char *what, bool handed)
{
	unsigned arches = 0;

	for (const struct json *j = items(list); j; j = j->next)
		arches |= read_arch(p, j, what, handed);
	return arches;
}

static int lowest_arch(unsigned arches)
{
	for (int a = 0; a < ARCH_NR; a++)
		if (arches & ARCH_BIT(a))
			return a;
	return -1;
}

/* Docker takes the first row of the machine that the engine runs on, and no other. */
static void read_rows(struct parser *p, const struct json *map, unsigned rows[ARCH_NR])
{
	bool seen = false;

	for (const struct json *row = items(map); row; row = row->next) {
		if (row->kind != JSON_NULL && !expect(p, row, JSON_OBJECT, "archMap"))
			continue;
		check_keys(p, row, oci_row_keys);
		const struct json *name = member_of(p, row, "architecture", JSON_STRING);
		const struct json *subs = member_of(p, row, "subArchitectures", JSON_ARRAY);
		int a = name ? oci_arch_find(name->text) : -1;
		bool ours = a >= 0 && (enum arch)a == p->host && !seen;
		seen |= ours;
		if (!name)
			fault(p, OCI_FAULT_MAP_ROW, row->span, false);
		unsigned arches = name ? read_arch(p, name, "architecture", ours) : 0;
		arches |= read_arches(p, subs, "subArchitectures", ours);
		if (a >= 0 && !rows[a])
			rows[a] = arches;
	}
}

/* `others`: the architectures that other rows have. */
static bool leads_family(enum arch a, unsigned others)
{
	return !strcmp(arch_info(a)->name, arch_family(a, others));
}

/* Machines that an entry asks for: the profile is for them too, with or without a row. */
static unsigned named_hosts(const struct json *profile)
{
	const struct json *calls = oci_member(profile, "syscalls");
	unsigned hosts = 0;

	for (const struct json *e = calls && calls->kind == JSON_ARRAY ? calls->first : NULL; e; e = e->next) {
		const struct json *in = oci_member(e, "includes"), *list = oci_member(in, "arches");
		for (const struct json *j = list && list->kind == JSON_ARRAY ? list->first : NULL; j; j = j->next) {
			int h = j->kind == JSON_STRING ? oci_host_find(j->text) : -1;
			if (h >= 0 && leads_family((enum arch)h, ARCH_BIT(h)))
				hosts |= ARCH_BIT(h);
		}
	}
	return hosts;
}

unsigned oci_machines(const struct json *root)
{
	const struct json *map = oci_member(oci_profile_object(root), "archMap");
	unsigned machines = 0;

	if (!map || map->kind != JSON_ARRAY)
		return 0;
	for (const struct json *row = map->first; row; row = row->next) {
		const struct json *name = row->kind == JSON_OBJECT ? oci_member(row, "architecture") : NULL;
		int a = name && name->kind == JSON_STRING ? oci_arch_find(name->text) : -1;
		if (a >= 0)
			machines |= ARCH_BIT(a);
	}
	return machines ? machines | named_hosts(oci_profile_object(root)) : 0;
}

/*
 * All rows of archMap at once. A machine makes calls of its own family only, so the rows of
 * two families do not touch; those of machines that are compat architectures of another (i386)
 * say nothing about what that one decides.
 */
static unsigned every_row(const struct parser *p, const unsigned rows[ARCH_NR])
{
	unsigned arches = 0;

	for (int h = 0; h < ARCH_NR; h++)
		arches |= leads_family((enum arch)h, arches) ? rows[h] : 0;
	return arches ? arches | named_hosts(p->out->json) : 0;
}

static void add_own(struct parser *p, unsigned arches, bool every)
{
	struct oci_profile *out = p->out;
	/* libseccomp starts every filter with the machine's own architecture. A profile that
	 * lists other families only is for another machine. */
	int lowest = lowest_arch(arches);
	bool same_family = !every && lowest >= 0 &&
			   !strcmp(arch_info((enum arch)lowest)->family, arch_info(p->host)->family);

	out->arches = arches;
	if (arches && !same_family && !p->opt->host_known)
		return;
	if (arches && !(arches & ARCH_BIT(p->host)))
		fault(p, OCI_FAULT_ARCH_ADDED, out->arches_span, false)->word =
			str_c(arch_info(p->host)->name);
	out->arches |= ARCH_BIT(p->host);
}

static void settle_arches(struct parser *p)
{
	struct oci_profile *out = p->out;
	const struct json *list = member_of(p, out->json, "architectures", JSON_ARRAY);
	const struct json *map = out->in_config ? NULL : member_of(p, out->json, "archMap", JSON_ARRAY);
	unsigned rows[ARCH_NR] = { 0 };
	bool mapped = items(map) != NULL, listed = items(list) != NULL;
	bool every = p->opt->every_host && !p->opt->host_known && mapped;

	if (mapped && listed) {
		uint32_t at = p->at;
		p->at = OCI_NO_ENTRY;
		fault(p, OCI_FAULT_ARCH_AND_MAP, list->key_span, true)->other = map->key_span;
		p->at = at;
	}
	out->arches_span = list ? list->span : map ? map->span : out->json->span;
	read_rows(p, map, rows);
	unsigned arches = read_arches(p, list, "architectures", true);
	out->listed = arches | (every ? every_row(p, rows) : rows[p->host]);
	out->arches_written = out->arch_names.n > 0;
	if (!out->arches_written)
		out->declared = ARCH_BIT(p->host);
	add_own(p, out->listed, every);
}

/* ---- includes, excludes ---- */

/* false: it holds on every kernel. */
static bool read_kernel(struct parser *p, const struct json *gate, uint16_t *out)
{
	const struct json *j = oci_member(gate, "minKernel");

	if (!j || (j->kind == JSON_STRING && !j->text.n)) /* moby: "" is 0.0 */
		return false;
	if (j->kind == JSON_STRING && oci_kernel_parse(j->text, out) == 0)
		return true;
	decode_fault(p, OCI_FAULT_KERNEL, j, "minKernel");
	return false;
}

/* none: a word among them that is no capability of anybody. */
static uint64_t read_caps(struct parser *p, const struct json *gate, const char *which, bool *none)
{
	const struct json *list = member_of(p, gate, "caps", JSON_ARRAY);
	uint64_t caps = 0;
	struct str word;

	for (const struct json *j = items(list); j; j = j->next) {
		if (!element(p, j, "caps", &word))
			continue;
		int cap = oci_capability_find(word);
		if (cap >= 0) {
			caps |= UINT64_C(1) << cap;
			continue;
		}
		struct oci_fault *f = fault(p, OCI_FAULT_CAPABILITY, j->span, false);
		f->word = word;
		f->key = which;
		*none = true;
	}
	return caps;
}

/* The spellings of other readers: SCMP_ARCH_X86_64, x86_64. Hosts that pale lacks are none. */
static bool is_misspelt_host(struct str word)
{
	return str_starts(word, "SCMP_ARCH_") || arch_find(word) >= 0;
}

static unsigned read_hosts(struct parser *p, const struct json *gate, const char *which)
{
	const struct json *list = member_of(p, gate, "arches", JSON_ARRAY);
	unsigned hosts = 0;
	struct str word;

	for (const struct json *j = items(list); j; j = j->next) {
		if (!element(p, j, "arches", &word))
			continue;
		int a = oci_host_find(word);
		if (a >= 0) {
			hosts |= ARCH_BIT(a);
		} else if (is_misspelt_host(word)) {
			struct oci_fault *f = fault(p, OCI_FAULT_HOST, j->span, false);
			f->word = word;
			f->key = which;
		}
	}
	return hosts;
}

static void drop(struct parser *p, const char *why)
{
	vec_push(p->arena, &p->out->dropped, why);
	vec_push(p->arena, &p->out->dropped_entry, p->at);
}

static void read_includes(struct parser *p, const struct json *in, struct oci_gate *g)
{
	bool nobody = false;

	check_keys(p, in, oci_gate_keys);
	g->caps = read_caps(p, in, "includes", &nobody);
	g->hosts = read_hosts(p, in, "includes");
	read_kernel(p, in, &g->min_kernel);
	bool elsewhere = items(oci_member(in, "arches")) && !g->hosts;
	g->never |= nobody || elsewhere;
	if (nobody)
		drop(p, "never in force: includes a capability that does not exist by this name");
	else if (elsewhere)
		drop(p, "never in force on the machines of these architectures");
}

static void read_excludes(struct parser *p, const struct json *ex, struct oci_gate *g)
{
	const struct json *kernel = oci_member(ex, "minKernel");
	bool nobody = false;

	check_keys(p, ex, oci_gate_keys);
	g->no_caps = read_caps(p, ex, "excludes", &nobody);
	g->no_hosts = read_hosts(p, ex, "excludes");
	if (!kernel || read_kernel(p, ex, &g->max_kernel))
		return;
	g->never = true;
	drop(p, "never in force: every kernel is excluded");
}

/* Docker's "arches" are hosts: a call under any ABI of that machine. */
static unsigned arches_of_hosts(unsigned hosts)
{
	unsigned mask = 0;

	for (int h = 0; h < ARCH_NR; h++)
		for (int a = 0; a < ARCH_NR && hosts & ARCH_BIT(h); a++)
			if (!strcmp(arch_info((enum arch)a)->family, arch_info((enum arch)h)->family) &&
			    leads_family((enum arch)h, ARCH_BIT(h)))
				mask |= ARCH_BIT(a);
	return mask;
}

static const struct oci_gate *read_gate(struct parser *p, const struct json *entry, unsigned *arches)
{
	struct oci_gate *g = ARENA_NEW(p->arena, struct oci_gate);

	*arches = p->out->declared;
	if (p->out->in_config)
		return g; /* a runtime knows no such keys */
	const struct json *in = member_of(p, entry, "includes", JSON_OBJECT);
	const struct json *ex = member_of(p, entry, "excludes", JSON_OBJECT);
	if (in)
		read_includes(p, in, g);
	if (ex)
		read_excludes(p, ex, g);
	if (items(oci_member(in, "arches")))
		*arches &= arches_of_hosts(g->hosts);
	*arches &= ~arches_of_hosts(g->no_hosts);
	return g;
}

/* ---- args ---- */

static bool read_op(struct parser *p, const struct json *arg, enum oci_op *out)
{
	const struct json *op = oci_member(arg, "op");

	if (op && !expect(p, op, JSON_STRING, "op"))
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
		fault(p, OCI_FAULT_LOSSY, j->span, false)->word = j->text;
}

/* handed: libseccomp gets a rule of this entry; named: runc looks at the operator at all. */
static bool read_arg(struct parser *p, const struct json *j, bool named, bool handed, struct oci_arg *out)
{
	bool crun = p->out->runtime.kind == OCI_CRUN;
	uint64_t index, value, two;

	if (j->kind != JSON_NULL && !expect(p, j, JSON_OBJECT, "args"))
		return false;
	check_keys(p, j, oci_arg_keys);
	bool good = read_number(p, j, "index", &index);
	good &= read_number(p, j, "value", &value);
	good &= read_number(p, j, "valueTwo", &two);
	check_lossy(p, j, "value");
	check_lossy(p, j, "valueTwo");
	if (good && index > 5) {
		const struct json *at = oci_member(j, "index");
		struct oci_fault *f = crun && index > UINT32_MAX ? /* its reader takes 32 bits */
				      decode_fault(p, OCI_FAULT_ARG_INDEX, at, "index") :
				      fault(p, OCI_FAULT_ARG_INDEX, at->span, handed);
		f->word = at->text;
		good = false;
	}
	const struct json *op = oci_member(j, "op");
	if (!read_op(p, j, &out->op)) {
		if (!op || op->kind == JSON_STRING)
			fault(p, OCI_FAULT_OPERATOR, op ? op->span : j->span, crun ? handed || !op : named)->word =
				op ? op->text : STR("");
		return false;
	}
	if (two && out->op != OCI_MASKED_EQ) {
		struct oci_fault *f = fault(p, OCI_FAULT_VALUE_TWO, oci_member(j, "valueTwo")->span, false);
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

static void check_repeated(struct parser *p, const struct oci_entry *e)
{
	bool equal = true;

	if (!e->splits || !e->names.n)
		return;
	vec_each(&e->args, arg)
		equal &= arg->op == OCI_EQ && arg->index == e->args.v[0].index;
	struct oci_fault *f = fault(p, equal ? OCI_FAULT_REPEATED_EQUAL : OCI_FAULT_REPEATED,
				    e->args.v[1].span, false);
	f->word = e->names.v[0].text;
}

/* false: what a runtime would not take, were it in force. */
static bool read_args(struct parser *p, struct oci_entry *e, bool named, bool handed)
{
	const struct json *list = member_of(p, e->json, "args", JSON_ARRAY);
	size_t max = p->opt->args_max ? p->opt->args_max : SIZE_MAX, n = 0;
	unsigned seen = 0;
	bool good = true;

	for (const struct json *j = items(list); j; j = j->next, n++) {
		struct oci_arg arg = { 0 };
		bool looked = n < max;
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
	if (n->sys || syscall_foreign_arches(n->text) ||
	    multiplexed_selector(STR("socketcall"), n->text))
		return;
	fault(p, syscall_alias(n->text) ? OCI_FAULT_LIBC : OCI_FAULT_STRANGER, n->span, false)->word = n->text;
}

static void add_name(struct parser *p, struct oci_entry *e, const struct json *j)
{
	struct oci_word n = { .span = j->span };

	if (!element(p, j, "names", &n.text))
		return;
	if (!n.text.n) {
		fault(p, OCI_FAULT_EMPTY_NAME, j->span, p->out->runtime.kind == OCI_RUNC);
		return;
	}
	if (p->names++ >= NAMES_MAX) {
		too_many(p, j->span, "names", NAMES_MAX);
		return;
	}
	n.sys = syscall_by_name(n.text);
	vec_push(p->arena, &e->names, n);
}

/* Does the runtime look at anything for a name? An empty one counts. */
static bool read_names(struct parser *p, struct oci_entry *e)
{
	bool crun = p->out->runtime.kind == OCI_CRUN;
	const struct json *name = oci_member(e->json, "name"), *names = member_of(p, e->json, "names", JSON_ARRAY);

	if (p->out->in_config || (name && !expect(p, name, JSON_STRING, "name")))
		name = p->out->in_config ? name : NULL;
	if (name && name->kind == JSON_STRING && !name->text.n)
		name = NULL; /* Docker treats an empty `name` as absent */
	for (const struct json *j = items(names); j; j = j->next)
		add_name(p, e, j);
	if (name && p->out->in_config) {
		struct oci_fault *f = fault(p, OCI_FAULT_NAME_UNREAD, name->key_span, crun && !names);
		f->word = name->kind == JSON_STRING ? name->text : STR("");
		return items(names) != NULL;
	}
	if (name && items(names)) {
		struct oci_fault *f = decode_fault(p, OCI_FAULT_NAME_AND_NAMES, name, "name");
		f->span = name->key_span;
		f->other = names->key_span;
		f->word = name->text;
	} else if (name) {
		fault(p, OCI_FAULT_OLD_NAME, name->span, false)->word = name->text;
	} else if (!items(names)) {
		fault(p, OCI_FAULT_NO_NAMES, names ? names->span : e->json->span, crun && !names);
	}
	if (name)
		add_name(p, e, name);
	return name || items(names);
}

static bool is_handed(const struct parser *p, const struct oci_entry *e)
{
	vec_each(&e->names, n)
		if (e->readable && !e->is_default && oci_name_known(&p->out->runtime, n->text))
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
			fault(p, OCI_FAULT_NOTIFY_WRITE, n->span, runc);
	if (!path || (path->kind == JSON_STRING && !path->text.n))
		fault(p, OCI_FAULT_NO_LISTENER, e->action_span, runc);
}

static void add_rules(struct parser *p, const struct oci_entry *e)
{
	BUF_AUTO skipped = { 0 };

	vec_each(&e->names, n) {
		size_t before = p->out->rules.n;
		classify(p, n);
		if (!oci_add_rules(p->arena, p->out, p->at, n))
			too_many(p, n->span, "rules", NAMES_MAX);
		if (before != p->out->rules.n)
			continue;
		buf_puts(&skipped, skipped.n ? ", " : "");
		buf_safe(&skipped, n->text);
	}
	if (skipped.n)
		drop(p, arena_printf(p->arena, "not calls of these architectures: %s", skipped.p));
}

static void read_entry(struct parser *p, const struct json *j)
{
	struct written w = in_entry;
	struct oci_entry e = { .json = j, .action_span = j->span };
	const struct json *action = oci_member(j, "action"), *comment;
	static const struct oci_gate open;

	p->at = (uint32_t)p->out->entries.n;
	e.gate = &open;
	vec_push(p->arena, &p->out->entries, e);
	if (j->kind != JSON_NULL && !expect(p, j, JSON_OBJECT, "syscalls"))
		return;
	check_keys(p, j, oci_entry_keys);
	w.object = j;
	w.by_name = &e.errno_name;
	if (action)
		e.action_span = action->span;
	e.readable = read_verdict(p, &w, &e.verdict);
	if (!action)
		fault(p, OCI_FAULT_NO_ACTION, j->span, true);
	e.is_default = e.readable && p->out->has_default && verdict_eq(e.verdict, p->out->dflt);
	e.gate = read_gate(p, j, &e.arches);
	comment = p->out->in_config ? NULL : member_of(p, j, "comment", JSON_STRING);
	e.comment = comment ? comment->text : STR("");
	bool named = read_names(p, &e);
	bool handed = is_handed(p, &e);
	check_errno(p, &w, &e.verdict, handed);
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

static void read_entries(struct parser *p, const struct json *calls)
{
	for (const struct json *j = items(calls); j; j = j->next) {
		if (p->out->entries.n >= ENTRIES_MAX) {
			p->at = OCI_NO_ENTRY;
			too_many(p, j->span, "entries", ENTRIES_MAX);
			break;
		}
		read_entry(p, j);
	}
	p->at = OCI_NO_ENTRY;
}

/* ---- the rest of the profile ---- */

static void read_flags(struct parser *p)
{
	struct oci_profile *out = p->out;
	const struct oci_runtime *rt = &out->runtime;
	const struct json *flags = member_of(p, out->json, "flags", JSON_ARRAY);
	bool handed = oci_flags_handed(rt, out->in_config);
	struct str word;

	if (items(flags) && rt->kind == OCI_RUNC && rt->version < OCI_VERSION(1, 2, 0))
		fault(p, OCI_FAULT_FLAGS, flags->span, handed);
	for (const struct json *j = items(flags); j; j = j->next) {
		bool known = false;
		if (!element(p, j, "flags", &word))
			continue;
		for (const char *const *f = oci_flag_names; *f; f++)
			known |= str_is(word, *f);
		if (handed && str_is(word, oci_flag_log))
			out->logs_span = j->span;
		if (!known || (!oci_flag_taken(rt, word) && !out->nfaults[OCI_FAULT_FLAGS]))
			fault(p, OCI_FAULT_FLAG, j->span, handed)->word = word;
	}
}

static void read_listener(struct parser *p)
{
	const struct json *path = member_of(p, p->out->json, "listenerPath", JSON_STRING);
	const struct json *meta = member_of(p, p->out->json, "listenerMetadata", JSON_STRING);

	if ((!path || !path->text.n) && meta && meta->text.n)
		fault(p, OCI_FAULT_METADATA, meta->span, false);
}

/*
 * Where none was named it is the default on this machine. What other machines run nobody knows:
 * there it is one that knows all words (runc 1.1 does not know RISCV64, and starts on no such).
 */
static void choose_runtime(struct parser *p)
{
	struct oci_runtime *rt = &p->out->runtime;

	if (p->opt->runtime) {
		*rt = *p->opt->runtime;
		return;
	}
	BUG_ON(oci_runtime_parse(str_c(oci_runtime_default), rt));
	if ((int)p->host != arch_native())
		rt->version = rt->libseccomp = OCI_VERSION(255, 0, 0);
}

void oci_parse(struct arena *a, const struct json *root, const struct oci_read_options *opt,
	       struct oci_profile *out)
{
	static const struct oci_read_options plain;
	int native = arch_native();
	struct parser p = { .arena = a, .out = out, .opt = opt ? opt : &plain, .at = OCI_NO_ENTRY,
			    .host = native >= 0 ? (enum arch)native : ARCH_X86_64 };

	*out = (struct oci_profile){ .root = root, .json = oci_profile_object(root), .logs_span = NO_SPAN };
	if (p.opt->host_known)
		p.host = p.opt->host;
	out->host = p.host;
	choose_runtime(&p);
	if (!out->json) {
		out->json = root;
		decode_fault(&p, OCI_FAULT_TYPE, root, "profile")->want = JSON_OBJECT;
		return;
	}
	out->in_config = out->json != root;
	if (out->in_config) {
		check_outer(&p, root, "linux");
		for (const struct json *m = root->first; (m = json_find_fold(m, "linux")); m = m->next)
			check_outer(&p, m, "seccomp");
	}
	check_keys(&p, out->json, oci_profile_keys);
	read_default(&p);
	settle_arches(&p);
	read_flags(&p);
	read_listener(&p);
	read_entries(&p, member_of(&p, out->json, "syscalls", JSON_ARRAY));
}
