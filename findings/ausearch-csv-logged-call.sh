#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# ausearch --format csv and text against calls that seccomp only logged: they are said to have
# failed.
#
# Expected: code=0x7ffc0000 is SECCOMP_RET_LOG; such a call is logged and then made (seccomp(2)),
#	and nothing in the record says how it ended. The column RESULT of the csv form holds no
#	"failed".
# Really: RESULT is "failed" and the text form says "unsuccessfully", just as for code=0x50000, a
#	call that was refused. ausearch -i of the same file tells the two apart: "log" and "errno".
# Version: auditd and libauparse 1:3.0.9-1 (Debian 12) and 1:4.0.2-2+deb13u1 (Debian 13).
# Why it matters: a new filter is tried with the action LOG so that nothing breaks. The report of
#	that trial then reads as an outage: everything refused, where nothing was.
set -eu
. "$(dirname "$0")/packages"

n=0
for c in 0x50000 0x7ffc0000; do
	n=$((n + 1))
	echo "type=SECCOMP msg=audit(1700000000.12$n:$n): auid=1000 uid=1000 gid=1000 ses=1" \
		"subj=unconfined pid=77 comm=\"demo\" exe=\"/usr/bin/demo\" sig=0 arch=c000003e" \
		"syscall=87 compat=0 ip=0x7f0000000000 code=$c"
done >"$dir/log-of-audit"

read_as() { # SUITE SED-EXPRESSION FORM...
	program=$(file "$1" ausearch) from=$1 what=$2
	shift 2
	own "$from" "$program" "$@" -if "$dir/log-of-audit" 2>"$dir/err" | sed -n "$what" | paste -s -d ,
}

for row in "bookworm 1:3.0.9-1" "trixie 1:4.0.2-2+deb13u1"; do
	set -- $row
	fetch "$1" "auditd=$2"
	said=$(read_as "$1" 's/.* code=\([a-z-]*\).*/\1/p' -i)
	csv=$(read_as "$1" 's/.*-syscall,\([a-z]*\),.*/\1/p' --format csv)
	text=$(read_as "$1" 's/.* \([a-z]*ly\) called.*/\1/p' --format text)
	seen "auditd $2: a refused and a logged call, -i, csv and text" "$said $csv $text" \
		"errno,log failed,failed unsuccessfully,unsuccessfully"
done
exit $status
