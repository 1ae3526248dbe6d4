#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# util-linux's enosys and a 32-bit program: no call of it fails with ENOSYS, its first one kills it.
#
# Expected: "a child process for which certain syscalls fail with errno ENOSYS" (enosys(1)), the
#	others go on. The page names no machine; a program for i386 runs under x86_64 kernels.
# Really: under "enosys -s getpid" such a program ends with SIGSYS (status 159) before it prints a
#	word, though it never asks for getpid: the filter (enosys --dump) traps each call of another
#	machine than enosys' own.
# Version: util-linux-extra 2.41.5-0+deb13u1 (Debian 13) and 2.42.4-1 (sid).
# Why it matters: it is the tool for "how does this behave on an older kernel". What is tested is a
#	script with one old binary in it, and the answer that comes is of no kernel at all.
set -eu
. "$(dirname "$0")/packages"
command -v cc >/dev/null || missing "needs a C compiler"
[ "$(uname -m)" = x86_64 ] || missing "says something on x86_64 alone"

cat >"$dir/old.c" <<'C'
static long call(long number, long a, const char *b, long c)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
	return result;
}

void _start(void)
{
	call(4, 1, "here\n", 5); /* i386: write, exit */
	call(1, 0, "", 0);
}
C
cc -m32 -O1 -ffreestanding -fno-pie -no-pie -fno-stack-protector -nostdlib -static \
	-o "$dir/old" "$dir/old.c" || missing "the C compiler makes no program for i386"
[ "$("$dir/old")" = here ] || missing "this kernel runs no program for i386"

fetch trixie util-linux-extra=2.41.5-0+deb13u1
enosys=$(file trixie enosys)
new=$(own trixie "$enosys" -s getpid -- /bin/echo here 2>/dev/null) || new="$new status $?"
old=$(own trixie "$enosys" -s getpid -- "$dir/old" 2>/dev/null) || old="$old status $?"
seen "enosys 2.41.5 -s getpid: what a 64-bit and a 32-bit program print" "$new,$old" \
	"here, status 159"
exit $status
