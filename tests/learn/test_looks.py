# SPDX-License-Identifier: Apache-2.0
"""Who looks at another process by a name that leads by it, wherever the name begins and by whichever links."""
import re
import textwrap

import pytest

from conftest import PALE, ROOT, need_root, run
from test_awkward import python
from test_backends import learn
from test_recordings import merge
from test_values import plain

EACH = pytest.mark.parametrize("backend", ["ebpf", "ptrace"])
OURS = "ptrace (read, readby) peer=@{profile_name}"
SAID = "what was named from there may ask for ptrace (read), and was not seen"

# A child that sleeps in the directory where its parent is, and ends with that.
CHILD = """
import socket, threading
libc = ctypes.CDLL(None, use_errno=True)
ready = os.pipe(); pid = os.fork()
if not pid:
    libc.prctl(1, 9, 0, 0, 0); os.write(ready[1], b'x'); signal.pause(); os._exit(0)
os.read(ready[0], 1); P = f'/proc/{pid}'; open('file', 'w').close()
def fails(do, *args, **kw):
    try: do(*args, **kw)
    except OSError: pass
def thread(do):
    t = threading.Thread(target=do); t.start(); t.join()
def beside(do):
    got, go, told = [], threading.Event(), threading.Event()
    t = threading.Thread(target=lambda: (got.append(threading.get_native_id()), told.set(), go.wait())); t.start(); told.wait()
    do(got[0]); go.set(); t.join()
"""


def looked(tmp_path, backend, script):
    script = CHILD + script + "\nos.kill(pid, 9); os.wait()"
    # Names by it may be lost where they are looked up when it is gone.
    return learn(tmp_path, backend, *python(script), cwd=tmp_path, options=["--allow-loss"])


# How often the kernel asks.
BEGINS = {
    "what is held with O_PATH": ("d = os.open(P, os.O_PATH); os.close(os.open('cwd/file', 0, dir_fd=d)); os.stat('root', dir_fd=d)\n"
                                 "os.stat('cwd', dir_fd=d, follow_symlinks=False); os.readlink('exe', dir_fd=d); os.utime('cwd/file', dir_fd=d)\n"
                                 "os.mkdir('cwd/made', dir_fd=d); os.rename('cwd/made', 'renamed', src_dir_fd=d); os.link('file', 'cwd/hard', dst_dir_fd=d)\n"
                                 "os.symlink('any', 'cwd/soft', dir_fd=d); os.unlink('cwd/hard', dir_fd=d); os.access('cwd/file', 4, dir_fd=d)", 10),
    "the working directory": "os.chdir(P + '/fd'); os.readlink('0'); fails(os.readlink, '../cwd/file'); os.stat('../task/../root'); fails(os.open, '../cwd/none', 0)",
    "a link that was made": ("os.symlink(P + '/cwd', 'there'); os.symlink('there', 'again'); os.stat('again/file'); os.lstat('there'); os.readlink('again')\n"
                             "os.close(os.open('there/file', 0)); os.chdir('again'); fails(os.execl, 'again/file', 'x')", 4),
}
BEGINS = {k: v if isinstance(v, tuple) else (v, 4) for k, v in BEGINS.items()}


@EACH
@pytest.mark.parametrize("begins", BEGINS)
def test_a_name_leads_by_another_process_wherever_it_begins(tmp_path, backend, begins):
    """Where it is looked up as the kernel does that; elsewhere it is said that it may."""
    script, asked = BEGINS[begins]
    rec, text = looked(tmp_path, backend, script)
    if "looks-seen" not in rec.runs[1]:
        assert SAID in plain(text) and backend == "ebpf", text
        return
    assert rec.rules.keys() == {OURS} and SAID not in plain(text), rec.text
    assert rec.rules[OURS] == asked if backend == "ptrace" else rec.rules[OURS] >= asked, rec.rules


@EACH
def test_the_path_of_a_socket_leads_by_another_process(tmp_path, backend):
    rec, _ = looked(tmp_path, backend, textwrap.dedent("""
        s = socket.socket(socket.AF_UNIX); s.bind(P + '/cwd/bound'); s.listen()
        socket.socket(socket.AF_UNIX).connect(P + '/cwd/bound')
        d = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); d.bind('datagrams')
    """))
    assert rec.rules.get(OURS, 0) >= 2 and len([r for r in rec.rules if r.startswith("ptrace")]) == 1, rec.rules


