# SPDX-License-Identifier: Apache-2.0
"""learn --report, propose --report: a page that stands alone."""
import html.parser
import os
import re

import pytest

from conftest import PALE, run

VOID = {"meta", "br", "link", "img", "input", "hr"}
SVG_VOID = {"line", "path"}


class Page(html.parser.HTMLParser):
    """Every tag closed in its order; what could fetch or run anything is a fault."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.text, self.rows, self.tags = [], [], [], set()
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        assert tag not in ("script", "iframe", "object", "link", "img", "base", "form"), tag
        for k, v in attrs:
            assert not k.startswith("on") and k not in ("src", "href", "srcset"), (tag, k, v)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, (tag, self.open)

    def handle_data(self, data):
        self.text.append(data)
        if "td" in self.open:
            self.rows[-1][-1] += data


HEAD = """pale recording 1
run 1 id 44e20cfe700abec92f24d52abb214ae2
run 1 machine x86_64
run 1 name "web"
run 1 host "h"
run 1 kernel "6.1"
run 1 libc "static"
run 1 tier "ebpf"
run 1 started 1795998216957132371
run 1 duration 214893965
run 1 tasks 4
run 1 capabilities-seen
"""


def recording(facts, duration=214893965):
    return HEAD.replace("214893965", str(duration)) + facts + f"end 1 {facts.count(chr(10))}\n"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A run with hostile names, its recording, policy and page."""
    d = tmp_path_factory.mktemp("report")
    for name in ("<script>alert(1)", "\"' onload=x", "&amp;\x1b[2J\x7f", "\u202eevil", "a" * 200):
        (d / name).write_text("x")
    command = [PALE, "learn", "--backend", "ptrace", "-r", d / "rec", "-o", d / "policy", "--report", d / "page",
               "--exact", "--", "cat", *sorted(p for p in d.iterdir())]
    r = run(command)
    assert r.rc == 0, r
    return d


def test_the_page_stands_alone_and_escapes_what_a_workload_wrote(recorded):
    text = (recorded / "page").read_text()
    page = Page(text)
    assert "url(" not in text and "@import" not in text and "http:" not in text and "https:" not in text
    assert "<script" not in text and "\x1b" not in text and "\u202e" not in text and "onload=x" in "".join(page.text)
    assert "default-src 'none'" in text and {"svg", "table", "details"} <= page.tags
    assert (recorded / "page").stat().st_mode & 0o777 == 0o600


def test_its_calls_are_those_of_the_recording_with_their_counts(recorded):
    page = Page((recorded / "page").read_text())
    rows = {r[0].split()[0]: r for r in page.rows if len(r) == 5 and r[4] in ("allowed", "refused", "by arguments")}
    seen = dict(re.findall(r"^call \S+ (\w+)\t1:(\d+)", (recorded / "rec").read_text(), re.M))
    assert {name: r[1].replace("\u202f", "") for name, r in rows.items()} == seen
    assert rows["read"][4] == "allowed"
    policy = (recorded / "policy").read_text()
    assert policy.split("policy ")[1][:200] in "".join(page.text)


def test_what_dockers_default_does_stands_beside_a_call(tmp_path):
    rec = tmp_path / "rec"
    rec.write_text(recording("call x86_64 bpf\t1:3@100\ncall x86_64 personality\t1:1@200\ncall x86_64 read\t1:9@100000000\n"))
    r = run([PALE, "propose", "--report", tmp_path / "page", rec])
    assert r.rc == 0, r
    rows = {r[0].split()[0]: r for r in Page((tmp_path / "page").read_text()).rows
            if len(r) == 5 and r[0].strip()}
    assert [rows[c][4] for c in ("bpf", "personality", "read")] == ["refused", "by arguments", "allowed"]
    assert rows["read"][3] == "100.0 ms"


def test_propose_writes_the_page_that_learn_wrote(recorded, tmp_path):
    r = run([PALE, "propose", "--exact", "--report", tmp_path / "page", recorded / "rec"])
    assert r.rc == 0 and (tmp_path / "page").read_bytes() == (recorded / "page").read_bytes()


def test_policy_and_page_are_written_both_or_neither(recorded, tmp_path):
    r = run([PALE, "propose", "-o", tmp_path / "policy", "--report", tmp_path / "no" / "page", recorded / "rec"])
    assert r.rc == 3 and not list(tmp_path.iterdir()), r


@pytest.mark.parametrize("args", [["--report", "-"], ["--report", "x", "--update", "y"]])
def test_a_page_that_cannot_be_is_wrong_usage(recorded, args):
    assert run([PALE, "propose", *args, recorded / "rec"]).rc == 2


