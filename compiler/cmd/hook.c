/* SPDX-License-Identifier: Apache-2.0 */
/* pale hook: containers recorded from their start. */
#include "compiler/cmd/hook.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

/* This program by its path: what an engine is to call. */
static const char *own_path(struct arena *a)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	return n > 0 ? arena_printf(a, "%.*s", (int)n, path) : NULL;
}

/* -1: go on; else the exit status. */
static int read_options(struct session *s, const struct options *o, struct hook_args *a)
{
	const struct option_value *dir = &o->at[OPT_DIRECTORY];
	bool sets_up = o->at[OPT_INSTALL].given || o->at[OPT_REMOVE].given;

	a->call =
		(struct hook_call){ .program = own_path(s->arena),
				    .directory = dir->given ? dir->text : HOOK_DIRECTORY,
				    .every = o->at[OPT_EVERY].given ? o->at[OPT_EVERY].text : NULL,
				    .strict = o->at[OPT_STRICT].given,
				    .always = o->at[OPT_ALWAYS].given,
				    .no_files = o->at[OPT_NO_FILES].given };
	a->every_s = o->at[OPT_EVERY].given ? o->at[OPT_EVERY].number : 60;
	a->runtime = o->at[OPT_EXEC].given ? o->at[OPT_EXEC].text : NULL;
	a->args = o->program;
	a->config = o->at[OPT_CONFIG].given ? o->at[OPT_CONFIG].text : NULL;
	if (o->n)
		return usage_error(o->command, "'%s' is not expected", o->operands[0]);
	if (*a->call.directory != '/')
		return usage_error(o->command,
				   "--directory takes a path from the root on: who calls "
				   "the hook does so from anywhere");
	if (a->runtime && (!a->args || !*a->args))
		return usage_error(o->command,
				   "--exec takes what the runtime is called with, behind "
				   "'--'");
	if (!a->runtime && a->args)
		return usage_error(o->command, "'--' takes --exec RUNTIME");
	if (sets_up != (o->at[OPT_DRY_RUN].given || o->at[OPT_YES].given))
		return usage_error(o->command,
				   sets_up ?
					   "say --dry-run, to see what would be changed, or --yes" :
					   "--dry-run and --yes take --install or --remove");
	if (a->config && !sets_up)
		return usage_error(o->command, "--config takes --install or --remove");
	return -1;
}

static int hook(struct session *s, const struct options *o, const struct hook_args *a)
{
	const struct option_value *install = &o->at[OPT_INSTALL], *remove = &o->at[OPT_REMOVE];

	if (install->given || remove->given)
		return hook_install(
			s, a, (enum hook_engine)(install->given ? install->word : remove->word),
			remove->given, o->at[OPT_DRY_RUN].given);
	return a->runtime ? hook_exec(s, a) : hook_record(s, a);
}

int cmd_hook(int argc, char **argv)
{
	struct options o = { .end = OPTIONS_TO_DASHES };
	struct hook_args a = { 0 };
	struct session s;

	session_open_run(&s);
	int status = options_read(&s, argc, argv, &o);
	if (status < 0)
		status = read_options(&s, &o, &a);
	if (status < 0)
		status = hook(&s, &o, &a);
	return session_end(&s, status);
}
