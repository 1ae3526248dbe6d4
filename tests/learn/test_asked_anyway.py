# SPDX-License-Identifier: Apache-2.0
"""What the kernel asks about beside what programs came for: by calls that fail, that only ask, or that make another one."""
import fcntl
import os
import pathlib
import re

import pytest

from conftest import PALE, need_root, run, skip
from test_awkward import python
from test_backends import PROBES, learn, usable
from test_recordings import write
from test_values import plain

EACH = pytest.mark.parametrize("backend", ["ebpf", "ptrace", "seccomp"])
OTHERS = ["ebpf", "ptrace"]  # the backend seccomp lets stat pass, and says so


@EACH
def test_a_lock_that_somebody_else_has_is_asked_for_all_the_same(tmp_path, backend):
    """EWOULDBLOCK comes behind the question (fs/locks.c), and without the right it is EACCES."""
    with open(tmp_path / "locked", "w", encoding="ascii") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        rec = learn(tmp_path, backend, *python(
            f"fd = os.open('{tmp_path}/locked', 0); os._exit(call(73, fd, 6) == 0 or call(73, 99, 6) == 0)"))[0]
    assert rec.files[f"{tmp_path}/locked"][0] == "rwk", rec.files


@EACH
def test_a_link_of_a_directory_and_a_mapping_without_room_are_asked_for_all_the_same(tmp_path, backend):
    need_root()
    (tmp_path / "full").mkdir()
    (tmp_path / "mapped").write_bytes(bytes(8192))
    rec = learn(tmp_path, backend, *python(
        f"os.chdir('{tmp_path}'); bad = call(86, b'full', b'hard') == 0\n"
        "fd = os.open('mapped', 0); call.restype = call.argtypes = None; call.restype = ctypes.c_long\n"
        "at = call(9, None, ctypes.c_long(4096), 1, 0x22, ctypes.c_long(-1), ctypes.c_long(0))\n"
        "bad |= call(9, ctypes.c_long(at), ctypes.c_long(4096), 5, 0x100002, fd, ctypes.c_long(0)) != -1\n"
        "os._exit(bad)"))[0]
    assert rec.files[f"{tmp_path}/hard"][0] == "l" and rec.files[f"{tmp_path}/mapped"][0] == "rm", rec.files


@EACH
def test_what_the_kernel_finds_before_it_asks_makes_no_rule(tmp_path, backend):
    """A directory is not cut, and what is named is not there."""
    (tmp_path / "full").mkdir()
    rec = learn(tmp_path, backend, *python(f"os._exit(call(76, b'{tmp_path}/full', 0) == 0 or call(86, b'{tmp_path}/a', b'{tmp_path}/b') == 0)"))[0]
    assert not [f for f in rec.files if f.startswith(f"{tmp_path}/")], rec.files


@EACH
def test_a_program_without_a_format_is_executed_to_the_kernel(tmp_path, backend):
    (tmp_path / "tool").write_text("no program")
    (tmp_path / "tool").chmod(0o755)
    rec = learn(tmp_path, backend, *python(f"os._exit(call(59, b'{tmp_path}/tool', None, None) == 0)"))[0]
    assert rec.files[f"{tmp_path}/tool"][0] == "x", rec.files


@EACH
def test_a_script_that_nothing_can_run_is_executed_to_the_kernel(tmp_path, backend):
    """What its first line names is looked for behind the question; what would run it, and what is no program, has no rule."""
    for name, line in {"gone": "#!/no/such", "own": f"#!{tmp_path}/own", "never": f"#!{tmp_path}/plain", "closed": "#!/bin/true", "plain": ""}.items():
        (tmp_path / name).write_text(f"{line}\n")
        (tmp_path / name).chmod(0o644 if name == "plain" else 0o755)
    os.symlink("gone", tmp_path / "link")
    rec = learn(tmp_path, backend, *python(
        f"os.chdir('{tmp_path}'); fd = os.open('closed', os.O_RDONLY | os.O_CLOEXEC)\n"
        f"for name in b'./link', b'{tmp_path}/own', b'never', b'none', b'gone/x', b'plain', b'.', b'/no/dir/x': call(59, name, None, None) != -1 and os._exit(1)\n"
        f"os._exit(call(322, fd, b'', None, None, 0x1000) != -1 or call(322, -100, b'link', None, None, 0x100) != -1)"))[0]
    mine = {os.path.basename(f): rights for f, (rights, _) in rec.files.items() if f.startswith(f"{tmp_path}/")}
    assert mine == {"gone": "x", "own": "x", "never": "x", "closed": "rx"}, mine
    assert "/no/such" not in rec.files and "/usr/bin/true" not in rec.files and rec.losses == "none", rec.text


