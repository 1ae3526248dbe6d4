/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pale compile -o DIR FILE...: what several files become, in one directory and in one step. Each has
 * a session of its own, so that memory is one file's and what is written.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "compiler/cmd/compile.h"

void compile_keep(struct compiled_files *all, const struct compilation *c, const char *from)
{
	struct arena *arena = all->c.diags->arena;

	vec_each(&c->artifacts, a) {
		struct artifact kept = *a;
		kept.name = arena_strdup(arena, a->name);
		kept.about = arena_strdup(arena, a->about);
		vec_push(arena, &all->c.artifacts, kept);
		vec_push(arena, &all->from, from);
		a->bytes = (struct buf){ 0 };
	}
}

struct named {
	const char *name, *from;
	size_t place;
};

static int by_name(const void *x, const void *y)
{
	const struct named *a = x, *b = y;
	int c = strcmp(a->name, b->name);

	return c ? c : (a->place > b->place) - (a->place < b->place);
}

static bool is_one_file(const char *a, const char *b)
{
	struct stat x, y;

	if (!strcmp(a, b))
		return true;
	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static void tell_pair(struct compiled_files *all, const char *a, const char *b, const char *name)
{
	struct diags *ds = all->c.diags;
	struct diag *d =
		diag_add(ds, DIAG_PL243, NO_SPAN,
			 "'%s' and '%s' would both be written as '%s', so nothing was", a, b, name);

	diag_help(ds, d,
		  is_one_file(a, b) ? "it is one file: name it once" :
				      "name their policies apart, or compile them into "
				      "directories of their own");
}

/* Two files that would become one: which is meant is not ours to say. */
static int tell_shared(struct compiled_files *all)
{
	struct arena *arena = all->c.diags->arena;
	size_t n = all->c.artifacts.n;
	struct named *list = ARENA_ARRAY(arena, struct named, n + 1);

	for (size_t i = 0; i < n; i++)
		list[i] = (struct named){ all->c.artifacts.v[i].name, all->from.v[i], i };
	qsort(list, n, sizeof(*list), by_name);
	for (size_t i = 1; i < n; i++)
		if (!strcmp(list[i].name, list[i - 1].name))
			tell_pair(all, list[i - 1].from, list[i].from, list[i].name);
	return all->c.diags->errors ? -1 : 0;
}

int compile_write_all(struct compiled_files *all, const char *dir)
{
	if (tell_shared(all))
		return EXIT_FOUND;
	return all->c.artifacts.n ? compile_write_dir(&all->c, dir, all->named, all->n_named) :
				    EXIT_OK;
}