@EACH
def test_what_is_sent_to_leads_by_another_process(tmp_path, backend):
    """By sendto, sendmsg and sendmmsg, which this names by its number: two vectors of no bytes."""
    rec, _ = looked(tmp_path, backend, textwrap.dedent("""
        d = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); d.bind('datagrams'); to = P + '/cwd/datagrams'
        d.sendto(b'x', to); d.sendmsg([b'x'], [], 0, to)
        name = ctypes.create_string_buffer(b'\\1\\0' + to.encode())
        import struct; messages = struct.pack('QI4xQQQQI4xI4x', ctypes.addressof(name), len(name), 0, 0, 0, 0, 0, 0) * 2
        libc.syscall(307, d.fileno(), messages, 2, 0) == 2 or os._exit(1)
    """))
    assert rec.rules[OURS] == 4, rec.rules


@EACH
def test_calls_of_newer_kernels_take_names_too(tmp_path, backend):
    """mount_setattr, and setxattrat to removexattrat, open_tree_attr, file_getattr, file_setattr. Who has none of them asks nothing."""
    rest = {442: "0, bytes(32), 32", 463: "0, b'user.x', bytes(16), 16", 464: "0, b'user.x', bytes(16), 16", 465: "0, bytes(9), 9",
            466: "0, b'user.x'", 467: "0, bytes(32), 32", 468: "bytes(24), 24, 0", 469: "bytes(24), 24, 0"}
    script = "".join(f"call({nr}, -100, (P + '/cwd/file').encode(), {args})\n" for nr, args in rest.items())
    there = run(python("".join(f"call({nr}, -100, b'/none', {args}); os.write(1, b'%d ' % (ctypes.get_errno() != 38))\n" for nr, args in rest.items()).join(
        ["libc = ctypes.CDLL(None, use_errno=True); call = libc.syscall; ", ""]))).out.split().count("1")
    rec, text = looked(tmp_path, backend, script)
    assert 1 <= there <= rec.rules.get(OURS, 0) <= len(rest), (there, rec.rules, text)


def test_every_call_that_takes_a_name_has_a_row():
    """Of names.def or of rules.def; what is left has none of a file system's, or is nobody's any more. fanotify_mark and quotactl are not looked at."""
    rows = {path: set(re.findall(r"(?m)^[A-Z]+\((\w+),", (ROOT / "learn" / path).read_text())) for path in ("names.def", "rules.def")}
    taking = set()
    for line in (ROOT / "compiler/tables/syscalls.tsv").read_text().splitlines():
        words = line.split()
        if words and words[0] != "#" and re.search(r"(^|[,|])(\w*path\w*|filename|specialfile|special|new_root|dir_name|library)[:|]", words[-1]):
            taking.add(words[0])
    assert len(taking) > 60
    assert taking - rows["names.def"] - rows["rules.def"] == {"fanotify_mark", "quotactl", "spu_create", "uselib"}


@EACH
def test_a_thread_looks_as_its_process_does_and_at_no_thread_of_it(tmp_path, backend):
    """The kernel asks about another process alone (kernel/ptrace.c, same_thread_group())."""
    own = ("me = os.getpid(); os.stat('/proc/self/cwd/file'); os.stat('/proc/thread-self/root'); os.stat(f'/proc/{me}/root/proc'); os.readlink('/proc/self/exe')\n"
           "os.symlink('/proc/self/cwd', 'own'); os.stat('own/file'); d = os.open('/proc/self', os.O_PATH); os.stat('cwd', dir_fd=d); os.stat('/dev/fd/0')\n"
           "thread(lambda: os.stat(f'/proc/{me}/cwd')); beside(lambda tid: os.stat(f'/proc/self/task/{tid}/exe'))\n"
           "os.chdir('/proc/self/fd'); os.readlink('0'); os.lstat(P + '/exe'); os.stat(P + '/status')")
    rec, text = looked(tmp_path, backend, own)
    assert not [r for r in rec.rules if r.startswith("ptrace")] and SAID not in plain(text), rec.rules
    rec, _ = looked(tmp_path, backend, "thread(lambda: os.stat(f'{P}/task/{pid}/cwd/file'))")
    assert rec.rules == {OURS: 1}, rec.rules


