# SPDX-License-Identifier: Apache-2.0
"""Recordings as files: kept, read back, added up. Their text is made here, by the manual alone."""
import os
import random
import re
import stat

import pytest

from conftest import PALE, ROOT, run, run_costs, sanitized
from recordings import Recording, unquote
from test_backends import PROBES, usable

SEED = ROOT / "tests/fuzz/seeds/recording/two"
CALLS = ["read", "write", "openat", "close", "mmap", "socket", "ioctl", "bpf", "getpid", "#900"]


def quote(text):
    return '"' + "".join(c if " " <= c <= "~" and c not in '"\\' else
                         "\\" + c if c in '"\\' else f"\\x{ord(c):02x}" for c in text) + '"'


def make_run(rnd, n, snapshot=0):
    """A run's header, and its facts: text -> (count, first)."""
    head = {"id": f"{n:032x}", "machine": "x86_64"}
    served = {"serve-from": '"accept4"', "serving": str(1 + n)} if n % 2 else {}
    if snapshot:
        head["snapshot"] = str(snapshot)
    head |= {"name": '"server"', "host": quote(f"host{n % 3}"), "kernel": '"6.1"', "libc": '"glibc 2.36"',
             "tier": '"ebpf"', "started": str(1764000000000000000 + n % 1000 * 86400 * 10**9), **served, "tasks": str(1 + n % 4)}
    facts = {}
    for call in rnd.sample(CALLS, rnd.randrange(1, len(CALLS))):
        facts[f"call x86_64 {call}"] = (rnd.randrange(1, 10**rnd.randrange(1, 15)), rnd.randrange(10**9))
    for _ in range(rnd.randrange(6)):
        path = "/srv/" + "".join(rnd.choice('ab \\"\n\x7f*') for _ in range(rnd.randrange(1, 4)))
        facts[f"file {quote(path)} {rnd.choice(['r', 'rw', 'rmx', 'w owned gone', 'w owned numbered', 'r peers', 'a held', '- held'])}"] = (1, 5)
    facts["value x86_64 ioctl 1 0x5401"] = (3, 0)
    if n % 3:
        head["programs-seen"] = ""
        more = random.Random(n)
        for text in [f for f in facts if f.startswith("call ")]:
            for by in more.sample(["others", quote("/bin/a"), quote("/srv/b \n\"")], more.randrange(1, 3)):
                facts[f"by {by} {text[5:]}"] = (more.randrange(1, 99), more.choice([0, n]))
                if n % 4 == 1 and more.randrange(2):
                    head["programs-by-phase"] = ""
                    facts[f"serve by {by} {text[5:]}"] = (more.randrange(1, 99), more.choice([0, n]))
    if n % 2:
        called = sorted(f.split()[2] for f in facts if f.startswith("call "))
        for call in rnd.sample(called, min(3, len(called))):
            facts[f"serve call x86_64 {call}{rnd.choice(['', ' held', ' assumed'])}"] = (rnd.randrange(1, 99), n)
        facts["serve value x86_64 ioctl 1 0x5401"] = (1, 0)
        facts["serve bits x86_64 ioctl 1 0x5401 0xffffffffffffabfe"] = (1, 0)
        facts["serve tuple x86_64 socket 0x1 0x2 0x0"] = (1, 0)
        facts["serve capability kill x86_64 #1023"] = (2, 0)
    facts[f"address {rnd.choice(['bind', 'connect'])} inet{rnd.choice(['', '6'])} {rnd.choice(['stream', 'dgram', '-'])} "
          f"{rnd.choice(['*', '0', '443'])} {rnd.choice(['any', 'public'])}"] = (2, 7)
    facts[f"tuple x86_64 socket 0x1 0x2 0x0{rnd.choice(['', ' held'])}"] = (2, 0)
    return head, facts


