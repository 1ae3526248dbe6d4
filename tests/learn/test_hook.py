# SPDX-License-Identifier: Apache-2.0
"""pale hook: what it is told, what it writes, and containers of a real runtime that it records."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import PALE, PATIENCE, need, need_root, run

NAME = "io.pale.learn"


def state(**kw):
    return json.dumps({"ociVersion": "1.0.2", "id": "box", "status": "created", "pid": 1,
                       "bundle": "/", **kw})


def hook(*args, **kw):
    return run([PALE, "hook", *args], **kw)


# ---- what it is told ----

@pytest.mark.parametrize("text, said", [
    ("", "nothing"), ("{", ""), ("[]", "no state of a container"), ("{}", "no state of a container"),
    (state(id="../../etc/cron.d/x"), "cannot be a file's name"),
    (state(id=""), "cannot be a file's name"),
    (state(pid=0), "no process"), (state(pid=-3), "no process"), (state(pid="7"), "no process"),
    (state(annotations=[NAME]), "no object"),
    *[(state(annotations={NAME: n}), "cannot be a file's name")
      for n in ("../x", ".x", "a/b", "/etc", "", "x" * 129, "a\nb", "a\0b", "-r", 7, None)],
])
def test_what_is_no_state_is_told_and_the_container_starts(tmp_path, text, said):
    d = tmp_path / "rec"
    d.mkdir(mode=0o700)
    r = hook("--directory", d, input=text)
    assert r.rc == 0 and said in r.err and "error" in r.err, r
    assert hook("--directory", d, "--strict", input=text).rc == 1
    assert not list(d.iterdir())


def test_a_container_without_the_annotation_is_left_alone(tmp_path):
    r = hook("--directory", tmp_path / "not-there", "--strict", input=state())
    assert (r.rc, r.out, r.err) == (0, "", "")


def test_a_directory_that_others_write_to_takes_no_recording(tmp_path):
    d = tmp_path / "rec"
    told = state(annotations={NAME: "web"})
    r = hook("--directory", d, "--strict", input=told)
    assert r.rc == 1 and "no recording can be kept" in r.err and "--install" in r.err, r
    d.mkdir()
    d.chmod(0o777)
    r = hook("--directory", d, "--strict", input=told)
    assert r.rc == 1 and "others than its owner may write" in r.err and not list(d.iterdir()), r
    d.chmod(0o700)
    (d / "web").symlink_to("/tmp")
    r = hook("--directory", d, "--strict", input=told)
    assert r.rc == 1 and "no recording can be kept" in r.err, r


def test_a_directory_below_one_that_is_anothers_takes_no_recording(tmp_path):
    """Who may rename what leads to it decides where recordings go; in a sticky directory others may not."""
    need_root()
    told, above = state(annotations={NAME: "web"}), tmp_path / "above"
    (above / "rec").mkdir(parents=True, mode=0o700)
    (tmp_path / "link").symlink_to(above / "rec")
    for owner, mode, said in ((65534, 0o755, "'%s', above it, is not root's"), (0, 0o777, "'%s', above it, may be written to by others"), (0, 0o1777, None)):
        os.chown(above, owner, -1)
        above.chmod(mode)
        for d in (above / "rec", tmp_path / "link"):
            r = hook("--directory", d, "--strict", input=told)
            assert r.rc == 1 and (said % above in r.err if said else "above it" not in r.err and "the cgroup of process 1" in r.err), r
            file = tmp_path / "daemon.json"
            r = hook("--install", "docker", "--config", file, "--directory", d, "--yes")
            assert (r.rc == 1 and said % above in r.err and not file.exists()) if said else r.rc == 0, r


def test_a_runtime_that_does_not_close_standard_input_waits_no_longer_than_ten_seconds(tmp_path):
    began = time.monotonic()
    hooks = [subprocess.Popen([PALE, "hook", "--directory", tmp_path / "rec", *strict], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
             for strict in ([], ["--strict"])]
    for h in hooks:
        h.stdin.write(state(annotations={NAME: "web"}).encode())
        h.stdin.flush()
    for h, rc in zip(hooks, (0, 1)):
        assert h.wait(PATIENCE) == rc and b"did not end within 10 s" in h.stderr.read()
        h.communicate()
    assert time.monotonic() - began >= 9 and not (tmp_path / "rec").exists()


def test_a_state_without_an_end_is_not_read_to_it(tmp_path):
    r = hook("--directory", tmp_path, "--strict", input=state(annotations={"x": "y" * (1 << 20)}))
    assert r.rc == 1 and "cannot be read: File too large" in r.err, r


@pytest.mark.parametrize("args, said", [
    (["--directory", "rec"], "a path from the root on"), (["--yes"], "take --install"),
    (["--install", "docker"], "--dry-run"), (["--exec", "runc"], "behind '--'"),
    (["--", "run"], "--exec"), (["--config", "/x"], "--install"), (["x"], "not expected"),
    (["--install", "docker", "--remove", "docker", "--yes"], "not both"),
])
def test_wrong_usage_is_told(args, said):
    r = hook(*args, input="")
    assert r.rc == 2 and said in r.err, r


# ---- config.json ----

HOOK = {"path": PALE, "args": ["pale", "hook", "--directory", "/r"]}
OTHER = {"path": "/bin/true"}


@pytest.mark.parametrize("config, hooks", [
    ({}, {"createRuntime": [HOOK]}),
    ({"root": {"path": "r"}, "ociVersion": "1"}, {"createRuntime": [HOOK]}),
    ({"hooks": None, "a": 1}, {"createRuntime": [HOOK]}),
    ({"hooks": {}}, {"createRuntime": [HOOK]}),
    ({"hooks": {"poststop": [OTHER]}}, {"createRuntime": [HOOK], "poststop": [OTHER]}),
    ({"hooks": {"poststop": [OTHER], "createRuntime": None}},
     {"poststop": [OTHER], "createRuntime": [HOOK]}),
    ({"hooks": {"createRuntime": []}}, {"createRuntime": [HOOK]}),
    ({"a": 1, "hooks": {"createRuntime": [OTHER]}}, {"createRuntime": [HOOK, OTHER]}),
    ({"hooks": {"createRuntime": [OTHER, HOOK]}}, {"createRuntime": [OTHER, HOOK]}),
])
@pytest.mark.parametrize("indent", [None, 4])
def test_the_hook_is_added_and_all_else_stays(tmp_path, config, hooks, indent):
    file = tmp_path / "config.json"
    before = json.dumps(config, indent=indent)
    file.write_text(before)
    command = ["--exec", "cat", "--directory", "/r", "--"]  # a "runtime" that knows no create
    r = hook(*command, "create", "--bundle", tmp_path, "x", input="")
    after = file.read_text()
    assert json.loads(after) == {**config, "hooks": hooks}, r
    assert "cat:" in r.err and "pale" not in r.err, r
    hook(*command, "--root", "create", "run", f"--bundle={tmp_path}", "x", input="")
    assert file.read_text() == after
    if config and not config.get("hooks"):
        assert all(line in after for line in before.splitlines()[1:] if "hooks" not in line)


@pytest.mark.parametrize("args", [["delete", "x"], ["--root", "run", "state", "x"], ["--version"]])
def test_other_commands_of_a_runtime_change_nothing(tmp_path, args):
    (tmp_path / "config.json").write_text("{}")
    r = hook("--exec", "echo", "--", *args, cwd=tmp_path)
    assert (r.rc, r.err) == (0, "") and (tmp_path / "config.json").read_text() == "{}"
    if args != ["--version"]:
        assert r.out == " ".join(args) + "\n"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"hooks": 7}', '{"hooks": {"createRuntime": {}}}'])
def test_a_configuration_that_cannot_be_read_is_the_runtimes_to_refuse(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    r = hook("--exec", "echo", "--", "run", "x", cwd=tmp_path)
    assert r.rc == 0 and r.out == "run x\n" and "config.json" in r.err, r
    r = hook("--exec", "echo", "--strict", "--", "run", "x", cwd=tmp_path)
    assert r.rc == 1 and not r.out and (tmp_path / "config.json").read_text() == text, r


def test_a_runtime_that_is_not_there_is_told():
    r = hook("--exec", "no-such-runtime", "--", "state", "x")
    assert r.rc == 127 and "no-such-runtime" in r.err, r


# ---- engines ----

@pytest.mark.parametrize("text", [
    None, '{"debug": true}\n', '{ "debug": true, "hosts": ["unix:///x"] }',
    '{\n    "debug": true,\n    "hosts": []\n}\n',
    '{\n  "runtimes": {\n    "kata": {"path": "/k"}\n  },\n  "debug": false\n}\n',
    '{"debug": false, "runtimes": {"kata": {"path": "/k"}}}'])
def test_dockers_file_gets_the_runtime_and_loses_it_again(tmp_path, text):
    file, d = tmp_path / "etc" / "daemon.json", tmp_path / "rec"
    if text:
        file.parent.mkdir()
        file.write_text(text)
    common = ["docker", "--config", file, "--directory", d]
    r = hook("--install", *common, "--dry-run")
    assert r.rc == 0 and '+' in r.out and "runtimeArgs" in r.out and not d.exists(), r
    assert file.exists() == bool(text) and (not text or file.read_text() == text)
    for _ in range(2):
        r = hook("--install", *common, "--yes")
        made = json.loads(file.read_text())
        ours = made["runtimes"].pop("pale")
        assert ours["path"] == PALE and ours["runtimeArgs"] == [
            "hook", "--exec", "runc", "--directory", str(d), "--always", "--"], r
        was = json.loads(text or "{}")
        assert made == {**was, "runtimes": was.get("runtimes", {})}
    assert "nothing is to be changed" in r.err and d.stat().st_mode & 0o777 == 0o700, r
    assert hook("--install", *common, "--every", "5s", "--strict", "--no-files", "--yes").rc == 0  # all that it may be called with
    assert json.loads(file.read_text())["runtimes"]["pale"]["runtimeArgs"] == [
        "hook", "--exec", "runc", "--directory", str(d), "--every", "5s", "--strict", "--always", "--no-files", "--"]
    r = hook("--remove", *common, "--yes")
    assert r.rc == 0 and (file.read_text() == text if text else not file.exists()), r
    assert d.exists()


def test_a_directory_that_is_there_stays_as_it_is(tmp_path):
    d, file = tmp_path / "rec", tmp_path / "daemon.json"
    d.mkdir()
    for mode, rc in ((0o755, 0), (0o777, 1)):
        d.chmod(mode)
        file.unlink(missing_ok=True)
        r = hook("--install", "docker", "--config", file, "--directory", d, "--yes")
        assert r.rc == rc and d.stat().st_mode & 0o777 == mode and file.exists() == (rc == 0), r
    assert "others than its owner may write to it" in r.err and r.err.count("\n") == 2, r


@pytest.mark.parametrize("text", ["[]", '{"runtimes": []}', '{"runtimes": {', '{"a": 1} x'])
def test_a_file_that_dockerd_does_not_take_stays(tmp_path, text):
    file = tmp_path / "daemon.json"
    file.write_text(text)
    for what in ("--install", "--remove"):
        r = hook(what, "docker", "--config", file, "--directory", tmp_path / "d", "--yes")
        assert r.rc == 1 and "daemon.json:1" in r.err and file.read_text() == text, r


def test_a_runtime_that_is_dockers_default_is_not_removed(tmp_path):
    """dockerd says "specified default runtime 'pale' does not exist" and does not start."""
    file = tmp_path / "daemon.json"
    common = ["docker", "--config", file, "--directory", tmp_path / "rec", "--yes"]
    file.write_text('{\n  "default-runtime": "pale"\n}\n')
    assert hook("--install", *common).rc == 0
    made = file.read_text()
    r = hook("--remove", *common)
    assert r.rc == 1 and "daemon.json:3:22" in r.err and "dockerd does not start" in r.err and file.read_text() == made, r
    file.write_text(made.replace('"default-runtime": "pale"', '"default-runtime": "runc"'))
    assert hook("--remove", *common).rc == 0 and json.loads(file.read_text()) == {"default-runtime": "runc"}


def test_a_link_stays_one_and_what_it_leads_to_keeps_its_rights(tmp_path):
    (tmp_path / "real").mkdir()
    file, link = tmp_path / "real/daemon.json", tmp_path / "daemon.json"
    file.write_text('{"debug": true}')
    file.chmod(0o640)
    link.symlink_to("real/daemon.json")
    assert hook("--install", "docker", "--config", link, "--directory", tmp_path / "rec", "--yes").rc == 0
    assert link.is_symlink() and file.stat().st_mode & 0o777 == 0o640 and list(json.loads(file.read_text())) == ["runtimes", "debug"]


def test_installed_by_several_at_once_it_is_there_once(tmp_path):
    file = tmp_path / "daemon.json"
    for _ in range(5):
        file.write_text('{"debug": true}')
        with ThreadPoolExecutor(4) as threads:
            done = list(threads.map(lambda _: hook("--install", "docker", "--config", file, "--directory", tmp_path / "rec", "--yes").rc, range(4)))
        assert done == [0] * 4 and json.loads(file.read_text())["debug"] and file.read_text().count("runtimeArgs") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["daemon.json", "rec"]


@pytest.mark.parametrize("engine", ["podman", "crio"])
def test_a_hook_file_is_written_and_removed_and_anothers_is_not(tmp_path, engine):
    file, d = tmp_path / "hooks.d" / "pale.json", tmp_path / "rec"
    common = [engine, "--config", file, "--directory", d]
    assert hook("--install", *common, "--yes").rc == 0
    made = json.loads(file.read_text())
    assert made["version"] == "1.0.0" and made["stages"] == ["createRuntime"]
    assert made["hook"] == {"path": PALE, "args": ["pale", "hook", "--directory", str(d)]}
    assert made["when"] == {"annotations": {r"^io\.pale\.learn$": ".+"}}
    assert hook("--install", *common, "--strict", "--yes").rc == 0
    assert "--strict" in json.loads(file.read_text())["hook"]["args"]
    assert hook("--install", *common, "--no-files", "--yes").rc == 0
    assert json.loads(file.read_text())["hook"]["args"] == ["pale", "hook", "--directory", str(d), "--no-files"]
    assert hook("--remove", *common, "--yes").rc == 0 and not file.exists()
    file.write_text('{"version": "1.0.0", "hook": {"path": "/bin/true"}}')
    for what in ("--install", "--remove"):
        r = hook(what, *common, "--yes")
        assert r.rc == 1 and "no hook of pale's" in r.err and "true" in file.read_text(), r


# ---- containers ----

@pytest.fixture
def bundle(tmp_path):
    """A busybox bundle; yields a function that runs it through the hook, and its recordings' directory."""
    need_root()
    runc, box = need("runc"), need("busybox")
    b, rec = tmp_path / "bundle", tmp_path / "rec"
    for name in ("bin", "proc", "dev", "tmp"):
        (b / "rootfs" / name).mkdir(parents=True)
    rec.mkdir(mode=0o700)
    shutil.copy(box, b / "rootfs" / "bin" / "busybox")
    for name in ("sh", "mkdir", "sleep"):
        (b / "rootfs" / "bin" / name).symlink_to("busybox")
    run([runc, "spec"], cwd=b, check=0)
    plain = json.loads((b / "config.json").read_text())

    def start(script, *options, name="web", before=(), timeout=PATIENCE, annotations=(), runtime=runc, hooks=()):
        plain["process"].update(terminal=False, args=["/bin/sh", "-c", script])
        plain["root"]["readonly"] = False
        plain["annotations"] = {**({NAME: name} if name else {}), **dict(annotations)}
        plain["hooks"] = {"createRuntime": list(hooks)}
        (b / "config.json").write_text(json.dumps(plain))
        return run([*before, PALE, "hook", "--exec", runtime, "--directory", rec, *options, "--", "--root",
                    tmp_path / "state", "run", "--bundle", b, f"pale-{os.getpid()}"],
                   timeout=timeout)

    yield start, rec
    run([runc, "--root", tmp_path / "state", "delete", "--force", f"pale-{os.getpid()}"])


