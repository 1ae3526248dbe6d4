/* SPDX-License-Identifier: Apache-2.0 */
/* The format is the kernel's Documentation/bpf/btf.rst; it is read as if it were anybody's. */
#include "learn/backend.h"

#if PALE_BPF
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/base/str.h"
#include "compiler/base/table.h"
#include "compiler/base/vec.h"
#include "learn/trace.h"
#include "learn/types.h"

#define CAST_NAME(name, type) #type,

#define TYPES_MOST (256u << 20) /* bytes; today's kernels have 5 MiB */
#define KINDS      20
#define CASTER     "bpf_rdonly_cast" /* since Linux 6.2 */

/* How a program is attached, by the beginning of its section's name. */
static const struct way {
	const char *section;
	enum bpf_prog_type type;
	enum bpf_attach_type attach;
	const char *prefix; /* of the name of what it is attached to */
	unsigned kind;
} ways[] = {
	{ "tp_btf", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, "btf_trace_", BTF_KIND_TYPEDEF },
	{ "fentry", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, "", BTF_KIND_FUNC },
	{ "fexit", BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, "", BTF_KIND_FUNC },
	{ "lsm", BPF_PROG_TYPE_LSM, BPF_LSM_MAC, "bpf_lsm_", BTF_KIND_FUNC },
	{ "iter", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, "bpf_iter_", BTF_KIND_FUNC },
};

struct found {
	const char *name;
	uint32_t id;
	unsigned kind;
};

struct types {
	struct arena *scratch;
	const char *data; /* the kernel's */
	size_t n;
	bool is_mapped;
	const char *types, *strings; /* in it */
	uint32_t types_n, strings_n;
	int cut; /* what libbpf reads; -1: not there */
	char path[32];
	VEC(const char *) names; /* that are looked for */
	struct table by_name;
	uint8_t first[1 << 16]; /* a name that is looked for begins with these two bytes */
	VEC(struct found) found;
	uint32_t *at; /* of each type, from number 1 on, where it lies; NULL: not known yet */
	uint32_t nat;
	int handlers[ARRAY_SIZE(ways)];
	size_t nhandlers;
};

/* ---- the kernel's file ---- */

static int read_all(struct types *t, int fd, size_t size)
{
	char *data;
	ssize_t n = 1;

	/* Linux 6.16 and newer map it. */
	data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	t->is_mapped = data != MAP_FAILED;
	if (!t->is_mapped)
		data = malloc(size);
	if (!data)
		return -ENOMEM;
	t->data = data;
	t->n = size;
	if (t->is_mapped)
		return 0;
	for (size_t at = 0; at < size && n > 0; at += (size_t)n)
		n = read(fd, data + at, size - at);
	if (n < 0)
		return -errno;
	return n ? 0 : -EINVAL;
}

static int read_head(struct types *t)
{
	struct btf_header h;
	uint64_t types, strings;

	if (t->n < sizeof(h))
		return -EINVAL;
	memcpy(&h, t->data, sizeof(h));
	types = (uint64_t)h.hdr_len + h.type_off;
	strings = (uint64_t)h.hdr_len + h.str_off;
	if (h.magic != BTF_MAGIC || h.hdr_len < sizeof(h) || types + h.type_len > t->n ||
	    !h.str_len || strings + h.str_len > t->n || types % 4)
		return -EINVAL;
	t->types = t->data + types;
	t->types_n = h.type_len;
	t->strings = t->data + strings;
	t->strings_n = h.str_len;
	return t->strings[h.str_len - 1] ? -EINVAL : 0;
}

struct types *types_open(struct arena *a, int *err)
{
	struct types *t = ARENA_NEW(a, struct types);
	int fd = open(KERNEL_BTF, O_RDONLY | O_CLOEXEC);
	struct stat st;

	t->scratch = arena_scratch(a);
	t->cut = -1;
	*err = fd < 0 || fstat(fd, &st) ? -errno : 0;
	if (!*err && (st.st_size <= 0 || st.st_size > TYPES_MOST))
		*err = -EINVAL;
	if (!*err)
		*err = read_all(t, fd, (size_t)st.st_size);
	if (fd >= 0)
		close(fd);
	if (!*err)
		*err = read_head(t);
	if (!*err) {
		t->cut = memfd_create("btf", MFD_CLOEXEC);
		*err = t->cut < 0 ? -errno : 0;
	}
	if (*err) {
		types_close(t);
		return NULL;
	}
	snprintf(t->path, sizeof(t->path), "/proc/self/fd/%d", t->cut);
	return t;
}

