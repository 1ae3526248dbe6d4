#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fetches what a guest is made of into a folder: a Debian kernel and an apparmor_parser with the
# libraries that it was linked with. Nothing is installed.
#
#	fetch.sh [--newest] DIR NAME...     DIR/NAME/vmlinuz where its row has a kernel, DIR/NAME/parser/
#	                                    (a root), and DIR/NAME/name, what they are; or
#	                                    DIR/NAME/skipped, the reason
#
# What is there is left alone; with --newest it is fetched again if the archive holds another one.
set -eu

# Name, the suite of the kernel (-: none, for who asks the parser alone), the suite of the parser.
# What these hold is looked up.
rows='
debian11	bullseye	bookworm
debian12	bookworm	bookworm
debian13	trixie	trixie
backports	trixie-backports	sid
forky	-	forky
sid	sid	sid
'
meta=linux-image-cloud-amd64
# The parser's own library, and what those of newer suites are linked with.
libraries='libc6 libgcc-s1 libstdc++6 libapparmor1 libzstd1'

newest=
[ "${1:-}" != --newest ] || { newest=1 && shift; }
dir=${1:?usage: fetch.sh [--newest] DIR NAME...}
shift
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$dir/apt"
. "$here/../archive.sh"

needs() { # SUITE PACKAGE START: the first dependency that begins so
	tool=apt-cache apt "$1" depends "$2" | awk -v want="$3" '$1 == "Depends:" && index($2, want) == 1 { print $2; exit }'
}

get() { # SUITE TO PACKAGE: unpacked below TO
	rm -rf "$dir/apt/get"
	mkdir -p "$dir/apt/get" "$2"
	(cd "$dir/apt/get" && apt "$1" download "$3" >>"$dir/apt/log" 2>&1 && dpkg -x ./*.deb "$2")
}

# Since Linux 7 a package of that name holds no kernel, and the one that it needs does.
kernel() { # SUITE IMAGE TO
	for package in "$2" "$(needs "$1" "$2" linux-binary-)"; do
		[ -n "$package" ] && get "$1" "$3.kernel" "$package" || return 1
		found=$(find "$3.kernel/boot" "$3.kernel/usr/lib/modules" "$3.kernel/lib/modules" \
			-name 'vmlinuz*' 2>/dev/null | head -n 1)
		if [ -n "$found" ]; then
			mv "$found" "$3/vmlinuz"
			rm -rf "$3.kernel"
			return 0
		fi
	done
	return 1
}

parser() { # SUITE TO
	get "$1" "$2" apparmor || return 1
	for library in $libraries; do
		get "$1" "$2" "$library" || return 1
	done
	rm -rf "$2/usr/share/doc" "$2/usr/share/locale" "$2/usr/share/man" "$2"/usr/lib/*/gconv
}

skip() { # NAME REASON
	rm -rf "${dir:?}/$1.part" "$dir/$1.part.kernel"
	mkdir -p "$dir/apt" && : >"$dir/apt/failed"
	if [ -e "$dir/$1/name" ]; then
		echo "guest: $1: could not be renewed, $2: $(cat "$dir/$1/name") stays"
	else
		mkdir -p "$dir/$1"
		echo "$2" >"$dir/$1/skipped"
		echo "guest: $1: could not be had, $2"
	fi
}

fetch() { # NAME KERNEL-SUITE PARSER-SUITE
	[ -n "$mirror" ] || { skip "$1" "this machine's apt knows no Debian archive" && return; }
	for s in "$2" "$3"; do
		[ "$s" = - ] || suite "$s" || { skip "$1" "the archive has no lists of $s ($dir/apt/$s/log)" && return; }
	done
	image='' name="apparmor $(version "$3" apparmor)"
	if [ "$2" != - ]; then
		image=$(needs "$2" "$meta" linux-image-)
		[ -n "$image" ] || { skip "$1" "the archive holds no $meta in $2" && return; }
		name="$image $(version "$2" "$image"), $name"
	fi
	[ "$(cat "$dir/$1/name" 2>/dev/null)" != "$name" ] || return 0
	to=$dir/$1.part
	rm -rf "$to"
	mkdir -p "$to"
	[ -z "$image" ] || kernel "$2" "$image" "$to" ||
		{ skip "$1" "$image of $2 does not download ($dir/apt/log)" && return; }
	parser "$3" "$to/parser" || { skip "$1" "apparmor of $3 does not download ($dir/apt/log)" && return; }
	echo "$name" >"$to/name"
	rm -rf "${dir:?}/$1"
	mv "$to" "$dir/$1"
	echo "guest: $1: $name"
}

for name; do
	row=$(echo "$rows" | grep "^$name	") || { echo "fetch.sh: no row '$name'" >&2 && exit 2; }
	[ -z "$newest" ] && [ -e "$dir/$name/name" ] && continue
	# shellcheck disable=SC2086 # three words
	fetch $row
done
[ -e "$dir/apt/failed" ] || rm -rf "$dir/apt" # with the logs that were named