@EACH
def test_a_program_that_came_later_was_not_executed_before(tmp_path, backend):
    """By eBPF without a program at the kernel's question the name is looked up when all is over."""
    rec = learn(tmp_path, backend, *python(
        f"call(59, b'{tmp_path}/later', None, None); os.close(os.open('{tmp_path}/later', os.O_CREAT | os.O_WRONLY, 0o755))"))[0]
    assert rec.files[f"{tmp_path}/later"][0] == "w", rec.files


@EACH
def test_whoever_only_asks_whether_a_program_may_be_executed_needs_its_x(tmp_path, backend):
    """execveat(AT_EXECVE_CHECK) of Linux 6.14: its security modules are asked as by an exec (fs/exec.c, bprm_execve())."""
    (tmp_path / "tool").write_text("\177ELF")
    (tmp_path / "tool").chmod(0o755)
    script = (f"fd = os.open('{tmp_path}/tool', 0o10000000)\n"
              f"os._exit((call(322, -100, b'{tmp_path}/tool', None, None, 0x10000) or call(322, fd, b'', None, None, 0x11000)) and ctypes.get_errno() + 1)")
    if run(python(script)).rc:
        skip("this kernel has no AT_EXECVE_CHECK")
    rec, text = learn(tmp_path, backend, *python(script))
    assert rec.files[f"{tmp_path}/tool"][0] == "x", rec.files
    assert re.search(rf"file ix {tmp_path}/tool; +# 2x", text), text


@EACH
def test_sockets_that_socketcall_makes_are_those_of_the_calls_it_stands_for(tmp_path, backend, monkeypatch):
    """Which 32-bit programs of glibc make theirs by. Its arguments may end where a page does."""
    at = tmp_path / "s"
    monkeypatch.chdir(tmp_path)
    if run([PROBES / "packed", "s"]).rc == 9:
        skip("this kernel has no i386 emulation")
    at.unlink()
    rec, text = learn(tmp_path, backend, PROBES / "packed", "s")
    assert rec.files[str(at)] == ("w", True), rec.files
    assert rec.losses == "none", rec.losses
    assert rec.tuples == {("socketcall", 1, 1, 0), ("socketcall", 2, 2, 0)}, rec.tuples
    plain = re.sub(" +", " ", text)
    assert "network unix stream;" in plain and "network inet dgram;" in plain, text
    assert "allow socketcall; # 3x" in plain and "errno ENOSYS socketcall" not in plain, text
    assert ("i386", "socket") not in rec.calls and ("i386", "bind") not in rec.calls
    again = run([PALE, "propose", tmp_path / f"{backend}.rec"]).out
    assert "network inet dgram;" in re.sub(" +", " ", again)
    profile = run([PALE, "compile", "-q", "-t", "apparmor", "-o", "-", tmp_path / f"{backend}.pale"]).out
    assert "network inet dgram," in profile and "network unix stream," in profile, profile


@EACH
def test_a_name_that_led_by_a_process_that_is_gone_is_no_name_of_a_file(tmp_path, backend):
    """Where programs may stand at the kernel's questions it is the file; else it is lost, and said."""
    rec = learn(tmp_path, backend, *python(
        f"os.chdir('{tmp_path}'); pid = os.fork() or (signal.pause(), os._exit(0))\n"
        "bad = call(83, f'/proc/{pid}/cwd/made'.encode(), 0o700); os.kill(pid, 9); os.wait(); os._exit(bad)"), rc=None, options=["--allow-loss"])[0]
    assert not [f for f in rec.files if re.match(r"/proc/\d+/cwd", f)], rec.files
    if rec.losses == "none":
        assert rec.files[f"{tmp_path}/made/"] == ("w", True), rec.files
    else:
        assert re.search(r'(?m)^lost "/proc/\d+/cwd/made" w link', rec.text), rec.text


