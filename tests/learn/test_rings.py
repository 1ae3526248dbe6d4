# SPDX-License-Identifier: Apache-2.0
"""What a ring of io_uring does with sockets is proposed as what calls do, and said to be missing where it was not seen."""
import re
import shutil
import subprocess

import pytest

from conftest import PALE, need, need_root, program, run
from recordings import Recording
from test_awkward import EACH, python
from test_backends import learn, usable
from test_margin import propose, record
from test_running import watch

CALLS = ["io_uring_setup", "io_uring_enter", "socket"]
SEEN = "what its rings did with files, names and sockets is among the rules, and no filter of calls sees it"


def with_run(path, *lines):
    text = path.read_text()
    path.write_text(re.sub(r"(?m)^(run 1 tasks 1)$", "\n".join([r"\1", *(f"run 1 {line}" for line in lines)]), text))
    return path


def plain(text):
    return " ".join(text.replace("#", " ").split())


def test_sockets_of_rings_are_networks_and_say_who_made_them(tmp_path):
    rec = with_run(record(tmp_path, CALLS, "tuple x86_64 io_uring_enter 0x2 0x2 0x0", "tuple x86_64 io_uring_setup 0x1 0x1 0x0",
                          "tuple x86_64 socket 0x2 0x1 0x0", "tuple x86_64 io_uring_enter 0x2 0x1 0x0",
                          "address connect inet stream 443 public"), "names-seen", "rings-seen")
    text = propose(rec)
    assert re.search(r"^    network inet stream; # 6x, also by io_uring$", text, re.M), text
    assert re.search(r"^    network inet dgram; # 3x, by io_uring$", text, re.M), text
    assert re.search(r"^    network unix stream; # 3x, by io_uring$", text, re.M), text
    assert "connected: 443 (public) 3x" in text and "of sockets that were not made here" not in text
    assert SEEN in plain(text) and "was not seen" not in plain(text)


@pytest.mark.parametrize("seen, said", [
    ([], "what went through its rings was not seen"), (["names-seen"], "what went through its rings was not seen, but for files and names"),
    (["rings-seen"], "what went through its rings was not seen, but for sockets"), (["names-seen", "rings-seen"], SEEN)])
def test_what_was_not_seen_of_rings_is_said(tmp_path, seen, said):
    text = plain(propose(with_run(record(tmp_path, CALLS), *seen)))
    assert f"io_uring was used: {said}; ipc_lock" in text, text


