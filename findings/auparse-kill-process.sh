#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# auparse 4.0.2 against the records of a process that seccomp killed: it names the wrong action.
#
# Expected: code=0x80000000 of a SECCOMP record is SECCOMP_RET_KILL_PROCESS and code=0x0 is
#	SECCOMP_RET_KILL_THREAD (linux/seccomp.h, since Linux 4.14), and ausearch -i tells them
#	apart.
# Really: it says kill-thread for both. The word for the one is there, and the other gets it.
# Version: auditd and libauparse 1:4.0.2-2+deb13u1 (Debian 13). 1:3.0.9-1 (Debian 12) knows no two
#	kinds and says "kill" for both; 4.2.1 (sid) says kill-process and kill-thread.
# Why it matters: who looks for why a whole service went away reads that one thread did, and looks
#	for the filter with the other action.
set -eu
. "$(dirname "$0")/packages"

n=0
for c in 0x80000000 0x0 0x30000 0x50000; do
	n=$((n + 1))
	echo "type=SECCOMP msg=audit(1700000000.12$n:$n): auid=1000 uid=1000 gid=1000 ses=1" \
		"subj=unconfined pid=77 comm=\"demo\" exe=\"/usr/bin/demo\" sig=31 arch=c000003e" \
		"syscall=87 compat=0 ip=0x7f0000000000 code=$c"
done >"$dir/log-of-audit"

for row in "bookworm 1:3.0.9-1 kill,kill" "trixie 1:4.0.2-2+deb13u1 kill-thread,kill-thread"; do
	set -- $row
	fetch "$1" "auditd=$2"
	words=$(own "$1" "$(file "$1" ausearch)" -i -if "$dir/log-of-audit" 2>"$dir/err" |
		sed -n 's/.* code=\([a-z-]*\).*/\1/p' | paste -s -d ,)
	seen "auditd $2: 0x80000000, 0x0, trap and errno read" "$words" "$3,trap,errno"
done
exit $status
