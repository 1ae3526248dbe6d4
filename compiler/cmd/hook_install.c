/* SPDX-License-Identifier: Apache-2.0 */
/* An engine is told to call the hook, or not to any more. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "compiler/cmd/hook.h"
#include "compiler/fix/fix.h"

static const struct {
	const char *file;
	const char *after; /* what is left to do */
} engines[] = {
	[HOOK_DOCKER] = { "/etc/docker/daemon.json",
			  "have dockerd read it: 'kill -HUP' of its process, or 'systemctl reload "
			  "docker'; then: docker run --runtime pale ..." },
	[HOOK_PODMAN] = { "/etc/containers/oci/hooks.d/pale.json",
			  "podman reads it at each start: podman run --annotation " HOOK_ANNOTATION
			  "=NAME ..." },
	[HOOK_CRIO] = { "/usr/share/containers/oci/hooks.d/pale.json",
			"CRI-O reads it when it starts, where its hooks_dir names that directory, and "
			"takes the annotation " HOOK_ANNOTATION "=NAME of pods" },
};

struct change {
	const char *path;
	struct str before, after; /* NULL text: there is no file */
};

/* 0, or an exit status; *src NULL: there is none. */
static int load(struct session *s, const char *path, struct source **src)
{
	int err = source_load_regular(s->sources, path, src);

	if (!err)
		return EXIT_OK;
	*src = NULL;
	if (err == -ENOENT)
		return EXIT_OK;
	tell("pale: cannot read '%s': %s", path, strerror(-err));
	return EXIT_PALE;
}

/* hooks.d: the file is ours or not there at all. */
static int change_file(struct session *s, const struct hook_args *a, struct source *src,
		       bool remove, struct change *c)
{
	BUF_AUTO text = { 0 };
	struct diag *d;

	if (src && !hook_file_is_ours(s->arena, src)) {
		d = diag_add(s->diags, DIAG_PL424, NO_SPAN, "'%s' is there, and no hook of pale's",
			     str_safe(s->arena, c->path));
		diag_help(s->diags, d, "it stays as it is; name another one with --config");
		return EXIT_FOUND;
	}
	if (remove)
		return EXIT_OK;
	hook_put_file(&text, &a->call);
	c->after = (struct str){ buf_keep(s->arena, &text), text.n };
	return EXIT_OK;
}

static int change_docker(struct session *s, const struct hook_args *a, struct source *src,
			 bool remove, struct change *c)
{
	bool done = true;

	if (!remove)
		done = hook_docker_add(s->arena, src, &a->call, "runc", &c->after, s->diags);
	else if (src)
		done = hook_docker_remove(s->arena, src, &c->after, s->diags);
	return done ? EXIT_OK : EXIT_FOUND;
}

static bool is_same(const struct change *c)
{
	return !c->before.p == !c->after.p && str_eq(c->before, c->after);
}

/* All directories above a path. 0, or -1, told. */
static int make_above(struct session *s, const char *path)
{
	char *part = arena_strdup(s->arena, path);

	for (char *p = part + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		if (mkdir(part, 0755) && errno != EEXIST) {
			tell("pale: cannot make the directory '%s': %s", part, strerror(errno));
			return -1;
		}
		*p = '/';
	}
	return 0;
}

static int write_change(struct session *s, const struct hook_args *a, const struct change *c,
			bool remove)
{
	struct buf text = { .p = (char *)(uintptr_t)c->after.p, .n = c->after.n };
	struct output_file file = {
		.path = c->path, .text = &text, .mode = 0644, .remove = !c->after.p
	};

	if (!remove && (make_above(s, a->call.directory) || make_above(s, c->path)))
		return EXIT_PALE;
	if (!remove && hook_directory(a->call.directory, s->diags))
		return EXIT_FOUND;
	if (is_same(c))
		return EXIT_OK;
	return output_write_all(&file, 1, tell) ? EXIT_PALE : EXIT_OK;
}

int hook_install(struct session *s, const struct hook_args *a, enum hook_engine e, bool remove,
		 bool dry)
{
	struct change c = { .path = a->config ? a->config : engines[e].file };
	struct source *src;
	BUF_AUTO patch = { 0 };
	int status = load(s, c.path, &src);

	if (status)
		return status;
	if (src)
		c.before = src->text;
	status = e == HOOK_DOCKER ? change_docker(s, a, src, remove, &c) :
				    change_file(s, a, src, remove, &c);
	if (status)
		return status;
	if (dry) {
		fix_put_diff(&patch, s->arena, c.path, c.before, c.after);
		return write_output(NULL, &patch, 0) ? EXIT_PALE : EXIT_OK;
	}
	status = write_change(s, a, &c, remove);
	if (!status)
		tell("%s '%s'; %s",
		     is_same(&c) ? "nothing is to be changed in" :
		     c.after.p   ? "wrote" :
				   "removed",
		     c.path, remove && !is_same(&c) ? "the recordings stay" : engines[e].after);
	return status;
}