def recordings(d, n=1):
    """The recorder ends by itself, a moment after the container."""
    end = time.monotonic() + PATIENCE
    while True:
        found = [f for f in d.glob("*/*") if not f.name.startswith(".")]
        if len(found) >= n or time.monotonic() > end:
            return found
        time.sleep(0.02)


@pytest.mark.once
def test_a_container_is_recorded_from_its_start(bundle):
    start, rec = bundle
    r = start("mkdir /tmp/made; exit 7", "--strict")
    assert r.rc == 7 and not r.err, r
    file, = recordings(rec)
    assert file.parent.name == "web" and file.stat().st_mode & 0o777 == 0o600
    text = file.read_text()
    assert 'name "web"' in text and "mkdir" in text and "loss" not in text, text
    # runc waited in the container meanwhile: it was not met midway, nor asked what it holds
    assert "midway" not in text and " held" not in text and re.search('^run 1 runtime "runc [0-9]', text, re.M), text
    assert not re.search("^call.* (mount|setns|pivot_root|capset)\t", text, re.M), text
    r = run([PALE, "propose", file])
    assert "policy web {" in r.out and "mkdir" in r.out, r


HOLDS = """#!/bin/sh
cat >/dev/null
for p in $(pgrep -f "hook --directory $1"); do kill -STOP "$p" && echo "$p" >>"$2"; done
"""


