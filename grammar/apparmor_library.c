/* SPDX-License-Identifier: Apache-2.0 */
#include "grammar/apparmor_library.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define BASE "/etc/apparmor.d"

/* ---- the library ---- */

static const char *without_slashes(struct arena *a, const char *dir)
{
	struct str s = str_c(dir);

	while (s.n > 1 && s.p[s.n - 1] == '/')
		s.n--;
	return str_dup(a, s);
}

struct aa_library *aa_library_new(struct arena *a, struct sources *sources, const char *const *dirs,
				  const char *base)
{
	struct aa_library *lib = ARENA_NEW(a, struct aa_library);

	lib->arena = a;
	lib->sources = sources;
	for (; dirs && *dirs; dirs++)
		if (**dirs)
			vec_push(a, &lib->dirs, without_slashes(a, *dirs));
	vec_push(a, &lib->dirs, without_slashes(a, base ? base : BASE));
	return lib;
}

/* ---- directories ---- */

bool aa_is_left_over(const char *name)
{
	static const char *const ends[] = {
		".dpkg-new", ".dpkg-old", ".dpkg-dist", ".dpkg-bak", ".dpkg-remove", ".pacsave",
		".pacnew",   ".rpmnew",   ".rpmsave",   ".orig",     ".rej",         "~",
	};

	if (!*name || *name == '.' || !strcmp(name, "README"))
		return true;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		const char *first = strstr(name, ends[i]); /* of "a~b~" the first alone counts */
		if (first && !first[strlen(ends[i])])
			return true;
	}
	return false;
}

static int by_name(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* The names in a directory, but for "." and "..". 0, -errno, or -E2BIG past AA_NAMES_MAX. */
static int list_names(struct arena *a, const char *path, const char ***out, size_t *n)
{
	VEC(const char *) names = { 0 };
	DIR *d = opendir(path);

	if (!d)
		return -errno;
	for (struct dirent *e = readdir(d); e && names.n <= AA_NAMES_MAX; e = readdir(d))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			vec_push(a, &names, arena_strdup(a, e->d_name));
	closedir(d);
	*out = names.v;
	*n = names.n;
	return names.n > AA_NAMES_MAX ? -E2BIG : 0;
}

/* A link that leads nowhere is an error to the parser even where its name is a leftover's. */
static int list_directory(struct aa_library *lib, struct aa_entry *e)
{
	const char **names = NULL;
	size_t n = 0;
	int err = list_names(lib->arena, e->path, &names, &n);

	if (err)
		return err;
	for (size_t i = 0; i < n; i++) {
		const char *path = arena_printf(lib->arena, "%s/%s", e->path, names[i]);
		struct stat st;
		if (stat(path, &st))
			e->dangling = path;
		else if (S_ISREG(st.st_mode) && !aa_is_left_over(names[i]))
			vec_push(lib->arena, &e->paths, path);
	}
	if (e->paths.n)
		qsort(e->paths.v, e->paths.n, sizeof(*e->paths.v), by_name);
	return 0;
}

/* ---- entries ---- */

static void look(struct aa_library *lib, struct aa_entry *e)
{
	struct stat st;
	int err = 0;

	if (stat(e->path, &st)) {
		err = -errno;
		e->kind =
			err == -ENOENT || err == -ENOTDIR ? AA_ENTRY_MISSING : AA_ENTRY_UNREADABLE;
		e->err = err;
		return;
	}
	e->kind = AA_ENTRY_FILE;
	if (S_ISDIR(st.st_mode)) {
		e->kind = AA_ENTRY_DIRECTORY;
		err = list_directory(lib, e);
	} else if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3)) {
		/* /dev/null is how a file is masked, and read as nothing. */
		err = source_load_regular(lib->sources, e->path, &e->source);
	}
	if (err) {
		e->kind = AA_ENTRY_UNREADABLE;
		e->err = err;
	}
}

struct aa_entry *aa_library_entry(struct aa_library *lib, const char *path)
{
	uint64_t hash = hash_str(str_c(path));
	struct table_walk walk = table_start(hash);
	size_t at;

	while ((at = table_next(&lib->by_path, &walk)) != TABLE_END)
		if (!strcmp(lib->entries.v[at]->path, path))
			return lib->entries.v[at];
	if (lib->entries.n >= AA_FILES_MAX)
		return NULL;
	struct aa_entry *e = ARENA_NEW(lib->arena, struct aa_entry);
	e->path = arena_strdup(lib->arena, path);
	table_add(lib->arena, &lib->by_path, hash, lib->entries.n);
	vec_push(lib->arena, &lib->entries, e);
	look(lib, e);
	return e;
}

