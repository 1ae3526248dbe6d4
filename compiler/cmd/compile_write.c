/* SPDX-License-Identifier: Apache-2.0 */
/* pale compile: where the artifacts go. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/cmd/compile.h"
#include "compiler/cmd/options.h"
#include "compiler/cmd/outputs.h"

struct plan {
	struct compilation *c;
	const char *output;
	VEC(struct output_file) files;
	parts_list parts;
	char *const *named; /* files of the command line */
	size_t n_named;
};

static bool names_directory(const char *path)
{
	struct stat st;

	return path[strlen(path) - 1] == '/' || (!stat(path, &st) && S_ISDIR(st.st_mode));
}

static bool is_one_target(unsigned targets)
{
	return targets && !(targets & (targets - 1));
}

static bool has_parts(const struct compilation *c)
{
	vec_each(&c->artifacts, a)
		if (a->is_part)
			return true;
	return false;
}

/* The parts behind artifact `i`; those of an earlier compile that had more go. */
static void plan_old_parts(struct plan *p, size_t i, const char *path)
{
	struct arena *arena = p->c->diags->arena;
	const struct artifact *a = &p->c->artifacts.v[i];
	size_t n = strlen(path), name = strlen(a->name), last = 1;

	/* Under a name that somebody chose, what lies beside it is not ours to know. */
	if (!(a->target->how & TARGET_BINARY) || a->is_part || n < name ||
	    strcmp(path + n - name, a->name) != 0 || (n > name && path[n - name - 1] != '/'))
		return;
	while (i + last < p->c->artifacts.n && a[last].is_part)
		last++;
	struct output_parts old = { .last = last };
	old.prefix = arena_printf(arena, "%.*s", (int)(n - strlen(a->target->suffix)), path);
	vec_push(arena, &p->parts, old);
}

static void plan_artifact(struct plan *p, size_t i, const char *path)
{
	const struct artifact *a = &p->c->artifacts.v[i];
	struct output_file f = { .path = path, .text = &a->bytes, .mode = 0644 };

	vec_push(p->c->diags->arena, &p->files, f);
	plan_old_parts(p, i, path);
}

/* One that would take the place of what was read, includes and sets too, or named. */
static const char *find_lost(const struct plan *p)
{
	struct arena *a = p->c->diags->arena;
	path_list read = { 0 };

	vec_each(&p->c->diags->sources->list, src)
		if ((*src)->path)
			vec_push(a, &read, (*src)->path);
	for (size_t i = 0; i < p->n_named; i++)
		vec_push(a, &read, p->named[i]);
	return outputs_find_lost(a, p->files.v, p->files.n, &read);
}

/* Where the directory was made for them, it goes with them. */
static int write_planned(struct plan *p, const char *made)
{
	const struct artifact *a = p->c->artifacts.v;
	const char *lost = find_lost(p);
	path_list gone = { 0 };

	if (lost)
		return usage_lost(command_find("compile"), lost);
	if (output_write_parts(p->c->diags->arena, p->files.v, p->files.n, &p->parts, &gone,
			       tell)) {
		if (made)
			(void)!rmdir(made);
		return EXIT_SYSTEM;
	}
	for (size_t i = 0; i < p->files.n && !p->c->quiet; i++)
		tell("%s: %s", p->files.v[i].path, a[i].about);
	vec_each(&gone, it)
		tell("%s: removed: a part of the filter that was here before", *it);
	return EXIT_OK;
}

static int write_one(struct plan *p)
{
	const struct artifact *a = &p->c->artifacts.v[0];

	if (p->output && strcmp(p->output, "-") != 0) {
		plan_artifact(p, 0, p->output);
		return write_planned(p, NULL);
	}
	if (a->target->how & TARGET_BINARY && isatty(STDOUT_FILENO))
		return usage_error(command_find("compile"), "%s is binary: give -o FILE, or a pipe",
				   a->name);
	if (write_output(NULL, &a->bytes, 0644))
		return EXIT_SYSTEM;
	if (!p->c->quiet)
		tell("%s: %s", a->name, a->about);
	return EXIT_OK;
}

static int write_to(struct plan *p, const char *dir)
{
	bool made = *dir && !mkdir(dir, 0777);

	if (*dir && !made && errno != EEXIST) {
		tell("pale: cannot make directory '%s': %s", dir, strerror(errno));
		return EXIT_SYSTEM;
	}
	for (size_t i = 0; i < p->c->artifacts.n; i++) {
		const char *path = arena_printf(p->c->diags->arena, "%s%s%s", dir,
						!*dir || dir[strlen(dir) - 1] == '/' ? "" : "/",
						p->c->artifacts.v[i].name);
		plan_artifact(p, i, path);
	}
	return write_planned(p, made ? dir : NULL);
}

static int write_several(struct plan *p)
{
	const char *dir = p->output ? p->output : "";

	if (has_parts(p->c) && (!*dir || !names_directory(dir)) && is_one_target(p->c->targets))
		return usage_error(
			command_find("compile"),
			"the filter needs more than the 4096 instructions of one program and "
			"has %zu, which are attached together: give a directory, -o DIR/",
			p->c->artifacts.n);

	/* Who named one target without -o expects it on standard output. */
	if (!strcmp(dir, "-") || (!*dir && is_one_target(p->c->targets)))
		return usage_error(
			command_find("compile"),
			"%zu artifacts do not fit standard output: give -o DIR, or choose "
			"with -t, --arch, --policy",
			p->c->artifacts.n);
	return write_to(p, dir);
}

int compile_write(struct compilation *c, const char *output)
{
	struct plan p = { .c = c, .output = output };

	if (c->artifacts.n == 1 && !(output && names_directory(output)))
		return write_one(&p);
	return write_several(&p);
}

int compile_write_dir(struct compilation *c, const char *dir, char *const *named, size_t n)
{
	struct plan p = { .c = c, .output = dir, .named = named, .n_named = n };

	return write_to(&p, dir);
}