void types_close(struct types *t)
{
	if (!t)
		return;
	if (t->is_mapped)
		munmap((void *)t->data, t->n);
	else
		free((void *)t->data);
	free(t->at);
	if (t->cut >= 0)
		close(t->cut);
	arena_free(t->scratch);
}

const char *types_path(const struct types *t)
{
	return t->path;
}

/* ---- the names that are looked for ---- */

/* A program's name for a kernel's type ends before "___": libbpf's flavours. */
static size_t essential(const char *name)
{
	const char *flavour = strstr(name, "___");

	return flavour && flavour != name ? (size_t)(flavour - name) : strlen(name);
}

static bool is_wanted(const struct types *t, const char *name)
{
	struct table_walk it;
	size_t at;

	if (!t->first[(uint8_t)name[0] << 8 | (name[0] ? (uint8_t)name[1] : 0)])
		return false;
	for (it = table_start(hash_str(str_c(name)));
	     (at = table_next(&t->by_name, &it)) != TABLE_END;)
		if (!strcmp(t->names.v[at], name))
			return true;
	return false;
}

static void want(struct types *t, const char *name)
{
	if (!*name || is_wanted(t, name))
		return;
	table_add(t->scratch, &t->by_name, hash_str(str_c(name)), t->names.n);
	vec_push(t->scratch, &t->names, name);
	t->first[(uint8_t)name[0] << 8 | (uint8_t)name[1]] = 1;
}

/* NULL: not by a type's number. */
static const struct way *way_of(const struct bpf_program *p, const char **to)
{
	const char *section = bpf_program__section_name(p);

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		size_t n = strlen(ways[i].section);

		if (strncmp(section, ways[i].section, n) || section[n] != '/')
			continue;
		*to = section + n + 1;
		return &ways[i];
	}
	return NULL;
}

static void want_all(struct types *t, const struct bpf_object *obj)
{
	const struct btf *own = bpf_object__btf(obj);
	struct bpf_program *p;

	for (uint32_t id = 1; own && id < btf__type_cnt(own); id++) {
		const struct btf_type *type = btf__type_by_id(own, id);
		const char *name = btf__name_by_offset(own, type->name_off);

		if (name &&
		    (btf_is_composite(type) || btf_is_any_enum(type) || btf_is_typedef(type)))
			want(t, arena_printf(t->scratch, "%.*s", (int)essential(name), name));
	}
	bpf_object__for_each_program(p, obj)
	{
		const char *to;
		const struct way *way = way_of(p, &to);

		if (way)
			want(t, arena_printf(t->scratch, "%s%s", way->prefix, to));
	}
	want(t, CASTER);
}

/* ---- the one pass ---- */

/* The length of a type; 0: none that is known. */
static uint32_t length_of(const struct btf_type *type)
{
	static const uint8_t behind[KINDS] = { [BTF_KIND_INT] = 4,
					       [BTF_KIND_ARRAY] = sizeof(struct btf_array),
					       [BTF_KIND_VAR] = sizeof(struct btf_var),
					       [BTF_KIND_DECL_TAG] = sizeof(struct btf_decl_tag) },
			     each[KINDS] = { [BTF_KIND_STRUCT] = sizeof(struct btf_member),
					     [BTF_KIND_UNION] = sizeof(struct btf_member),
					     [BTF_KIND_ENUM] = sizeof(struct btf_enum),
					     [BTF_KIND_ENUM64] = sizeof(struct btf_enum64),
					     [BTF_KIND_FUNC_PROTO] = sizeof(struct btf_param),
					     [BTF_KIND_DATASEC] = sizeof(struct btf_var_secinfo) };
	unsigned kind = btf_kind(type);

	if (!kind || kind >= KINDS)
		return 0;
	return (uint32_t)sizeof(*type) + behind[kind] + each[kind] * btf_vlen(type);
}

static const char *name_of(const struct types *t, uint32_t at)
{
	return at < t->strings_n ? t->strings + at : "";
}

static const struct btf_type *type_at(const struct types *t, uint32_t id)
{
	return (const void *)(t->types + t->at[id - 1]);
}