def test_a_page_of_very_many_files_opens(tmp_path):
    rec = tmp_path / "rec"
    deep = "/".join(["d"] * 1500)
    files = sorted([f"/srv/{i:05}/f{i % 7}" for i in range(9000)] + [f"/deep/{deep}/{n}" for n in "ab"])
    rec.write_text(recording("call x86_64 read\t1:3@100\n" + "".join(f'file "{f}" r\t1:1@100\n' for f in files)))
    r = run([PALE, "propose", "--exact", "-o", tmp_path / "p", "--report", tmp_path / "page", rec])
    assert r.rc == 0, r
    text = (tmp_path / "page").read_text()
    Page(text)
    assert "4002 more rules" in text and len(text) < 4 << 20


@pytest.mark.parametrize("duration, first", [(1, 1), (1, 2 ** 64 - 1), (2 ** 64 - 1, 1)])
def test_times_that_no_run_has_are_drawn_all_the_same(tmp_path, duration, first):
    rec = tmp_path / "rec"
    rec.write_text(recording(f"call x86_64 read\t1:3@{first}\n", duration))
    r = run([PALE, "propose", "--report", tmp_path / "page", rec])
    assert r.rc == 0, r
    text = (tmp_path / "page").read_text()
    Page(text)
    picture = text[text.index("<svg"):text.index("</svg>")]
    assert "nan" not in picture and "inf" not in picture
    for x in re.findall(r"H([\d.]+)V", text):
        assert 48 <= float(x) <= 641, x


SERVED = """serve call x86_64 accept4	1:4@200000000
serve call x86_64 read	1:3@100000000
serve capability net_bind_service x86_64 bind	1:1@150000000
"""


def page_of(tmp_path, *texts):
    for i, text in enumerate(texts):
        (tmp_path / f"rec{i}").write_text(text.replace("44e20cfe", f"44e20cf{i}"))
    r = run([PALE, "propose", "-o", tmp_path / "policy", "--report", tmp_path / "page",
             *(tmp_path / f"rec{i}" for i in range(len(texts)))])
    assert r.rc == 0, r
    return Page((tmp_path / "page").read_text())


def test_what_was_made_while_starting_alone_is_told_apart(tmp_path):
    facts = ("call x86_64 accept4\t1:4@200000000\ncall x86_64 bind\t1:2@300\ncall x86_64 read\t1:9@100\n"
             "capability chown x86_64 chown\t1:1@90\ncapability net_bind_service x86_64 bind\t1:2@300\n")
    page = page_of(tmp_path, recording(facts + SERVED).replace("run 1 tasks", 'run 1 serve-from "accept4"\nrun 1 serving '
                                                               "5000000\nrun 1 tasks"))
    text = " ".join("".join(page.text).split())
    assert "It serves from 5.0 ms on, told by accept4; of 3 calls 1 were made while starting alone: bind" in text
    assert ">serves</text>" in (tmp_path / "page").read_text()
    rows = {tuple(r[:2]) if len(r) == 6 and r[5] in ("", "not proposed") else r[0]: r for r in page.rows if len(r) == 6}
    assert [rows[c][3] for c in ("accept4", "bind", "read")] == ["4", "start only", "3"]
    assert rows["net_bind_service", "bind"][2:4] == ["2", "1"] and rows["chown", "chown"][3] == "start only"
    page = page_of(tmp_path, recording(facts).replace("run 1 tasks", 'run 1 serve-from "never"\nrun 1 tasks'))
    assert "No process came to serve" in "".join(page.text) and "start only" not in "".join(page.text)


def test_of_several_runs_each_says_what_was_new_in_it(tmp_path):
    """By when they began, whatever their ids; and calls say in how many they were."""
    one = recording("call x86_64 read\t1:1@9\ncall x86_64 write\t1:1@9\nfile \"/a\" r\t1:1@9\n")
    two = recording("call x86_64 close\t1:1@9\ncall x86_64 read\t1:1@9\nfile \"/a\" r\t1:1@9\nfile \"/b\" r\t1:1@9\n")
    two = two.replace("started 1795998216", "started 1795990000").replace('host "h"', 'host "<b>"')
    page = page_of(tmp_path, one, two)
    runs = [r for r in page.rows if len(r) == 6 and re.match(r"\d{4}-\d\d-\d\d \d\d:", r[0])]
    assert [(r[1], r[3], r[4]) for r in runs] == [("<b>", "2", "2"), ("h", "1", "0")]
    assert runs[0][0] < runs[1][0] == "2026-11-30 00:23:36"
    calls = {r[0]: r[4] for r in page.rows if len(r) == 6 and r[5] == "allowed"}
    assert calls == {"read": "2/2", "write": "1/2", "close": "1/2"}
    assert len(re.findall("<svg", (tmp_path / "page").read_text())) == 2
    assert "New by run" not in "".join(page_of(tmp_path, one).text)


