/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/cmd/outputs.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/*
 * Links followed, as output_write_all() follows them; of a file that is not there, its directory's.
 * Names, not inodes: what is written takes a name, and another link to the old file keeps its text.
 */
static const char *place_of(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');
	char resolved[PATH_MAX];
	struct stat st;

	if (realpath(path, resolved))
		return !stat(resolved, &st) && S_ISREG(st.st_mode) ? arena_strdup(a, resolved) :
								     NULL;
	if (!realpath(slash ? arena_printf(a, "%.*s", (int)(slash - path + 1), path) : ".",
		      resolved))
		return NULL;
	return arena_printf(a, "%s/%s", resolved, slash ? slash + 1 : path);
}

bool outputs_same(struct arena *a, const char *one, const char *other)
{
	const char *x = place_of(a, one), *y = place_of(a, other);

	return x && y && !strcmp(x, y);
}

static int by_text(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

const char *outputs_find_lost(struct arena *a, const struct output_file *files, size_t n,
			      const path_list *read)
{
	path_list places = { 0 };

	vec_each(read, path) {
		const char *place = place_of(a, *path);
		if (place)
			vec_push(a, &places, place);
	}
	if (places.n)
		qsort(places.v, places.n, sizeof(*places.v), by_text);
	for (size_t i = 0; i < n && places.n; i++) {
		const char *place = place_of(a, files[i].path);
		if (place && bsearch(&place, places.v, places.n, sizeof(*places.v), by_text))
			return files[i].path;
	}
	return NULL;
}