def write(path, *runs):
    runs = sorted(runs, key=lambda r: r[0]["id"])
    lines = ["pale recording 1"]
    facts = {}
    for i, (head, mine) in enumerate(runs, 1):
        lines += [f"run {i} {k}" + (f" {v}" if v else "") for k, v in head.items()]
        for text, (count, first) in mine.items():
            facts.setdefault(text, []).append(f"{i}:{count}" + (f"@{first}" if first else ""))
    lines += [f"{text}\t{' '.join(columns)}" for text, columns in sorted(facts.items())]
    path.write_text("\n".join([*lines, f"end {len(runs)} {len(facts)}", ""]))
    return path


def merge(*files):
    r = run([PALE, "merge", *files])
    assert r.rc == 0 and not r.err, r
    return r.out


def refused(*files, command="merge"):
    r = run([PALE, command, *files])
    assert r.rc == 1 and not r.out, r
    return r.err


def test_merging_is_a_union_in_whatever_order_and_however_often(tmp_path):
    rnd = random.Random(13)
    for case in range(40 if os.environ.get("PALE_LONG") else 8):
        runs = [make_run(rnd, rnd.randrange(10**6)) for _ in range(rnd.randrange(2, 7))]
        files = [write(tmp_path / f"{case}.{i}", r) for i, r in enumerate(runs)]
        right = write(tmp_path / f"{case}.right", *runs).read_text()
        assert merge(*files) == right == merge(*reversed(files)) == merge(*files, *files)
        cut = rnd.randrange(1, len(files))
        left, rest = tmp_path / f"{case}.l", tmp_path / f"{case}.r"
        left.write_text(merge(*files[:cut]))
        rest.write_text(merge(*files[cut:], files[0]))
        assert merge(left, rest) == right == merge(rest, left, left)


def test_of_one_run_the_last_snapshot_counts(tmp_path):
    rnd = random.Random(7)
    old, new = make_run(rnd, 1, snapshot=1), make_run(rnd, 1, snapshot=2)
    other = make_run(rnd, 2)
    files = [write(tmp_path / "old", old), write(tmp_path / "new", new), write(tmp_path / "other", other)]
    right = write(tmp_path / "right", new, other).read_text()
    both = tmp_path / "both"
    both.write_text(merge(files[0], files[2]))
    assert merge(*files) == right == merge(both, files[1]) == merge(files[1], both)


@pytest.mark.parametrize("edit", ["count", "header", "lacks"])
def test_one_snapshot_told_in_two_ways_is_an_error(tmp_path, edit):
    head, facts = make_run(random.Random(1), 1)
    one = write(tmp_path / "one", (head, facts))
    if edit == "count":
        facts = {**facts, "value x86_64 ioctl 1 0x5401": (4, 0)}
    elif edit == "header":
        head = {**head, "tasks": "77"}
    else:
        facts = dict(list(facts.items())[1:])
    other = write(tmp_path / "other", (head, facts))
    err = refused(one, other)
    assert "PL418" in err and head["id"] in err and "one" in err and "other" in err


