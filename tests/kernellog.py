# SPDX-License-Identifier: Apache-2.0
"""The kernel's own records of seccomp (audit type 1326), as its log shows them.

Read from audit's multicast group, which gets every record; the ring buffer of dmesg drops some.
"""
import contextlib
import re
import socket
import struct

import pytest

from conftest import PATIENCE, need_root

NETLINK_AUDIT, READLOG, SECCOMP = 9, 1, 1326


class KernelLog:
    def __init__(self, sock):
        self.sock = sock

    def records(self, comm, last):
        """The records of programs named comm (at most 15 bytes), up to that of the call `last`."""
        found = []
        while True:
            data = self.sock.recv(9000)
            if struct.unpack_from("H", data, 4)[0] != SECCOMP:
                continue
            line = data[16:].rstrip(b"\0\n").decode()
            if f' comm="{comm}" ' not in line:
                continue
            found.append(f"audit: type={SECCOMP} {line}")
            if f" syscall={last} " in line:
                return found


def numbers(records):
    return [int(re.search(r" syscall=(\d+) ", r)[1]) for r in records]


@contextlib.contextmanager
def kernel_log():
    need_root()
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_AUDIT)
    try:
        sock.bind((0, READLOG))
    except PermissionError:
        pytest.skip("the kernel's audit records cannot be read here")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.settimeout(PATIENCE)
    with sock:
        yield KernelLog(sock)
