#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# libseccomp's Python binding against its own answers: what two of its functions return, none of its
# functions takes.
#
# Expected: system_arch() returns a value for the arguments that want an architecture ("Arch.*"),
#	equal to Arch.X86_64 on that machine; resolve_syscall(arch, number) returns a name that
#	resolve_syscall() and add_rule() take as a name (docstrings of the module; Python 3).
# Really: on x86_64 system_arch() is 3221225534 and Arch.X86_64 is -1073741762, the same bits as a
#	signed number; exist_arch(system_arch()) raises OverflowError. resolve_syscall(arch, 59) is
#	b'execve', and bytes raise TypeError in both.
# Version: python3-seccomp 2.5.4-1+deb12u1 (Debian 12), 2.6.0-2 (Debian 13), and 2.6.1 (sid) just
#	so.
# Why it matters: the token of every 64-bit machine has that top bit (linux/audit.h), and "is this
#	filter for the machine that I am on" cannot be asked; names from numbers (a trace, a log) need a decode().
set -eu
. "$(dirname "$0")/packages"
[ "$(uname -m)" = x86_64 ] || missing "says something on x86_64 alone"

cat >"$dir/ask.py" <<'P'
import seccomp
from seccomp import ALLOW, KILL, Arch, SyscallFilter, resolve_syscall, system_arch

def ask(question):
    try:
        return repr(question())
    except Exception as error:
        return type(error).__name__

name = resolve_syscall(Arch.X86_64, 59)
print(system_arch(), Arch.X86_64, name,
      ask(lambda: SyscallFilter(KILL).exist_arch(Arch.X86_64)),
      ask(lambda: SyscallFilter(KILL).exist_arch(system_arch())),
      ask(lambda: resolve_syscall(Arch.X86_64, name)),
      ask(lambda: SyscallFilter(KILL).add_rule(ALLOW, name)))
P
for row in "bookworm 2.5.4-1+deb12u1" "trixie 2.6.0-2"; do
	set -- $row
	fetch "$1" "python3-seccomp=$2"
	modules=$dir/$1/usr/lib/python3/dist-packages
	seen "python3-seccomp $2: two answers, and four questions with them" \
		"$(PYTHONHOME=$dir/$1/usr PYTHONPATH=$modules own "$1" "$(file "$1" 'python3.1?')" \
			"$dir/ask.py")" \
		"3221225534 -1073741762 b'execve' True OverflowError TypeError TypeError"
done
exit $status