@pytest.mark.parametrize("backend", OTHERS)
@pytest.mark.parametrize("how", ["os.stat(f'/proc/{pid}/root')", "os.access(f'/proc/{pid}/cwd/none', 4)", "os.lstat(f'/proc/{pid}/root/tmp')",
                                 "os.chdir(f'/proc/{pid}/cwd')", "os.utime(f'/proc/{pid}/cwd/')", "os.statvfs(f'/proc/{pid}/task/{pid}/root')",
                                 "os.stat(f'/proc/{pid}/fd/0')", "os.lstat(f'/proc/{pid}/fd/{d}/tmp')", "os.lstat(f'/proc/{pid}/task/{pid}/fd/{d}/tmp')"])
def test_a_name_that_leads_by_another_process_is_a_look_at_it_whatever_the_call(tmp_path, backend, how):
    """As stat of /proc/1/root is, by which programs find out whether they are in a chroot."""
    rec = learn(tmp_path, backend, *python(
        f"os.chdir('{tmp_path}'); d = os.open('/', 0); ready = os.pipe(); pid = os.fork() or (os.write(ready[1], b'x'), signal.pause(), os._exit(0))\n"
        f"os.read(ready[0], 1)\ntry: {how}\nfinally: os.kill(pid, 9); os.wait()"))[0]
    assert rec.rules == {"ptrace (read, readby) peer=@{profile_name}": 1}, rec.rules


@pytest.mark.parametrize("backend", OTHERS)
def test_a_name_that_ends_before_it_leads_by_another_process_is_no_look_at_it(tmp_path, backend):
    rec = learn(tmp_path, backend, *python(
        f"os.chdir('{tmp_path}'); pid = os.fork() or (signal.pause(), os._exit(0))\n"
        "for name in 'exe', 'cwd', 'root', 'fd/0', 'ns/uts': os.lstat(f'/proc/{pid}/{name}')\n"
        "os.stat(f'/proc/{pid}/status'); os.stat(f'/proc/{os.getpid()}/exe'); os.stat('/proc/self/root'); os.stat('/proc/sys')\n"
        "os.kill(pid, 9); os.wait()"))[0]
    assert not rec.rules, rec.rules


@EACH
def test_what_a_mapping_of_i386_makes_executable_is_m(tmp_path, backend):
    """Its arguments lie in memory: mmap2 has them in registers."""
    (tmp_path / "mapped").write_bytes(bytes(4096))
    r = run([PROBES / "packed", "map", tmp_path / "mapped"])
    if r.rc == 9:
        skip("this kernel has no i386 emulation")
    rec = learn(tmp_path, backend, PROBES / "packed", "map", tmp_path / "mapped")[0]
    assert rec.files[f"{tmp_path}/mapped"][0] == "rm", rec.files
    assert rec.calls["i386", "mmap"] == 1 and ("i386", "mmap2") not in rec.calls
    assert not re.search("(?m)^(value|bits) i386 mmap", rec.text), rec.text


CHILD = "pid = os.fork() or (signal.pause(), os._exit(0))\nfd = os.pidfd_open(pid)\n"
END = "\nos.kill(pid, 9); os.wait(); os._exit(bad)"
READS, TRACES = ("ptrace (%s, %sby) peer=@{profile_name}" % (how, by) for how, by in (("read", "read"), ("trace", "traced")))


ASKED = ["call(438, fd, 999, 0)", "call(312, os.getpid(), pid, 0, 999, 999)", "call(312, os.getpid(), pid, 77, 0, 0)",
         "call(440, fd, (ctypes.c_long * 2)(4096, 4096), 1, 20, 0)", "call(308, fd, 0x10000000)"]