const struct aa_file *aa_library_parse(struct aa_library *lib, struct aa_entry *e, struct diags *ds)
{
	size_t before = ds->errors;

	if (e->kind != AA_ENTRY_FILE || e->file)
		return e->file;
	if (!e->source) {
		e->file = ARENA_NEW(lib->arena, struct aa_file);
		return e->file;
	}
	e->file = aa_parse_source(lib->arena, e->source, ds);
	aa_file_ends(e->file, ds);
	e->errors = ds->errors - before;
	e->told = ds;
	return e->file;
}

/* ---- what is looked for ---- */

struct str aa_include_name(struct str s, bool magic)
{
	if (!magic)
		return s;
	if (s.n && memchr(s.p, '"', s.n)) {
		bool quotes = s.n > 2 && s.p[0] == '"' && s.p[s.n - 1] == '"';
		return quotes ? (struct str){ s.p + 1, s.n - 2 } : (struct str){ s.p, 0 };
	}
	for (; s.n && strchr(" \t", s.p[0]); s.p++)
		s.n--;
	while (s.n && strchr(" \t", s.p[s.n - 1]))
		s.n--;
	return s;
}

const struct aa_seen_path *aa_seen_find(const struct aa_seen *seen, const char *path)
{
	struct table_walk walk = table_start(hash_str(str_c(path)));
	size_t at;

	while ((at = table_next(&seen->table, &walk)) != TABLE_END)
		if (!strcmp(seen->paths.v[at].path, path))
			return &seen->paths.v[at];
	return NULL;
}

void aa_seen_add(struct arena *a, struct aa_seen *seen, const char *path)
{
	if (aa_seen_find(seen, path))
		return;
	table_add(a, &seen->table, hash_str(str_c(path)), seen->paths.n);
	vec_push(a, &seen->paths, ((struct aa_seen_path){ path, seen->dead }));
}

/* One path: has the search an end there? */
static bool try_path(struct aa_library *lib, const char *path, struct aa_seen *seen,
		     struct aa_found *found)
{
	const struct aa_seen_path *before = aa_seen_find(seen, path);

	found->skip = before != NULL;
	found->dead = before && before->dead;
	if (before)
		return true;
	struct aa_entry *e = aa_library_entry(lib, path);
	if (!e) {
		found->full = true;
		return true;
	}
	if (e->kind == AA_ENTRY_MISSING)
		return false;
	if (e->kind != AA_ENTRY_UNREADABLE)
		aa_seen_add(lib->arena, seen, e->path);
	/* A FIFO would hold the parser up; it opens devices; what it may not open it passes by. */
	if (!found->entry || e->kind != AA_ENTRY_UNREADABLE)
		found->entry = e;
	return e->err != -EACCES;
}

static const char *join(struct arena *a, struct str dir, struct str name)
{
	char *path = arena_alloc(a, dir.n + name.n + 2);

	memcpy(path, dir.p, dir.n);
	path[dir.n] = '/';
	if (name.n)
		memcpy(path + dir.n + 1, name.p, name.n);
	return path;
}

struct aa_found aa_library_find(struct aa_library *lib, struct str name, bool magic,
				struct aa_seen *seen)
{
	struct aa_found found = { 0 };

	if (!magic) {
		try_path(lib, str_dup(lib->arena, name), seen, &found);
		return found;
	}
	vec_each(&lib->dirs, dir) {
		if (try_path(lib, join(lib->arena, str_c(*dir), name), seen, &found))
			break;
	}
	return found;
}

/* Beside a path, as names that begin as the missing one does. */
static void offer_beside(struct aa_library *lib, const char *dir, struct str name,
			 struct suggest *s)
{
	size_t cut = name.n;
	const char **names = NULL;
	size_t n = 0;

	while (cut && name.p[cut - 1] != '/')
		cut--;
	struct str front = { name.p, cut };
	const char *path = dir ? arena_printf(lib->arena, "%s/" PRISTR, dir, STRARG(front)) :
			   cut ? str_dup(lib->arena, front) :
				 ".";
	if (list_names(lib->arena, path, &names, &n))
		return;
	if (n)
		qsort(names, n, sizeof(*names), by_name);
	for (size_t i = 0; i < n; i++)
		if (!aa_is_left_over(names[i]))
			suggest_offer(s, str_c(arena_printf(lib->arena, PRISTR "%s", STRARG(front),
							    names[i])));
}

void aa_library_suggest(struct aa_library *lib, struct str name, bool magic, struct suggest *s)
{
	if (!magic) {
		offer_beside(lib, NULL, name, s);
		return;
	}
	vec_each(&lib->dirs, dir)
		offer_beside(lib, *dir, name, s);
}
