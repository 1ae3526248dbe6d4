/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON to entries and rules: every value checked where it stands. The shapes are those of
 * moby (profiles/seccomp), the OCI runtime specification and runc (libcontainer/specconv).
 */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/base/suggest.h"
#include "compiler/oci/internal.h"

enum { ERRNO_MAX = 4095, ENTRIES_MAX = 1 << 16, RULES_MAX = 1 << 18, SUGGESTIONS_MAX = 100 };

struct parser {
	struct arena *arena;
	struct diags *ds;
	struct oci_profile *out;
	VEC(struct str) odd_keys; /* told already */
	size_t args_max;  /* of one entry that the runtime looks at */
	bool docker;      /* Podman's keys say nothing */
	enum arch host;   /* whose errno numbers their names are */
	size_t strangers; /* names that are no calls; only the first get a suggestion */
	bool failed;
};

const struct json *oci_member(const struct json *object, const char *key)
{
	const struct json *m = object && object->kind == JSON_OBJECT ? json_get_fold(object, key) : NULL;

	return m && m->kind != JSON_NULL ? m : NULL;
}

static struct diag *fail(struct parser *p, enum diag_id id, struct span span, const char *text)
{
	p->failed = true;
	return diag_add(p->ds, id, span, "%s", text);
}

static bool expect(struct parser *p, const struct json *j, enum json_kind kind, const char *what)
{
	if (j->kind == kind)
		return true;
	p->failed = true;
	diag_add(p->ds, DIAG_PL271, j->span, "'%s' must be %s, this is %s", what,
		 json_kind_name(kind), json_kind_name(j->kind));
	return false;
}

/* An unsigned number up to max, exactly; Go and crun refuse anything else. */
static bool read_number(struct parser *p, const struct json *j, const char *what, uint64_t max,
			uint64_t *out)
{
	if (!expect(p, j, JSON_NUMBER, what))
		return false;
	if (j->is_u64 && j->u64 <= max) {
		*out = j->u64;
		return true;
	}
	p->failed = true;
	struct diag *d = diag_add(p->ds, DIAG_PL271, j->span, "'%s' must be a whole number from 0 to %ju",
				  what, (uintmax_t)max);
	if (j->is_i64 && j->i64 < 0 && max == UINT64_MAX)
		diag_help(p->ds, d,
			  "a negative 32-bit argument is compared as MASKED_EQ with value 4294967295 "
			  "and valueTwo %ju", (uintmax_t)(uint32_t)j->i64);
	return false;
}

/* Keys that no runtime reads; each told once a profile. */
static void check_keys(struct parser *p, const struct json *object, const char *const *known)
{
	for (const struct json *m = object->first; m; m = m->next) {
		bool seen = false;
		for (const char *const *k = known; *k && !seen; k++)
			seen = str_ieq(m->key, str_c(*k));
		for (size_t i = 0; i < p->odd_keys.n && !seen; i++)
			seen = str_eq(p->odd_keys.v[i], m->key);
		if (seen || p->odd_keys.n >= 64)
			continue;
		vec_push(p->arena, &p->odd_keys, m->key);
		struct diag *d = diag_add(p->ds, DIAG_PL278, m->key_span,
					  "runtimes ignore the key '" PRISTR "'", STRARG(m->key));
		struct suggest s;
		suggest_start(&s, m->key);
		for (const char *const *k = known; *k; k++)
			suggest_offer(&s, str_c(*k));
		if (s.best.p)
			diag_help(p->ds, d, "did you mean '" PRISTR "'?", STRARG(s.best));
	}
}

/* ---- actions ---- */

struct errnos { /* the two ways to write one; NULL: not there */
	const struct json *number; /* errnoRet, defaultErrnoRet */
	const struct json *name;   /* errno, defaultErrno: Podman's (containers/common pkg/seccomp) */
	struct str *by_name;       /* set where the name decides */
};