NOT_ASKED = ["call(438, os.open('/', 0), 0, 0)", "call(438, 99, 0, 0)", "call(438, fd, 0, 7)", "call(312, 0x3fffff, pid, 0, 0, 0)",
             "call(440, fd, (ctypes.c_long * 2)(4096, 4096), 1, 9999, 0)", "call(308, fd, 0x100)", "call(308, fd, 0)"]


@EACH
@pytest.mark.parametrize("how, rules", [(ASKED, {TRACES: 1, READS: 4}), (NOT_ASKED, {})])
def test_a_look_at_a_process_that_comes_to_nothing_was_asked_for(tmp_path, backend, how, rules):
    """pidfd_getfd, kcmp, process_madvise and setns. Of what is wrong with the arguments themselves the kernel asks nobody."""
    need_root()
    rec = learn(tmp_path, backend, *python(CHILD + f"bad = any(r != -1 for r in [{', '.join(how)}])" + END))[0]
    assert {r: n for r, n in rec.rules.items() if r.startswith("ptrace")} == rules, rec.rules


@pytest.mark.parametrize("backend", OTHERS)
def test_what_is_mounted_by_descriptors_has_the_names_that_they_are_of(tmp_path, backend):
    """Below /proc/self/fd, and of move_mount with no name but a descriptor."""
    need_root()
    for name in "abc":
        (tmp_path / name).mkdir()
    rec = learn(tmp_path, backend, *python(
        f"os.chdir('{tmp_path}'); call(272, 0x20000); call(165, b'none', b'/', None, 0x44000, None); fds = [os.open(n, 0o10000000) for n in 'abc']\n"
        "bad = call(165, b't', b'/proc/self/fd/%d' % fds[0], b'tmpfs', 0, None) or call(165, b'/proc/self/fd/%d' % fds[1], b'c', None, 0x1000, None)\n"
        "bad = bad or call(429, os.open('a', 0o10000000), b'', fds[1], b'', 0x44); os._exit(bad != 0)"))[0]
    mounts = {r.replace("{,/}", "/") for r in rec.rules if str(tmp_path) in r}
    assert mounts == {f"mount fstype=tmpfs options=(rw) t -> {tmp_path}/a/", f"mount options=(rw, bind) {tmp_path}/b/ -> {tmp_path}/c/",
                      f"mount options=(rw, move) -> {tmp_path}/b/"}, rec.rules
    assert rec.losses == "none"


@EACH
def test_a_file_that_is_not_opened_for_its_own_reasons_is_asked_for(tmp_path, backend):
    """A lease of somebody's (EAGAIN), and O_DIRECT where it is none (EINVAL): so is the answer to flags that are wrong, of which nobody asks."""
    (tmp_path / "leased").write_text("")
    rec = learn(tmp_path, backend, *python(
        f"import fcntl\nos.chdir('{tmp_path}'); signal.signal(signal.SIGIO, signal.SIG_IGN); held = os.open('leased', 0); fcntl.fcntl(held, 1024, 0)\n"
        "bad = call(2, b'leased', 0o4001) != -1 or call(2, b'/proc/version', os.O_DIRECT) != -1\n"
        "bad |= call(437, -100, b'none', (ctypes.c_long * 3)(0o2, 0, 0x20), 24) != -1 or call(2, b'bad', 0o30100101, 0o600) != -1; os._exit(bad)"))[0]
    assert rec.files[f"{tmp_path}/leased"][0] == "rwk" and rec.files["/proc/version"][0] == "r", rec.files
    assert f"{tmp_path}/none" not in rec.files and f"{tmp_path}/bad" not in rec.files, rec.files


@EACH
def test_a_signal_that_there_is_no_room_for_is_asked_for(tmp_path, backend):
    """EAGAIN of rt_sigqueueinfo: the child may have none that wait (sigqueue_alloc() of kernel/signal.c)."""
    rec = learn(tmp_path, backend, *python(
        "import resource; resource.setrlimit(resource.RLIMIT_SIGPENDING, (0, 0))\n" + CHILD +
        "info = (ctypes.c_int * 32)(34, 0, -1)\nbad = call(129, pid, 34, info) != -1 or ctypes.get_errno()" + END))[0]
    assert "sent 34 ours" in rec.text, rec.text


