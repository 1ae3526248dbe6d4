# SPDX-License-Identifier: Apache-2.0
"""--jobs: what several processes find is told as one tells it, byte for byte, and what one of them did not come to
an end with is told too."""
import contextlib
import ctypes
import json
import os
import pathlib
import platform
import resource
import signal
import struct
import subprocess
import time

import pytest

from conftest import LONG, PALE, PATIENCE, ROOT, need_root, run, skip

HERE = pathlib.Path(__file__).resolve().parent
FORMATS = ["text", "concise", "gcc", "json", "sarif", "github", "gitlab", "junit", "checkstyle"]
OPTIONS = ["--isolated", "--runtime", "any", "-I", str(HERE / "base"), "--target", "apparmor=4.1"]


def told(pale, jobs, *args):
    r = pale("lint", "-j", str(jobs), *OPTIONS, *args)
    return r.rc, r.out, r.err


def same(pale, jobs, *args):
    alone = told(pale, 1, *args)
    assert told(pale, jobs, *args) == alone, args
    return alone


def cases():
    """Of every rule what it speaks of, and what not: each format of input, errors, suppressions."""
    return sorted(str(p) for p in (HERE / "rules").rglob("*") if p.is_file() and p.name != "says")


def profiles(folder, n):
    """Variations of Docker's."""
    base = json.loads((ROOT / "profiles/found/docker-default.json").read_text())
    files = []
    for i in range(n):
        names = base["syscalls"][0]["names"]
        base["syscalls"][0]["names"] = names[1:] + names[:1]
        files.append(folder / f"p{i}.json")
        files[-1].write_text(json.dumps(base, indent="\t"))
    return files


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_is_that_of_one_process(pale, form):
    files = cases()
    step = 1 if LONG else 12
    for jobs in (2, 3, 8) if LONG else (2 + FORMATS.index(form),):
        rc, out, _ = same(pale, jobs, "--format", form, *files[FORMATS.index(form)::step])
        assert rc == 1 and len(out) > 5000


def test_statistics_levels_and_selections_are_those_of_one_process(pale):
    files = cases()[::1 if LONG else 12]
    for options in (["--statistics"], ["--statistics", "--format", "json"], ["--error-on", "none"],
                    ["--select", "SR,AP2", "--error-on", "SR205"], ["--severity", "high"], ["--ignore", "PL,SC,AP"]):
        same(pale, 2, *options, *files)


def test_a_baseline_is_that_of_one_process(pale, tmp_path):
    files = cases()[::1 if LONG else 12]
    for jobs in (1, 3):
        told(pale, jobs, "--write-baseline", tmp_path / f"b{jobs}", *files)
    text = (tmp_path / "b1").read_text()
    assert (tmp_path / "b3").read_text() == text and text.count("fingerprint") > 50
    assert "no more" not in same(pale, 2, "--baseline", tmp_path / "b1", *files[::2], "--select", "SR")[2]
    first = json.loads(text.splitlines()[1].rstrip(","))["fingerprint"]
    (tmp_path / "b1").write_text(text.replace(first, "0" * 16, 1))
    _, _, err = same(pale, 3, "--baseline", tmp_path / "b1", *files)
    assert "1 finding of the baseline is no more" in err


def test_deployments_know_the_profiles_of_all_files(pale):
    """Duplicates, names that nobody defines: what one file is told of others."""
    files = [f for f in cases() if "/DP6" in f][::1 if LONG else 3]
    rc, out, _ = same(pale, 3, *files)
    assert rc == 1 and "DP6" in out


# ---- fixes ----

