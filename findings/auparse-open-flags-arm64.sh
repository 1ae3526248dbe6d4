#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# auparse against an open of a directory on arm64: it reads O_DIRECT, and the other way round.
#
# Expected: the flags of openat are read by the numbers of the record's machine, as the call's name
#	is. On arm64 O_DIRECTORY is 040000, O_NOFOLLOW 0100000 and O_DIRECT 0200000
#	(arch/arm64/include/uapi/asm/fcntl.h); 040000 and 0200000 are each other's on x86_64.
# Really: beside arch=aarch64, which it knows, it uses x86_64's: each opendir() reads as O_DIRECT,
#	each O_DIRECT as O_DIRECTORY, and O_NOFOLLOW (x86_64's O_LARGEFILE) is left out.
# Version: auditd and libauparse 1:3.0.9-1 (Debian 12), 1:4.0.2-2+deb13u1 (Debian 13), and 4.2.1
#	(sid) just so.
# Why it matters: "what opens the disk past the cache" is answered with every "ls", and the database
#	that does so is not in it; "does it follow links" is answered wrongly.
set -eu
. "$(dirname "$0")/packages"

n=0
for row in "c00000b7 56 84000" "c00000b7 56 90000" "c00000b7 56 88000" "c000003e 257 90000"; do
	set -- $row # machine, its openat, flags: O_CLOEXEC and one more
	n=$((n + 1))
	echo "type=SYSCALL msg=audit(1700000000.12$n:$n): arch=$1 syscall=$2 success=yes exit=3" \
		"a0=ffffff9c a1=7f0000 a2=$3 a3=0 items=0 ppid=1 pid=77 auid=1000 uid=1000 gid=1000" \
		"euid=1000 suid=1000 fsuid=1000 egid=1000 sgid=1000 fsgid=1000 tty=(none) ses=1" \
		"comm=\"demo\" exe=\"/usr/bin/demo\" subj=unconfined key=(null)"
done >"$dir/log-of-audit"

for row in "bookworm 1:3.0.9-1" "trixie 1:4.0.2-2+deb13u1"; do
	set -- $row
	fetch "$1" "auditd=$2"
	words=$(own "$1" "$(file "$1" ausearch)" -i -if "$dir/log-of-audit" 2>"$dir/err" |
		sed -n 's/.* arch=\([^ ]*\) .* a2=O_RDONLY|\([^ ]*\).*/\1:\2/p' | paste -s -d ' ')
	seen "auditd $2: O_DIRECTORY, O_DIRECT, O_NOFOLLOW of arm64, O_DIRECTORY of x86_64" "$words" \
		"$(for words in aarch64:O_DIRECT\| aarch64:O_DIRECTORY\| aarch64: x86_64:O_DIRECTORY\|; do
			echo "${words}O_CLOEXEC"
		done | paste -s -d ' ')"
done
exit $status