@EACH
def test_a_socket_that_has_a_name_asks_for_a_second_one(tmp_path, backend):
    rec = learn(tmp_path, backend, *python(
        f"import socket\nos.chdir('{tmp_path}'); s = socket.socket(1); s.bind('one')\n"
        "for name in 'two', 'one', 'none/x':\n    try: s.bind(name)\n    except OSError as e: assert e.errno in (22, 98, 2)\n    else: os._exit(1)"))[0]
    assert {os.path.basename(f): rights for f, (rights, _) in rec.files.items() if f.startswith(f"{tmp_path}/")} == {"one": "w", "two": "w"}, rec.files


@EACH
def test_messages_of_i386_are_sent_where_their_words_say(tmp_path, backend):
    """sendmsg and sendmmsg, by their own numbers and by socketcall: structures with words of 32 bits."""
    here = tmp_path / "s"
    here.mkdir()
    if run([PROBES / "packed", "send", here]).rc == 9:
        skip("this kernel has no i386 emulation")
    for name in os.listdir(here):
        os.unlink(here / name)
    rec = learn(tmp_path, backend, PROBES / "packed", "send", here)[0]
    sent = {os.path.basename(f) for f, (rights, _) in rec.files.items() if f.startswith(f"{here}/") and rights == "w"}
    assert sent == {"one", "two", "three", "four", "five", "six"}, rec.files
    assert len(re.findall(rf'(?m)^file "{here}/\w+" w .*socket', rec.text)) == 6, rec.text
    assert [r for r in rec.rules if re.fullmatch(r"unix \(send\) type=dgram peer=\(addr=@pale-packed-[0-9]+\)", r)], rec.rules
    assert re.search(r"(?m)^address send inet dgram 9 loopback", rec.text) and rec.losses == "none", rec.text


def test_a_mount_by_a_link_that_changed_since_is_lost_and_not_of_where_it_leads_now(tmp_path):
    """By eBPF, which looks names up when all is over; the other tiers look at them in the call."""
    need_root()
    for name in "ab":
        (tmp_path / name).mkdir()
    (tmp_path / "current").symlink_to("a")
    script = (f"os.chdir('{tmp_path}'); call(272, 0x20000); bad = call(165, b't', b'current', b'tmpfs', 0, None)\n"
              "os.unlink('current'); os.symlink('b', 'current'); os._exit(bad != 0)")
    for backend in OTHERS:
        rec = learn(tmp_path, backend, *python(script), options=["--allow-loss"], rc=None)[0]
        os.unlink(tmp_path / "current")
        (tmp_path / "current").symlink_to("a")
        mounts = [rule for rule in rec.rules if rule.startswith("mount")]
        assert not [rule for rule in mounts if f"{tmp_path}/b/" in rule], rec.rules
        assert mounts or rec.losses != "none", rec.text


@pytest.mark.parametrize("call, file, has", [
    ("sendmsg", None, True), ("ptrace", None, True), ("sendto", None, False), ("read", None, False),
    ("read", "/proc/7/stack", True), ("openat", "/proc/7/task/8/pagemap", True), ("write", "/proc/7/stack", False), ("read", "/srv/stack", False)])
def test_sys_admin_is_proposed_of_calls_that_go_no_further_without_it(tmp_path, call, file, has):
    """scm_check_creds() of net/core/scm.c, ptrace_setoptions(); else it is asked for as memory is accounted for, in any call."""
    head = {"machine": "x86_64", "kernel": '"6.1"', "libc": '"glibc 2.36"', "tier": '"ebpf"', "capabilities-seen": ""}
    facts = dict.fromkeys([f"call x86_64 {call}", f"capability sys_admin x86_64 {call}", *([f'file "{file}" r'] if file else [])], (1, 5))
    text = run([PALE, "propose", "--allow-loss", write(tmp_path / "rec", ({"id": f"{1:032x}", **head}, facts))], check=0).out
    assert bool(re.search(rf"capability sys_admin; +# 1x, first at .*, in {call}", text)) == has, text


