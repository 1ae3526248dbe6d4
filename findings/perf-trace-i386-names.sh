#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# perf trace and a 32-bit program: each call has the name that its number has to x86_64.
#
# Expected: "perf trace PROGRAM" is strace without stops (perf-trace(1)), and strace tells of such
#	a program what it calls.
# Really: of a program for i386 that asks getpid, getppid and ends, perf trace of Linux 6.12 says
#	writev and semget. The numbers are those of the kernel's raw tracepoint, which carries no
#	machine; perf of Linux 7.2 finds it out otherwise, and says getpid and getppid. By the named
#	tracepoints both are silent: syscalls:sys_enter_getpid counts no call of such a program.
# Version: linux-perf 6.12.117-1 (Debian 13) and 7.2.13-1 (sid).
# Why it matters: a list of calls for a filter that is made of perf's output allows semget where
#	getppid was called, and what the program calls is refused.
set -eu
. "$(dirname "$0")/packages"
command -v cc >/dev/null || missing "needs a C compiler"
[ "$(uname -m)" = x86_64 ] || missing "says something on x86_64 alone"
[ "$(id -u)" = 0 ] || missing "needs root, to trace"

cat >"$dir/old.c" <<'C'
static long call(long number)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(0) : "memory");
	return result;
}

void _start(void)
{
	call(20); /* i386: getpid, getppid, exit */
	call(64);
	call(1);
}
C
cc -m32 -O1 -ffreestanding -fno-pie -no-pie -fno-stack-protector -nostdlib -static \
	-o "$dir/old" "$dir/old.c" || missing "the C compiler makes no program for i386"
"$dir/old" || missing "this kernel runs no program for i386"

said() { # SUITE: what perf trace says was called, after the exec that it begins with
	own "$1" "$(file "$1" perf)" trace "$dir/old" >"$dir/said" 2>&1 ||
		missing "perf trace: $(cat "$dir/said")"
	grep -oE '[a-z_0-9]+\(' "$dir/said" | tr -d '(' | grep -vx 'munmap\|execve' | paste -s -d ' '
}

fetch trixie linux-perf=6.12.117-1
fetch sid linux-perf=7.2.13-1
old=$(said trixie) new=$(said sid)
seen "perf trace of 6.12: a program that calls getpid, getppid and exit" "$old" "writev semget"
seen "perf trace of 7.2" "$new" "getpid getppid exit"
count=$(own sid "$(file sid perf)" stat -x , -e syscalls:sys_enter_getpid "$dir/old" 2>&1) ||
	missing "perf stat: $count"
seen "perf stat of 7.2: its calls of getpid" "${count%%,*}" "0"
exit $status
