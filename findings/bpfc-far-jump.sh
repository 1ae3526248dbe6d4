#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bpfc and a conditional jump over more than 255 instructions: it writes a jump to somewhere else,
# and exits as if all were well.
#
# Expected: jt and jf have 8 bits (bpfc(8), SYNTAX; struct sock_filter), so a label that is further
#	away is an error, or is reached by way of a "ja", which has 32 bits.
# Really: the distance is taken modulo 256, without a word and with status 0. "jeq #7, far" over 300
#	instructions becomes a jump over 44, into the middle of the program. A "ja" of 300 is right,
#	and so is a jeq over 255.
# Version: netsniff-ng 0.6.8-3 (Debian 12), 0.6.9-1 (Debian 13), and 0.6.9-2 (sid) just so.
# Why it matters: bpfc(8) shows a filter of calls as a list of such jumps to one label. A list that
#	grows past 255 entries still passes the kernel's checks, and answers something else.
set -eu
. "$(dirname "$0")/packages"

program() { # JUMP N: over N instructions that do nothing
	echo "ld [0]"
	echo "$1"
	for _ in $(seq "$2"); do
		echo "or #0"
	done
	echo "ret #1"
	echo "far: ret #2"
}

for row in "bookworm 0.6.8-3" "trixie 0.6.9-1"; do
	set -- $row
	fetch "$1" "netsniff-ng=$2"
	said=
	for jump in "jeq #7, far:254" "jeq #7, far:299" "ja far:299"; do
		program "${jump%:*}" "${jump##*:}" >"$dir/text"
		own "$1" "$(file "$1" bpfc)" -i "$dir/text" >"$dir/code" 2>&1 || echo "status $?" >>"$dir/code"
		said="$said$(sed -n 2p "$dir/code");"
	done
	seen "bpfc $2: jeq over 255 and over 300, ja over 300" "$said" \
		"{ 0x15, 255, 0, 0x00000007 },;{ 0x15, 44, 0, 0x00000007 },;{ 0x5, 0, 0, 0x0000012c },;"
done
exit $status
