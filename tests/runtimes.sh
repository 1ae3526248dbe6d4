#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fetches the container runtimes that pale's predictions are measured with, each with its own
# libraries, as ordinary programs into a folder:
#
#	runtimes.sh DIR         DIR/NAME/bin/{runc,crun}, DIR/NAME/lib/libseccomp.so.2 and
#	                        DIR/NAME/name, as --runtime takes it; or DIR/NAME/skipped, the reason
#
# From the Debian archive that this machine's apt knows, with an apt state of its own: nothing on
# the machine changes, no right is needed. What is there already is left alone.
set -eu

# The rows of compiler/oci/runtimes.def: package, version, where to look for it. Of a stable suite
# the package's own version is written; the others move on, and what they hold is looked up.
rows='
runc-1.1.5	runc	1.1.5+ds1-1+deb12u1	bookworm
runc-1.1.15	runc	1.1.15+ds1-2+b4	trixie
runc-1.3.6	runc	1.3.6+	sid
runc-1.4.3	runc	1.4.3+	sid
crun-1.8.1	crun	1.8.1-1+deb12u1	bookworm
crun-1.21	crun	1.21-1	trixie
crun-1.28	crun	1.28-	sid
'
dir=${1:?usage: runtimes.sh DIR}
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
rm -rf "$dir/apt"

here=$(dirname "$0")
. "$here/archive.sh"

skip() { # NAME REASON
	mkdir -p "$dir/$1"
	echo "$2" >"$dir/$1/skipped"
	echo "deps-runtimes: $1: $2"
}

suites() { # SUITE: what moves on is in any of three
	if [ "$1" = sid ]; then suite sid forky experimental; else suite "$1"; fi
}

# A program of another release runs with that release's loader and libraries.
unpack() { # NAME PACKAGE VERSION SUITE
	to=$dir/$1.part
	rm -rf "$to"
	mkdir -p "$to/root" "$to/bin" "$to/lib" "$dir/apt/$4/$1/partial"
	apt "$4" -o Dir::Cache::archives="$dir/apt/$4/$1" -y --no-install-recommends --download-only \
		install "$2=$3" >"$to/log" 2>&1 || return 1
	for p in "$dir/apt/$4/$1"/*.deb; do
		dpkg -x "$p" "$to/root"
	done
	seccomp=$(dpkg-deb -f "$dir/apt/$4/$1"/libseccomp2_*.deb Version)
	rm -rf "$dir/apt/$4/$1"
	lib=$(dirname "$(find "$to/root" -name 'libseccomp.so.2' | head -n 1)")
	mv "$(find "$to/root" -path "*/bin/$2" -o -path "*/sbin/$2" | head -n 1)" "$to/bin/$2"
	mkdir "$to/libs"
	for l in "$to/root"/lib/*-linux-gnu*/*.so* "$to/root"/usr/lib/*-linux-gnu*/*.so*; do
		[ ! -f "$l" ] || cp -L "$l" "$to/libs/"
	done
	cp -L "$lib/libseccomp.so.2" "$to/lib/"
	rm -rf "$to/root"
	loader=$(find "$to/libs" -name 'ld-linux*.so*' -o -name 'ld64.so*' | head -n 1)
	"$patchelf" --set-interpreter "$dir/$1/libs/${loader##*/}" --force-rpath \
		--set-rpath "$dir/$1/libs" "$to/bin/$2"
	echo "$1+libseccomp-$seccomp" >"$to/name"
	rm -rf "${dir:?}/$1"
	mv "$to" "$dir/$1"
}

missing=
for name in $(echo "$rows" | cut -f 1); do
	[ -e "$dir/$name/name" ] || missing=1
done
[ "$missing" ] || exit 0
# Debian 12's patchelf, wherever this runs: 0.18 of Debian 13 leaves the program headers of a
# non-PIE such as runc 1.1.5 outside of what is loaded, and the loader dies of it.
patchelf=$dir/apt/patchelf/usr/bin/patchelf
if [ ! -x "$patchelf" ] && [ -n "$mirror" ] && suites bookworm; then
	rm -rf "$dir/apt/get" && mkdir -p "$dir/apt/get"
	(cd "$dir/apt/get" && apt bookworm download patchelf >log 2>&1 &&
		dpkg -x patchelf_*.deb "$dir/apt/patchelf") || :
fi
[ -x "$patchelf" ] || patchelf=$(command -v patchelf || :)
echo "$rows" | while IFS='	' read -r name package want from; do
	[ -n "$name" ] || continue
	[ ! -e "$dir/$name/name" ] || continue
	if [ -z "$mirror" ]; then
		skip "$name" "could not be had: this machine's apt knows no Debian archive"
	elif [ ! -x "$patchelf" ]; then
		skip "$name" "could not be had: there is no patchelf"
	elif ! suites "$from"; then
		skip "$name" "could not be had: the archive has no lists of $from ($dir/apt/$from/log)"
	else
		got=$(version "$from" "$package" "$want")
		if [ -z "$got" ]; then
			skip "$name" "could not be had: the archive holds no $package $want in $from"
		elif ! unpack "$name" "$package" "$got" "$from"; then
			skip "$name" "could not be had: $package $got does not download ($dir/$name.part/log)"
		else
			echo "deps-runtimes: $(cat "$dir/$name/name")"
		fi
	fi
done
for name in $(echo "$rows" | cut -f 1); do
	[ -e "$dir/$name/name" ] || exit 0 # the logs stay
done
rm -rf "$dir/apt"