def test_of_runs_that_are_merged_the_one_that_saw_least_counts(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    a = with_run(record(tmp_path / "a", CALLS), "names-seen", "rings-seen")
    b = with_run(record(tmp_path / "b", CALLS), "names-seen")
    b.write_text(b.read_text().replace(f"{7:032x}", f"{8:032x}"))
    run([PALE, "merge", "-o", tmp_path / "both", a, b], check=0)
    text = plain(propose(tmp_path / "both"))
    assert "was not seen, but for files and names" in text and SEEN not in text
    assert "rings-seen" in (tmp_path / "both").read_text()


def test_a_request_by_kept_credentials_is_a_rule(tmp_path):
    rec = with_run(record(tmp_path, CALLS, 'rule "io_uring (override_creds)"'), "names-seen", "rings-seen")
    text = propose(rec)
    assert "#   io_uring (override_creds);  # 3x; since Linux 6.17 and AppArmor 5.0\n" in text
    rec.write_text(rec.read_text().replace('kernel "6.1"', 'kernel "7.2.1"'))
    assert re.search(r"^    io_uring \(override_creds\); # 3x", propose(rec), re.M)


# A datagram socket of IPv6 by IORING_OP_SOCKET, which is 45 (linux/io_uring.h).
MAKES = """
import mmap, struct
params = ctypes.create_string_buffer(120)
fd = call(425, 1, params)
if fd < 0: os._exit(7)
tail, array = struct.unpack_from("I", params, 44)[0], struct.unpack_from("I", params, 64)[0]
sqes, ring = mmap.mmap(fd, 64, offset=0x10000000), mmap.mmap(fd, 4096)
struct.pack_into("BBHiQ", sqes, 0, 45, 0, 0, 10, 2)
struct.pack_into("I", ring, array, 0)
struct.pack_into("I", ring, tail, 1)
os._exit(call(426, fd, 1, 1, 1, None, 0) != 1)
"""


@EACH
def test_a_ring_on_this_machine_is_seen_or_said_not_to_be(tmp_path, backend):
    """By eBPF there is a socket that no call made, where the kernel's questions or its requests are seen."""
    r = run(python("import ctypes\n" + MAKES), check=None)
    if r.rc:
        pytest.skip("this kernel has no socket by io_uring")
    rec, text = learn(tmp_path, backend, *python("import ctypes\n" + MAKES))
    assert ("x86_64", "socket") not in rec.calls and rec.losses == "none"
    if "rings-seen" in rec.runs[1]:
        assert "tuple x86_64 io_uring_enter 0xa 0x2 0x0\t" in rec.text and "network inet6 dgram; # 1x, by io_uring" in text
        assert (SEEN if "names-seen" in rec.runs[1] else "what went through its rings was not seen, but for sockets") in plain(text)
    else:
        assert "tuple" not in rec.text and "network inet6" not in text
        assert "io_uring was used: what went through its rings was not seen" in plain(text)


@pytest.mark.once
@pytest.mark.parametrize("backend", ["ebpf", "ebpf-btf", "ebpf-tp", "ebpf-raw"])
def test_an_option_that_a_ring_sets_asks_for_its_capability(tmp_path, backend):
    """SO_MARK by SOCKET_URING_OP_SETSOCKOPT of IORING_OP_URING_CMD, since Linux 6.7."""
    need_root()
    how = ("s = __import__('socket').socket(2, 2); value = ctypes.c_int(7)\n"
           "struct.pack_into('BBHiIIIIIIQHHIQ', sqes, 0, 46, 0, 0, s.fileno(), 3, 0, 1, 36, 0, 0, 0, 0, 0, 4, ctypes.addressof(value))\n")
    script = "import ctypes\n" + MAKES.replace('struct.pack_into("BBHiQ", sqes, 0, 45, 0, 0, 10, 2)\n', how).replace("!= 1)", "!= 1 or s.getsockopt(1, 36) != 7)")
    if run(python(script), check=None).rc:
        pytest.skip("this kernel does not do all of it by io_uring")
    rec = learn(tmp_path, backend, *python(script))[0]
    if "capabilities-seen" in rec.runs[1]:
        assert re.search(r"(?m)^capability net_(raw|admin) x86_64 io_uring_enter\t", rec.text), rec.text


HERE = {  # case of tests/agree/rings.c: what there is of it, by whichever way of eBPF
    "ring_bound": r"(?s)^address bind inet stream 81 any\t.*^capability net_bind_service x86_64 io_uring_enter\t",
    "ring_polled_connected": r"(?s)^address connect inet stream \d+ loopback\t.*^tuple x86_64 io_uring_setup 0x2 0x1 0x0\t",
    "ring_fixed_connected": r"(?s)^address connect inet stream \d+ loopback\t.*^tuple x86_64 io_uring_enter 0x2 0x1 0x0\t",
    "ring_message_sent_to": r"(?s)^address send inet dgram \d+ loopback\t.*^tuple x86_64 io_uring_enter 0x2 0x2 0x0\t",
    "ring_abstract": r'(?s)^rule "unix \(connect, send, receive\) type=stream peer=\(addr=@agree-ring\)"\t.*^tuple x86_64 io_uring_enter 0x1 ',
    "ring_path_datagram": r'(?s)^file "[^"]*/d/by-rings" rw( \w+)* socket\t.*^tuple x86_64 io_uring_enter 0x1 0x2 0x0\t',
    "ring_accepted_many": r'^run 1 serve-from "io_uring_enter"$',
}
WAYS = ["ebpf-btf", "ebpf-tp", "ebpf-raw"]


@pytest.mark.once
@pytest.mark.parametrize("case, backend", [(case, WAYS[i % 3]) for i, case in enumerate(HERE)] + [("ring_fixed_connected", way) for way in WAYS[::2]])
def test_addresses_of_requests_are_seen_without_a_function_to_stand_at(tmp_path, case, backend):
    """By the thread that polls, of a socket without a descriptor, of ports, names and paths."""
    need_root()
    root = tmp_path / "root"
    (root / "d").mkdir(parents=True)
    shutil.copy(program("agree/rings"), root / "rings")
    alone = run([need("chroot"), root, "/rings", case])
    for made in (root / "d").iterdir():
        made.unlink()
    if alone.rc:
        pytest.skip("this kernel does not do all of it by io_uring")
    rec = learn(tmp_path, backend, need("chroot"), root, "/rings", case)[0]
    if "rings-seen" not in rec.runs[1]:
        pytest.skip("this kernel's requests are not known")
    assert re.search(HERE[case], rec.text, re.M) and rec.losses == "none", rec.text


# It has a ring whose thread is awake, as it has done nothing once, and hands a socket in without any call while it is recorded.
POLLS = """
import mmap, struct, sys
params = ctypes.create_string_buffer(120)
struct.pack_into("III", params, 8, 2, 0, 1000000)
fd = call(425, 2, params)
if fd < 0: os._exit(7)
at = [struct.unpack_from("I", params, n)[0] for n in (44, 64, 84)]
sqes, ring = mmap.mmap(fd, 64, offset=0x10000000), mmap.mmap(fd, 4096)
tail = ctypes.c_uint.from_buffer(ring, at[0])
struct.pack_into("I", ring, at[1], 0)
struct.pack_into("I", ring, at[1] + 4, 0)
def done(n, *entry):
    struct.pack_into("BBHiQ", sqes, 0, *entry)
    tail.value = n # one store: pack_into() writes zeros first, which its thread takes for a tail that has gone round
    if n == 1: call(426, fd, 0, 0, 2, None, 0)
    while struct.unpack_from("I", ring, at[2])[0] != n: os.sched_yield()
done(1, 0, 0, 0, 0, 0)
print("ready", flush=True)
sys.stdin.readline()
done(2, 45, 0, 0, 10, 2)
os._exit(0)
"""


def test_a_ring_that_was_there_before_makes_sockets_by_no_call(tmp_path):
    """Its thread is the process's, whose calls are then none of the recording's, and none of the policy's."""
    need_root()
    usable("ebpf")
    with subprocess.Popen(python("import ctypes\n" + POLLS), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as p:
        if p.stdout.readline() != "ready\n":
            pytest.skip("this machine refuses a ring that polls")
        w = watch(tmp_path, "--backend", "ebpf", "--pid", p.pid)
        p.stdin.write("go\n")
        p.stdin.close()
        err = w.communicate(timeout=120)[1]
        assert w.returncode == 0 and p.wait(timeout=120) == 0, err
    rec, text = Recording(tmp_path / "rec"), (tmp_path / "p.pale").read_text()
    if "rings-seen" not in rec.runs[1]:
        pytest.skip("this kernel's rings are not seen")
    assert "tuple x86_64 io_uring_setup 0xa 0x2 0x0\t" in rec.text and not [c for c in rec.calls if "io_uring" in c[1]]
    assert "network inet6 dgram; # 1x, by io_uring" in text and "io_uring was used" in text and not re.search("allow[^;]*io_uring", text)
    assert propose(tmp_path / "rec") == text