@pytest.mark.once
def test_of_a_runtime_that_ends_before_the_recorder_looks_the_version_is_told_all_the_same(bundle, tmp_path):
    """The recorder is held from its first moment to behind the end of all, and the runtime is none of PATH's. By then it is as nice as that."""
    start, rec = bundle
    elsewhere, holds, held = tmp_path / "elsewhere/runc", tmp_path / "holds", tmp_path / "held"
    elsewhere.parent.mkdir()
    shutil.copy(need("runc"), elsewhere)
    holds.write_text(HOLDS)
    holds.chmod(0o755)
    try:
        r = start("mkdir /tmp/made; exit 7", "--strict", before=["nice", "-n", "3"], runtime=elsewhere,
                  hooks=[{"path": str(holds), "args": ["holds", str(rec), str(held)]}])
    finally:
        pids = [int(p) for p in held.read_text().split()]
        nice = [os.getpriority(os.PRIO_PROCESS, p) for p in pids]
        for p in pids:
            os.kill(p, signal.SIGCONT)
    assert r.rc == 7 and nice == [min(os.getpriority(os.PRIO_PROCESS, 0) + 3, 19)], (r, pids, nice)
    text = recordings(rec)[0].read_text()
    version = run([elsewhere, "--version"], check=0).out.split()[2]
    assert f'\nrun 1 runtime "runc {version}"\n' in text and "mkdir" in text, text