def test_what_was_lost_and_what_a_runtime_did_stand_apart(tmp_path):
    text = recording("call x86_64 read\t1:1@9\nlost \"/x/<y>\" r link\t1:2@9\nruntime call x86_64 mount\t1:4@1\n"
                     "runtime capability sys_admin x86_64 mount\t1:1@9\n").replace(
                         "run 1 capabilities-seen", 'run 1 capabilities-seen\nrun 1 lost-paths 2')
    text = text.replace('run 1 kernel', 'run 1 runtime "runc 1.1.5"\nrun 1 kernel')
    (tmp_path / "rec").write_text(text)
    r = run([PALE, "propose", "--allow-loss", "-o", tmp_path / "policy", "--report", tmp_path / "page", tmp_path / "rec"])
    assert r.rc == 0, r
    said = " ".join("".join(Page((tmp_path / "page").read_text()).text).split())
    assert "2 paths found no room" in said and "/x/<y>" in said
    assert "Outside the workload, by runc 1.1.5: 1 different calls, 1 capabilities. Nothing of it is proposed" in said
    assert re.search("its calls ?mount", said) and re.search("its capabilities ?sys_admin", said)


def test_rules_that_are_wider_than_what_was_seen_say_why(recorded, tmp_path):
    page = page_of(tmp_path, recording("call x86_64 read\t1:1@9\nfile \"/usr/lib/x86_64-linux-gnu/libz.so.1.2\" rm\t1:2@9\n"
                                       "file \"/etc/hosts\" r\t1:1@9\n"))
    text = (tmp_path / "page").read_text()
    assert "1 of 2 rules are wider than what was seen" in " ".join("".join(page.text).split())
    assert re.search(r"libz\.so\.\*.*<span class=\"wide\">a library", text)
    assert "0 of " in " ".join("".join(Page((recorded / "page").read_text()).text).split())  # --exact


SEEN = "run 1 capabilities-seen\nrun 1 programs-seen"
MADE = {"/bin/mount": ["mount", "read", "umount2"], "/bin/<b>&\\\"\\x0a": ["ioctl", "read", "unshare"], None: ["mount", "read"]}


def made_by(programs, seen=True):
    facts = sorted({f"call x86_64 {c}" for made in programs.values() for c in made} | {
        f"by {'others' if p is None else chr(34) + p + chr(34)} x86_64 {c}" for p, made in programs.items() for c in made})
    text = recording("".join(f"{f}\t1:1@9\n" for f in facts))
    return text.replace("run 1 capabilities-seen", SEEN) if seen else text


def test_calls_are_shown_by_program_with_what_each_alone_makes_and_what_is_of_risk(tmp_path):
    page = page_of(tmp_path, made_by(MADE))
    # the program with the most of its own first
    programs = [r for r in page.rows if len(r) == 4 and r[1].isdigit() and r[2].isdigit()]
    assert [(r[0], r[1], r[2]) for r in programs] == [('/bin/<b>&"\\x0a', "3", "2"), ("/bin/mount", "3", "1"), ("others", "2", "0")]
    assert programs[0][3] == "ioctl, unshare1 that others make, tooread" and programs[1][3].startswith("umount22 that others")
    made = {r[0]: r[4] for r in page.rows if len(r) == 6}
    assert made["read"] == "all" and made["mount"] == "/bin/mount, others" and made["unshare"] == '/bin/<b>&"\\x0a', made
    risks = {r[0]: r[1:] for r in page.rows if len(r) == 3}
    assert risks["umount2"] == ["/bin/mount", ""] and risks["mount"] == ["/bin/mount, others", ""]
    assert risks["ioctl"] == ['/bin/<b>&"\\x0a', "cmd in {TIOCSTI, TIOCLINUX}"] and "read" not in risks