@pytest.mark.parametrize("old,new,words", [
    ("pale recording 1", "pale recording 2", "another version"),
    ("pale recording 1", "{}", "no recording"),
    ("run 2 id ff", "run 2 id FF", "32 digits"),
    ("run 2 midway", "run 2 midway\nrun 2 midway", "twice"),
    ("run 2 tier", "run 2 teir", "nothing that this pale knows of a run"),
    ("run 1 kernel \"6.1.0\"\n", "", "lacks its 'kernel'"),
    ("run 1 kernel", "run 1 no-calls\nrun 1 no-files\nrun 1 kernel", "run 1 is said to have neither calls nor files"),
    ("run 1 machine x86_64", "run 1 machine mips64el", "numbers beyond those of recordings"),
    ("run 2 id", "run 3 id", "numbered from 1 on"),
    ("call x86_64 ioctl", "call x86_64 iotcl", "no call that this pale knows"),
    ("call x86_64 #999", "call x86_64 #1024", "at most 1023"),
    ("call x86_64 openat", "call vax openat", "no architecture"),
    ("net_bind_service", "CAP_NET_BIND_SERVICE", "no capability"),
    ("\"/etc/passwd\"", "\"etc/passwd\"", "not absolute"),
    ("\\x0a", "\\x41", "no escape"),
    ("\\x0a", "\\x00", "no escape"),
    ("\\x0a", "\x01", "stands as \\x01"),
    ("rmx setid", "xmr setid", "letters of 'rwalkmx', in that order"),
    ("1:3@594050 2:1@7", "1:3@594050 3:1@7", "no run 3"),
    ("1:3@594050 2:1@7", "2:3@594050 1:1@7", "stands behind a later one"),
    ("1:3@594050 2:1@7", "1:3@ 2:1@7", "RUN:COUNT@FIRST"),
    ("1:3@594050", "1:99999999999999999999", "RUN:COUNT@FIRST"),
    ("end 2 ", "end 2 9", "lines were lost or added"),
    ("end 2 15\n", "", "cut off"),
    ("end 2 15\n", "end 2 15\nx\n", "behind the end"),
    ("received 15\t", "received 15", "a TAB"),
    ("received 15", "received 65", "up to 64"),
    ("received 15", "serve received 15", "calls, their arguments and capabilities alone"),
    ("received 15", "serve runtime call x86_64 read", "no kind of fact"),
    ("received 15", "runtime serve call x86_64 read", "no kind of fact"),
    ("received 15", "by \"bin/a\" x86_64 read", "not absolute"),
    ("received 15", "by other x86_64 read", "in quotes"),
    ("received 15", "by \"/bin/a\" x86_64 raed", "no call that this pale knows"),
    ("received 15", "by others x86_64 read held", "nothing more is expected"),
    ("received 15", "serve by other x86_64 read", "in quotes"),
    ("received 15", "serve by others x86_64 read held", "nothing more is expected"),
    ("received 15", "runtime by others x86_64 read", "calls and capabilities alone"),
    ("value x86_64 ioctl 1", "value x86_64 ioctl 3", "'ioctl' has 3 arguments on x86_64"),
    ("value x86_64 ioctl 1", "value x86_64 getpid 0", "'getpid' has 0 arguments"),
    ("bits x86_64 ioctl 1", "bits x86_64 getpid 5", "'getpid' has 0 arguments"),
    ("value x86_64 ioctl 1", "serve value x86_64 mmap2 0", "no call of x86_64"),
    ("value x86_64 ioctl 1", "value x86_64 #999 0", "no arguments are recorded"),
    ("run 2 tier", "run 2 programs-by-phase 1\nrun 2 tier", "nothing more is expected"),
])
def test_what_is_no_recording_is_told_with_its_place(tmp_path, old, new, words):
    text = SEED.read_text()
    assert old in text
    bad = tmp_path / "bad"
    bad.write_text(text.replace(old, new, 1))
    good = tmp_path / "good"
    good.write_text("mine")
    for command in ("merge", "propose"):
        err = refused(SEED, bad, "-o", good, command=command)
        assert "PL417" in err and words in err and re.search(r"bad:\d+:\d+", err), err
    assert good.read_text() == "mine"


def test_a_recording_cut_off_anywhere_is_an_error(tmp_path):
    text = SEED.read_bytes()
    for n in range(0, len(text), 1 if os.environ.get("PALE_LONG") else 37):
        (tmp_path / "cut").write_bytes(text[:n])
        assert "PL417" in refused(tmp_path / "cut"), n


@pytest.mark.parametrize("backend", ["ebpf", "ptrace"])
def test_a_proposal_of_the_file_is_that_of_the_run(tmp_path, backend):
    usable(backend)
    out, rec, odd = tmp_path / "p.pale", tmp_path / "rec", tmp_path / "a b\n\"\\x0a\xff"
    r = run([PALE, "learn", "--backend", backend, "-o", out, "-r", rec, "--", "sh", "-c",
             f"echo hi >'{odd}'; rm '{odd}'; {PROBES}/args; grep -q root /etc/passwd"])
    assert r.rc == 0, r
    assert stat.S_IMODE(rec.stat().st_mode) == 0o600
    assert run([PALE, "propose", rec], check=0).out == out.read_text()
    assert merge(rec) == rec.read_text()
    assert str(odd) in {name for name in Recording(rec).files}, "every name is read back as it was"
    assert unquote(Recording(rec).runs[1]["command"]).startswith("sh -c '")


