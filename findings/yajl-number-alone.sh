#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# yajl's json_reformat against a document that is one number: it prints nothing, and exits as if it
# had.
#
# Expected: a number alone is a JSON text (RFC 8259, section 2), with or without a line end behind
#	it, and valid data comes out formatted with exit status 0 (json_reformat(1)), as true does.
# Really: for 12 without a line end it prints nothing and exits 0. json_verify of the same package
#	calls the text valid. With a line end, or in brackets, the number is printed.
# Version: yajl-tools 2.1.0-3+deb12u2 (Debian 12) and 2.1.0-5+b2 (Debian 13).
# Why it matters: a value taken out of a profile (an errno, a mask) and passed on through the tool
#	becomes an empty file behind a good exit status.
set -eu
. "$(dirname "$0")/packages"

for row in "bookworm 2.1.0-3+deb12u2" "trixie 2.1.0-5+b2"; do
	set -- $row
	fetch "$1" "yajl-tools=$2"
	answers=
	for text in 12 '12\n' '[12]' true; do
		printf "$text" >"$dir/text"
		own "$1" "$(file "$1" json_verify)" -q <"$dir/text" || answers="$answers invalid"
		answers="$answers '$(own "$1" "$(file "$1" json_reformat)" -m <"$dir/text")' $?"
	done
	seen "yajl-tools $2: 12 without and with a line end, [12] and true, each with the exit status" \
		"$answers" " '' 0 '12' 0 '[12]' 0 'true' 0"
done
exit $status
