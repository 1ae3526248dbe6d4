# SPDX-License-Identifier: Apache-2.0
# Sourced by what fetches from other Debian suites: the archive that this machine's apt knows, with
# an apt state of its own below $dir/apt. Nothing on the machine changes, no right is needed.
# shellcheck shell=sh
# shellcheck disable=SC2154 # dir: the caller's

# shellcheck disable=SC2016,SC2034 # apt's own word; used by the caller
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
	grep -m 1 'debian/$' || :)

apt() { # SUITE ARGUMENTS: apt-get or apt-cache (in $tool) with that suite alone
	state=$dir/apt/$1
	shift
	"${tool:-apt-get}" -q -q -o Dir::Etc::SourceList="$state/list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
		-o Dir::State="$state" -o Dir::State::status="$state/status" -o Dir::Cache="$state" \
		-o Acquire::Check-Valid-Until=false -o Acquire::Languages=none -o Acquire::Retries=1 \
		-o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 \
		-o APT::Sandbox::User="$(id -un)" "$@"
}

suite() { # SUITE [MORE SUITES]: their lists, under the first's name; 1: not to be had
	state=$dir/apt/$1
	[ ! -e "$state/done" ] || return 0
	[ ! -e "$state/log" ] || return 1 # tried
	mkdir -p "$state/lists/partial" "$state/archives/partial"
	: >"$state/status"
	for s; do
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $s main"
	done >"$state/list"
	# Without the word a list that was not to be had is a warning, and the archive then "holds nothing".
	apt "$1" update -o APT::Update::Error-Mode=any >"$state/log" 2>&1 && : >"$state/done"
}

version() { # SUITE PACKAGE [START]: the newest version there that begins so
	tool=apt-cache apt "$1" madison "$2" |
		awk -F ' *[|] *' -v want="${3:-}" 'index($2, want) == 1 { print $2; exit }'
}
