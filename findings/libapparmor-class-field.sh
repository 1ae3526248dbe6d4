#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# libapparmor against the denials that kernels since 6.12 write, with class="..." in every record.
#
# Expected: parse_record() reads such a record as AA_RECORD_DENIED (4), with or without the class.
# Really: with the class it answers AA_RECORD_INVALID (0), and all of the record is lost.
# Version: libapparmor1 3.0.8-3 (Debian 12). 4.1.0-1 (Debian 13) answers 4 for both.
# Why it matters: aa-logprof, aa-notify and the like stand on it. Under a newer kernel the tools of
#	a Debian 12 see no denial at all and say nothing, so that a profile looks finished that is not.
set -eu
. "$(dirname "$0")/packages"
command -v cc >/dev/null || missing "needs a C compiler"

cat >"$dir/read.c" <<'C'
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	static const char *const fields[] = { "", "class=\"file\" " };
	void *lib = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
	int *(*parse)(char *) = lib ? (int *(*)(char *))dlsym(lib, "parse_record") : NULL;

	if (!parse)
		return 2;
	for (int i = 0; i < 2; i++) {
		char line[512];
		snprintf(line, sizeof(line), "type=AVC msg=audit(1700000000.123:45): apparmor=\"DENIED\" "
			 "operation=\"open\" %sprofile=\"demo\" name=\"/etc/hosts\" pid=77 comm=\"cat\" "
			 "requested_mask=\"r\" denied_mask=\"r\" fsuid=0 ouid=0", fields[i]);
		printf("%s%d", i ? " " : "", parse(line)[1]); /* aa_log_record.event */
	}
	puts("");
	return 0;
}
C
cc -o "$dir/read" "$dir/read.c" -ldl
for row in "bookworm 3.0.8-3 4 0" "trixie 4.1.0-1 4 4"; do
	set -- $row
	fetch "$1" "libapparmor1=$2"
	seen "libapparmor1 $2: event without class= and with it" \
		"$(own "$1" "$dir/read" libapparmor.so.1)" "$3 $4"
done
exit $status