static bool read_errno_name(struct parser *p, const struct json *name, uint64_t *out)
{
	if (!expect(p, name, JSON_STRING, "errno"))
		return false;
	if (constant_find("errno", name->text, p->host, out) == 0 ||
	    (str_u64(name->text, out) == 0 && *out <= ERRNO_MAX))
		return true;
	p->failed = true;
	struct diag *d = diag_add(p->ds, DIAG_PL272, name->span, "unknown errno '" PRISTR "'",
				  STRARG(name->text));
	struct suggest s;
	suggest_start(&s, name->text);
	constant_suggest("errno", &s);
	if (s.best.p)
		diag_help(p->ds, d, "did you mean '" PRISTR "'?", STRARG(s.best));
	return false;
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
 * Podman takes the name before the number, Docker reads the number alone. Where the two differ
 * on every machine nobody can say what the profile means; where they do on some (ENOSYS is 89 on
 * MIPS) the name, which only a profile for Podman has, decides. So does a name by itself.
 */
static bool settle_errno(struct parser *p, const struct errnos *e, uint64_t *data)
{
	uint64_t name;

	if (!e->name || p->docker)
		return true;
	if (!read_errno_name(p, e->name, &name))
		return false;
	if (name == *data) {
		*e->by_name = e->name->text;
		return true;
	}
	if (e->number && means_somewhere(e->name, *data)) {
		struct diag *d = diag_add(p->ds, DIAG_PL286, e->name->span,
					  "on %s Podman answers '" PRISTR "', %ju, and Docker the number "
					  "beside it, %ju: read as Podman does", arch_info(p->host)->name,
					  STRARG(e->name->text), (uintmax_t)name, (uintmax_t)*data);
		diag_help(p->ds, d, "nothing need be done for machines that are none of these");
		*e->by_name = e->name->text;
		*data = name;
		return true;
	}
	if (e->number) {
		struct diag *d = fail(p, DIAG_PL273, e->name->span,
				      "Podman answers this errno, Docker the number beside it, and they differ");
		diag_help(p->ds, d, "make both say the same");
		return false;
	}
	struct diag *d = diag_add(p->ds, DIAG_PL268, e->name->span,
				  "read as Podman does: Docker ignores this name and answers EPERM");
	diag_help(p->ds, d, "write the number too: %ju", (uintmax_t)name);
	*e->by_name = e->name->text;
	*data = name;
	return true;
}

static bool read_verdict(struct parser *p, const struct json *action, const struct errnos *written,
			 struct verdict *out)
{
	const struct json *errno_ret = written->number;
	uint64_t data = 1; /* EPERM, for TRACE too (runc libcontainer/seccomp getAction) */

	if (!expect(p, action, JSON_STRING, "action"))
		return false;
	const struct oci_action *a = oci_action_find(action->text);
	if (!a) {
		struct suggest s;
		p->failed = true;
		struct diag *d = diag_add(p->ds, DIAG_PL272, action->span, "unknown action '" PRISTR "'",
					  STRARG(action->text));
		suggest_start(&s, action->text);
		for (const struct oci_action *o = oci_actions; o->name; o++)
			suggest_offer(&s, str_c(o->name));
		if (s.best.p)
			diag_help(p->ds, d, "did you mean '" PRISTR "'?", STRARG(s.best));
		return false;
	}
	bool carries = a->kind == VERDICT_ERRNO || a->kind == VERDICT_TRACE;
	const struct json *idle = !carries && errno_ret ? errno_ret :
				  a->kind != VERDICT_ERRNO ? written->name : NULL;
	if (idle)
		diag_add(p->ds, DIAG_PL278, idle->span, "runtimes ignore an errno beside '%s'", a->name);
	if (errno_ret && carries &&
	    !read_number(p, errno_ret, "errnoRet", a->kind == VERDICT_ERRNO ? ERRNO_MAX : UINT16_MAX, &data))
		return false;
	if (a->kind == VERDICT_ERRNO && !settle_errno(p, written, &data))
		return false;
	*out = (struct verdict){ a->kind, carries ? (uint16_t)data : 0 };
	return true;
}

/* ---- architectures ---- */

static unsigned read_arches(struct parser *p, const struct json *list, const char *what)
{
	unsigned arches = 0;

	if (!expect(p, list, JSON_ARRAY, what))
		return 0;
	for (const struct json *j = list->first; j; j = j->next) {
		if (!expect(p, j, JSON_STRING, what))
			continue;
		int a = oci_arch_find(j->text);
		if (a >= 0) {
			arches |= ARCH_BIT(a);
		} else if (oci_arch_exists(j->text)) {
			diag_add(p->ds, DIAG_PL276, j->span,
				 "'" PRISTR "' is left out: pale has no table for it", STRARG(j->text));
		} else {
			p->failed = true;
			diag_add(p->ds, DIAG_PL272, j->span, "unknown architecture '" PRISTR "'",
				 STRARG(j->text));
		}
	}
	return arches;
}

static int lowest_arch(unsigned arches)
{
	for (int a = 0; a < ARCH_NR; a++)
		if (arches & ARCH_BIT(a))
			return a;
	return -1;
}

/* Docker takes the one row of the machine that the engine runs on. */
static unsigned read_arch_map(struct parser *p, const struct json *map, int host)
{
	unsigned arches = 0;

	if (!expect(p, map, JSON_ARRAY, "archMap"))
		return 0;
	for (const struct json *row = map->first; row; row = row->next) {
		if (!expect(p, row, JSON_OBJECT, "archMap"))
			continue;
		const struct json *name = oci_member(row, "architecture");
		const struct json *subs = oci_member(row, "subArchitectures");
		if (!name) {
			fail(p, DIAG_PL270, row->span, "a row of 'archMap' without 'architecture'");
			continue;
		}
		if (!expect(p, name, JSON_STRING, "architecture"))
			continue;
		int a = oci_arch_find(name->text);
		if (a < 0 || a != host || arches) /* the first one counts */
			continue;
		arches |= ARCH_BIT(a);
		if (subs)
			arches |= read_arches(p, subs, "subArchitectures");
	}
	return arches;
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
static unsigned read_every_row(struct parser *p, const struct json *map, const struct json *profile)
{
	unsigned arches = 0;

	for (int h = 0; h < ARCH_NR; h++) {
		unsigned row = leads_family((enum arch)h, arches) ? read_arch_map(p, map, h) : 0;
		arches |= row ? row | ARCH_BIT(h) : 0;
	}
	return arches ? arches | named_hosts(profile) : 0;
}

static void settle_arches(struct parser *p, const struct json *profile,
			  const struct oci_read_options *opt)
{
	const struct json *list = oci_member(profile, "architectures");
	const struct json *map = oci_member(profile, "archMap");
	int native = arch_native();
	int host = opt && opt->host_known ? (int)opt->host : native;
	unsigned arches = 0;

	if (list && list->count && map && map->count) {
		struct diag *d = fail(p, DIAG_PL270, map->key_span,
				      "'architectures' and 'archMap' exclude each other");
		diag_note(p->ds, d, list->key_span, "listed here already");
		return;
	}
	p->out->arches_span = list ? list->span : map ? map->span : profile->span;
	bool every = opt && opt->every_host && !opt->host_known && map && map->count;
	if (every)
		arches = read_every_row(p, map, profile);
	else if (map && map->count)
		arches = read_arch_map(p, map, host);
	else if (list)
		arches = read_arches(p, list, "architectures");
	p->out->listed = arches;
	/* libseccomp starts every filter with the machine's own architecture. A profile that
	 * lists other families only is for another machine. */
	int lowest = lowest_arch(arches);
	bool same_family = !every && lowest >= 0 && !strcmp(arch_info((enum arch)lowest)->family,
						  arch_info((enum arch)host)->family);
	if (!arches || same_family || (opt && opt->host_known)) {
		if (arches && !(arches & ARCH_BIT(host)))
			diag_add(p->ds, DIAG_PL276, p->out->arches_span,
				 "'%s' is added: runtimes always decide the machine's own architecture",
				 arch_info((enum arch)host)->name);
		arches |= ARCH_BIT(host);
	}
	p->out->arches = arches;
}

/* ---- includes, excludes ---- */

static bool read_kernel(struct parser *p, const struct json *j, uint16_t *out)
{
	unsigned major = 0, minor = 0;
	size_t i = 0, digits = 0;

	if (!expect(p, j, JSON_STRING, "minKernel"))
		return false;
	struct str s = j->text;
	for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9' && major < 256; i++)
		major = major * 10 + (unsigned)(s.p[i] - '0');
	if (i && i < s.n && s.p[i] == '.')
		for (i++; i < s.n && s.p[i] >= '0' && s.p[i] <= '9' && minor < 256; i++, digits++)
			minor = minor * 10 + (unsigned)(s.p[i] - '0');
	if (!digits || i < s.n || major > 255 || minor > 255) {
		fail(p, DIAG_PL271, j->span, "'minKernel' must look like \"4.8\"");
		return false;
	}
	*out = KERNEL_VERSION_OF(major, minor);
	return true;
}

/* Engines compare letter by letter: "sys_admin" is nobody's capability. */
static bool is_kernel_spelling(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] >= 'a' && s.p[i] <= 'z')
			return false;
	return str_starts(s, "CAP_");
}

