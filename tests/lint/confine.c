/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a command under a filter as a runtime builds it, with libseccomp:
 *	confine allow ERRNO NAME... -- CMD...	the names are allowed, all else answers ERRNO
 *	confine deny ERRNO NAME... -- CMD...	the names answer ERRNO, all else is allowed
 *	confine socket-gt N -- CMD...		socket() is refused unless its domain is > N (64 bits)
 * Names that libseccomp does not know are skipped, as runc does. The command is entered by
 * execve under the filter, which is therefore always allowed.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(125);
}

static void add_names(scmp_filter_ctx ctx, uint32_t action, char **names)
{
	for (; *names && strcmp(*names, "--"); names++) {
		int nr = seccomp_syscall_resolve_name(*names);

		if (nr != __NR_SCMP_ERROR && seccomp_rule_add_array(ctx, action, nr, 0, NULL) < 0)
			die(*names);
	}
}

int main(int argc, char **argv)
{
	scmp_filter_ctx ctx;
	char **cmd = argv;
	int err;

	while (*cmd && strcmp(*cmd, "--") != 0)
		cmd++;
	if (argc < 5 || !*cmd || !cmd[1])
		return 125;
	err = atoi(argv[2]);
	if (!strcmp(argv[1], "allow")) {
		ctx = seccomp_init(SCMP_ACT_ERRNO((uint32_t)err));
		add_names(ctx, SCMP_ACT_ALLOW, argv + 3);
		seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, SCMP_SYS(execve), 0, NULL);
	} else if (!strcmp(argv[1], "deny")) {
		ctx = seccomp_init(SCMP_ACT_ALLOW);
		if (ctx && seccomp_arch_native() == SCMP_ARCH_X86_64)
			seccomp_arch_add(ctx, SCMP_ARCH_X86); /* programs of 32 bits too */
		add_names(ctx, SCMP_ACT_ERRNO((uint32_t)err), argv + 3);
	} else {
		struct scmp_arg_cmp above = { .op = SCMP_CMP_LE, .datum_a = (uint64_t)err };

		/* The refusal of all that is not > N: the same filter, from the other side. */
		ctx = seccomp_init(SCMP_ACT_ALLOW);
		seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1, &above);
	}
	if (!ctx || seccomp_load(ctx))
		die("seccomp_load");
	execv(cmd[1], cmd + 1);
	die(cmd[1]);
}
