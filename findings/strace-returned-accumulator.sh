#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# strace against a filter that returns its accumulator: it prints an action that the filter lacks.
#
# Expected: BPF_RET|BPF_A returns the accumulator, and the instruction's own number means nothing
#	(Documentation/networking/filter.rst; seccomp takes the instruction). It is printed as a
#	number, as with every other instruction whose number is no action.
# Really: the number, 0 as compilers leave it, is printed as SECCOMP_RET_KILL_THREAD. The filter
#	below loads ALLOW and returns it: strace says that each call kills, and the program goes on.
# Version: strace 6.1-0.1 (Debian 12), 6.13+ds-1 (Debian 13), and 7.2 (sid) just so.
# Why it matters: strace -v is how people read the filter of a program that they have no source of,
#	and filters that end in a computed action read as ones that kill everything.
set -eu
. "$(dirname "$0")/packages"
command -v cc >/dev/null || missing "needs a C compiler"

cat >"$dir/allow.c" <<'C'
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/prctl.h>

int main(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_IMM, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct sock_fprog program = { 2, code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, 2, &program))
		return 2;
	puts("alive");
	return 0;
}
C
cc -static -o "$dir/allow" "$dir/allow.c"
for row in "bookworm 6.1-0.1" "trixie 6.13+ds-1"; do
	set -- $row
	fetch "$1" "strace=$2"
	alive=$(own "$1" "$(file "$1" strace)" -v -o "$dir/trace" -e trace=prctl "$dir/allow")
	shown=$(sed -n 's/.*BPF_STMT(BPF_RET|BPF_A, \([^)]*\)).*/\1/p' "$dir/trace")
	seen "strace $2: the program is, and the filter that it loaded returns" "$alive $shown" \
		"alive SECCOMP_RET_KILL_THREAD"
done
exit $status