static void tell_capability(struct parser *p, const struct json *j, int cap)
{
	p->failed = true;
	struct diag *d = diag_add(p->ds, DIAG_PL272, j->span, "unknown capability '" PRISTR "'",
				  STRARG(j->text));
	if (cap < 0)
		return;
	char *name = arena_printf(p->arena, "CAP_%s", capability_name((unsigned)cap));
	for (char *c = name; *c; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c + 'A' - 'a');
	diag_help(p->ds, d, "did you mean '%s'?", name);
}

static uint64_t read_caps(struct parser *p, const struct json *list)
{
	uint64_t caps = 0;

	if (!expect(p, list, JSON_ARRAY, "caps"))
		return 0;
	for (const struct json *j = list->first; j; j = j->next) {
		if (!expect(p, j, JSON_STRING, "caps"))
			continue;
		int cap = capability_find(j->text);
		if (cap >= 0 && is_kernel_spelling(j->text))
			caps |= UINT64_C(1) << cap;
		else
			tell_capability(p, j, cap);
	}
	return caps;
}

static unsigned read_hosts(struct parser *p, const struct json *list, bool *any_other)
{
	unsigned hosts = 0;

	*any_other = false;
	if (!expect(p, list, JSON_ARRAY, "arches"))
		return 0;
	for (const struct json *j = list->first; j; j = j->next) {
		if (!expect(p, j, JSON_STRING, "arches"))
			continue;
		int a = oci_host_find(j->text);
		if (a >= 0)
			hosts |= ARCH_BIT(a);
		else
			*any_other = true;
	}
	return hosts;
}

