#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# libseccomp with x86 beside x86_64: of the same two rules on socket(2), one order is taken and the
# other refused as "exists already".
#
# Expected: seccomp_rule_add(3) knows -EEXIST for a rule that is there already. These two differ in
#	their conditions and in their errors: family 17 (AF_PACKET) alone, and family 16
#	(AF_NETLINK) with protocol 9. Both are taken in both orders, as they are for x86_64 alone.
# Really: with SCMP_ARCH_X86 added, the one with two conditions first makes the other EEXIST (-17),
#	and the other way round both are taken. The library writes them for x86's socketcall(2) as
#	well, where the family is in memory, so that only the protocol's condition is left there.
# Version: libseccomp2 2.5.4-1+deb12u1 (Debian 12), 2.6.0-2 (Debian 13), and 2.6.1 (sid) just so.
# Why it matters: a profile whose entries a tool sorts or regroups stops loading, with an error that
#	names a rule that stands in it once.
set -eu
. "$(dirname "$0")/packages"
command -v cc >/dev/null || missing "needs a C compiler"
[ "$(uname -m)" = x86_64 ] || missing "says something on x86_64 alone"

cat >"$dir/order.c" <<'C'
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>

struct compare { /* scmp_arg_cmp: argument, operation (4: EQ), value */
	unsigned arg;
	int op;
	uint64_t value, unused;
};

int main(int argc, char **argv)
{
	static const struct compare packet[] = { { 0, 4, 17, 0 } };
	static const struct compare netlink[] = { { 0, 4, 16, 0 }, { 2, 4, 9, 0 } };
	void *lib = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
	void *(*init)(uint32_t) = lib ? (void *(*)(uint32_t))dlsym(lib, "seccomp_init") : NULL;
	int (*arch)(void *, uint32_t) =
		lib ? (int (*)(void *, uint32_t))dlsym(lib, "seccomp_arch_add") : NULL;
	int (*add)(void *, uint32_t, int, unsigned, const void *) =
		lib ? (int (*)(void *, uint32_t, int, unsigned, const void *))
				dlsym(lib, "seccomp_rule_add_array") : NULL;

	if (!init || !arch || !add)
		return 2;
	for (int i = 0; i < 4; i++) { /* x86_64 alone in both orders, then with x86 */
		void *filter = init(0x7fff0000);

		if (i > 1 && arch(filter, 0x40000003))
			return 2;
		for (int k = 0; k < 2; k++)
			printf("%d ", (k ^ i) & 1 ? add(filter, 0x50001, 41, 1, packet) :
						    add(filter, 0x50061, 41, 2, netlink));
	}
	puts("");
	return 0;
}
C
cc -o "$dir/order" "$dir/order.c" -ldl
for row in "bookworm 2.5.4-1+deb12u1" "trixie 2.6.0-2"; do
	set -- $row
	fetch "$1" "libseccomp2=$2"
	seen "libseccomp2 $2: answers for x86_64 in both orders, and with x86 in both" \
		"$(own "$1" "$dir/order" libseccomp.so.2)" "0 0 0 0 0 -17 0 0 "
done
exit $status