@pytest.mark.once
def test_what_a_container_waits_for_is_hurried_and_nothing_after_that(bundle, tmp_path):
    start, rec = bundle
    r = start("exit 7", before=[need("strace"), "-f", "-o", tmp_path / "said", "-e", "trace=setpriority,write"])
    said, own = (tmp_path / "said").read_text(), os.getpriority(os.PRIO_PROCESS, 0)
    asked = re.findall(r"setpriority\(PRIO_PROCESS, 0, (-?\d+)\) += 0|write\(3, \"(\\1)\"", said)
    assert r.rc == 7 and len(recordings(rec)) == 1 and asked == [("-15", ""), (str(own), ""), ("", "\\1")], asked


def facts(text, kinds):
    return {line.split("\t")[0] for line in text.splitlines() if line.split()[0] in kinds}


@pytest.mark.once
def test_whoever_installs_the_hook_says_that_no_files_are_recorded_and_no_container_does(bundle):
    """The same calls, by the same programs; and of the container's annotations the name alone counts."""
    start, rec = bundle
    texts = []
    for i, options in enumerate(([], ["--no-files"])):
        r = start(f"mkdir /tmp/made{i}; exit 7", "--strict", *options, name=f"web{i}",
                  annotations={f"{NAME}.no-files": "true", f"{NAME}/no-files": "true"})
        assert r.rc == 7 and not r.err, r
        file, = (f for f in recordings(rec, i + 1) if f.parent.name == f"web{i}")
        texts.append(file.read_text())
    full, alone = texts
    assert "run 1 no-files\n" in alone and "run 1 files-written\n" in alone and "no-files" not in full
    assert facts(full, ["call", "by", "tuple", "capability"]) == facts(alone, ["call", "by", "tuple", "capability"])
    assert 'by "/bin/busybox" x86_64 mkdir' in alone and "run 1 serve-from" in alone and "lost" not in alone
    assert len(facts(alone, ["file"])) < len(facts(full, ["file"])) and all("x" in f.split()[2] for f in facts(alone, ["file"]))
    assert all("runtime call x86_64 mount\t" in t and "runtime call x86_64 pivot_root\t" in t for t in texts)
    text = run([PALE, "propose", file], check=0).out
    assert "policy web1 {" in text and "layers seccomp; # no apparmor: files were not observed" in text