static const char *const gate_keys[] = { "caps", "arches", "minKernel", NULL };

static const struct oci_gate *read_gate(struct parser *p, const struct json *entry)
{
	struct oci_gate *g = ARENA_NEW(p->arena, struct oci_gate);
	const struct json *in = oci_member(entry, "includes"), *ex = oci_member(entry, "excludes"), *m;
	bool other;

	if (in && expect(p, in, JSON_OBJECT, "includes")) {
		check_keys(p, in, gate_keys);
		if ((m = oci_member(in, "caps")))
			g->caps = read_caps(p, m);
		if ((m = oci_member(in, "arches")) && m->count) {
			g->hosts = read_hosts(p, m, &other);
			g->never = !g->hosts;
		}
		if ((m = oci_member(in, "minKernel")))
			read_kernel(p, m, &g->min_kernel);
	}
	if (ex && expect(p, ex, JSON_OBJECT, "excludes")) {
		check_keys(p, ex, gate_keys);
		if ((m = oci_member(ex, "caps")))
			g->no_caps = read_caps(p, m);
		if ((m = oci_member(ex, "arches")))
			g->no_hosts = read_hosts(p, m, &other);
		if ((m = oci_member(ex, "minKernel")) && read_kernel(p, m, &g->max_kernel))
			g->never |= !g->max_kernel; /* 0.0: every kernel has it */
	}
	return g;
}

/* ---- args ---- */

static bool read_op(struct parser *p, const struct json *arg, enum oci_op *out)
{
	const struct json *op = oci_member(arg, "op");

	if (!op) {
		fail(p, DIAG_PL270, arg->span, "a comparison without 'op'");
		return false;
	}
	if (!expect(p, op, JSON_STRING, "op"))
		return false;
	for (int i = 0; i < OCI_OP_NR; i++)
		if (str_is(op->text, oci_op_names[i])) {
			*out = (enum oci_op)i;
			return true;
		}
	struct suggest s;
	p->failed = true;
	struct diag *d = diag_add(p->ds, DIAG_PL272, op->span, "unknown operator '" PRISTR "'",
				  STRARG(op->text));
	suggest_start(&s, op->text);
	for (int i = 0; i < OCI_OP_NR; i++)
		suggest_offer(&s, str_c(oci_op_names[i]));
	if (s.best.p)
		diag_help(p->ds, d, "did you mean '" PRISTR "'?", STRARG(s.best));
	return false;
}

