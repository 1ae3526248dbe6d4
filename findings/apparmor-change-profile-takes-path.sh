#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# AppArmor's parser, a file rule and a change_profile to a profile of that name: nothing is left of
# the file rule.
#
# Expected: "/srv/data r," lets the file be read, "change_profile -> /srv/data," lets the task go
#	into the profile that is called so, as profiles are that are named after their program
#	(apparmor.d(5)). They are two classes of rules; both stand in the profile.
# Really: the parser takes them for one rule, as their texts are one, and what it compiles has the
#	change_profile alone: the file cannot be read. It says nothing. Where the target is
#	another text with the same meaning, /srv/dat[a], both are there.
# Version: apparmor 3.0.8-3 (Debian 12), 4.1.0-1 (Debian 13) and 5.0.2-5 (sid).
# Why it matters: a launcher that reads, or executes, a program and may enter its profile is
#	refused the first, and the profile says in so many words that it is allowed.
set -eu
. "$(dirname "$0")/packages"

profile() { # NAME TARGET
	printf 'profile demo {\n  /srv/data r,\n  %s\n}\n' "${2:+change_profile -> $2,}" >"$dir/$1"
}
profile alone ""
profile both /srv/data
profile other '/srv/dat[a]'
for row in "bookworm 3.0.8-3" "trixie 4.1.0-1" "sid 5.0.2-5"; do
	set -- $row
	fetch "$1" "apparmor=$2"
	: >"$dir/said"
	for name in alone both other; do # bit 4 is r, and what has no such bit is no rule of a file's
		own "$1" "$(file "$1" apparmor_parser)" -Q -T -K -b "$dir/$1/etc/apparmor.d" \
			-D rule-exprs "$dir/$name" >"$dir/exprs" 2>&1 || missing "apparmor_parser: $(tail -n 1 "$dir/exprs")"
		if grep -q 'rule: /srv/data .*0x[0-9a-f]*4/' "$dir/exprs"; then echo reads; else echo "does not"; fi >>"$dir/said"
	done
	seen "apparmor $2: /srv/data r alone, with change_profile -> /srv/data, with -> /srv/dat[a]" \
		"$(paste -s -d , "$dir/said")" "reads,does not,reads"
done
exit $status
