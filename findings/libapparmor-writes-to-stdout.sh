#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# libapparmor against a denial as the journal's short-iso form prints it: the record is not read,
# and the library writes a character of it to the standard output of the program that asked.
#
# Expected: parse_record() reads a kernel's record behind a time of ISO 8601 as AA_RECORD_DENIED
#	(4), and a library that parses writes nothing. ISO 8601 has the offset as +00:00 and as
#	+0000; journalctl -o short-iso of systemd 252 prints the second.
# Really: with +00:00 it answers 4. With +0000 it answers AA_RECORD_INVALID (0) and a '+' appears on
#	standard output.
# Version: libapparmor1 3.0.8-3 (Debian 12), 4.1.0-1 (Debian 13), and 5.0.2 (sid) just so.
# Why it matters: in one and the same Debian 12 the one program's lines are not the other's, and a
#	program whose standard output is data (JSON, a profile) gets plus signs into it.
set -eu
. "$(dirname "$0")/packages"
command -v cc >/dev/null || missing "needs a C compiler"

cat >"$dir/read.c" <<'C'
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	static const char *const offsets[] = { "+00:00", "+0000" };
	void *lib = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
	int *(*parse)(char *) = lib ? (int *(*)(char *))dlsym(lib, "parse_record") : NULL;

	if (!parse)
		return 2;
	for (int i = 0; i < 2; i++) {
		char line[512];
		snprintf(line, sizeof(line), "2023-11-14T22:13:20%s host kernel: audit: type=1400 "
			 "audit(1700000000.123:45): apparmor=\"DENIED\" operation=\"open\" "
			 "profile=\"demo\" name=\"/etc/hosts\" pid=77 comm=\"cat\" "
			 "requested_mask=\"r\" denied_mask=\"r\" fsuid=0 ouid=0", offsets[i]);
		fprintf(stderr, "%d ", parse(line)[1]); /* aa_log_record.event */
	}
	return 0; /* nothing was written to stdout here */
}
C
cc -o "$dir/read" "$dir/read.c" -ldl
for row in "bookworm 3.0.8-3" "trixie 4.1.0-1"; do
	set -- $row
	fetch "$1" "libapparmor1=$2"
	own "$1" "$dir/read" libapparmor.so.1 >"$dir/out" 2>"$dir/events"
	seen "libapparmor1 $2: events with +00:00 and +0000, and standard output" \
		"$(cat "$dir/events")'$(cat "$dir/out")'" "4 0 '+'"
done
exit $status