static const char *const arg_keys[] = { "index", "value", "valueTwo", "op", NULL };

static bool read_arg(struct parser *p, const struct json *j, struct oci_arg *out)
{
	uint64_t index = 0, value = 0, two = 0;
	const struct json *m;

	if (!expect(p, j, JSON_OBJECT, "args"))
		return false;
	check_keys(p, j, arg_keys);
	if (!read_op(p, j, &out->op))
		return false;
	/* Go leaves 0 where a key is absent. */
	if ((m = oci_member(j, "index")) && !read_number(p, m, "index", 5, &index))
		return false;
	if ((m = oci_member(j, "value")) && !read_number(p, m, "value", UINT64_MAX, &value))
		return false;
	if ((m = oci_member(j, "valueTwo")) && !read_number(p, m, "valueTwo", UINT64_MAX, &two))
		return false;
	out->index = (uint8_t)index;
	out->mask = out->op == OCI_MASKED_EQ ? value : UINT64_MAX;
	out->value = out->op == OCI_MASKED_EQ ? two & value : value;
	out->span = j->span;
	return true;
}

/* ---- entries ---- */

static bool has_high_words(const struct oci_arg *args, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (args[i].value >> 32)
			return true;
	return false;
}

static unsigned arches_of(const struct syscall_info *sys, unsigned arches)
{
	for (int a = 0; a < ARCH_NR; a++)
		if (!sys || sys->nr[a] < 0)
			arches &= ~ARCH_BIT(a);
	return arches;
}

static bool push_rule(struct parser *p, struct oci_rule r)
{
	if (p->out->rules.n < RULES_MAX) {
		vec_push(p->arena, &p->out->rules, r);
		return true;
	}
	if (!p->failed)
		fail(p, DIAG_PL270, r.span, "too many rules in one profile");
	return false;
}

/*
 * On what libseccomp holds for 32-bit architectures, x32 among them, it compares low words
 * alone, with the constant cut (src/db.c _db_rule_gen_32()). The kernel has zeros above on
 * i386, so there only a cut constant shows; x32 calls carry whole registers.
 */
static unsigned cut_arches(const struct oci_rule *r)
{
	unsigned cut = 0;
	bool high = false;

	for (uint32_t i = 0; i < r->nargs; i++)
		high |= r->args[i].mask >> 32 != 0;
	if (!high)
		return 0;
	for (int a = 0; a < ARCH_NR; a++)
		if (a == ARCH_X32 ||
		    (arch_info((enum arch)a)->bits == 32 && has_high_words(r->args, r->nargs)))
			cut |= ARCH_BIT(a);
	return r->arches & cut;
}

static void add_rule(struct parser *p, struct oci_rule r)
{
	unsigned arches = r.arches, cut_for = cut_arches(&r);

	r.arches = arches & ~cut_for;
	if (r.arches && push_rule(p, r))
		r.derived = true;
	if (!cut_for)
		return;
	struct oci_arg *cut = arena_dup(p->arena, r.args, r.nargs * sizeof(*cut));
	for (uint32_t i = 0; i < r.nargs; i++) {
		cut[i].value = (uint32_t)cut[i].value;
		cut[i].mask = (uint32_t)cut[i].mask;
	}
	r.args = cut;
	r.arches = cut_for;
	push_rule(p, r);
}

/*
 * For a rule on `socket` libseccomp adds, where socketcall exists, `socketcall: arg0 == 1` with
 * the comparisons on other arguments kept, although they then look at a pointer
 * (src/arch-x86.c abi_rule_add()).
 */