@pytest.mark.once
def test_a_hook_that_fails_leaves_the_container_running_unless_it_is_strict(bundle):
    start, rec = bundle
    rec.chmod(0o777)
    r = start("exit 7")
    assert r.rc == 7 and not list(rec.iterdir()), r
    r = start("exit 7", "--strict")
    assert r.rc not in (0, 7) and not list(rec.iterdir()), r


LOGGED = """
dev=$0 && mount -t tmpfs none "$dev" && for n in null zero full random urandom tty; do touch "$dev/$n" && mount --bind /dev/$n "$dev/$n" || exit; done
touch "$dev/log" && mount --bind "$1" "$dev/log" && mount --rbind "$dev" /dev && mount -t tmpfs -o size=64k,mode=700 none "$2" || exit
cat /dev/zero >"$2/full" 2>/dev/null
shift 2 && exec "$@"
"""


@pytest.mark.once
def test_where_the_disk_is_full_the_container_runs_on_and_the_systems_log_says_so(bundle, tmp_path):
    start, rec = bundle
    log, dev = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), tmp_path / "dev"
    log.bind(str(tmp_path / "log"))
    log.settimeout(60)
    dev.mkdir()
    r = start("mkdir /tmp/made; exit 7", before=["unshare", "-m", "sh", "-c", LOGGED, dev, tmp_path / "log", rec])
    assert r.rc == 7, r
    said = ""
    while "no recording of the whole run" not in said:
        said += log.recv(4096).decode()
    assert "pale-hook" in said and re.search(rf"cannot write '{rec}/web/\S+': No space left on device", said), said


@pytest.mark.once
def test_of_a_recorder_that_is_killed_the_last_snapshot_stays(bundle):
    start, rec = bundle
    with ThreadPoolExecutor(1) as threads:
        done = threads.submit(start, "mkdir /tmp/made; until [ -e /tmp/go ]; do sleep .1; done", "--every", "1s")
        try:
            end = time.monotonic() + PATIENCE
            while not [f for f in recordings(rec) if "made" in f.read_text()] and time.monotonic() < end:
                time.sleep(0.05)
            file, = recordings(rec)
            killed = run(["pkill", "-9", "-f", f"hook --directory {rec} --every 1s"])
        finally:
            (rec.parent / "bundle/rootfs/tmp/go").touch()
        assert done.result(timeout=PATIENCE).rc == 0 and killed.rc == 0
    assert "unfinished" in file.read_text(), file.read_text()[:400]
    r = run([PALE, "propose", file])
    assert "mkdir" in r.out and "snapshot" in r.out + r.err, r
