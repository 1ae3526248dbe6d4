# SPDX-License-Identifier: Apache-2.0
"""pale watch: refusals as they come, whose they are, counted, and what does not bring it down."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

from conftest import AS_NOBODY, PALE, PATIENCE, ROOT, need, need_root, program, run, run_costs, skip
from engines import answers
from kernellog import kernel_log

POLICY = """policy web {
    layers seccomp, apparmor;
    log refusals;
    arch x86_64;
    default errno EPERM;
    use start-run, libc, libc-static, stdio, files, process, signals, time;
    allow poll, uname;
}
"""
ID = "3f2a91c0d5e1" + "ab" * 26


def call(nr=165, pid=77, comm="sh", code="0x50000", serial=45, at="1700000000.123"):
    return (f'audit: type=1326 audit({at}:{serial}): auid=1 uid=0 gid=0 ses=1 subj=x pid={pid} comm="{comm}" '
            f'exe="/bin/sh" sig=0 arch=c000003e syscall={nr} compat=0 ip=0x7f code={code}\n')


def access(name="/etc/shadow", profile="web", pid=9, status="DENIED", serial=46):
    return (f'type=AVC msg=audit(1700000001.5:{serial}): apparmor="{status}" operation="open" class="file" '
            f'profile="{profile}" name="{name}" pid={pid} comm="cat" requested_mask="r" denied_mask="r" fsuid=33 ouid=0\n')


def piped(text, *args, check=0, **kw):
    return run([PALE, "watch", "--from", "-", *args], input=text, check=check, **kw)


def events(out):
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def policy(tmp_path):
    path = tmp_path / "web.pale"
    path.write_text(POLICY)
    return path


# ---- what is told ----

def test_a_refusal_is_told_once_with_the_lines_of_the_policy_and_then_counted(policy):
    r = piped((call() + access()) * 3, policy)
    assert re.fullmatch(
        rf"""2023-11-14T22:13:20.123Z  seccomp   - +x86_64 mount: ERRNO, by sh \(pid 77\)
    ERRNO\(1\)  {policy}:5:5: default errno EPERM;
    allowed by: allow mount; .*
2023-11-14T22:13:21.500Z  apparmor  - +web: to open /etc/shadow: DENIED, by cat \(pid 9\)
    refused  open other /etc/shadow r  no rule allows r
    allowed by: file r /etc/shadow;
