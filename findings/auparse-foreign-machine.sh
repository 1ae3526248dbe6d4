#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# auparse against a SECCOMP record of a machine that it has no table for: the call gets the name
# that its number has on the machine that reads.
#
# Expected: syscall=221 beside arch=c0000102 (AUDIT_ARCH_LOONGARCH64) is execve
#	(asm-generic/unistd.h), and a reader that does not know the machine leaves the number, as it
#	does with the arch itself.
# Really: on x86_64 it reads "fadvise64", x86_64's 221, beside an arch that it calls unknown.
# Version: auditd and libauparse 1:3.0.9-1 (Debian 12: riscv64, c00000f3, as well),
#	1:4.0.2-2+deb13u1 (Debian 13), and 4.2.1 (sid): loongarch64 all the same.
# Why it matters: logs are collected from many machines and read on one. What is
#	concluded from such a reading is about a call that the program never made.
set -eu
. "$(dirname "$0")/packages"
[ "$(uname -m)" = x86_64 ] || missing "says something on x86_64 alone"

n=0
for a in c00000f3 c0000102; do
	n=$((n + 1))
	echo "type=SECCOMP msg=audit(1700000000.12$n:$n): auid=1000 uid=1000 gid=1000 ses=1" \
		"subj=unconfined pid=77 comm=\"demo\" exe=\"/usr/bin/demo\" sig=31 arch=$a" \
		"syscall=221 compat=0 ip=0x7f0000000000 code=0x80000000"
done >"$dir/log-of-audit"

for row in "bookworm 1:3.0.9-1 unknown-elf-type(c00000f3):fadvise64" \
	"trixie 1:4.0.2-2+deb13u1 riscv64:execve"; do
	set -- $row
	fetch "$1" "auditd=$2"
	words=$(own "$1" "$(file "$1" ausearch)" -i -if "$dir/log-of-audit" 2>"$dir/err" |
		sed -n 's/.* arch=\([^ ]*\) syscall=\([^ ]*\).*/\1:\2/p' | paste -s -d ' ')
	seen "auditd $2: execve of riscv64 and of loongarch64" "$words" \
		"$3 unknown-elf-type(c0000102):fadvise64"
done
exit $status
