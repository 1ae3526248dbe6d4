#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fetches container engines of other releases, with all the programs that they start, as ordinary
# programs into a folder:
#
#	engines.sh DIR NAME...		DIR/NAME/bin, DIR/NAME/name; or DIR/NAME/skipped, the reason
#
# As runtimes.sh does; what is there already is left alone.
set -eu

# Package and suite; the versions move on, and what they are is looked up.
rows='
docker-26	docker.io	trixie
docker-28	docker.io	sid
podman-5	podman	sid
compose-2	docker-compose	sid
'
dir=${1:?usage: engines.sh DIR NAME...}
shift
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
. "$(dirname "$0")/../archive.sh"
programs='dockerd docker-proxy containerd containerd-shim-runc-v2 ctr runc crun podman conmon netavark docker-compose'

skip() { # NAME REASON
	mkdir -p "$dir/$1"
	echo "could not be had: $2" >"$dir/$1/skipped"
}

unpack() { # NAME PACKAGE SUITE
	to=$dir/$1.part
	debs=$dir/apt/$3/$1
	rm -rf "$to"
	mkdir -p "$to/root" "$to/bin" "$to/libs" "$debs/partial"
	apt "$3" -o Dir::Cache::archives="$debs" -y --no-install-recommends --download-only install "$2" runc crun conmon netavark \
		>"$to/log" 2>&1 || return 1
	for p in "$debs"/lib*.deb "$debs"/docker.io*.deb "$debs"/docker-compose_*.deb "$debs"/containerd_*.deb "$debs"/runc*.deb "$debs"/crun*.deb \
		"$debs"/podman*.deb "$debs"/conmon*.deb "$debs"/netavark*.deb "$debs"/zlib1g*.deb; do
		[ ! -e "$p" ] || dpkg -x "$p" "$to/root"
	done
	dpkg-deb -f "$debs/$2"_*.deb Version >"$to/name"
	rm -rf "$debs"
	for l in "$to/root"/lib/*-linux-gnu*/*.so* "$to/root"/usr/lib/*-linux-gnu*/*.so*; do
		[ ! -f "$l" ] || cp -L "$l" "$to/libs/"
	done
	loader=$(find "$to/libs" -name 'ld-linux*.so*' -o -name 'ld64.so*' | head -n 1)
	for p in $programs; do
		at=$(find "$to/root/usr" -type f \( -path "*bin/$p" -o -path "*/podman/$p" -o -path "*/cli-plugins/$p" \) | head -n 1)
		[ -n "$at" ] || continue
		mv "$at" "$to/bin/$p"
		! readelf -l "$to/bin/$p" | grep -q 'program interpreter' ||
			"$patchelf" --set-interpreter "$dir/$1/libs/${loader##*/}" --force-rpath --set-rpath "$dir/$1/libs" "$to/bin/$p"
	done
	rm -rf "$to/root" "${dir:?}/$1"
	mv "$to" "$dir/$1"
}

patchelf=$(command -v patchelf || :)
if [ -z "$patchelf" ] && [ -n "$mirror" ] && suite bookworm; then
	mkdir -p "$dir/apt/get"
	(cd "$dir/apt/get" && apt bookworm download patchelf >log 2>&1 && dpkg -x patchelf_*.deb "$dir/apt/patchelf") || :
	patchelf=$dir/apt/patchelf/usr/bin/patchelf
fi
for name; do
	row=$(echo "$rows" | awk -F '\t' -v n="$name" '$1 == n')
	[ -n "$row" ] || { echo "engines: there is no $name" >&2; exit 2; }
	[ ! -e "$dir/$name/name" ] || continue
	from=$(echo "$row" | cut -f 3)
	if [ -z "$mirror" ]; then
		skip "$name" "this machine's apt knows no Debian archive"
	elif [ ! -x "$patchelf" ]; then
		skip "$name" "there is no patchelf"
	elif ! suite "$from"; then
		skip "$name" "the archive has no lists of $from ($dir/apt/$from/log)"
	elif ! unpack "$name" "$(echo "$row" | cut -f 2)" "$from"; then
		skip "$name" "it does not download ($dir/$name.part/log)"
	fi
done
