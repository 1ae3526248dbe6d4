/* SPDX-License-Identifier: Apache-2.0 */
/* pale compile: where the artifacts go. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/cmd/compile.h"

struct plan {
	struct compilation *c;
	const char *output;
	bool quiet;
	VEC(struct output_file) files;
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

/* The parts behind artifact `i`, and those of an earlier compile that had more. */
static int plan_old_parts(struct plan *p, size_t i, const char *path)
{
	struct arena *arena = p->c->diags->arena;
	const struct artifact *a = &p->c->artifacts.v[i];
	size_t n = strlen(path), name = strlen(a->name), last = 1;

	/* Under a name that somebody chose, what lies beside it is not ours to know. */
	if (!(a->target->how & TARGET_BINARY) || a->is_part || n < name ||
	    strcmp(path + n - name, a->name) != 0 || (n > name && path[n - name - 1] != '/'))
		return EXIT_OK;
	while (i + last < p->c->artifacts.n && a[last].is_part)
		last++;
	path_list old = { 0 };
	const char *prefix =
		arena_printf(arena, "%.*s", (int)(n - strlen(a->target->suffix)), path);
	int err = output_old_parts(arena, prefix, last, &old);
	if (err) {
		tell("pale: cannot look for old parts of '%s': %s", path, strerror(-err));
		return EXIT_SYSTEM;
	}
	vec_each(&old, it) {
		struct output_file f = { .path = *it, .remove = true };
		vec_push(arena, &p->files, f);
	}
	return EXIT_OK;
}

static int plan_artifact(struct plan *p, size_t i, const char *path)
{
	const struct artifact *a = &p->c->artifacts.v[i];
	struct output_file f = { .path = path, .text = &a->bytes, .mode = 0644 };

	vec_push(p->c->diags->arena, &p->files, f);
	return plan_old_parts(p, i, path);
}

/* Where the directory was made for them, it goes with them. */
static int write_planned(struct plan *p, const char *made)
{
	const struct artifact *a = p->c->artifacts.v;

	if (output_write_all(p->files.v, p->files.n)) {
		if (made)
			(void)!rmdir(made);
		return EXIT_SYSTEM;
	}
	vec_each(&p->files, f) {
		if (f->remove)
			tell("%s: removed: a part of the filter that was here before", f->path);
		else if (!p->quiet)
			tell("%s: %s", f->path, a->about);
		a += !f->remove;
	}
	return EXIT_OK;
}

static int write_one(struct plan *p)
{
	const struct artifact *a = &p->c->artifacts.v[0];

	if (p->output && strcmp(p->output, "-") != 0) {
		int rc = plan_artifact(p, 0, p->output);
		return rc ? rc : write_planned(p, NULL);
	}
	if (a->target->how & TARGET_BINARY && isatty(STDOUT_FILENO))
		return usage_error(command_find("compile"), "%s is binary: give -o FILE, or a pipe",
				   a->name);
	if (output_write(NULL, &a->bytes, 0644))
		return EXIT_SYSTEM;
	if (!p->quiet)
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
		int rc = plan_artifact(p, i, path);
		if (rc)
			return rc;
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

int compile_write(struct compilation *c, const char *output, bool quiet)
{
	struct plan p = { .c = c, .output = output, .quiet = quiet };

	if (c->artifacts.n == 1 && !(output && names_directory(output)))
		return write_one(&p);
	return write_several(&p);
}
