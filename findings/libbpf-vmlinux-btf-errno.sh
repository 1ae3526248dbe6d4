#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# libbpf 1.1.2 in a process that has no descriptor left: btf__load_vmlinux_btf() says that there is
# no such thing, where the file is there and open(2) said why it could not be opened.
#
# Expected: NULL and errno as the error's code (bpf/libbpf_legacy.h, LIBBPF_STRICT_CLEAN_PTRS). Here
#	that is EMFILE (24), as open(2) and as btf__parse() of the very same file answer.
# Really: errno is ESRCH (3), the answer for a kernel that has no BTF at all.
# Version: libbpf1 1:1.1.2-0+deb12u1 (Debian 12). 1:1.5.0-3 (Debian 13) answers 24.
# Why it matters: "this kernel was built without BTF" is what programs print for it, and people
#	build kernels; the way out was a higher limit. An error that passes reads as one that stays.
set -eu
. "$(dirname "$0")/packages"
command -v cc >/dev/null || missing "needs a C compiler"
[ -r /sys/kernel/btf/vmlinux ] || missing "needs a kernel with /sys/kernel/btf/vmlinux"

cat >"$dir/load.c" <<'C'
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	void *lib = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
	void *(*load)(void) = lib ? (void *(*)(void))dlsym(lib, "btf__load_vmlinux_btf") : NULL;
	void *(*parse)(const char *, void **) =
		lib ? (void *(*)(const char *, void **))dlsym(lib, "btf__parse") : NULL;
	struct rlimit few = { 16, 16 };
	int with_room;

	if (!load || !parse)
		return 2;
	with_room = load() != NULL;
	if (setrlimit(RLIMIT_NOFILE, &few))
		return 2;
	while (dup(0) >= 0)
		;
	open("/sys/kernel/btf/vmlinux", O_RDONLY);
	printf("%d %d", with_room, errno);
	errno = 0;
	parse("/sys/kernel/btf/vmlinux", NULL);
	printf(" %d", errno);
	errno = 0;
	load();
	printf(" %d\n", errno);
	return 0;
}
C
cc -o "$dir/load" "$dir/load.c" -ldl
for row in "bookworm 1:1.1.2-0+deb12u1 3" "trixie 1:1.5.0-3 24"; do
	set -- $row
	fetch "$1" "libbpf1=$2"
	seen "libbpf1 $2: loads with room, then errno of open, btf__parse, btf__load_vmlinux_btf" \
		"$(own "$1" "$dir/load" libbpf.so.1 2>"$dir/err" </dev/null)" "1 24 24 $3"
done
exit $status
