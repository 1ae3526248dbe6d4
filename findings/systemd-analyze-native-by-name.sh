#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# systemd-analyze security against a unit that names the machine's own architecture: it counts one
# as several.
#
# Expected: SystemCallArchitectures=x86-64 on an x86_64 machine is what
#	SystemCallArchitectures=native is, for "native" stands for that architecture
#	(systemd.exec(5)), and is judged alike.
# Really: native is "only with native ABI" and good. x86-64, and "native x86-64" too, are "with
#	multiple ABIs" and raise the exposure, as "native x86" rightly does.
# Version: systemd 252.39-1~deb12u2 (Debian 12); 257.13 (Debian 13) and 262.1 (sid) just so.
# Why it matters: a unit that says the stricter thing in words is marked worse than its neighbour,
#	and its author looks for the second ABI.
set -eu
. "$(dirname "$0")/packages"
[ "$(uname -m)" = x86_64 ] || missing "says something on x86_64 alone"

fetch bookworm systemd=252.39-1~deb12u2
analyze=$(file bookworm systemd-analyze)
words=
for list in native x86-64 'native x86-64' 'native x86'; do
	printf '[Service]\nExecStart=/bin/true\nSystemCallArchitectures=%s\n' "$list" \
		>"$dir/demo.service"
	own bookworm "$analyze" security --offline=true --no-pager "$dir/demo.service" \
		>"$dir/table" 2>"$dir/err" || [ -s "$dir/table" ] || missing "$(cat "$dir/err")"
	words="$words$(sed -n 's/.*CallArchitectures= .* with \([a-z]*\).*/\1/p' "$dir/table") "
done
seen "systemd 252.39-1~deb12u2: ABIs of native, x86-64, native x86-64, native x86" "$words" \
	"native multiple multiple multiple "
exit $status
