#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# AppArmor's parser and comments: one that begins with "#include" is an include, whatever word that
# is the beginning of, and one at the very end of a file needs a line end.
#
# Expected: '#' begins a comment up to the end of the line, except for the old spelling "#include
#	FILE" (apparmor.d(5)). "#included in every image" is a sentence, and a file may end anywhere.
# Really: the sentence includes a file that is called 'd': "Could not open 'd'". And a file that ends
#	in "# end" without a line end is refused: "Lexer found unexpected character: '#'". With a blank
#	behind the first '#', and with the line end, both load.
# Version: apparmor 3.0.8-3 (Debian 12) and 4.1.0-1 (Debian 13).
# Why it matters: both are text that no editor marks, at places where people write what is not read,
#	and generators often leave the last line end out. The message speaks of neither.
set -eu
. "$(dirname "$0")/packages"

mkdir "$dir/profiles"
printf '# included in every image\nprofile demo /usr/bin/demo {\n  /a r,\n}\n# end\n' >"$dir/profiles/1-plain"
printf '#included in every image\nprofile demo /usr/bin/demo {\n  /a r,\n}\n' >"$dir/profiles/2-sentence"
printf 'profile demo /usr/bin/demo {\n  /a r,\n}\n# end' >"$dir/profiles/3-end"
for row in "bookworm 3.0.8-3" "trixie 4.1.0-1"; do
	set -- $row
	fetch "$1" "apparmor=$2"
	parser=$(file "$1" apparmor_parser)
	for profile in "$dir"/profiles/*; do
		own "$1" "$parser" -Q -K -S -b "$dir/$1/etc/apparmor.d" "$profile" \
			>"$dir/policy" 2>"$dir/err" && echo loads ||
			sed -n "s/.*\(Could not open 'd'\).*/\1/p; s/.*\(unexpected character: '#'\).*/\1/p" "$dir/err"
	done >"$dir/said"
	seen "apparmor $2: a comment, one that begins with #include, one that ends the file" \
		"$(paste -s -d ';' "$dir/said")" "loads;Could not open 'd';unexpected character: '#'"
done
exit $status
