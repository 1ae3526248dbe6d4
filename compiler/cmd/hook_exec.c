/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In place of a runtime: what is called as runc(8) is, adds the hook to the bundle's config.json where
 * a container is made, and executes the runtime with the same arguments. What fails here is told, and
 * the runtime executed all the same.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/base/program.h"
#include "compiler/cmd/hook.h"

/* Options before the command that take a value as an argument of its own: runc(8), crun(1). */
static bool takes_value(const char *arg)
{
	static const char *const options[] = { "--root",          "--log",      "--log-format",
					       "--log-level",     "--rootless", "--criu",
					       "--cgroup-manager" };

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (!strcmp(arg, options[i]))
			return true;
	return false;
}

/* The first word that is no option, where it makes a container; NULL. */
static char **find_command(char **args)
{
	while (*args && **args == '-') {
		if (takes_value(*args) && args[1])
			args++;
		args++;
	}
	return *args && (!strcmp(*args, "create") || !strcmp(*args, "run")) ? args : NULL;
}

static const char *bundle_of(char **command)
{
	for (char **p = command + 1; *p; p++) {
		if ((!strcmp(*p, "--bundle") || !strcmp(*p, "-b")) && p[1])
			return p[1];
		if (!strncmp(*p, "--bundle=", 9))
			return *p + 9;
		if (!strncmp(*p, "-b=", 3))
			return *p + 3;
	}
	return ".";
}

/* 0, or -1 after a diagnostic. */
static int add_hook(struct session *s, const struct hook_args *a, const char *bundle)
{
	const char *path = arena_printf(s->arena, "%s/config.json", bundle);
	struct source *src;
	struct str text;
	BUF_AUTO out = { 0 };
	int err = source_load_regular(s->sources, path, &src);

	if (err) {
		diag_add(s->diags, DIAG_PL424, NO_SPAN, "'%s' cannot be read: %s",
			 str_safe(s->arena, path), strerror(-err));
		return -1;
	}
	if (!hook_amend(s->arena, src, &a->call, &text, s->diags))
		return -1;
	if (text.p == src->text.p)
		return 0;
	buf_add(&out, text.p, text.n);
	err = write_output(path, &out, 0600);
	if (err)
		diag_add(s->diags, DIAG_PL424, NO_SPAN, "'%s' cannot be given the hook: %s",
			 str_safe(s->arena, path), strerror(-err));
	return err ? -1 : 0;
}

int hook_exec(struct session *s, const struct hook_args *a)
{
	char **command = find_command(a->args), **argv;
	const char *path;
	size_t n = 0;
	int err;

	if (command && add_hook(s, a, bundle_of(command))) {
		hook_tell_all(s, "that is made now");
		if (a->call.strict)
			return EXIT_FOUND;
	}
	err = program_find(s->arena, a->runtime, &path, s->diags);
	if (err)
		return err;
	while (a->args[n])
		n++;
	argv = arena_alloc(s->arena, (n + 2) * sizeof(*argv));
	argv[0] = arena_strdup(s->arena, a->runtime);
	memcpy(argv + 1, a->args, (n + 1) * sizeof(*argv));
	execv(path, argv);
	diag_add(s->diags, DIAG_PL400, NO_SPAN, "cannot execute '%s': %s",
		 str_safe(s->arena, a->runtime), strerror(errno));
	return 126;
}