@pytest.mark.parametrize("backend", ["ebpf-btf", "ebpf-tp", "ebpf-raw", "ptrace"])
def test_a_child_is_the_workloads_before_it_has_made_a_call(tmp_path, backend):
    """It is looked at at once, a hundred times: by some of them it has not run yet."""
    usable(backend)
    rec = learn(tmp_path, backend, *python(
        "for i in range(100):\n pid = os.fork() or os._exit(0)\n"
        " try: os.readlink(f'/proc/{pid}/exe')\n except OSError: pass\n os.wait()"))[0]
    assert set(rec.rules) == {"ptrace (read, readby) peer=@{profile_name}"}, rec.rules


@pytest.mark.parametrize("backend", OTHERS)
def test_the_directories_of_another_process_links_are_none_themselves(tmp_path, backend):
    """/proc/PID/fd/ and ns/ are looked at, not through."""
    rec = learn(tmp_path, backend, *python("for d in ('fd', 'ns'): os.stat(f'/proc/{os.getppid()}/{d}/'); os.stat(f'/proc/{os.getppid()}/{d}')"))[0]
    assert not [rule for rule in rec.rules if rule.startswith("ptrace")], rec.rules


@pytest.mark.parametrize("backend", ["ebpf", "ptrace"])
def test_a_directory_of_another_process_is_said_to_be_looked_from(tmp_path, backend):
    """What is named from there does not begin with /proc/, and is not seen to ask for ptrace."""
    said = "directories of other processes were opened: /proc/"
    own = "fd = os.open('/proc/self/fd', 0); os.readlink('0', dir_fd=fd)\n"
    assert said not in plain(learn(tmp_path, backend, *python(own))[1])
    rec, text = learn(tmp_path, backend, *python(own + "fd = os.open('/proc/%d' % os.getppid(), 0); os.readlink('exe', dir_fd=fd)"))
    if "looks-seen" in rec.runs[1]:  # and needs not be said, as it is
        assert rec.rules == {"ptrace (read)": 1} and said not in plain(text), rec.rules
    else:
        assert backend == "ebpf" and re.search(said + r"\d+/; what was named from there", plain(text)), text


def test_a_label_that_is_changed_by_a_call_of_its_own_is_said(tmp_path):
    """Since Linux 6.8, beside the files below attr: lsm_set_self_attr(2)."""
    head = {"machine": "x86_64", "kernel": '"6.12"', "libc": '"glibc 2.41"', "tier": '"ebpf"', "capabilities-seen": ""}
    for call, said in (("lsm_set_self_attr", 1), ("lsm_get_self_attr", 0)):
        facts = {f"call x86_64 {call}": (1, 5)}
        text = plain(run([PALE, "propose", "--allow-loss", write(tmp_path / "rec", ({"id": f"{1:032x}", **head}, facts))], check=0).out)
        assert text.count("a profile that it changed to takes change_profile, and was not seen") == said, text


def test_calls_that_take_names_are_calls():
    """A row of names.def that no call has would never be looked at."""
    text = (pathlib.Path(__file__).resolve().parents[2] / "learn/names.def").read_text(encoding="ascii")
    rows = re.findall(r"(?m)^NAMED\((\w+), (-1|0), ([01]), (?:FOLLOWED|KEPT|BASE), (?:-1|[234])\)$", text)
    assert len(rows) == text.count("\nNAMED(") > 25 and rows == sorted(rows)
    for call, directory, name in rows:
        shown = run([PALE, "show", call]).out
        assert re.search(rf"(?m)^    {name}  \S*(name|path)", shown), shown
        assert bool(re.search(r"(?m)^    0  (dfd|dirfd)", shown)) == (directory == "0"), shown