static bool is_named_kind(unsigned kind)
{
	return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION || kind == BTF_KIND_ENUM ||
	       kind == BTF_KIND_ENUM64 || kind == BTF_KIND_TYPEDEF || kind == BTF_KIND_FUNC;
}

static int look_through(struct types *t)
{
	uint32_t at = 0, n;

	t->at = malloc((t->types_n / sizeof(struct btf_type) + 1) * sizeof(*t->at));
	if (!t->at)
		return -ENOMEM;
	for (; t->types_n - at >= sizeof(struct btf_type); at += n) {
		const struct btf_type *type = (const void *)(t->types + at);
		struct found f = { .kind = btf_kind(type) };

		n = length_of(type);
		if (!n || n > t->types_n - at)
			return -EINVAL;
		t->at[t->nat++] = at;
		if (!type->name_off || !is_named_kind(f.kind))
			continue;
		f.name = name_of(t, type->name_off);
		f.id = t->nat;
		if (is_wanted(t, f.name))
			vec_push(t->scratch, &t->found, f);
	}
	return at == t->types_n ? 0 : -EINVAL;
}

uint32_t types_id(const struct types *t, const char *name, unsigned kind)
{
	vec_each(&t->found, f)
		if (f->kind == kind && !strcmp(f->name, name))
			return f->id;
	return 0;
}

/* ---- the cut ---- */

struct cut {
	const struct types *from;
	struct arena *a;
	uint32_t *number; /* of each of the kernel's types, here; 0: it is not */
	VEC(uint32_t) of; /* the kernel's number of each that is */
	struct buf types, strings;
};

/* The number that a type of the kernel's has here, or will have. */
static uint32_t number(struct cut *c, uint32_t id)
{
	if (!id || id > c->from->nat)
		return 0;
	if (!c->number[id]) {
		vec_push(c->a, &c->of, id);
		c->number[id] = (uint32_t)c->of.n;
	}
	return c->number[id];
}

static uint32_t string(struct cut *c, uint32_t at)
{
	const char *s = name_of(c->from, at);
	size_t n = c->strings.n;

	if (!*s)
		return 0;
	buf_add(&c->strings, s, strlen(s) + 1);
	return (uint32_t)n;
}

/* Of what lies in others: what a pointer points to is read by a name of its own, if at all. */
static void copy_type(struct cut *c, const struct btf_type *type)
{
	size_t at = c->types.n;
	struct btf_type *to;
	unsigned kind = btf_kind(type);

	buf_add(&c->types, type, length_of(type));
	to = (void *)(c->types.p + at);
	to->name_off = string(c, type->name_off);
	if (btf_is_composite(type)) {
		for (uint32_t i = 0; i < btf_vlen(type); i++) {
			btf_members(to)[i].name_off = string(c, btf_members(type)[i].name_off);
			btf_members(to)[i].type = number(c, btf_members(type)[i].type);
		}
	} else if (btf_is_array(type)) {
		btf_array(to)->type = number(c, btf_array(type)->type);
		btf_array(to)->index_type = number(c, btf_array(type)->index_type);
	} else if (kind == BTF_KIND_ENUM) {
		for (uint32_t i = 0; i < btf_vlen(type); i++)
			btf_enum(to)[i].name_off = string(c, btf_enum(type)[i].name_off);
	} else if (kind == BTF_KIND_ENUM64) {
		for (uint32_t i = 0; i < btf_vlen(type); i++)
			btf_enum64(to)[i].name_off = string(c, btf_enum64(type)[i].name_off);
	} else if (btf_is_mod(type) || btf_is_typedef(type)) {
		to->type = number(c, type->type);
	} else if (btf_is_ptr(type)) {
		to->type = 0;
	} else if (kind != BTF_KIND_INT && kind != BTF_KIND_FWD && kind != BTF_KIND_FLOAT) {
		/* Nothing that has a size: a word of it would do. */
		c->types.n = at;
		buf_add(&c->types, &(struct btf_type){ .info = BTF_KIND_FWD << 24 },
			sizeof(struct btf_type));
	}
}