def test_by_program_the_page_tells_start_and_serving_apart(tmp_path):
    serve = {"/bin/mount": ["read", "umount2"], '/bin/<b>&\\"\\x0a': ["ioctl"], None: ["mount"]}
    facts = {f"serve call x86_64 {c}" for made in serve.values() for c in made} | {
        f"serve by {'others' if p is None else chr(34) + p + chr(34)} x86_64 {c}" for p, made in serve.items() for c in made}
    text = made_by(MADE)
    n = int(re.search(r"end 1 (\d+)", text)[1])
    text = text.replace(f"end 1 {n}", "".join(f"{f}\t1:{2 if 'umount2' in f else 1}@9\n" for f in sorted(facts)) + f"end 1 {n + len(facts)}")
    text = text.replace('by "/bin/mount" x86_64 read\t1:1@9', 'by "/bin/mount" x86_64 read\t1:2@9', 1)
    of_run = text.replace("run 1 tasks", 'run 1 serve-from "accept4"\nrun 1 serving 5000000\nrun 1 tasks')
    page = page_of(tmp_path, of_run.replace("run 1 programs-seen", "run 1 programs-seen\nrun 1 programs-by-phase"))
    programs = {r[0]: r[1:] for r in page.rows if len(r) == 6 and all(n.isdigit() for n in r[1:5])}
    assert {p: r[:4] for p, r in programs.items()} == {'/bin/<b>&"\\x0a': ["3", "2", "1", "2"],
                                                       "/bin/mount": ["3", "2", "2", "1"], "others": ["2", "1", "1", "0"]}
    assert programs['/bin/<b>&"\\x0a'][4].startswith("ioctlwhile starting: unshare1 that others"), programs
    assert programs["/bin/mount"][4].startswith("umount22 that others")
    risks = {r[0]: r[1:] for r in page.rows if len(r) == 4}
    assert risks["mount"][:2] == ["/bin/mount, others", "others"] and risks["unshare"][:2] == ['/bin/<b>&"\\x0a', ""]
    older = page_of(tmp_path, of_run)
    assert not [r for r in older.rows if len(r) == 6 and all(n.isdigit() for n in r[1:5])]
    assert "while starting:" not in "".join(older.text) and "it alone makes" in "".join(older.text)


def test_who_made_what_is_not_shown_where_it_is_not_known_and_in_a_sentence_where_it_is_one(tmp_path):
    text = "".join(page_of(tmp_path, made_by({"/bin/a<": ["read", "mount"]})).text)
    assert "All of it was made by /bin/a<." in text and "made by\n" not in text and "it alone makes" not in text
    assert "By program" not in "".join(page_of(tmp_path, recording("call x86_64 read\t1:1@9\n")).text)
    page = page_of(tmp_path, made_by(MADE), recording("call x86_64 chroot\t1:1@9\n"))
    text = "".join(page.text)
    assert "Of some of the runs it is not known which program made what" in text and "it alone makes" not in text


def test_what_nobody_looked_at_is_nobodys_and_a_page_of_very_many_programs_opens(tmp_path):
    made = {f"/p/{i:04}": ["read", "write"] for i in range(700)} | {"/p/a": ["write"]}
    text = made_by(made).replace("call x86_64 read\t", "call x86_64 futex assumed\t1:1\ncall x86_64 read\t")
    page = page_of(tmp_path, text.replace(f"end 1 {701 * 2 - 1 + 2}", f"end 1 {701 * 2 - 1 + 3}"))
    calls = {r[0].split()[0]: r[4] for r in page.rows if len(r) == 6 and r[0]}
    assert calls == {"futex": "not looked at", "read": "/p/0000, /p/0001, /p/0002 and 697 more", "write": "all"}
    assert "and 501 more, which the recording has" in "".join(page.text) and len((tmp_path / "page").read_text()) < 1 << 20


def test_the_page_of_a_run_is_that_of_its_file_also_by_program(tmp_path):
    for backend in ("ptrace", "seccomp"):
        run([PALE, "learn", "--backend", backend, "-r", tmp_path / "rec", "-o", tmp_path / "policy", "--report",
             tmp_path / "page", "--", "sh", "-c", "umask 77; cat /dev/null"], check=0)
        run([PALE, "propose", "-o", tmp_path / "policy", "--report", tmp_path / "again", tmp_path / "rec"], check=0)
        text = (tmp_path / "page").read_text()
        assert text == (tmp_path / "again").read_text() and "it alone makes" in text


@pytest.mark.parametrize("runs", [1, 2])
@pytest.mark.parametrize("n, titles, labels", [
    (1, ["1 call", "1 file"], ["1 call", "1 file"]), (2, ["2 different calls", "2 different files"], ["2 calls", "2 files"])])
def test_one_call_is_one_call(tmp_path, runs, n, titles, labels):
    recs = []
    for i in range(runs):
        rec = tmp_path / f"r{i}"
        calls = "".join(f"call x86_64 {name}\t1:5@1\n" for name in ("read", "write")[:n])
        files = "".join(f'file "/srv/{name}" r\t1:1@1\n' for name in "ab"[:n])
        rec.write_text(HEAD.replace("44e20c", f"{i:06x}") + calls + files + f"end 1 {2 * n}\n")
        recs.append(rec)
    r = run([PALE, "propose", "--report", tmp_path / "page", "-o", tmp_path / "p.pale", *recs])
    assert r.rc == 0, r
    page = (tmp_path / "page").read_text()
    drawn = re.findall(r'<title>([^<]*)</title></path>\s*<text class="label [ab]"[^>]*>([^<]*)<', page)
    assert drawn == list(zip(titles, labels)) * runs, page
