#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One OCI bundle, two answers: what a call gets whose number is above all that the profile names.
#
# Expected: the profile's default, here ERRNO with defaultErrnoRet 13, for each call without an
#	entry (runtime-spec, config-linux.md, seccomp: defaultAction and defaultErrnoRet), with each
#	runtime.
# Really: under crun the call fails with 13, EACCES. Under runc it fails with 38, ENOSYS: runc puts
#	a filter of its own before the profile's, which answers so for all numbers above the highest
#	that the profile names. A call below that, vhangup, gets 13 under both.
# Version: runc 1.1.5+ds1-1+deb12u1 and crun 1.8.1-1+deb12u1 (Debian 12).
# Why it matters: a C library falls back on ENOSYS and gives up on EACCES. With a
#	C library newer than the profile the same bundle can run under one and fail under the other.
set -eu
. "$(dirname "$0")/packages"
command -v cc >/dev/null || missing "needs a C compiler"
[ "$(id -u)" = 0 ] || missing "needs root, for containers"
[ "$(uname -m)" = x86_64 ] || missing "written for x86_64"

mkdir -p "$dir/bundle/rootfs/proc"
cat >"$dir/call.c" <<'C'
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	int known = syscall(SYS_vhangup) ? errno : 0;

	printf("%d %d\n", known, syscall(600) ? errno : 0); /* no Linux has a call 600 */
	return 0;
}
C
cc -static -o "$dir/bundle/rootfs/call" "$dir/call.c"
cat >"$dir/bundle/config.json" <<'J'
{
  "ociVersion": "1.0.2",
  "process": {
    "user": { "uid": 0, "gid": 0 }, "args": ["/call"], "cwd": "/", "noNewPrivileges": true,
    "capabilities": { "bounding": [], "effective": [], "permitted": [] }
  },
  "root": { "path": "rootfs", "readonly": true },
  "mounts": [{ "destination": "/proc", "type": "proc", "source": "proc" }],
  "linux": {
    "namespaces": [{ "type": "pid" }, { "type": "mount" }, { "type": "ipc" }, { "type": "uts" }],
    "seccomp": {
      "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 13,
      "architectures": ["SCMP_ARCH_X86_64"],
      "syscalls": [{
        "names": [
          "arch_prctl", "brk", "close", "epoll_ctl", "execve", "exit_group",
          "fcntl", "fstat", "fstatfs", "futex", "getdents64", "getpid",
          "getrandom", "mprotect", "newfstatat", "openat", "prlimit64",
          "readlink", "readlinkat", "rseq", "set_robust_list",
          "set_tid_address", "write"
        ],
        "action": "SCMP_ACT_ALLOW"
      }]
    }
  }
}
J
fetch bookworm runc=1.1.5+ds1-1+deb12u1 crun=1.8.1-1+deb12u1
# In a mount namespace of its own: crun wants one kind of cgroups. With the machine's own loader, as
# both execute themselves again; the libraries are the packages'.
cat >"$dir/both" <<'S'
mount -t cgroup2 none /sys/fs/cgroup
cd "$1/bundle"
LD_LIBRARY_PATH=$4 "$2" --root "$1/state" run "demo-$$-runc" </dev/null
LD_LIBRARY_PATH=$4 "$3" --root "$1/state" --cgroup-manager=disabled run "demo-$$-crun" </dev/null
S
mkdir "$dir/only"
for l in libseccomp.so.2 libyajl.so.2 libsystemd.so.0 libcap.so.2; do
	cp -L "$(dirname "$(file bookworm $l)")/$l" "$dir/only/"
done
seen "runc 1.1.5 and crun 1.8.1: errno of vhangup and of call 600" \
	"$(unshare -m sh "$dir/both" "$dir" "$(file bookworm runc)" "$(file bookworm crun)" \
		"$dir/only" 2>&1 | paste -s -d ' ')" "13 38 13 13"
exit $status