static int write_cut(const struct cut *c, int fd)
{
	struct btf_header h = { .magic = BTF_MAGIC,
				.version = BTF_VERSION,
				.hdr_len = sizeof(h),
				.type_len = (uint32_t)c->types.n,
				.str_off = (uint32_t)c->types.n,
				.str_len = (uint32_t)c->strings.n };
	struct iovec parts[] = { { &h, sizeof(h) },
				 { c->types.p, c->types.n },
				 { c->strings.p, c->strings.n } };
	ssize_t n = ftruncate(fd, 0) ? -1 : pwritev(fd, parts, ARRAY_SIZE(parts), 0);

	if (n < 0)
		return -errno;
	/* Cut by RLIMIT_FSIZE, which a file in memory is held to as well. */
	return (size_t)n == sizeof(h) + c->types.n + c->strings.n ? 0 : -EFBIG;
}

int types_cut(struct types *t, const struct bpf_object *obj)
{
	struct cut c = { .from = t, .a = t->scratch };
	int err;

	want_all(t, obj);
	err = t->at ? 0 : look_through(t);
	if (!err) {
		c.number = calloc(t->nat + 1, sizeof(*c.number));
		err = c.number ? 0 : -ENOMEM;
	}
	if (err) {
		free(t->at);
		t->at = NULL;
		t->nat = 0;
		t->found.n = 0;
		return err;
	}
	buf_add(&c.strings, "", 1);
	vec_each(&t->found, f)
		if (f->kind != BTF_KIND_FUNC)
			number(&c, f->id);
	for (size_t i = 0; i < c.of.n; i++)
		copy_type(&c, type_at(t, c.of.v[i]));
	err = write_cut(&c, t->cut);
	buf_free(&c.types);
	buf_free(&c.strings);
	free(c.number);
	return err;
}

bool types_casts(const struct types *t, uint32_t numbers[CASTS])
{
	static const char *const names[] = { TRACE_CASTS(CAST_NAME) };

	for (unsigned i = 0; i < CASTS; i++) {
		unsigned n = 0;

		vec_each(&t->found, f)
			if (f->kind == BTF_KIND_STRUCT && !strcmp(f->name, names[i]) && !n++)
				numbers[i] = f->id;
		if (n != 1)
			return false;
	}
	return types_id(t, CASTER, BTF_KIND_FUNC);
}

/* ---- what programs are attached to ---- */

/* Called as a helper that there is none of; by its own name libbpf would read all of the kernel's types. */
static void put_caster(const struct types *t, struct bpf_program *p)
{
	struct bpf_insn *insns = (struct bpf_insn *)bpf_program__insns(p);
	uint32_t caster = types_id(t, CASTER, BTF_KIND_FUNC);

	for (size_t i = 0; caster && i < bpf_program__insn_cnt(p); i++) {
		if (insns[i].code != (BPF_JMP | BPF_CALL) || insns[i].src_reg ||
		    insns[i].imm != CAST_PLACE)
			continue;
		insns[i].src_reg = BPF_PSEUDO_KFUNC_CALL;
		insns[i].off = 0;
		insns[i].imm = (int)caster;
	}
}

/* Of its own kind from here on: libbpf reads all of the kernel's types where one is before. */
static int prepare(struct bpf_program *p, struct bpf_prog_load_opts *opts, long cookie)
{
	const struct types *t = (const void *)cookie;
	const char *to, *name;
	const struct way *way = way_of(p, &to);
	int err;

	BUG_ON(!way);
	name = arena_printf(t->scratch, "%s%s", way->prefix, to);
	opts->attach_btf_id = types_id(t, name, way->kind);
	if (!opts->attach_btf_id)
		return -ENOENT;
	opts->expected_attach_type = way->attach;
	put_caster(t, p);
	err = bpf_program__set_type(p, way->type);
	return err ? err : bpf_program__set_expected_attach_type(p, way->attach);
}

int types_bind(struct types *t)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .cookie = (long)t,
		    .prog_prepare_load_fn = prepare);
	/* Stays: libbpf before 1.3 forgets to forget its array of them when it gives back the last. */
	int first = libbpf_register_prog_handler("pale", BPF_PROG_TYPE_RAW_TRACEPOINT, 0, NULL);

	if (first < 0)
		return first;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		char section[16];
		int handler;

		snprintf(section, sizeof(section), "%s+", ways[i].section);
		handler = libbpf_register_prog_handler(section, BPF_PROG_TYPE_RAW_TRACEPOINT, 0,
						       &opts);
		if (handler < 0)
			return handler;
		t->handlers[t->nhandlers++] = handler;
	}
	return 0;
}

void types_unbind(struct types *t)
{
	while (t && t->nhandlers)
		libbpf_unregister_prog_handler(t->handlers[--t->nhandlers]);
}

#endif