def test_a_command_line_can_be_left_out(tmp_path):
    usable("ptrace")
    out, rec = tmp_path / "p.pale", tmp_path / "rec"
    run([PALE, "learn", "--backend", "ptrace", "--no-arguments", "-o", out, "-r", rec, "--", "sh", "-c", ": s3cret"],
        check=0)
    assert "s3cret" not in rec.read_text() + out.read_text()


def test_of_several_runs_each_rule_says_in_how_many_it_was_seen(tmp_path):
    head = {"machine": "x86_64", "kernel": '"6.1"', "libc": '"glibc 2.36"', "tier": '"ebpf"', "capabilities-seen": ""}
    files = []
    for i, calls in enumerate((["bpf"], ["bpf", "keyctl"], ["bpf"])):
        run_head = {"id": f"{i:032x}", **head, "host": quote("b" if i == 2 else "a"),
                    "started": str(1764000000000000000 + i * 86400 * 10**9)}
        facts = {f"call x86_64 {c}": (10 + i, 1000000 * (3 - i)) for c in calls}
        facts[f'file "/srv/{i}" r'] = (1, 5)
        facts[f'file "/srv/all" {"rw" if i else "r"}'] = (1, 5)
        files.append(write(tmp_path / str(i), (run_head, facts)))
    text = run([PALE, "propose", "--name", "p", *files], check=0).out
    text = re.sub(r" +", " ", text)
    assert "from 3 runs on 2 hosts" in text
    assert "allow bpf; # 33x in 3 of 3 runs on 2 of 2 hosts, 2025-11-24 to 2025-11-26, first at 1.0 ms" in text
    assert "allow keyctl; # 11x in 1 of 3 runs on 1 of 2 hosts, 2025-11-25, first at 2.0 ms" in text
    assert "file rw /srv/all; # 3x in 3 of 3 runs" in text and "file r /srv/1; # 1x in 1 of 3 runs" in text


def test_counts_that_pass_the_largest_number_lose_nothing(tmp_path):
    head = {"machine": "x86_64", "kernel": '"6.1"', "libc": '"glibc 2.36"', "tier": '"ebpf"', "capabilities-seen": ""}
    facts = {f: (2**64 - 1 - i % 2 * 5, 5) for i, f in enumerate(
        ["call x86_64 bpf", "capability sys_admin x86_64 bpf", 'file "/srv/a" r'])}
    files = [write(tmp_path / str(i), ({"id": f"{i:032x}", **head}, facts)) for i in range(2)]
    text = re.sub(r" +", " ", run([PALE, "propose", *files], check=0).out)
    for rule in ("allow bpf", "capability sys_admin", "file r /srv/a"):
        assert f"{rule}; # {2**64 - 1}x in 2 of 2 runs" in text, text


def test_ten_thousand_recordings_are_added_up_in_bounded_time_and_memory(tmp_path):
    """A slice of 1,000, each with 400 facts, as a server has; in test-long 10,000."""
    many = 10000 if os.environ.get("PALE_LONG") else 1000
    rnd = random.Random(3)
    paths = [f'file "/usr/lib/x86_64-linux-gnu/lib{i:04}.so" rm' for i in range(330)]
    calls = [f"call x86_64 {c}" for c in CALLS]
    files = []
    for i in range(many):
        head, facts = make_run(rnd, i)
        facts |= {p: (rnd.randrange(1, 99), rnd.randrange(10**10)) for p in paths + calls}
        files.append(write(tmp_path / f"{i:05}", (head, facts)))
    r, peak, took = run_costs(tmp_path, [PALE, "merge", "-o", tmp_path / "all", *files])
    mib = peak / 1024
    assert r.rc == 0, r
    print(f"{many} recordings: {took:.2f} s, {mib:.0f} MiB")
    assert len(Recording(tmp_path / "all").runs) == many
    if not sanitized():
        assert took < 10 * many / 10000 and mib < 256, (took, mib)


