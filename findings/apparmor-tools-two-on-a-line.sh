#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# AppArmor's Python tools against profiles that the parser of the same version compiles: they read
# the language by lines, and stop.
#
# Expected: what apparmor_parser accepts is a profile. By the grammar of apparmor.d(5) a rule ends
#	at its comma and a block at its brace, a block may have qualifiers ("audit {"), and in 4.1 a
#	rule may have "priority=".
# Really: two rules on a line, a profile on one line, an audit block, and in 4.1.0 a rule with
#	priority= raise AppArmorException "Unknown line found" in apparmor.aa.
# Version: apparmor and python3-apparmor 3.0.8-3 (Debian 12) and 4.1.0-1 (Debian 13).
# Why it matters: aa-logprof, aa-genprof and the others read all of /etc/apparmor.d first. One such
#	file, which loads and confines, and none of them does anything for any profile.
set -eu
. "$(dirname "$0")/packages"

mkdir "$dir/profiles"
cd "$dir/profiles"
printf 'profile demo /usr/bin/demo {\n  /a r,\n  /b r,\n}\n' >1-plain
printf 'profile demo /usr/bin/demo {\n  /a r, /b r,\n}\n' >2-two-rules
printf 'profile demo /usr/bin/demo { /a r, }\n' >3-one-line
printf 'profile demo /usr/bin/demo {\n  audit {\n    /a r,\n  }\n}\n' >4-audit-block
printf 'profile demo /usr/bin/demo {\n  priority=1 /a r,\n}\n' >5-priority
cd - >/dev/null
cat >"$dir/read.py" <<'P'
import sys
from apparmor import aa
from apparmor.common import AppArmorException
from apparmor.profile_list import ProfileList

aa.init_aa(confdir=sys.argv[1], profiledir=sys.argv[2])
for path in sys.argv[3:]:
    aa.active_profiles = ProfileList()
    try:
        aa.read_profile(path, True)
        print('read', end=' ')
    except AppArmorException as error:
        print('refused' if 'Unknown line' in str(error) else error, end=' ')
P
for row in "bookworm 3.0.8-3 no" "trixie 4.1.0-1 yes"; do
	set -- $row
	fetch "$1" "apparmor=$2" "python3-apparmor=$2"
	parser=$(file "$1" apparmor_parser)
	for profile in "$dir"/profiles/*; do
		own "$1" "$parser" -Q -K -S -b "$dir/$1/etc/apparmor.d" "$profile" \
			>"$dir/policy" 2>"$dir/err" && echo yes || echo no
	done >"$dir/compiled"
	modules=$dir/$1/usr/lib/python3/dist-packages
	printf '[settings]\nparser = %s\n[required_hats]\n' "$parser" >"$dir/logprof.conf"
	read=$(PYTHONHOME=$dir/$1/usr PYTHONPATH=$modules own "$1" "$(file "$1" 'python3.1?')" \
		"$dir/read.py" "$dir" "$dir/profiles" "$dir"/profiles/* 2>"$dir/err")
	seen "apparmor $2: plain, two rules, one line, block, priority: compiled, and read by the tools" \
		"$(paste -s -d ' ' "$dir/compiled"), $read" \
		"yes yes yes yes $3, read refused refused refused refused "
done
exit $status