def root_with_scripts(at):
    """Which nothing runs; `refused` by what may not be executed. And `/link`, to its own /bin."""
    (at / "bin").mkdir(parents=True)
    os.symlink("/bin", at / "link")
    for name in "gone", "linked", "relative", "up", "round", "held", "refused":
        (at / "bin" / name).write_text("#!/plain\n" if name == "refused" else "#!/no/such\n")
        (at / "bin" / name).chmod(0o755)
    (at / "plain").write_text("")
    return at


TRIED = "for name in ({},): call(59, name, None, None) != -1 and os._exit(1)\n"


@EACH
def test_a_script_below_another_root_is_found_from_there(tmp_path, backend):
    need_root()
    root = root_with_scripts(tmp_path / "root")
    rec, text = learn(tmp_path, backend, *python(
        f"os.chroot('{root}'); os.chdir('/bin'); fd = os.open('/bin', os.O_PATH)\n"
        + TRIED.format("b'/bin/gone', b'/link/linked', b'relative', b'../bin/up', b'../link/round', b'/bin/refused', b'/bin/none', b'/plain/x', b'/plain', b'/no/gone', b'none'")
        + "os._exit(call(322, fd, b'held', None, None, 0) != -1)"))
    mine = {f.removeprefix(f"{root}/bin/"): rights for f, (rights, _) in rec.files.items() if f.startswith(f"{root}/")}
    assert mine == dict.fromkeys(["gone", "linked", "relative", "up", "round", "held", "refused"], "x") and rec.losses == "none", rec.text
    assert "its exec came to nothing" not in text, text


@pytest.mark.parametrize("backend", OTHERS)
@pytest.mark.parametrize("how", ["among other mounts", "unlinked", "renamed with its directory", "written anew"])
def test_what_a_failed_exec_named_is_told_where_it_cannot_be_looked_up(tmp_path, backend, how):
    """eBPF looks it up when all is over; what was executed another time has its rule."""
    need_root()
    root = root_with_scripts(tmp_path / "root")
    name, before, after = {
        "among other mounts": (f"{root}/bin/gone", "ctypes.CDLL(None).unshare(0x20000) and os._exit(1)", ""),
        "unlinked": (f"{root}/bin/gone", "", f"os.unlink('{root}/bin/gone')"),
        "renamed with its directory": (f"{root}/bin/gone", "", f"os.rename('{root}/bin', '{root}/other')"),
        "written anew": (f"{root}/bin/gone", "", f"os.close(os.open('{root}/bin/gone', os.O_WRONLY | os.O_TRUNC)); os.utime('{root}/bin/gone')")}[how]
    rec, text = learn(tmp_path, backend, *python(f"{before}\n" + TRIED.format(f"b'{name}'") + f"{after}\nos._exit(0)"))
    has = "x" in rec.files.get(f"{root}/bin/gone", [""])[0]
    told = re.search(rf"no rule for file ix {root}/bin/gone, as its exec came to nothing", plain(text))
    assert rec.losses == "none" and (has if backend == "ptrace" else told), text
    assert not (has and told), text


@pytest.mark.parametrize("backend", ["ptrace", "seccomp"])
@pytest.mark.parametrize("has", [True, False])
def test_whoever_may_count_anybody_is_not_asked_about_whom_it_counts(tmp_path, backend, has):
    """perf_check_permission() of kernel/events/core.c looks for CAP_PERFMON first."""
    need_root()
    counts = python(
        "import struct; event = struct.pack('IIQQQQQ88x', 1, 136, 9, 0, 0, 0, 1 | 1 << 5 | 1 << 6)\n"
        "pid = os.fork() or os.execv('/bin/sleep', ['sleep', '9'])\n"
        + ("" if has else "os.setresuid(0, 1, 1)\n") +
        "fd = call(298, event, pid, -1, -1, 0); os.setresuid(0, 0, 0); os.kill(pid, 9); os._exit(fd < 0)")
    if run(counts).rc:
        skip("this kernel lets nobody count who has no CAP_PERFMON")
    rec = learn(tmp_path, backend, *counts)[0]
    assert [r for r in rec.rules if r.startswith("ptrace")] == ([] if has else ["ptrace (read, readby) peer=@{profile_name}"]), rec.text