\S+  seccomp   - +x86_64 mount: ERRNO \(2 more, 3 in all\)
\S+  apparmor  - +web: to open /etc/shadow: DENIED \(2 more, 3 in all\)
""", r.out), r
    assert "pale watch: refusals: 6; kinds: 2\n" in r.err and "capabilities are dropped" in r.err


def test_what_differs_in_what_was_asked_or_answered_is_another_kind():
    text = call() + call(166) + call(code="0x80000000") + access() + access("/etc/x") + access(profile="db") + \
        access().replace("denied_mask=\"r\"", "denied_mask=\"w\"")
    got = [e for e in events(piped(text, "--format", "json").out) if e["event"] == "refusal"]
    assert len(got) == 7 and {e.get("call") for e in got} == {"mount", "umount2", None}


def test_of_several_files_each_is_told(policy, tmp_path):
    other = tmp_path / "other.pale"
    other.write_text(POLICY.replace("EPERM", "EACCES").replace("web", "other"))
    profile = tmp_path / "web.apparmor"
    profile.write_text("profile web {\n  deny /etc/shadow r,\n}\n")
    out = piped(call() + access(), policy, other, profile).out
    assert f"of {policy}:\n" in out and f"of {other}:\n" in out and "default errno EACCES" in out
    assert f"of {profile}:\n" in out and f"{profile}:2:3" in out and "taking out" in out
    assert "no file given speaks of it" in piped(access(profile="db"), policy).out


def test_json_holds_to_the_schema_and_says_what_text_says(policy, tmp_path):
    jsonschema = pytest.importorskip("jsonschema", reason="python3-jsonschema is not installed")
    check = jsonschema.Draft202012Validator(json.loads((ROOT / "compiler/watch/watch.schema.json").read_text()))
    lost = "kauditd_printk_skb: 12 callbacks suppressed\n"
    got = events(piped((call() + access("/x\x1b[31m\"é")) * 2 + call(comm="a\xffb") + lost, policy, "--format", "json").out)
    assert [e["event"] for e in got] == ["refusal", "refusal", "more", "more", "dropped", "end"]
    for e in got:
        assert not [x.message for x in check.iter_errors(e)], e
        assert not check.is_valid({**e, "surprise": 1}) and not check.is_valid({**e, "version": 2})
    first, second, *_, dropped, end = got
    assert (first["call"], first["pid"], first["where"]) == ("mount", 77, "unknown")
    assert any(w.startswith("allow mount;") for w in first["allowed_by"]) and "default errno" in first["why"][0]
    assert second["profile"] == "web" and second["what"].startswith("web: to open /x\\x1b[31m")
    assert dropped["records"] == end["dropped_records"] == 12 and end["refused"] == 5


def test_what_programs_write_is_not_believed():
    forged = [f'Nov 29 04:00:00 host evil[7]: {call()}', f"evil: {access()}",
              json.dumps({"MESSAGE": call().strip(), "_TRANSPORT": "stdout"}) + "\n",
              json.dumps({"MESSAGE": call().strip(), "_TRANSPORT": "kernel", "SYSLOG_FACILITY": "1"}) + "\n"]
    true = [json.dumps({"MESSAGE": call(170).strip(), "_TRANSPORT": "kernel", "SYSLOG_FACILITY": "0"}) + "\n",
            json.dumps({"MESSAGE": "SECCOMP auid=1 pid=3 comm=\"x\" sig=0 arch=c000003e syscall=171 code=0x50000",
                        "_TRANSPORT": "audit"}) + "\n",
            "Nov 29 04:00:00 host audit[7]: SECCOMP pid=3 comm=\"x\" arch=c000003e syscall=172 code=0x50000\n",
            "Nov 29 04:00:00 host kernel: [ 1.2] " + call(173), "[    1.234] " + call(174), "5,7,12,-;" + call(175)]
    r = piped("".join(forged + true))
    assert f"; lines of programs that look like records: {len(forged)}\n" in r.err
    assert len(r.out.splitlines()) == len(true), r


def test_garbage_halves_and_long_lines_do_no_harm():
    lost = b'{"MESSAGE": "' + b"x" * (1 << 20) + call(999).encode().strip() + b'"}\n'
    text = b"\0\xff\n" * 1000 + b"type=1326 \n" + b'apparmor="DENIED"\n' + b"A" * (1 << 20) + b"\n" + lost + \
        call(200).encode()[:60] + b"\n" + call(201).encode() + b"\r\n\x1e{\n" + call(202).encode().rstrip(b"\n")
    r = run([PALE, "watch", "--from", "-"], input=text, check=0, text=False)
    assert r.out.count(b"\n") == 2 and b"refusals: 2; kinds: 2;" in r.err, r
    # Two without a record's head; half a one, and an object that is cut off.
    assert b"look like records: 2; records that could not be read: 2\n" in r.err, r.err


@pytest.mark.once
def test_a_flood_of_kinds_stays_in_its_bounds(tmp_path):
    """Half a second of 50,000 lines a second and more, in less than 64 MiB."""
    text = "".join(call(i % 400, i % 30000 + 1, serial=i) + access(f"/d{i % 2000}/x/{i}", f"p{i % 50}") for i in range(20000))
    r, peak, seconds = run_costs(tmp_path, [PALE, "watch", "--from", "-", "--prometheus", tmp_path / "p"], input=text, check=0)
    assert peak < 32 << 10 and seconds < 40000 / 50000, (peak, seconds)
    assert "of kinds that were no longer told apart" in r.err and "count as \"other\" for Prometheus" in r.err
    prom = (tmp_path / "p").read_text()
    counts = [int(n) for n in re.findall(r"^pale_refusals_total\{.*\} (\d+)$", prom, re.M)]
    assert sum(counts) == 40000 and len(counts) <= 1000 and 'class="other"' in prom
    shown = [m for m in re.findall(r"\((\d+) (?:more|times), \d+ in all\)", r.out)]
    folded = int(re.search(r"for want of room: (\d+)", r.err)[1])
    assert r.out.count("(pid ") + sum(map(int, shown)) + folded == 40000


@pytest.mark.parametrize("guest", ["debian12", "debian13", "sid"])
def test_what_kernels_wrote_of_every_class_is_told(guest):
    """The records of tests/apparmor, which guests with AppArmor logged."""
    log = (ROOT / f"tests/apparmor/records/{guest}.log").read_text()
    *got, end = events(piped(log, "--format", "json").out)
    assert end["bad"] == end["foreign"] == 0 and end["passed"] and end["refused"] == \
        len(re.findall(r'apparmor="(?:DENIED|ALLOWED|KILLED)"', log))
    assert len({e.get("class") for e in got}) >= 8 and end["kinds"] > 40


# ---- Prometheus ----

def test_labels_are_escaped_and_paths_are_classes(tmp_path):
    file = tmp_path / "pale.prom"
    logged = call(1, code="0x7ffc0000") + access("/etc/c", status="ALLOWED")
    names = ["/var/log/x/1", "/var/log/y/2", "/etc/a", "/b", '/q"\\z/y']
    hexed = access("N").replace('"N"', names[4].encode().hex().upper())
    piped("".join(map(access, names[:4])) + hexed + call() + logged, "--prometheus", file)
    text = file.read_text()
    for line in ('class="file",path="/var/log"} 2', 'class="file",path="/etc"} 1', 'path="/"} 1', r'path="/q\"\\z"} 1',
                 '{kind="seccomp",call="mount"} 1', 'call="write",passed="yes"} 1', 'path="/etc",passed="yes"} 1', "pale_kernel_dropped_total 0"):
        assert line in text, (line, text)
    assert not [f for f in os.listdir(tmp_path) if f != file.name] and file.stat().st_mode & 0o044


def wait_for(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


class Watching:
    """pale watch in the background, once it has said what it reads."""
    def __init__(self, *args, before=()):
        self.p = subprocess.Popen([*map(str, before), PALE, "watch", "--format", "json", *map(str, args)], text=True,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.said = self.p.stderr.readline()

    def until(self, wanted):
        """The first event that wanted(event) takes."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            line = self.p.stdout.readline()
            assert line, self.p.stderr.read()
            if wanted(json.loads(line)):
                return json.loads(line)
        raise AssertionError("it did not come")

    def end(self, sig=signal.SIGTERM):
        self.p.send_signal(sig)
        out, err = self.p.communicate(timeout=PATIENCE)
        assert self.p.returncode == 0 and "Sanitizer" not in err, err
        return events(out), err


