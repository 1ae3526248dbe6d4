#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the packages given as arguments that are not there yet; says what to do without root.
set -eu
missing=
for p; do
	dpkg-query -W -f '${Status}\n' "$p" 2>/dev/null | grep -q '^install ok installed$' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
	echo "deps: missing:$missing" >&2
	echo "deps: not root; run as root: apt-get install --no-install-recommends$missing" >&2
	exit 1
fi
echo "deps: installing$missing"
export DEBIAN_FRONTEND=noninteractive
try=0
until apt-get -q -o DPkg::Lock::Timeout=120 update; do
	try=$((try + 1))
	[ "$try" -lt 4 ] || exit 1
	sleep 5
done
# No service is to start by itself: the tests and the demo start what they need.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
	trap 'rm -f "$policy"' EXIT
fi
# A later Debian may lack a machine's headers; what needs them skips and says so.
there=
for p in $missing; do
	if apt-cache show "$p" >/dev/null 2>&1; then there="$there $p"; else echo "deps: $p is not in this Debian"; fi
done
[ -n "$there" ] || exit 0
missing=$there
# shellcheck disable=SC2086 # a list of words is meant
apt-get install -y -q -o DPkg::Lock::Timeout=120 --no-install-recommends $missing
