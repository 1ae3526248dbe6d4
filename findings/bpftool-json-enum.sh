#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# bpftool in JSON against an enum of 4 bytes whose value is 0xffffffff: the number has 64 bits set.
#
# Expected: a BTF enum without the flag for signed values holds unsigned ones of its size
#	(Documentation/bpf/btf.rst, BTF_KIND_ENUM), here 4294967295, in each form of output alike.
# Really: the plain form and format c say 4294967295. bpftool -j says 18446744073709551615, in the
#	same line as "encoding":"UNSIGNED" and "size":4, for which no value of the type can be that.
# Version: bpftool 7.1.0+6.1.176-1 (Debian 12); 7.5.0 (Debian 13) and 7.8.0 (sid) just so.
# Why it matters: tables of constants (flags, "all bits" and "none" values) are made from a kernel's
#	BTF by way of the JSON form, and then a comparison with what a program passes never holds.
set -eu
. "$(dirname "$0")/packages"

# BTF by hand: a header of 24 bytes, one enum "all" with one value "top", the strings.
{
	printf '\237\353\001\000\030\000\000\000\000\000\000\000'
	printf '\024\000\000\000\024\000\000\000\011\000\000\000'
	printf '\001\000\000\000\001\000\000\006\004\000\000\000\005\000\000\000\377\377\377\377'
	printf '\000all\000top\000'
} >"$dir/enum.btf"

fetch bookworm bpftool=7.1.0+6.1.176-1
tool=$(file bookworm bpftool)
plain=$(own bookworm "$tool" btf dump file "$dir/enum.btf" | sed -n "s/.*'top' val=//p")
source=$(own bookworm "$tool" btf dump file "$dir/enum.btf" format c |
	sed -n 's/.*top = \([0-9]*\),/\1/p')
json=$(own bookworm "$tool" -j btf dump file "$dir/enum.btf" |
	tr , ' ' | sed -n 's/.*"encoding":"\(.*\)" "size":\(.\) .*"top" "val":\([0-9]*\).*/\1 \2 \3/p')
seen "bpftool 7.1.0+6.1.176-1: plain, format c, and encoding, size and value in JSON" \
	"$plain $source $json" "4294967295 4294967295 UNSIGNED 4 18446744073709551615"
exit $status
