# SPDX-License-Identifier: Apache-2.0
"""Programs that do little and are easily recorded wrong."""
import os
import re

import pytest

from conftest import PALE, PYTHON, need_root, run
from test_backends import PROBES, learn, usable

EACH = pytest.mark.parametrize("backend", ["ebpf", "ptrace"])
SYSCALL = "import ctypes, os, signal; call = ctypes.CDLL(None).syscall\n"


def python(script):
    # Without site, which asks the name service for a home directory where $HOME is not set.
    return [PYTHON, "-ESc", SYSCALL + script]


@EACH
def test_a_filter_of_its_own_is_said_where_it_hides_calls(tmp_path, backend):
    text = learn(tmp_path, backend, PROBES / "selffilter")[1]
    assert ("# a seccomp filter of its own was installed" in text) == (backend == "ebpf")
    assert "a seccomp filter of its own" not in learn(tmp_path, backend, "true")[1]


@EACH
def test_a_signal_that_is_sent_by_a_descriptor_has_its_rule(tmp_path, backend):
    text = learn(tmp_path, backend, *python(
        "signal.signal(10, signal.SIG_IGN); call(424, os.pidfd_open(os.getpid()), 10, 0, 0)"))[1]
    plain = re.sub(r" +", " ", text)
    assert "signal usr1 -> @{profile_name}; # 1x" in plain, text


@EACH
def test_a_process_that_is_killed_received_that(tmp_path, backend):
    rec, text = learn(tmp_path, backend, "sh", "-c", "sh -c 'kill -9 $$; sleep 1'; true")
    assert "received 9 ours\t1:1@" in rec.text and re.search(r"signal kill -> @\{profile_name\}; +# 1x", text), rec.text


@EACH
def test_numbers_of_an_abi_that_is_not_there_make_no_rules_for_it(tmp_path, backend):
    """Programs that look for x32 are answered ENOSYS; where the kernel has it the policy does, too."""
    rec, text = learn(tmp_path, backend, *python("os._exit(call(0x40000000 + 39) < 0)"), rc=None)
    has = ("x32", "getpid") in rec.calls
    assert ("arch x86_64;" in re.sub(" +", " ", text)) == (not has)
    assert has or "another ABI that the kernel does not have: 1;" in text, text
    assert ("foreign errno ENOSYS;" in re.sub(" +", " ", text)) == (not has)
    # Refused as it was, and not killed for it.
    sim = run([PALE, "sim", tmp_path / f"{backend}.pale", "--raw"], input="x32 39 0 0 0 0 0 0\n")
    assert has or sim.out == "ERRNO(38)\n", sim


def test_a_namespace_that_clone_makes_is_a_capability(tmp_path):
    """As the memory that clone accounts for is not."""
    need_root()
    usable("ebpf")
    text = learn(tmp_path, "ebpf", *python("call(56, 0x04000000 | 17, 0, 0, 0, 0) or os._exit(0); os.wait()"))[1]
    if "capabilities: not observed" not in text:
        assert re.search(r"capability sys_admin; +# \d+x, first at .*, in clone", text), text
        assert "sys_admin" not in learn(tmp_path, "ebpf", "sh", "-c", "(true); true")[1]


@EACH
def test_a_directory_that_is_not_empty_is_asked_for_all_the_same(tmp_path, backend):
    """The kernel asks AppArmor first: without the right rmdir -p would get EACCES for ENOTEMPTY."""
    (tmp_path / "full" / "in").mkdir(parents=True)
    rec = learn(tmp_path, backend, *python(f"os._exit(call(84, b'{tmp_path}/full') == 0 or call(84, b'{tmp_path}/none') == 0)"))[0]
    assert rec.files[f"{tmp_path}/full/"][0] == "w" and f"{tmp_path}/none/" not in rec.files, rec.files


