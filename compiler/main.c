/* SPDX-License-Identifier: Apache-2.0 */
/* pale: finds the subcommand and hands over. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/base/suggest.h"
#include "compiler/cmd/cmd.h"

static cmd_fn *const runs[] = {
/* by place in command_at() */
#define COMMAND(name, fn, forms, summary, about, after) fn,
#include "compiler/cmd/commands.def"
#undef COMMAND
};

static void print_help(FILE *f)
{
	fputs("pale: one policy, compiled to seccomp JSON, BPF and AppArmor; learned; linted\n\n"
	      "usage: pale COMMAND ...\n\n",
	      f);
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++)
		fprintf(f, "  %-9s %s\n", command_at(i)->name, command_at(i)->summary);
	fputs("\nto begin with:\n"
	      "  pale learn -o web.pale -- ./web         run it, and write down what it needs\n"
	      "  pale learn --container web -o web.pale  the same of a container that runs\n"
	      "  pale run --count web.pale -- ./web      run it under that, and count what is refused\n"
	      "  pale compile web.pale -o DIR            for Docker, BPF and AppArmor\n"
	      "  pale lint profile.json                  what somebody's profile really means\n"
	      "\npale COMMAND --help says more; pale --version what was built in\n",
	      f);
}

/*
 * --diag=json|text may stand before the command, too. The sessions read it from PALE_DIAG; behind
 * the command it is one of its options.
 */
static int take_diag_option(int argc, char **argv)
{
	if (argc < 2 ||
	    (strcmp(argv[1], "--diag=json") != 0 && strcmp(argv[1], "--diag=text") != 0))
		return 0;
	setenv("PALE_DIAG", argv[1] + strlen("--diag="), 1);
	return 1;
}

/*
 * A standard stream that is closed would be the next file that is opened, and take what is
 * printed. It is filled the wrong way round instead, so that using it still fails.
 */
static void hold_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

static void on_file_too_large(int sig)
{
	(void)sig;
}

/*
 * A file that may not grow any more (RLIMIT_FSIZE) is an error of write(2) to be told, with the
 * temporary removed, and no death by SIGXFSZ. An empty handler does that and SIG_IGN does not:
 * execve() turns a handler back into the default, so what `run` and `learn` start finds the
 * signal as we did.
 */
static void survive_file_limit(void)
{
	struct sigaction now, sa = { .sa_handler = on_file_too_large, .sa_flags = SA_RESTART };

	if (!sigaction(SIGXFSZ, NULL, &now) && now.sa_handler == SIG_DFL)
		sigaction(SIGXFSZ, &sa, NULL);
}

static int tell_no_command(const char *name)
{
	struct suggest s;

	suggest_start(&s, str_c(name));
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++)
		suggest_offer(&s, str_c(command_at(i)->name));
	suggest_offer(&s, STR("--version"));
	suggest_offer(&s, STR("--help"));
	tell("pale: no command '%s'" PRINEAR, name, NEARARG(s));
	return EXIT_USAGE;
}

static int help(int argc, char **argv)
{
	if (argc > 2) /* of a command: what that says itself */
		for (size_t i = 0; i < ARRAY_SIZE(runs); i++)
			if (!strcmp(command_at(i)->name, argv[2])) {
				char help[] = "--help";

				return runs[i](2, (char *[]){ argv[2], help, NULL });
			}
	if (argc > 2)
		return tell_no_command(argv[2]);
	print_help(stdout);
	return EXIT_OK;
}

static int dispatch(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return help(argc, argv);
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("pale %s +ptrace %cbpf\n", PALE_VERSION, PALE_BPF ? '+' : '-');
		return EXIT_OK;
	}
	for (size_t i = 0; i < ARRAY_SIZE(runs); i++)
		if (!strcmp(command_at(i)->name, argv[1]))
			return runs[i](argc - 1, argv + 1);
	return tell_no_command(argv[1]);
}

int main(int argc, char **argv)
{
	int status;

	hold_standard_streams();
	survive_file_limit();
	int taken = take_diag_option(argc, argv);
	status = dispatch(argc - taken, argv + taken);
	if (fflush(stdout) || ferror(stdout)) {
		tell("pale: cannot write standard output: %s", strerror(errno));
		return status ? status : EXIT_SYSTEM;
	}
	return status;
}
