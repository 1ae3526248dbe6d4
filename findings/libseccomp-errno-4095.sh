#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# libseccomp against the largest error number that there is: SCMP_ACT_ERRNO(4095) is no action for
# it.
#
# Expected: 4095 works as 4094 does. The kernel hands 1 to 4095 (MAX_ERRNO, linux/err.h) to the
#	program and lowers what is more (kernel/seccomp.c); seccomp_rule_add(3) has the number as a
#	uint16_t and names no bound.
# Really: seccomp_init() gives NULL and seccomp_rule_add() EINVAL (-22), from 4095 on. A filter of
#	the same meaning written by hand is taken by the kernel, and the call then fails with 4095.
# Version: libseccomp2 2.5.4-1+deb12u1 (Debian 12), 2.6.0-2 (Debian 13), and 2.6.1 (sid) just so.
# Why it matters: who marks "refused by the filter" with an error that no kernel code uses takes the
#	last one, and is told "invalid argument" of a whole rule, without a word of which part.
set -eu
. "$(dirname "$0")/packages"
command -v cc >/dev/null || missing "needs a C compiler"

cat >"$dir/rule.c" <<'C'
#include <dlfcn.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	void *lib = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
	void *(*init)(uint32_t) = lib ? (void *(*)(uint32_t))dlsym(lib, "seccomp_init") : NULL;
	int (*add)(void *, uint32_t, int, unsigned, const void *) =
		lib ? (int (*)(void *, uint32_t, int, unsigned, const void *))
				dlsym(lib, "seccomp_rule_add_array") : NULL;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_vhangup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 4095),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { 4, code };

	if (!init || !add)
		return 2;
	for (uint32_t e = 4094; e <= 4095; e++)
		printf("%s %d ", init(SECCOMP_RET_ERRNO | e) ? "made" : "NULL",
		       add(init(SECCOMP_RET_ALLOW), SECCOMP_RET_ERRNO | e, SYS_vhangup, 0, NULL));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, 2, &program))
		return 2;
	errno = 0;
	syscall(SYS_vhangup);
	printf("%d\n", errno);
	return 0;
}
C
cc -o "$dir/rule" "$dir/rule.c" -ldl
for row in "bookworm 2.5.4-1+deb12u1" "trixie 2.6.0-2"; do
	set -- $row
	fetch "$1" "libseccomp2=$2"
	seen "libseccomp2 $2: init and rule with 4094, with 4095, and the kernel's own 4095" \
		"$(own "$1" "$dir/rule" libseccomp.so.2)" "made 0 NULL -22 4095"
done
exit $status
