# SPDX-License-Identifier: Apache-2.0
"""Installs the BPF programs that are named, one after the other, says so, and answers lines.

    holder.py [--thread] [--log] FILE...

A line "getppid" is answered with the errno of that call, anything else with itself; the end of
the input ends it. --thread: only a thread gets the filters, whose tid is told instead. --log FILE:
this one is loaded with SECCOMP_FILTER_FLAG_LOG.
"""
import ctypes
import os
import sys
import threading

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long


class Prog(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def install(path, flags):
    data = open(path, "rb").read()
    buf = ctypes.create_string_buffer(data, len(data))
    prog = Prog(len(data) // 8, ctypes.cast(buf, ctypes.c_void_p))
    if libc.prctl(38, 1, 0, 0, 0) or libc.syscall(317, 1, flags, ctypes.byref(prog)):
        sys.exit(f"seccomp: {os.strerror(ctypes.get_errno())}")


def serve(files):
    flags = 0
    for f in files:
        if f == "--log":
            flags = 2
            continue
        install(f, flags)
        flags = 0
    print(threading.get_native_id(), flush=True)
    for line in sys.stdin:
        if line == "getppid\n":
            ctypes.set_errno(0)
            libc.syscall(110)
            line = f"{ctypes.get_errno()}\n"
        print(line, end="", flush=True)


if sys.argv[1:2] == ["--thread"]:
    t = threading.Thread(target=serve, args=(sys.argv[2:],))
    t.start()
    t.join()
else:
    serve(sys.argv[1:])