static void add_multiplexed(struct parser *p, struct oci_rule r)
{
	static const char *const muxes[] = { "socketcall", "ipc" };

	for (size_t m = 0; m < ARRAY_SIZE(muxes); m++) {
		unsigned selector = multiplexed_selector(str_c(muxes[m]), r.name);
		if (!selector)
			continue;
		r.arches = arches_of(syscall_by_name(str_c(muxes[m])), p->out->arches);
		if (!r.arches)
			continue;
		struct oci_arg *args = ARENA_ARRAY(p->arena, struct oci_arg, r.nargs + 1);
		uint32_t n = 0;
		args[n++] = (struct oci_arg){ .op = OCI_EQ, .mask = UINT64_MAX, .value = selector,
					      .span = r.span };
		for (uint32_t i = 0; i < r.nargs; i++)
			if (r.args[i].index)
				args[n++] = r.args[i];
		r.args = args;
		r.nargs = n;
		r.name = str_c(muxes[m]);
		r.derived = true;
		add_rule(p, r);
		return;
	}
}

static void add_name_rule(struct parser *p, const struct json *name, unsigned arches,
			  const struct oci_arg *args, uint32_t nargs)
{
	struct oci_rule r = { .entry = (uint32_t)p->out->entries.n, .name = name->text,
			      .span = name->span, .args = args, .written = args, .nargs = nargs,
			      .nwritten = nargs, .arches = arches };

	size_t first = p->out->rules.n;

	if (arches)
		add_rule(p, r);
	add_multiplexed(p, r);
	if (first < p->out->rules.n)
		p->out->rules.v[first].handed = name->text;
}

/* Distinct indices: all must hold. A repeated one: runc and crun then make each a rule. */
static void add_rules(struct parser *p, const struct json *name, unsigned arches,
		      const struct oci_arg *args, uint32_t nargs, bool repeated)
{
	if (!repeated) {
		add_name_rule(p, name, arches, args, nargs);
		return;
	}
	for (uint32_t i = 0; i < nargs; i++)
		add_name_rule(p, name, arches, &args[i], 1);
}

static void read_name(struct parser *p, const struct json *name, const struct oci_arg *args,
		      uint32_t nargs, bool repeated, struct buf *unknown)
{
	if (!expect(p, name, JSON_STRING, "names"))
		return;
	if (!name->text.n) {
		fail(p, DIAG_PL270, name->span, "an empty call name");
		return;
	}
	const struct syscall_info *sys = syscall_by_name(name->text);
	unsigned arches = arches_of(sys, p->out->arches);
	bool multiplexed = !arches &&
			   arches_of(syscall_by_name(STR("socketcall")), p->out->arches) &&
			   (multiplexed_selector(STR("socketcall"), name->text) ||
			    multiplexed_selector(STR("ipc"), name->text));
	if (arches || multiplexed) {
		add_rules(p, name, arches, args, nargs, repeated);
		return;
	}
	buf_printf(unknown, "%s", unknown->n ? ", " : "");
	buf_safe(unknown, name->text);
	if (sys || syscall_foreign_arches(name->text) ||
	    multiplexed_selector(STR("socketcall"), name->text))
		return; /* of another architecture: nobody's mistake */
	struct suggest s;
	struct diag *d = diag_add(p->ds, DIAG_PL274, name->span,
				  "'" PRISTR "' is no call that pale knows; it is left out",
				  STRARG(name->text));
	if (++p->strangers > SUGGESTIONS_MAX)
		return;
	suggest_start(&s, name->text);
	for (size_t i = 0; i < syscall_count(); i++)
		suggest_offer(&s, str_c(syscall_at(i)->name));
	if (s.best.p)
		diag_help(p->ds, d, "did you mean '" PRISTR "'?", STRARG(s.best));
}

static void read_names(struct parser *p, const struct json *entry, const struct oci_arg *args,
		       uint32_t nargs, bool repeated)
{
	const struct json *names = oci_member(entry, "names"), *name = oci_member(entry, "name");
	BUF_AUTO unknown = { 0 };

	if (name && name->kind == JSON_STRING && !name->text.n)
		name = NULL; /* Docker treats an empty `name` as absent */
	if (name && names && names->count) {
		fail(p, DIAG_PL270, name->key_span, "'name' and 'names' exclude each other");
		return;
	}
	if (name)
		read_name(p, name, args, nargs, repeated, &unknown);
	else if (names && expect(p, names, JSON_ARRAY, "names"))
		for (const struct json *j = names->first; j; j = j->next)
			read_name(p, j, args, nargs, repeated, &unknown);
	if (!unknown.n)
		return;
	vec_push(p->arena, &p->out->dropped,
		 arena_printf(p->arena, "not calls of these architectures: %s", unknown.p));
	vec_push(p->arena, &p->out->dropped_entry, (uint32_t)p->out->entries.n);
}