def fixed(pale, folder, jobs, files, *options):
    """Of copies of these files, fixed: what is told, and what became of them."""
    place = folder / f"j{jobs}"
    for f in map(pathlib.Path, files):
        to = place / f.relative_to(HERE)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.exists() or to.write_bytes(f.read_bytes())
    r = pale("lint", f"-j{jobs}", *OPTIONS, *options, *(pathlib.Path(f).relative_to(HERE) for f in files), cwd=place)
    return r.rc, r.out, r.err, {p.relative_to(place): p.read_bytes() for p in sorted(place.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("options", (["--fix=unsafe"], ["--diff", "--fix=unsafe"],
                                     *((["--fix"], ["--diff"], ["--fix", "--format", "json"]) if LONG else ())))
def test_what_is_fixed_is_what_one_process_fixes(pale, tmp_path, options):
    """Deployments that come behind the profiles they name are among them, and files that are named twice."""
    files = cases() if LONG else [f for f in cases() if list(pathlib.Path(f).parent.glob("fixed-*"))][::16]
    files += [f for f in cases() if "/DP6" in f][::1 if LONG else 16] + files[::5]
    alone = fixed(pale, tmp_path, 1, files, *options)
    for jobs in (2, 3, 8) if LONG else (3,):
        assert fixed(pale, tmp_path, jobs, files, *options) == alone
    made = alone[1].count("+++ b/") if "--diff" in options else alone[2].count("fixes made") + alone[2].count("fix made")
    assert made > (20 if LONG else 5)


def fixable(folder, n):
    """Names that stand there twice."""
    files = profiles(folder, n)
    for f in files:
        profile = json.loads(f.read_text())
        profile["syscalls"][0]["names"] += profile["syscalls"][0]["names"][:3]
        f.write_text(json.dumps(profile, indent="\t"))
    return files


def test_a_file_that_was_fixed_meanwhile_is_looked_at_again(pale, tmp_path):
    """By another name, too, and where another includes it: so it is fixed once, and the second time as it is by then."""
    file, = fixable(tmp_path, 1)
    text = file.read_bytes()
    (tmp_path / "link.json").symlink_to(file.name)
    piece, whole = tmp_path / "piece", tmp_path / "whole"
    piece.write_text("/etc/a r,\n/etc/a r,\n")
    includer = f'profile p /p {{\n  include "{piece}"\n  /etc/b r,\n}}\n'
    named = profiles(tmp_path, 3)[1:] + [file, tmp_path / "link.json", file, tmp_path / "link.json", piece, whole]
    told_by = {}
    for jobs in 1, 2, 5:
        file.write_bytes(text)
        piece.write_text("profile q /q {\n  /etc/a r,\n  /etc/a r,\n}\n")
        whole.write_text(f'include "{piece}"\n' + includer.replace(f'  include "{piece}"\n', ""))
        told_by[jobs] = told(pale, jobs, "--fix", *named), file.read_bytes(), piece.read_text(), whole.read_text()
    assert told_by[2] == told_by[1] and told_by[5] == told_by[1]
    assert told_by[1][0][2].count("p0.json: 1 fix made") == 1 and "link" not in told_by[1][0][2]
    assert told_by[1][2].count("/etc/a") == 1


def test_fixes_beside_a_baseline_are_those_of_one_process(pale, tmp_path):
    files = fixable(tmp_path, 6)
    texts = [f.read_bytes() for f in files]
    told(pale, 1, "--write-baseline", tmp_path / "b", *files[:3])
    by = {}
    for jobs in 1, 3:
        for f, text in zip(files, texts):
            f.write_bytes(text)
        by[jobs] = told(pale, jobs, "--fix", "--baseline", tmp_path / "b", *files), [f.read_bytes() for f in files]
    assert by[3] == by[1] and by[1][1][:3] == texts[:3]
    assert all(now != text for now, text in zip(by[1][1][3:], texts[3:]))


def test_why_there_is_no_patch_is_told(pale, tmp_path):
    files = [*fixable(tmp_path, 3), tmp_path / "none.json"]
    rc, out, err = same(pale, 2, "--diff", *files)
    assert rc == 3 and out.count("+++ b/") == 3 and f"cannot read '{files[3]}'" in err and "PL006" in err


def test_what_can_be_read_once_is_read_in_one_process(pale, tmp_path):
    files = profiles(tmp_path, 3)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    alone = told(pale, 1, *files)
    for name in "-", str(fifo):
        proc = subprocess.Popen([PALE, "lint", "-j3", *OPTIONS, *files, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
        with (proc.stdin if name == "-" else open(fifo, "w")) as to:
            to.write(files[0].read_text())
        out, err = proc.communicate(timeout=PATIENCE) if name != "-" else (proc.stdout.read(), proc.stderr.read())
        assert proc.wait(timeout=PATIENCE) == 1 and out.startswith(alone[1]) and len(out) > len(alone[1]), err


def test_how_many_is_a_number(pale, tmp_path):
    file = profiles(tmp_path, 1)[0]
    for wrong in "0", "-1", "65", "two", "":
        assert "'--jobs' takes a number from 1 to 64" in pale("lint", "--jobs", wrong, file, check=2).err
    assert told(pale, 64, file, file) == told(pale, 1, file, file)


# ---- processes that end ----

def children(pid):
    try:
        return [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def lint_and_end(files, how_many, later, *options):
    """Kills so many of four processes, each so many seconds after it is there."""
    proc = subprocess.Popen([PALE, "lint", "-j4", *OPTIONS, *options, *files], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True)
    ended = set()
    while len(ended) < how_many and proc.poll() is None:
        for pid in children(proc.pid):
            if pid not in ended and len(ended) < how_many:
                time.sleep(later)
                with contextlib.suppress(ProcessLookupError):  # it has ended by itself
                    os.kill(pid, signal.SIGKILL)
                ended.add(pid)
    out, err = proc.communicate(timeout=PATIENCE)
    return proc.returncode, out, err


@pytest.mark.parametrize("how_many", (1, 4))
def test_a_process_that_is_killed_leaves_no_gap(pale, tmp_path, how_many):
    """Each file is linted, or it is said that it was not; the status is that of a failure."""
    files = list(map(str, profiles(tmp_path, 120)))
    whole = json.loads(told(pale, 1, "--format", "json", *files)[1])["findings"]
    for i in range(100):
        rc, out, err = lint_and_end(files, how_many, i % 8 / 1000, "--format", "json")
        found = json.loads(out)["findings"]
        gone = [f["file"] for f in found if f["id"] == "PL457"]
        assert [f for f in found if f["file"] not in gone] == [f for f in whole if f["file"] not in gone], err
        assert all(f["message"] == "not linted: its process was ended by signal 9" and f["severity"] == "error"
                   for f in found if f["file"] in gone)
        assert len(gone) <= how_many and rc == (3 if gone else 1), (rc, gone, err)
        if len(gone) == how_many:
            return
    assert not "once in a hundred times each has a file"


def all_end(pids):
    end = time.monotonic() + PATIENCE
    while any(pathlib.Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < end, pids
        time.sleep(0.01)


def test_a_process_that_is_killed_leaves_no_file_half_fixed(pale, tmp_path):
    """As it was, which is told, or whole. Who writes is the first one."""
    (tmp_path / "others").mkdir()
    files = list(map(str, fixable(tmp_path, 8)))
    others = profiles(tmp_path / "others", 96)
    before = [pathlib.Path(f).read_bytes() for f in files]
    told(pale, 1, "--fix", *files)
    after = [pathlib.Path(f).read_bytes() for f in files]
    named = [name for i, f in enumerate(files) for name in (*others[12 * i:12 * i + 12], f)]
    assert all(a != b for a, b in zip(after, before))
    for i in range(100):
        for f, text in zip(files, before):
            pathlib.Path(f).write_bytes(text)
        rc, out, err = lint_and_end(named, 2, i % 8 / 1000, "--fix", "--format", "json")
        gone = {f["file"] for f in json.loads(out)["findings"] if f["id"] == "PL457"}
        for f, was, whole in zip(files, before, after):
            assert pathlib.Path(f).read_bytes() == (was if f in gone else whole), err
            assert (f"{f}: 1 fix made" in err) == (f not in gone)
        assert len(gone) <= 2 and rc == (3 if gone else 1)
        if gone:
            return
    assert not "once in a hundred times one has a file"


@pytest.mark.once
def test_what_a_process_says_before_it_ends_is_told(pale, tmp_path):
    """Of one that has no memory left for a file, which the first process would not survive either."""
    files = profiles(tmp_path, 4)
    files[2].write_text('{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": [' + '"read", ' * 1_900_000 + '"read"], "action": "SCMP_ACT_ALLOW"}]}')
    r = run([PALE, "lint", "-j2", *OPTIONS, "--format", "json", *files],
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (90 << 20, 90 << 20)))
    found = json.loads(r.out)["findings"]
    assert [f["file"] for f in found if f["id"] == "PL457"] == [str(files[2])] and r.rc == 3
    assert "pale: out of memory" in r.err
    assert {f["file"] for f in found} == set(map(str, files))


@pytest.mark.parametrize("how", (signal.SIGINT, signal.SIGTERM, signal.SIGKILL))
def test_without_its_first_process_nothing_goes_on(tmp_path, how):
    files = profiles(tmp_path, 400)
    proc = subprocess.Popen([PALE, "lint", "-j3", *OPTIONS, *files], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    others = []
    while not others and proc.poll() is None:
        others = children(proc.pid)
    proc.send_signal(how)
    assert proc.wait(timeout=PATIENCE) == -how
    assert others
    all_end(others)


def test_when_nobody_reads_any_more_all_processes_end(tmp_path):
    files = profiles(tmp_path, 400)
    proc = subprocess.Popen([PALE, "lint", "-j3", *OPTIONS, *files], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    others = []
    while not others and proc.poll() is None:
        others = children(proc.pid)  # what they find is more than a pipe holds
    proc.stdout.close()
    assert proc.wait(timeout=PATIENCE) == -signal.SIGPIPE
    assert others
    all_end(others)


REFUSE, END = 0x00050001, 0x80000000  # SECCOMP_RET_ERRNO | EPERM, SECCOMP_RET_KILL_PROCESS


def no_more_processes(answer=REFUSE):
    """A seccomp filter: clone, fork, vfork and clone3 get this answer."""
    calls = [56, 57, 58, 435]
    code = struct.pack("=HBBI", 0x20, 0, 0, 0)
    for i, nr in enumerate(calls):
        code += struct.pack("=HBBI", 0x15, len(calls) - i, 0, nr)
    code += struct.pack("=HBBI", 0x06, 0, 0, 0x7fff0000) + struct.pack("=HBBI", 0x06, 0, 0, answer)
    text = ctypes.create_string_buffer(code, len(code))
    prog = struct.pack("=HxxxxxxQ", len(code) // 8, ctypes.addressof(text))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, prog, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def test_a_user_with_no_process_left_has_it_done_by_one(pale, tmp_path):
    need_root()
    files = profiles(tmp_path, 20)
    alone = told(pale, 1, *files)

    def as_somebody():  # whom the limit is for, as it is not for root; nobody else is him
        os.setresgid(54321, 54321, 54321)
        resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
        caps = ctypes.CDLL(None, use_errno=True)
        assert not caps.prctl(8, 1, 0, 0, 0)  # PR_SET_KEEPCAPS: the files are root's
        os.setresuid(54321, 54321, 54321)
        head, data = struct.pack("=II", 0x20080522, 0), struct.pack("=IIIIII", 6, 6, 6, 0, 0, 0)  # CAP_DAC_*
        assert not caps.syscall(126, head, data)
        for cap in (1, 2):
            assert not caps.prctl(47, 2, cap, 0, 0)  # PR_CAP_AMBIENT_RAISE: beyond the exec

    r = run([PALE, "lint", "-j3", *OPTIONS, *files], preexec_fn=as_somebody)
    assert (r.rc, r.out, r.err) == alone


def test_where_no_process_may_be_made_one_does_it_all(pale, tmp_path):
    if platform.machine() != "x86_64":
        skip("the filter is x86-64's")
    files = profiles(tmp_path, 20)
    alone = told(pale, 1, *files)
    r = run([PALE, "lint", "-j3", *OPTIONS, *files], preexec_fn=no_more_processes)
    assert (r.rc, r.out, r.err) == alone


def hierarchies():
    """version -> where a cgroup hierarchy is mounted that may hold back time of processors, and this process's place in it."""
    out = {}
    own = [line.split(":", 2) for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines()]
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        left, right = line.split(" - ")
        root, place = left.split()[3:5]
        kind, _, options = right.split()[:3]
        version = {"cgroup2": 2, "cgroup": 1}.get(kind)
        for number, controllers, path in own:
            if (version == 2 and number == "0" or version == 1 and "cpu" in controllers.split(",") and "cpu" in options.split(",")) \
                    and path.startswith(root):
                out.setdefault(version, (place, path[len(root):].strip("/") if root != "/" else path.strip("/")))
    return out


@pytest.mark.once  # the leak checker makes a process
@pytest.mark.parametrize("version", (1, 2))
def test_a_cgroup_with_less_time_has_fewer_processes(tmp_path, version):
    """Whoever makes one is ended here, which shows who does. Of a hierarchy only the files are there."""
    need_root()
    if platform.machine() != "x86_64":
        skip("the filter is x86-64's")
    if version not in hierarchies():
        skip(f"no cgroups of version {version}")
    files = profiles(tmp_path, 30)
    place, own = hierarchies()[version]
    libc = ctypes.CDLL(None, use_errno=True)
    name = f"pale-lint-{os.getpid()}"
    deep = [pathlib.Path(place, own, name), pathlib.Path(place, own, name, "in")]
    with contextlib.suppress(OSError):  # where none may be made it is the own one alone
        for one in deep:
            one.mkdir()
        own = os.path.relpath(deep[1], place)

    def held_to(quota, period, where):
        def prepare():
            deep[1].exists() and (deep[1] / "cgroup.procs").write_text("0")
            if libc.unshare(0x20000) or libc.mount(None, b"/", None, 0x44000, None) \
                    or libc.mount(b"none", place.encode(), b"tmpfs", 0, None):
                raise OSError(ctypes.get_errno(), "mount")
            folder = pathlib.Path(place, where)
            folder.mkdir(parents=True, exist_ok=True)
            pathlib.Path(place, own).mkdir(parents=True, exist_ok=True)
            if version == 2:
                (folder / "cpu.max").write_text(f"{'max' if quota < 0 else quota} {period}\n")
            else:
                (folder / "cpu.cfs_quota_us").write_text(f"{quota}\n")
                (folder / "cpu.cfs_period_us").write_text(f"{period}\n")
            no_more_processes(END)
        return run([PALE, "lint", *OPTIONS, *files], preexec_fn=prepare).rc

    several = -signal.SIGSYS if len(os.sched_getaffinity(0)) > 1 else 1
    try:
        for where in {own, os.path.dirname(own), ""}:
            assert held_to(-1, 100000, where) == several
            assert held_to(100001, 100000, where) == several
            assert held_to(100000, 100000, where) == 1
            assert held_to(5000, 100000, where) == 1
    finally:
        for one in reversed(deep):
            one.exists() and one.rmdir()
