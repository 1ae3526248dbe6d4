#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# containers/common's ValidateProfile() against actions and a machine of the runtime specification:
# what its own LoadProfile() takes and the runtimes load, it calls invalid.
#
# Expected: ValidateProfile() says nothing against a profile whose words are those of the
#	specification (runtime-spec 1.0.2 and 1.1, config-linux.md, seccomp): SCMP_ACT_KILL_PROCESS,
#	SCMP_ACT_KILL_THREAD, SCMP_ACT_NOTIFY, SCMP_ARCH_RISCV64.
# Really: it answers with an error for each of the four: "not valid internal action", "invalid
#	action", "architecture ... is not valid". The package has constants of these actions, and its
#	LoadProfile() hands them on, which is how podman starts containers.
# Version: golang-github-containers-common-dev 0.50.1+ds1-4 (Debian 12), 0.62.2+ds1-2 (Debian 13).
# Why it matters: it is there for programs that check a profile before they hand it out to machines.
#	Of the two ways to kill, the one that leaves no half a process behind does not pass.
set -eu
. "$(dirname "$0")/packages"
command -v cc >/dev/null || missing "needs a C compiler"
[ "$(uname -m)" = x86_64 ] || missing "written for x86_64"

mkdir "$dir/ask"
cat >"$dir/ask/main.go" <<'G'
package main

import (
	"fmt"

	"github.com/containers/common/pkg/seccomp"
)

func word(err error) string {
	if err != nil {
		return "no"
	}
	return "yes"
}

func main() {
	for _, action := range []string{"KILL", "KILL_THREAD", "KILL_PROCESS", "NOTIFY"} {
		profile := `{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
			{"names": ["vhangup"], "action": "SCMP_ACT_` + action + `"}]}`
		_, err := seccomp.LoadProfile(profile, nil)
		fmt.Printf("%s:%s,%s ", action, word(err), word(seccomp.ValidateProfile(profile)))
	}
	for _, arch := range []string{"AARCH64", "RISCV64"} {
		profile := `{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_` + arch + `"],
			"syscalls": [{"names": ["vhangup"], "action": "SCMP_ACT_ERRNO"}]}`
		_, err := seccomp.LoadProfile(profile, nil)
		fmt.Printf("%s:%s,%s ", arch, word(err), word(seccomp.ValidateProfile(profile)))
	}
}
G
machines="AARCH64:yes,yes RISCV64:yes,no "
for row in "bookworm 0.50.1+ds1-4" "trixie 0.62.2+ds1-2"; do
	set -- $row
	fetch "$1" golang-go libseccomp-dev "golang-github-containers-common-dev=$2"
	root=$dir/$1
	# The machine's own C library and compiler; the suite's Go, its packages and its libseccomp.
	mkdir "$root/headers"
	cp "$root"/usr/include/seccomp*.h "$root/headers/"
	lib=$(find "$root/usr/lib" -name 'libseccomp.so.2.*')
	(
		cd "$dir/ask"
		go=$(find "$root/usr/lib" -path '*/go-1.*/bin/go' ! -type d | head -n 1)
		GOROOT=${go%/bin/go} GOPATH=$root/usr/share/gocode GO111MODULE=off GOFLAGS='' \
			GOTOOLCHAIN=local GOCACHE=$dir/built CGO_CFLAGS=-I$root/headers \
			CGO_LDFLAGS="$lib -Wl,--unresolved-symbols=ignore-in-shared-libs" \
			PKG_CONFIG_PATH=$(dirname "$(find "$root/usr/lib" -name libseccomp.pc)") \
			"$go" build -tags seccomp -o "$root/ask" main.go
	) >"$dir/log" 2>&1 || missing "$(tail -n 3 "$dir/log")"
	seen "containers/common $2: LoadProfile, ValidateProfile" "$(own "$1" "$root/ask")" \
		"KILL:yes,yes KILL_THREAD:yes,no KILL_PROCESS:yes,no NOTIFY:yes,no $machines"
done
exit $status