@pytest.mark.parametrize("fact", ['rule "mount fstype=tmpfs /dev/x{i} -> /m/{i}/"', 'file "/srv/{i}/{i}" rw',
                                  "tuple x86_64 socket {i} 1 7", 'rule "unix (bind, listen) type=stream addr=@a{i}"'])
def test_a_proposal_takes_time_in_proportion_to_its_facts(tmp_path, fact):
    head = {"id": f"{1:032x}", "machine": "x86_64", "kernel": '"6.1"', "libc": '"glibc 2.36"', "tier": '"ebpf"'}
    took = []
    for n in (10000, 40000):
        rec = write(tmp_path / "rec", (head, {fact.format(i=i): (1, 5) for i in range(n)}))
        before = os.times().children_user
        run([PALE, "propose", "-o", tmp_path / "p.pale", rec], check=0, timeout=600)
        took.append(os.times().children_user - before)
        assert (tmp_path / "p.pale").read_text().count("# 1x") >= (n if "rule" in fact else 1)
    assert took[1] < 9 * took[0], took  # what looks each up among all takes 16 times as long


def test_an_update_takes_time_in_proportion_to_the_rules_that_are_there(tmp_path):
    head = {"id": f"{1:032x}", "machine": "x86_64", "kernel": '"6.1"', "libc": '"glibc 2.36"', "tier": '"ebpf"'}
    took = []
    for n in (400, 1600):
        rec = write(tmp_path / "rec", (head, {f'rule "mount fstype=tmpfs /dev/x{i} -> /m/{i}/"': (1, 5) for i in range(n)}))
        assert run([PALE, "propose", "-o", tmp_path / "p.pale", rec]).rc == 0
        before = os.times()
        r = run([PALE, "propose", "--update", tmp_path / "p.pale", rec])
        took.append(sum(os.times()[2:4]) - sum(before[2:4]))
        assert r.rc == 0 and not r.out, r
    assert took[1] < 9 * took[0], took  # each split for each of the others' takes 16 times as long


def test_the_manual_s_example_is_one_and_its_words_are_all(tmp_path):
    page = (ROOT / "learn/record/pale-recording.5").read_text()
    text = re.search(r"\.Bd -literal\n(.*?)\.Ed", page, re.S)[1]
    (tmp_path / "example").write_text(text)
    assert merge(tmp_path / "example") == text
    rows = "".join((ROOT / f"learn/record/{f}.def").read_text() for f in ("run", "facts"))
    words = [w for w in re.findall(r'^(?:RUN|FACT)\(\w+, "([\w-]+)"', rows, re.M)]
    words += ["lost-" + w for w in re.findall(r'^LOSS\("(\w+)"', (ROOT / "learn/record/losses.def").read_text(), re.M)]
    named = {w for line in re.findall(r"^\.It Ic (.*)$", page, re.M) for w in re.findall(r"[\w-]+", line)}
    assert len(words) > 40 and not set(words) - named


def test_what_is_unseen_is_estimated_over_runs_and_never_from_one(tmp_path):
    rnd = random.Random(5)
    for m in (1, 2, 3, 7):
        runs = [make_run(rnd, 10 + i) for i in range(m)]
        r = run([PALE, "propose", "--allow-loss", write(tmp_path / f"{m}.rec", *runs)])
        said = re.search(r"# unseen: +about (\d+) calls .* \((\d+) made in one\s(?:# +)?run alone, (\d+) in two, of (\d+):", r.out)
        if m == 1:
            assert r.rc == 0 and not said and "unseen:" not in r.out
            continue
        seen = [sum(f"call x86_64 {c}" in facts for _, facts in runs) for c in CALLS]
        q1, q2 = seen.count(1), seen.count(2)
        assert said and [int(said[i]) for i in (2, 3, 4)] == [q1, q2, m], r.out
        assert abs(int(said[1]) - (m - 1) / m * q1 * (q1 - 1) / (2 * (q2 + 1))) <= 0.5