@EACH
def test_what_is_no_longer_there_behind_a_name_is_asked_for_all_the_same(tmp_path, backend):
    """A terminal that nobody has, a FIFO that nobody reads, a socket: ENXIO, and EACCES without the right."""
    os.mkfifo(tmp_path / "fifo")
    rec = learn(tmp_path, backend, *python(
        f"os.setsid(); s = __import__('socket').socket(1); s.bind('{tmp_path}/socket'); os.chdir('{tmp_path}')\n"
        "for name, how in ('/dev/tty', 2), ('fifo', 1 | 0o4000), ('socket', 0), ('none', 2):\n"
        "    try: os.open(name, how)\n    except OSError as e: assert e.errno == (2 if name == 'none' else 6)"))[0]
    assert rec.files["/dev/tty"][0] == "rw" and rec.files[f"{tmp_path}/fifo"][0] == "w", rec.files
    assert rec.files[f"{tmp_path}/socket"][0] == "rw" and f"{tmp_path}/none" not in rec.files, rec.files


@EACH
def test_what_the_kernel_asks_outside_of_any_call_is_told(tmp_path, backend):
    """Of personality(0xffffffff), which asks alone, nothing is."""
    text = learn(tmp_path, backend, *python("call(157, 1, 15, 0, 0, 0); call(135, 0x400000)"))[1]
    assert "# a signal at its parent's death was asked for (PR_SET_PDEATHSIG)" in text, text
    assert "# READ_IMPLIES_EXEC was set by personality" in text, text
    text = learn(tmp_path, backend, *python("call(157, 2, 0, 0, 0, 0); call(135, 0xffffffff)"))[1]
    assert "parent's death" not in text and "READ_IMPLIES_EXEC was set" not in text, text


@EACH
def test_files_that_the_kernel_opens_for_a_task_are_there_or_said_to_be_missing(tmp_path, backend):
    """A core dump, and what events of fanotify's open: no call names them."""
    if open("/proc/sys/kernel/core_pattern", encoding="ascii").read() != "core\n":
        pytest.skip("core dumps go elsewhere on this machine")
    rec, text = learn(tmp_path, backend, *python(
        "import resource\nresource.setrlimit(resource.RLIMIT_CORE, resource.getrlimit(resource.RLIMIT_CORE)[1:] * 2)\n"
        f"os.chdir('{tmp_path}')\nif not os.fork(): os.abort()\nassert os.WCOREDUMP(os.wait()[1])\ncall(300, 0, 0)"))
    plain = " ".join(text.replace("#", " ").split())
    if rec.runs[1].get("names-seen"):
        assert any(path.startswith(f"{tmp_path}/core") for path in rec.files), rec.files
    elif backend == "ptrace":
        assert rec.runs[1]["core-dumps"] == "1" and "core dumps were written: 1, to files that were not seen" in plain, text
    else:
        assert "RLIMIT_CORE was set: whether core dumps were written was not seen" in plain, text
    assert ("fanotify was used: the files that read(2) of its events opened" in plain) == (not rec.runs[1].get("names-seen")), text


@EACH
def test_what_opens_a_file_by_its_name_beside_open_is_recorded(tmp_path, backend):
    """acct writes behind what is there; of setns a process is another one's, and a namespace is none."""
    need_root()
    (tmp_path / "account").touch()
    rec, text = learn(tmp_path, backend, *python(
        f"import ctypes\nC = ctypes.c_char_p(b'{tmp_path}/account')\nif call(163, C) == 0: call(163, None)\nelse: os._exit(0)\n"
        "pid = os.fork()\nif not pid: signal.pause()\ncall(308, os.pidfd_open(pid), 0x4000000)\n"
        "call(308, os.open('/proc/self/ns/uts', 0), 0x4000000)\nos.kill(pid, 9); os.wait()"))
    if ("x86_64", "setns") not in rec.calls:
        pytest.skip("this kernel has no accounting of processes")
    assert rec.files[f"{tmp_path}/account"][0] == "a", rec.files
    assert rec.rules == {"ptrace (read, readby) peer=@{profile_name}": 1}, rec.rules


def test_a_directory_and_a_file_that_change_places_are_asked_about_as_they_were(tmp_path):
    """AppArmor asks for r of what is moved alone: of neither as what the other is."""
    (tmp_path / "dir").mkdir()
    (tmp_path / "file").touch()
    rec = learn(tmp_path, "ptrace", *python(f"os._exit(call(316, -100, b'{tmp_path}/dir', -100, b'{tmp_path}/file', 2) != 0)"))[0]
    assert {p[len(str(tmp_path)):]: v[0] for p, v in rec.files.items() if p.startswith(str(tmp_path))} == {
        "/dir": "w", "/dir/": "rw", "/file": "rw", "/file/": "w"}
