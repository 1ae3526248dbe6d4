#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# auparse against a netlink socket: its protocol is read as one of IP.
#
# Expected: socket(2)'s third argument is of the family's own numbers. Beside a0=netlink, which it
#	reads, 6 is NETLINK_XFRM, 9 NETLINK_AUDIT and 12 NETLINK_NETFILTER (linux/netlink.h), or
#	the number is left.
# Really: "tcp", "igp" and "pup", as in /etc/protocols: "a0=netlink a1=SOCK_RAW a2=tcp". A family
#	with no such table, packet, gets "unknown-proto" for its ETH_P_ALL.
# Version: auditd and libauparse 1:3.0.9-1 (Debian 12), 1:4.0.2-2+deb13u1 (Debian 13), and 4.2.1
#	(sid) just so.
# Why it matters: a search for what speaks to the audit system or to the packet filter finds nothing
#	by its name, and one for TCP finds IPsec's daemon.
set -eu
. "$(dirname "$0")/packages"

n=0
for row in "10 3 6" "10 3 9" "10 3 c" "11 3 300" "2 1 6"; do
	set -- $row
	n=$((n + 1))
	echo "type=SYSCALL msg=audit(1700000000.12$n:$n): arch=c000003e syscall=41 success=yes exit=3" \
		"a0=$1 a1=$2 a2=$3 a3=0 items=0 ppid=1 pid=77 auid=1000 uid=1000 gid=1000" \
		"euid=1000 suid=1000 fsuid=1000 egid=1000 sgid=1000 fsgid=1000 tty=(none) ses=1" \
		"comm=\"demo\" exe=\"/usr/bin/demo\" subj=unconfined key=(null)"
done >"$dir/log-of-audit"

for row in "bookworm 1:3.0.9-1" "trixie 1:4.0.2-2+deb13u1"; do
	set -- $row
	fetch "$1" "auditd=$2"
	words=$(own "$1" "$(file "$1" ausearch)" -i -if "$dir/log-of-audit" 2>"$dir/err" |
		sed -n 's/.* a0=\([^ ]*\) a1=[^ ]* a2=\([^ ]*\).*/\1:\2/p' | paste -s -d ' ')
	seen "auditd $2: netlink 6, 9 and 12, packet ETH_P_ALL, inet 6" "$words" \
		"netlink:tcp netlink:igp netlink:pup packet:unknown-proto(300) inet:tcp"
done
exit $status