@contextlib.contextmanager
def watching(*args, **kw):
    w = Watching(*args, **kw)
    late = threading.Timer(PATIENCE, w.p.kill)  # readline() waits as long as it lives
    late.start()
    try:
        yield w
    finally:
        late.cancel()
        if w.p.poll() is None:
            w.p.kill()
            w.p.communicate(timeout=PATIENCE)


def ask(port, request, wait=True):
    s = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    s.sendall(request)
    data = b""
    while wait and (got := s.recv(65536)):
        data += got
    return data if wait else s


def test_metrics_are_served_on_loopback_also_beside_clients_that_say_nothing(tmp_path):
    log = tmp_path / "log"
    log.write_text("")
    with watching("--from", log, "--prometheus", ":0") as w:
        port = int(re.search(r"http://127.0.0.1:(\d+)/metrics", w.said)[1])
        with open(log, "a") as f:
            f.write(call())
        w.until(lambda e: e["event"] == "refusal")
        with ask(port, b"GET /met", wait=False):  # it is let go after two seconds
            answer = ask(port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
        head, body = answer.split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 200 OK\r\n") and f"Content-Length: {len(body)}".encode() in head
        assert b'call="mount"} 1\n' in body
        assert ask(port, b"POST /metrics HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 405 ")
        assert ask(port, b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 404 ")
        assert ask(port, b"GET /" + b"x" * 4091).startswith(b"HTTP/1.1 431 ")
        taken = run([PALE, "watch", "--from", "-", "--prometheus", f":{port}"], check=3)
        assert "cannot listen on 127.0.0.1" in taken.err
        w.end(signal.SIGINT)


def test_promtool_has_nothing_to_say(tmp_path):
    """Prometheus' own reader, of a file, of what is served, and of one that is wrong."""
    promtool, file, log = need("promtool"), tmp_path / "pale.prom", tmp_path / "log"
    log.write_text("")

    def told(text):
        r = run([promtool, "check", "metrics"], input=text)
        return r.rc, r.out + r.err
    hexed = access("N").replace('"N"', '/q"\\z/\n\u00e4/y'.encode().hex().upper())
    piped("".join(map(access, ["/var/log/x/1", "/b"])) + hexed + call() + call(1, code="0x7ffc0000"), "--prometheus", file)
    assert told(file.read_text()) == (0, "") and r'path="/q\"\\z/' in file.read_text()
    with watching("--from", log, "--prometheus", ":0") as w:
        port = int(re.search(r"http://127.0.0.1:(\d+)/metrics", w.said)[1])
        log.write_text(call())
        w.until(lambda e: e["event"] == "refusal")
        body = ask(port, b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").split(b"\r\n\r\n", 1)[1].decode()
        assert 'call="mount"} 1\n' in body and told(body) == (0, "")
        w.end()
    assert told(body.replace('call="mount"', "call=mount"))[0] != 0


# ---- what audit has lost ----

def status(lost, size=11):
    """audit_status behind a netlink head (linux/audit.h), of a kernel with so many fields."""
    return struct.pack("=IHHII", 16 + 4 * size, 1000, 0, 1, 0) + struct.pack("=11I", 0, 1, 1, 0, 0, 64, lost, 0, 1, 60, 0)[:4 * size]


def test_audits_answer_is_read_of_all_kernels(tmp_path):
    def read(message):
        (tmp_path / "m").write_bytes(message)
        return run([program("watch/lost"), tmp_path / "m"], check=0).out.strip()
    assert [read(status(7, size)) for size in (11, 10, 8, 7)] == ["7"] * 4 and read(status(0xffffffff)) == "4294967295"
    assert read(status(7, 6)) == read(status(7)[:15]) == read(b"") == read(struct.pack("=IHHII", 36, 2, 0, 1, 0) + bytes(40)) == "-"


def test_audit_is_asked_what_it_has_lost_before_privileges_are_dropped():
    need_root()
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 9) as s:  # NETLINK_AUDIT
        s.settimeout(PATIENCE)
        s.sendto(struct.pack("=IHHII", 16, 1000, 1, 1, 0), (0, 0))
        answer = s.recv(4096)
    if struct.unpack_from("=H", answer, 4)[0] != 1000:
        skip("audit does not answer here")
    lost = struct.unpack_from("=I", answer, 16 + 24)[0]
    got = int(run([program("watch/lost")], check=0).out)
    assert lost <= got < lost + 100000
    assert run([*AS_NOBODY, program("watch/lost")], check=0).out == "-\n"
    assert run([need("setpriv"), "--bounding-set", "-audit_control", program("watch/lost")], check=0).out == "-\n"


# ---- sources ----

def test_a_log_is_followed_when_it_is_renamed_and_when_it_is_cut_off(tmp_path):
    log = tmp_path / "audit.log"
    log.write_text(call(1))  # from before: not told
    with watching("--from", log) as w:
        def told(nr):
            return w.until(lambda e: e["event"] == "refusal")["nr"] == nr
        with open(log, "a") as f:
            f.write(call(201)[:50])
            f.flush()
            time.sleep(0.05)  # half a line waits for the rest
            f.write(call(201)[50:])
        assert told(201)
        with open(log, "a") as old:
            log.rename(tmp_path / "audit.log.1")
            old.write(call(202))
        log.write_text(call(203))
        assert told(202) and told(203)
        assert "was rotated" in w.p.stderr.readline()
        log.write_text(call(204)[:40])  # shorter: cut off and begun anew, which is seen before it grows
        assert "was rotated" in w.p.stderr.readline()
        with open(log, "a") as f:
            f.write(call(204)[40:])
        assert told(204)
        got, err = w.end()
    assert "was rotated" not in err and got[-1]["refused"] == 4


def test_zeros_that_a_cut_leaves_in_front_of_a_record_do_not_hide_it(tmp_path):
    """Who writes on where it was (no O_APPEND: `dmesg -w >log`) leaves as many as there were bytes."""
    log = tmp_path / "log"
    with open(log, "wb", buffering=0) as out, watching("--from", log) as w:
        for serial, at in ((1, 0), (2, 100), (3, 1 << 17), (4, (1 << 17) + 7), (5, 1 << 25)):
            if at:
                os.truncate(log, 0)
                assert "was rotated" in w.p.stderr.readline()
            out.seek(at)
            out.write(call(200 + serial, serial=serial).encode() + call(300 + serial, serial=10 + serial).encode())
            for nr in (200 + serial, 300 + serial):
                assert w.until(lambda e: e["event"] == "refusal")["nr"] == nr
        got, _ = w.end()
    assert got[-1]["refused"] == 10


@pytest.mark.parametrize("before", [[], ["nohup"]])
def test_it_ends_with_its_totals_where_the_terminal_is_closed_unless_that_is_ignored(tmp_path, before):
    log = tmp_path / "log"
    log.write_text("")
    with watching("--from", log, before=before) as w:
        def told(nr):
            with open(log, "a") as f:
                f.write(call(nr))
            return w.until(lambda e: e["event"] == "refusal")["nr"] == nr
        assert told(201)
        if before:
            w.p.send_signal(signal.SIGHUP)
            assert told(202)
        got, err = w.end(signal.SIGTERM if before else signal.SIGHUP)
    assert got[-1]["event"] == "end" and got[-1]["refused"] == 1 + len(before) and "pale watch: refusals: " in err


def test_what_was_there_when_it_is_ended_is_read_and_that_there_was_more_is_told(tmp_path):
    log = tmp_path / "log"
    log.write_text("")
    for n, unread in ((65536, 0), (100000, 1)):
        with watching("--from", log) as w:
            w.p.send_signal(signal.SIGSTOP)
            with open(log, "a") as f:
                f.write(call(201) * n)
            w.p.send_signal(signal.SIGTERM)
            w.p.send_signal(signal.SIGCONT)
            out, err = w.p.communicate(timeout=PATIENCE)
        end = events(out)[-1]
        assert w.p.returncode == 0 and end["unread"] == unread and (end["refused"] == n) == (not unread) and end["refused"] >= 65536, end
        assert ("; sources of which not all was read that was there in the end: 1" in err) == bool(unread), err


@pytest.mark.parametrize("endless", ["/dev/zero", "x"])
def test_a_line_without_an_end_keeps_nobody_waiting(tmp_path, endless):
    """--until and signals are heard, and other sources read."""
    log, pipe = tmp_path / "log", tmp_path / "pipe"
    log.write_text("")
    os.mkfifo(pipe)
    feeder = subprocess.Popen(["sh", "-c", f"exec tr '\\0' x </dev/zero >{pipe}"]) if endless == "x" else None
    try:
        with watching("--from", pipe if feeder else endless, "--from", log) as w:
            with open(log, "a") as f:
                f.write(call(201))
            assert w.until(lambda e: e["event"] == "refusal")["nr"] == 201
            got, _ = w.end()
    finally:
        if feeder:
            feeder.kill()
            feeder.wait()
    assert got[-1]["refused"] == 1


JOURNALCTL = """#!/bin/sh
echo "$$ $*" >%s
echo '{"MESSAGE":"SECCOMP pid=3 comm=\\"x\\" arch=c000003e syscall=201 code=0x50000","_TRANSPORT":"audit"}'
exec sleep 60
"""


def test_the_journal_is_read_by_journalctl_which_ends_with_it(tmp_path):
    """Another program stands in its place: no journal is written here."""
    need_root()
    fake, said = tmp_path / "journalctl", tmp_path / "said"
    fake.write_text(JOURNALCTL % said)
    fake.chmod(0o755)
    mount = [need("unshare"), "-m", "sh", "-c", 'mount --bind "$0" "$1" && shift && exec "$@"', fake, need("journalctl")]
    with watching("--from", "journald", "--until", "30s", before=mount) as w:
        assert w.until(lambda e: e["event"] == "refusal")["nr"] == 201
        pid, *args = said.read_text().split()
        w.end()
    assert not os.path.exists(f"/proc/{pid}") and args[:5] == ["-f", "-n", "0", "-o", "json"], args


def test_a_record_that_two_sources_have_counts_once(tmp_path):
    """By the number of audit's event, which journald has as a field; an event may have two records."""
    logs = [tmp_path / "a", tmp_path / "b"]
    journal = {"MESSAGE": call(201, serial=7).split("): ")[1].strip(), "_TRANSPORT": "audit", "_AUDIT_ID": "7"}
    journal["MESSAGE"] = "SECCOMP " + journal["MESSAGE"]
    for log in logs:
        log.write_text("")
    with watching("--from", logs[0], "--from", logs[1]) as w:
        with open(logs[0], "a") as f:
            f.write(call(201, serial=7) + access("/a", serial=8) + access("/b", serial=8))
        for _ in range(3):
            w.until(lambda e: e["event"] == "refusal")
        with open(logs[1], "a") as f:
            f.write(json.dumps(journal, separators=(",", ":")) + "\n" + access("/a", serial=8) + call(201, serial=9))
        got, err = w.end()
    assert got[-1]["twice"] == 2 and got[-1]["refused"] == 4 and "told by two sources, counted once: 2" in err


def test_it_ends_at_its_time_and_its_privileges_are_gone(tmp_path):
    log = tmp_path / "log"
    log.write_text("")
    began = time.monotonic()
    with watching("--from", log, "--until", "1s") as w:
        status = pathlib.Path(f"/proc/{w.p.pid}/status").read_text()
        assert w.p.wait(timeout=PATIENCE) == 0 and time.monotonic() - began >= 1
    for line in "CapEff", "CapPrm", "CapInh", "CapAmb":
        assert re.search(rf"^{line}:\s+0+$", status, re.M), line
    assert re.search(r"^NoNewPrivs:\s+1$", status, re.M)


def test_what_cannot_be_read_is_told_with_the_way_out(open_dir):
    for args, rc, said in (
            (["--from", "/no/such"], 3, "cannot read /no/such: No such file or directory"),
            (["--from", "-", "--from", "-"], 2, "'--from -' stands there twice"),
            (["--from", "-", "--container", "web"], 2, "standard input may be of another"),
            (["--from", "-", "--prometheus", ":70000"], 2, "a port of 127.0.0.1"),
            (["--from", "-", "/no/such.pale"], 3, "/no/such.pale"),
            (["--from", "-", "--prometheus", "/no/such/dir/x"], 3, "/no/such/dir")):
        r = run([PALE, "watch", *args], check=rc)
        assert said in r.err and not r.out, r
    if os.geteuid():
        return
    r = run([*AS_NOBODY, PALE, "watch", "--from", "audit"], check=3)
    assert "CAP_AUDIT_READ" in r.err and "--from -" in r.err


# ---- whose ----

def test_a_cgroups_path_tells_engine_container_and_pod(tmp_path):
    uid, other = "0a1b2c3d-0000-4444-8888-123456789abc", "cd" * 32
    state = tmp_path / "var/lib/docker/containers" / ID
    state.mkdir(parents=True)
    (state / "config.v2.json").write_text(json.dumps({"Name": "/my-web", "ID": ID}))
    (tmp_path / f"var/log/pods/default_web-7d_{uid}").mkdir(parents=True)
    podman = tmp_path / "var/lib/containers/storage/overlay-containers"
    podman.mkdir(parents=True)
    (podman / "containers.json").write_text(json.dumps([{"id": other, "names": ["db\x1b"]}]))
    rows = [
        (f"/system.slice/docker-{ID}.scope", "docker:3f2a91c0d5e1 (my-web)", ID, ""),
        (f"/docker/{ID}", "docker:3f2a91c0d5e1 (my-web)", ID, ""),
        (f"/docker/{ID}/init.scope", "docker:3f2a91c0d5e1 (my-web)", ID, ""),
        (f"/machine.slice/libpod-{other}.scope/container", "podman:cdcdcdcdcdcd (db\\x1b)", other, ""),
        (f"/machine.slice/libpod-conmon-{other}.scope", f"host:libpod-conmon-{other}.scope"[:68], "", ""),
        (f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{uid.replace('-', '_')}.slice/cri-containerd-{ID}.scope",
         "containerd:3f2a91c0d5e1 (default/web-7d)", ID, uid),
        (f"/kubepods/besteffort/pod{uid}/{ID}", "container:3f2a91c0d5e1 (default/web-7d)", ID, uid),  # containerd's, or Docker's
        (f"/kubepods.slice/kubepods-podffff.slice/crio-{ID}.scope", "cri-o:3f2a91c0d5e1 (pod ffff)", ID, "ffff"),
        ("/system.slice/cron.service", "host:cron.service", "", ""), ("/", "host:/", "", ""), ("", "host:/", "", ""),
        ("/docker/nothexadecimal", "host:nothexadecimal", "", ""), ("//x//\x1b[31m", "host:\\x1b[31m", "", "")]
    out = run([program("watch/sites"), tmp_path], input="".join(r[0] + "\n" for r in rows), check=0).out
    assert out.splitlines() == ["|".join(r[1:]) for r in rows]
    docker, pod = rows[0][0], rows[5][0]
    means = {docker: ["my-web", "docker:my-web", ID, ID[:4], f"docker:{ID[:12]}"],
             pod: ["web-7d", "default/web-7d", uid, ID, f"containerd:{ID[:12]}", ID[:4]]}
    others = ["", "my", "web", ID[:3], "podman:my-web", "docker:", f"docker:{other}", "kube-system/web-7d", uid[:8], "/"]
    for path, names in means.items():
        got = run([program("watch/sites"), tmp_path, *names, *others], input=path + "\n", check=0).out
        assert got.strip("\n").split("|")[3:] == names, got
    pods, whole = tmp_path / "run/podman/podman.sock", f"/machine.slice/machine-libpod_pod_{ID}.slice/libpod-{other}.scope/container"
    for lists, words, called in (({}, [], f"(db\\x1b)|{other}|{ID}"),
                                 ({"/v4.0.0/libpod/containers/json": [{"Id": other, "Names": ["db"], "Pod": ID, "PodName": "shop"}]},
                                  ["shop", "shop/db\x1b", ID], f"(shop/db\\x1b)|{other}|{ID}")):
        server, _ = answers(pods, lists)
        got = run([program("watch/sites"), tmp_path, "shop", "shop/db\x1b", ID, "shop/", "hop"], input=f"{whole}\n/libpod_parent/{ID}\n", check=0).out.split("\n")
        server.close()
        pods.unlink()
        assert got[0] == "|".join([f"podman:cdcdcdcdcdcd {called}", *(words or [ID])]) and got[1].startswith("host:"), got
    assert run([program("watch/sites"), tmp_path, "host", "cron", "cron.service"], input="/cron.service\n").out.endswith("||\n")


TASKS = "run/containerd/io.containerd.runtime.v2.task"


def test_a_cgroup_that_names_nobody_is_the_container_that_its_runtime_was_told_to_put_there(tmp_path):
    """ctr's, by name: containerd has them in namespaces, of which two may have one name."""
    for space, name, at in (("default", "job", "/default/job"), ("two", "job", "/two/job"), ("two", ID, f"/two/{ID}"), ("moby", "x", "/moby/x"),
                            ("two", "odd", "/"), ("two", "slice", "system.slice:two:slice"), ("two", "long-" + "x" * 71, "/two/long"),
                            ("two", "deep", "a-b-c.slice:two:deep"), ("two", "top", "-.slice:x:top"), ("two", "none", ":x:none"), ("two", "way", "a/../b.slice:x:way"),
                            ("two", "bare", "a.slice::bare"), ("two", "more", "a.slice:x:more:y"), ("two", "noslice", "a:x:noslice")):
        (tmp_path / TASKS / space / name).mkdir(parents=True)
        (tmp_path / TASKS / space / name / "config.json").write_text(json.dumps({"linux": {"cgroupsPath": at}, "annotations": {"nerdctl/name": "web"} if name == ID else {}}))

    def site(path, *names):
        return run([program("watch/sites"), tmp_path, *names], input=path + "\n", check=0).out.strip("\n")
    words = ["job", "containerd:job", "default/job", "containerd:default/job", "two/job", "containerd:two/job", "docker:job", "jo", "/job"]
    assert site("/default/job", *words) == "|".join(["containerd:job", "job", "", *words[:4]])
    assert site("/two/job/inner/deep", *words) == "|".join(["containerd:two/job", "job", "", *words[:2], *words[4:6]])
    assert site(f"/two/{ID}", "web", "two/web", "default/web", "two/" + ID[:4]) == f"containerd:3f2a91c0d5e1 (two/web)|{ID}||web|two/web|two/{ID[:4]}"
    assert site("/two/long", "long-" + "x" * 71) == "containerd:two/long-" + "x" * 71 + "|long-" + "x" * 71 + "||long-" + "x" * 71
    assert site("/moby/x").startswith("docker:x|x|")
    scopes = {"slice": "/system.slice/two-slice.scope", "deep": "/a.slice/a-b.slice/a-b-c.slice/two-deep.scope", "top": "/x-top.scope", "none": "/system.slice/x-none.scope"}
    for name, path in scopes.items():  # as runc and crun make them with --systemd-cgroup
        assert site(path, name, f"two/{name}") == site(f"{path}/inner", name, f"two/{name}") == f"containerd:two/{name}|{name}||{name}|two/{name}"
    for path in ("/two/job2", "/two", "/", "", "/default/jo", "/system.slice/two-slice.scop", "/system.slice/two-slice", "/b.slice/x-way.scope", "/a.slice/-bare.scope",
                 "/a.slice/x-more.scope", "/a/x-noslice.scope", "/a-b-c.slice/two-deep.scope"):
        assert site(path).startswith("host:"), path


def test_a_podman_whose_files_may_not_be_read_has_the_names_that_its_monitors_were_told(tmp_path):
    proc = tmp_path / "proc/7"
    proc.mkdir(parents=True)
    (proc / "comm").write_text("conmon\n")

    def site(*words):
        (proc / "cmdline").write_text("".join(w + "\0" for w in ["/usr/bin/conmon", *words]))
        return run([program("watch/sites"), tmp_path, "mine"], input=f"/user.slice/libpod-{ID}.scope\n", check=0).out.strip("\n")
    assert site("-c", ID, "-u", ID, "-n", "mine") == f"podman:3f2a91c0d5e1 (mine)|{ID}||mine"
    for words in (["-c", ID[1:], "-n", "mine"], ["-c", ID, "-n"], ["-n", "mine"], ["-c", ID]):
        assert site(*words) == f"podman:3f2a91c0d5e1|{ID}|", words
    storage = tmp_path / "var/lib/containers/storage/overlay-containers"
    storage.mkdir(parents=True)
    (storage / "containers.json").write_text(json.dumps([{"id": ID, "names": ["renamed"]}]))
    assert site("-c", ID, "-n", "mine") == f"podman:3f2a91c0d5e1 (renamed)|{ID}|"


def test_whose_a_cgroup_is_that_names_nobody_is_looked_for_when_it_is_there(tmp_path):
    """And not each time: what was nobody's is, until so many were that all is looked at anew."""
    bundle = tmp_path / TASKS / "default/job"

    def sites(*paths):
        return [line.split("|")[0] for line in run([program("watch/sites"), tmp_path], input="".join(p + "\n" for p in paths), check=0).out.splitlines()]
    assert sites("/default/job", "/default/job") == ["host:job"] * 2
    bundle.mkdir(parents=True)
    (bundle / "config.json").write_text('{"linux": {"cgroupsPath": "/default/job"}}')
    got = sites("/a", "/default/job", *(f"/p{i}" for i in range(5000)), "/default/job")
    assert [got[0], got[1], got[-1]] == ["host:a", "containerd:job", "containerd:job"]


@contextlib.contextmanager
def sleeping(end):
    """A process in a cgroup that is named as Docker's are, its id with such an end."""
    need_root()
    base = next((p for p in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup") if os.path.exists(f"{p}/cgroup.procs")), None)
    if not base:
        pytest.skip("no cgroup v2 is mounted here")
    ident = f"{os.getpid():08x}" + end * 28
    path = pathlib.Path(base, f"docker-{ident}.scope")
    path.mkdir()
    inside = subprocess.Popen(["sh", "-c", f"echo $$ > {path}/cgroup.procs; echo; exec sleep 60"], stdout=subprocess.PIPE)
    try:
        inside.stdout.readline()
        yield inside, ident
    finally:
        inside.kill()
        inside.wait(timeout=PATIENCE)
        wait_for(lambda: gone(path))


def gone(cgroup):
    try:
        cgroup.rmdir()
    except OSError:
        return False
    return True


@pytest.fixture
def container():
    with sleeping("ab") as (inside, ident):
        yield inside, ident


def test_an_id_that_two_begin_with_and_a_name_that_none_has_are_told_before_anything_is_refused(container, tmp_path):
    log, (_, ident) = tmp_path / "log", container
    log.write_text("")
    with sleeping("cd") as (_, other):
        with watching("--from", log, "--container", ident[:9]) as w:  # one alone begins so
            assert w.end()[1].startswith("pale watch: refusals: 0")
        with watching("--from", log, "--container", ident[:8], "--container", "no-such") as w:
            lines = {w.p.stderr.readline() for _ in range(2)}
            w.end()
    one, two = (f"docker:{i[:12]}" for i in (ident, other))
    assert "pale watch: no container that runs is called 'no-such'; it is told of when it comes\n" in lines
    assert f"pale watch: '{ident[:8]}' is the container {one}, and also {two}: both are told; '--container {one}' is one of them\n" in lines, lines


def test_a_refusal_is_a_containers_and_others_are_left_out(container, tmp_path):
    inside, ident = container
    log = tmp_path / "log"
    log.write_text("")
    now = f"{time.time():.3f}"
    with watching("--from", log, "--container", ident[:10], "--container", "no-such") as w:
        with open(log, "a") as f:
            f.write(call(201, os.getpid(), at=now) + call(202, 4194303, at=now) + call(203, inside.pid, at="1000.5") +
                    call(204, inside.pid, at=now))
        e = w.until(lambda e: e["event"] == "refusal")
        inside.kill()
        inside.wait(timeout=PATIENCE)
        with open(log, "a") as f:
            f.write(call(205, inside.pid, at=now))  # what has ended since is still known
        gone = w.until(lambda e: e["event"] == "refusal")
        got, _ = w.end()
    assert e["nr"] == 204 and e["where"] == "container" and e["container"] == {"engine": "docker", "id": ident}
    assert gone["nr"] == 205 and gone["container"] == e["container"]
    assert got[-1]["elsewhere"] == 1 and got[-1]["nowhere"] == 2 and got[-1]["refused"] == 2


# ---- the kernel itself ----

def test_real_refusals_come_from_two_sources_and_count_once(policy, tmp_path):
    need_root()
    with kernel_log():
        pass  # or it is skipped
    busybox = tmp_path / f"busybox{os.getpid()}"
    shutil.copy(need("busybox"), busybox)
    with watching("--from", "audit", "--from", "kmsg", policy) as w:
        run([PALE, "run", "--layers", "seccomp", policy, "--", busybox, "chroot", "/", "/bin/true"], check=1)
        e = w.until(lambda e: e.get("call") == "chroot" and e["comm"] == busybox.name)
        _, err = w.end()
    assert e["where"] in ("host", "container", "gone") and e["count"] == 1
    assert any(f"{policy}:5:5: default errno EPERM;" in line for line in e["why"])
    assert any(line.startswith("allow chroot;") for line in e["allowed_by"])
