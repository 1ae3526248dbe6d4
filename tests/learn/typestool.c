/* SPDX-License-Identifier: Apache-2.0 */
/*
 * typestool: what pale cuts out of the kernel's types for its programs, against the types themselves as
 * libbpf reads them: each structure that a program names, each member's place and size, each number that
 * a program is attached by. Prints how many were compared; 1 where one differs, 77 where there is no BTF.
 */
#include <stdio.h>
#include <string.h>

#include "learn/backend.h"

#if PALE_BPF
#include <bpf/btf.h>
#include <errno.h>

#include "learn/watch.h"

static unsigned compared, members, wrong;

static const char *name_of(const struct btf *btf, uint32_t at)
{
	return btf__name_by_offset(btf, at);
}

/* The next type of that name and kind behind `from`; 0. */
static uint32_t next(const struct btf *btf, const char *name, size_t n, unsigned kind,
		     uint32_t from)
{
	for (uint32_t id = from + 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const char *is = name_of(btf, t->name_off);

		if (btf_kind(t) == kind && strlen(is) == n && !memcmp(is, name, n))
			return id;
	}
	return 0;
}

static void differ(const char *what, const char *member)
{
	wrong++;
	printf("%s.%s differs\n", what, member);
}

static void compare(const struct btf *a, uint32_t ida, const struct btf *b, uint32_t idb, int deep)
{
	const struct btf_type *ta = btf__type_by_id(a, ida), *tb = btf__type_by_id(b, idb);
	const char *name = name_of(a, ta->name_off);

	compared++;
	if (ta->info != tb->info || ta->size != tb->size ||
	    strcmp(name, name_of(b, tb->name_off))) {
		differ(name, "(itself)");
		return;
	}
	if (btf_kind(ta) == BTF_KIND_ENUM)
		for (uint32_t i = 0; i < btf_vlen(ta); i++)
			if (btf_enum(ta)[i].val != btf_enum(tb)[i].val ||
			    strcmp(name_of(a, btf_enum(ta)[i].name_off),
				   name_of(b, btf_enum(tb)[i].name_off)))
				differ(name, name_of(a, btf_enum(ta)[i].name_off));
	for (uint32_t i = 0; btf_is_composite(ta) && i < btf_vlen(ta); i++) {
		const struct btf_member *ma = &btf_members(ta)[i], *mb = &btf_members(tb)[i];
		const char *called = name_of(a, ma->name_off);
		int ra = btf__resolve_type(a, ma->type), rb = btf__resolve_type(b, mb->type);

		members++;
		if (strcmp(called, name_of(b, mb->name_off)) || ma->offset != mb->offset ||
		    btf__resolve_size(a, ma->type) != btf__resolve_size(b, mb->type) || ra <= 0 ||
		    rb <= 0 ||
		    btf_kind(btf__type_by_id(a, (uint32_t)ra)) !=
			    btf_kind(btf__type_by_id(b, (uint32_t)rb)))
			differ(name, called);
		else if (deep && btf_is_composite(btf__type_by_id(a, (uint32_t)ra)))
			compare(a, (uint32_t)ra, b, (uint32_t)rb, deep - 1);
	}
}

/* All of the kernel's that a program's type of that name may mean: as many here as there. */
static void compare_all(const struct btf *kernel, const struct btf *cut, const char *name, size_t n,
			unsigned kind)
{
	uint32_t k = 0, c = 0;

	do {
		k = next(kernel, name, n, kind, k);
		c = next(cut, name, n, kind, c);
		if (!k != !c)
			differ(name, "(one of them)");
		else if (k)
			compare(kernel, k, cut, c, 16);
	} while (k && c);
}

static void compare_number(const struct types *t, const struct btf *kernel, const char *name,
			   unsigned kind)
{
	int id = btf__find_by_name_kind(kernel, name, kind);

	compared++;
	if (types_id(t, name, kind) != (id > 0 ? (uint32_t)id : 0))
		differ(name, "(its number)");
}

int main(void)
{
	static const char *const kinds[] = { "btf_trace_sys_enter", "btf_trace_sched_process_exec",
					     "btf_trace_cap_capable", "btf_trace_signal_generate" };
	struct arena *a = arena_new(NULL);
	int err;
	struct types *t = types_open(a, &err);
	LIBBPF_OPTS(bpf_object_open_opts, opts);
	struct btf *kernel, *cut;
	const struct btf *own;
	struct trace_bpf *skel;

	if (!t) {
		printf("%s\n", strerror(-err));
		return err == -ENOENT ? 77 : 1;
	}
	opts.btf_custom_path = types_path(t);
	skel = trace_bpf__open_opts(&opts);
	if (!skel || types_cut(t, skel->obj))
		return 1;
	kernel = btf__parse(KERNEL_BTF, NULL);
	cut = btf__parse(types_path(t), NULL);
	own = bpf_object__btf(skel->obj);
	if (!kernel || !cut)
		return 1;
	for (uint32_t id = 1; id < btf__type_cnt(own); id++) {
		const struct btf_type *type = btf__type_by_id(own, id);
		const char *name = name_of(own, type->name_off), *end = strstr(name, "___");
		bool has = btf_is_composite(type) || btf_is_enum(type);

		if (has && *name)
			compare_all(kernel, cut, name, end ? (size_t)(end - name) : strlen(name),
				    btf_kind(type));
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		compare_number(t, kernel, kinds[i], BTF_KIND_TYPEDEF);
	compare_number(t, kernel, "cap_capable", BTF_KIND_FUNC);
	compare_number(t, kernel, "security_path_rename", BTF_KIND_FUNC);
	compare_number(t, kernel, "bpf_iter_task", BTF_KIND_FUNC);
	printf("%u types, %u members compared; %u of %u types are in the cut\n", compared, members,
	       btf__type_cnt(cut) - 1, btf__type_cnt(kernel) - 1);
	btf__free(kernel);
	btf__free(cut);
	trace_bpf__destroy(skel);
	types_close(t);
	arena_free(a);
	return wrong > 0;
}

#else

int main(void)
{
	printf("built without BPF\n");
	return 77;
}

#endif