static struct oci_arg *read_args(struct parser *p, const struct json *entry, uint32_t *n,
				 bool *repeated)
{
	const struct json *list = oci_member(entry, "args");
	unsigned seen = 0;

	*n = 0;
	*repeated = false;
	if (!list || !expect(p, list, JSON_ARRAY, "args"))
		return NULL;
	struct oci_arg *args = ARENA_ARRAY(p->arena, struct oci_arg, list->count + 1);
	for (const struct json *j = list->first; j; j = j->next) {
		if (j->kind == JSON_NULL)
			continue;
		if (*n == p->args_max)
			break;
		if (!read_arg(p, j, &args[*n]))
			continue;
		*repeated |= seen >> args[*n].index & 1;
		seen |= 1u << args[*n].index;
		(*n)++;
	}
	if (*repeated) {
		struct diag *d = diag_add(p->ds, DIAG_PL277, list->span,
					  "an argument index stands twice, so that runtimes take these "
					  "comparisons as alternatives, all of them");
		diag_help(p->ds, d, "write one entry for each alternative");
	}
	return args;
}

static const char *const entry_keys[] = { "names", "name", "action", "errnoRet", "errno", "args",
					  "comment", "includes", "excludes", NULL };

static void read_entry(struct parser *p, const struct json *j)
{
	const struct json *action, *comment;
	struct oci_entry e = { .json = j };
	uint32_t nargs;
	bool repeated;

	if (!expect(p, j, JSON_OBJECT, "syscalls"))
		return;
	check_keys(p, j, entry_keys);
	action = oci_member(j, "action");
	if (!action) {
		fail(p, DIAG_PL270, j->span, "an entry without 'action'");
		return;
	}
	struct errnos errnos = { oci_member(j, "errnoRet"), oci_member(j, "errno"), &e.errno_name };
	if (!read_verdict(p, action, &errnos, &e.verdict))
		return;
	e.action_span = action->span;
	e.gate = read_gate(p, j);
	comment = oci_member(j, "comment");
	if (comment && comment->kind == JSON_STRING)
		e.comment = comment->text;
	const struct oci_arg *args = read_args(p, j, &nargs, &repeated);
	read_names(p, j, args, nargs, repeated);
	vec_push(p->arena, &p->out->entries, e);
}

static const char *const profile_keys[] = { "defaultAction", "defaultErrnoRet", "defaultErrno",
					    "architectures", "archMap", "flags", "listenerPath",
					    "listenerMetadata", "syscalls", NULL };

bool oci_parse(struct arena *a, const struct json *profile, const struct oci_read_options *opt,
	       struct oci_profile *out, struct diags *ds)
{
	struct parser p = { .arena = a, .ds = ds, .out = out,
			    .args_max = opt && opt->args_max ? opt->args_max : SIZE_MAX,
			    .docker = opt && opt->docker,
			    .host = opt && opt->host_known ? opt->host : ARCH_X86_64 };
	struct errnos errnos = { oci_member(profile, "defaultErrnoRet"),
				 oci_member(profile, "defaultErrno"), &out->dflt_errno_name };
	const struct json *dflt = oci_member(profile, "defaultAction");
	const struct json *calls = oci_member(profile, "syscalls");

	out->json = profile;
	check_keys(&p, profile, profile_keys);
	if (!dflt)
		fail(&p, DIAG_PL270, profile->span, "no 'defaultAction'");
	else
		read_verdict(&p, dflt, &errnos, &out->dflt);
	settle_arches(&p, profile, opt);
	if (calls && expect(&p, calls, JSON_ARRAY, "syscalls")) {
		if (calls->count > ENTRIES_MAX)
			fail(&p, DIAG_PL270, calls->span, "too many entries in one profile");
		for (const struct json *j = calls->first; j && calls->count <= ENTRIES_MAX; j = j->next)
			read_entry(&p, j);
	}
	return !p.failed;
}