def test_who_has_another_root_is_looked_up_from_there(tmp_path):
    need_root()
    (tmp_path / "root" / "proc").mkdir(parents=True)
    mounted = "libc.unshare(0x20000); libc.mount(None, b'/', None, 0x44000, None); libc.mount(b'/proc', b'root/proc', None, 0x5000, None)\n"
    rec, _ = looked(tmp_path, "ptrace", mounted + "os.chroot('root'); os.chdir('/'); os.symlink(f'/proc/{pid}/cwd', 'l'); os.stat('l/file'); os.stat('/proc/self/root'); fails(os.stat, 'proc/none')")
    assert rec.rules[OURS] == 1, rec.rules


def test_looks_are_seen_in_the_sum_where_they_were_in_each_run(tmp_path):
    """One that did not see them says so of all."""
    script = "d = os.open(P, os.O_PATH); os.stat('cwd', dir_fd=d); os.readlink(P + '/exe')"
    recs = []
    for backend in ("ptrace", "ebpf", "seccomp"):
        (tmp_path / backend).mkdir()
        looked(tmp_path / backend, backend, script)
        recs.append(tmp_path / backend / f"{backend}.rec")
    run_ebpf = recs[1].read_text()
    if "looks-seen" not in run_ebpf:
        assert re.search(r"(?m)^run 1 looks-below 1$", run_ebpf), run_ebpf
    assert "run 1 looks-seen" in recs[0].read_text() and "looks-seen" not in recs[2].read_text()
    for others, seen in ((recs[1], "looks-seen" in run_ebpf), (recs[2], False)):
        (tmp_path / "both").write_text(merge(recs[0], others))
        assert (SAID in plain(run([PALE, "propose", "--allow-loss", tmp_path / "both"], check=0).out)) != seen


@EACH
def test_a_namespace_that_is_looked_at_by_its_name_has_no_path(tmp_path, backend):
    """AppArmor is asked about what is there (getattr), and refuses what is below no root; a link that is read is one of /proc."""
    flag = "apparmor flags=(attach_disconnected);"
    assert flag not in looked(tmp_path, backend, "os.readlink('/proc/self/ns/net'); os.lstat('/proc/self/ns/net'); os.stat('/proc/self/ns'); os.lstat(P + '/ns/uts')")[1]
    for name in ("'/proc/self/ns/net'", "P + '/ns/uts'"):
        assert flag in looked(tmp_path, backend, f"os.stat({name})")[1], name


@EACH
def test_a_directory_of_a_process_is_a_descriptor_of_it_for_signals(tmp_path, backend):
    """pidfd_send_signal(2) takes one of /proc, too."""
    rec, _ = looked(tmp_path, backend, "d = os.open(P, os.O_DIRECTORY); call(424, d, 0, None, 0); e = os.open('/proc/self', os.O_DIRECTORY); call(424, e, 0, None, 0)")
    assert [line.split("\t")[0] for line in re.findall(r"(?m)^sent 0 .*", rec.text)] == ["sent 0 ours"], rec.text


@pytest.mark.parametrize("backend", ["ebpf", "ebpf-tp", "ebpf-raw", "ptrace", "seccomp"])
def test_events_of_a_processor_or_of_a_cgroup_look_at_nobody(tmp_path, backend):
    """perf_event_open(2) of process -1, and where the number is a cgroup's directory."""
    need_root()
    rec, _ = learn(tmp_path, backend, *python(
        "attr = ctypes.create_string_buffer((1).to_bytes(4, 'little') + (112).to_bytes(4, 'little'), 112)\n"
        "cgroup = os.open('/sys/fs/cgroup', os.O_RDONLY)\nfor pid, flags in (-1, 0), (-1, 8), (cgroup, 4): call(298, attr, pid, 0, -1, flags)"))
    assert rec.calls["x86_64", "perf_event_open"] == 3 and not rec.rules, rec.rules
