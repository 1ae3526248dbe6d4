/* SPDX-License-Identifier: Apache-2.0 */
/* Where `use NAME` looks for NAME.pale behind the policy's own text. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "compiler/file/input.h"

struct dirs {
	struct arena *arena;
	VEC(const char *) list;
};

static void add_directory(struct dirs *d, const char *path)
{
	vec_push(d->arena, &d->list, path);
}

static void add_path_list(struct dirs *d, const char *s)
{
	while (s && *s) {
		size_t n = strcspn(s, ":");
		if (n)
			add_directory(d, str_dup(d->arena, (struct str){ s, n }));
		s += n + (s[n] == ':');
	}
}

/* Our own file: /proc knows; where there is none, the name that execve() was given does. */
static bool find_exe(char exe[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", exe, PATH_MAX - 1);
	const char *given = (const char *)getauxval(AT_EXECFN);

	if (n <= 0)
		return given && realpath(given, exe);
	exe[n] = '\0';
	return true;
}

/* A binary in a build tree (build/pale, build/asan/pale) finds the sets of its sources. */
static void add_build_tree(struct dirs *d)
{
	char exe[PATH_MAX];

	if (!find_exe(exe))
		return;
	for (int up = 0; up < 3; up++) {
		char *slash = strrchr(exe, '/');
		if (!slash)
			return;
		*slash = '\0';
		const char *dir = arena_printf(d->arena, "%s/profiles/sets", exe);
		if (!access(dir, F_OK)) {
			add_directory(d, dir);
			return;
		}
		/* One that may be there and cannot be read is for its readers to tell. */
		if (errno != ENOENT && errno != ENOTDIR)
			add_directory(d, dir);
	}
}

const char *const *set_directories(struct arena *a, const char *const *first)
{
	struct dirs d = { .arena = a };

	for (; first && *first; first++)
		add_directory(&d, *first);
	add_path_list(&d, getenv("PALE_PATH"));
	add_build_tree(&d);
	add_directory(&d, PALE_PROFILES "/sets");
	add_directory(&d, NULL);
	return d.list.v;
}
