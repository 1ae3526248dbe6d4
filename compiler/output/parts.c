/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/output/parts.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* "PREFIX12.bpf" is 12; 0: no such name. */
static size_t part_number(const char *name, struct str prefix)
{
	uint64_t k;
	size_t n = strlen(name);

	if (!str_starts(str_c(name), prefix.p) || n <= prefix.n + 4 ||
	    strcmp(name + n - 4, ".bpf") != 0)
		return 0;
	return str_u64((struct str){ name + prefix.n, n - prefix.n - 4 }, &k) ? 0 : (size_t)k;
}

static int compare_paths(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* "x.12.bpf": a number before the suffix. */
static bool ends_as_part(const char *name)
{
	size_t n = strlen(name);

	return n > 5 && !strcmp(name + n - 4, ".bpf") && name[n - 5] >= '0' && name[n - 5] <= '9';
}

static int look_for_parts(struct arena *a, const char *dir, struct parts_there *out)
{
	DIR *d = opendir(*dir ? dir : ".");
	struct dirent *e;

	*out = (struct parts_there){ .dir = dir };
	if (!d)
		return errno == ENOENT ? 0 : -errno;
	for (errno = 0; (e = readdir(d)); errno = 0)
		if (ends_as_part(e->d_name))
			vec_push(a, &out->names, arena_strdup(a, e->d_name));
	int err = -errno;
	closedir(d);
	if (out->names.n)
		qsort(out->names.v, out->names.n, sizeof(*out->names.v), compare_paths);
	return err;
}

/* The first that does not stand before it. */
static size_t first_from(const path_list *sorted, const char *name)
{
	size_t lo = 0, hi = sorted->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (strcmp(sorted->v[mid], name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int old_parts(struct arena *a, const char *prefix, size_t last, struct parts_there *there,
	      path_list *out)
{
	const char *slash = strrchr(prefix, '/'), *name = slash ? slash + 1 : prefix;
	const char *dir = arena_printf(a, "%.*s", (int)(name - prefix), prefix);
	int err = there->dir && !strcmp(there->dir, dir) ? 0 : look_for_parts(a, dir, there);
	const path_list *all = &there->names;

	for (size_t i = first_from(all, name); i < all->n && str_starts(str_c(all->v[i]), name);
	     i++)
		if (part_number(all->v[i], str_c(name)) > last)
			vec_push(a, out, arena_printf(a, "%s%s", dir, all->v[i]));
	return err;
}
