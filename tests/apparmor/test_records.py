# SPDX-License-Identifier: Apache-2.0
"""`pale why` on AppArmor's records: what was asked, which rule refused it, the line that would allow it.

records/*.log: what kernels 6.1, 6.12 and 7.2 logged of a program that tried something of every
class under a profile of its own (guests, tests/guest)."""
import json
import pathlib
import random
import re
import resource
import sys

import pytest

from conftest import program, run, sanitized

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from parsers import Parser  # noqa: E402

RECORDS = pathlib.Path(__file__).parent / "records"
LOGS = {p.stem: p.read_text() for p in sorted(RECORDS.glob("*.log"))}

HEAD = 'type=1400 audit(1790000000.125:7): '


def record(operation="open", status="DENIED", profile="t", pid=7, **fields):
    """As the kernel writes it; what begins with ! is not in quotes."""
    def value(v):
        return v[1:] if isinstance(v, str) and v.startswith("!") else v if isinstance(v, int) else f'"{v}"'
    before = "".join(f"{k}={value(fields.pop(k))} " for k in ("class", "info") if k in fields)
    name = f'name={value(fields.pop("name"))} ' if "name" in fields else ""
    rest = "".join(f" {k}={value(v)}" for k, v in fields.items())
    return f'{HEAD}apparmor="{status}" operation="{operation}" {before}profile={value(profile)} {name}pid={pid} comm="p"{rest}'


def opened(name, mask="r", fsuid=33, ouid=0, **kw):
    return record(name=name, requested_mask=mask, denied_mask=mask, fsuid=fsuid, ouid=ouid, **kw)


def why(pale, tmp_path, body, *lines, head="profile t", rc=0, options=()):
    file = tmp_path / "p"
    file.write_text(f"{head} {{\n{body}\n}}\n")
    got = pale("why", "-", file, *options, input="\n".join(lines) + "\n")
    assert got.rc == rc, got
    return got.out.replace(f"{tmp_path}/", "").splitlines()


def ways(out):
    return [line.removeprefix("  allowed by: ") for line in out if line.startswith("  allowed by: ")]


@pytest.mark.parametrize("guest", LOGS)
def test_every_record_of_a_guest_is_read(pale, guest):
    got = pale("why", "-", input=LOGS[guest], check=0)
    assert not got.err
    told = {w for line in got.out.splitlines() if not line.startswith(" ") for w in re.findall(r": (DENIED|ALLOWED|KILLED|AUDIT),", line)}
    assert told == {"DENIED", "KILLED", "AUDIT"} | ({"ALLOWED"} if guest != "sid" else set())
    assert len(ways(got.out.splitlines())) > 40


@pytest.mark.once  # the library leaks
def test_libapparmor_reads_the_same_where_it_reads():
    """3.0.8 reads no line with class=, and none of KILLED, rlimits, requested= and addr=."""
    lines = [re.sub(r"class=\"\w+\" ", "", re.sub(r"^.*audit: type=1400 audit", "type=AVC msg=audit", line))
             for log in LOGS.values() for line in log.splitlines() if "STATUS" not in line]
    lines += [(BUS % "org.X").replace(' mask="send"', "").replace(' peer_label="unconfined"', "")]
    said = run([program("apparmor/recordtool")], input="\n".join(lines) + "\n", check=0).out.splitlines()
    odd = [(line, text) for line, text in zip(lines, said) if text != "same"]
    assert len(said) == len(lines) and len(lines) - len(odd) > 200
    assert not [pair for pair in odd if pair[1] != "unread" or not re.search("KILLED|rlimit=|requested=| addr=", pair[0])], odd


def test_the_rule_that_refused_and_the_line_that_would_allow(pale, tmp_path):
    body = "/etc/** r,\ndeny /etc/shadow rw,\n/etc/x w,"
    assert why(pale, tmp_path, body, opened("/srv/a", "wr"), opened("/etc/shadow"), opened("/srv/a", "wr"), options=("--target", "apparmor=3.0")) == [
        "2 times t: to open /srv/a: DENIED, by p (first pid 7)",
        "  refused  open other /srv/a rw  no rule allows rw",
        "  allowed by: /srv/a rw,",
        "t: to open /etc/shadow: DENIED, by p (pid 7)",
        "  refused  open other /etc/shadow r  p:3:1: deny /etc/shadow rw,",
        "  allowed by: taking out p:3:1: deny /etc/shadow rw,",
        "    wider than what was refused: what is taken out denies more",
    ]


def test_only_what_is_missing_is_proposed(pale, tmp_path):
    assert ways(why(pale, tmp_path, "/a r,\n/b a,", opened("/a", "wr"), opened("/b", "wa"), opened("/c", "wrcd", 33, 33), opened("/d", "a"))) == \
        ["/a w,", "/b w,", "owner /c rw,", "/d a,"]


def test_a_deny_has_to_go_or_be_outranked(pale, tmp_path):
    out = why(pale, tmp_path, "priority=3 deny /a r,\ndeny /** w,\n/a w,", opened("/a", "wr"))
    assert out[1:] == ["  refused  open other /a rw  p:2:1: priority=3 deny /a r,; p:3:1: deny /** w,",
                       "  allowed by: taking out p:2:1: priority=3 deny /a r,; p:3:1: deny /** w,; and by: /a r,",
                       "    wider than what was refused: what is taken out denies more",
                       "  or by: priority=4 /a rw,"]
    out = why(pale, tmp_path, "deny capability chown,\ncapability,", record("capable", capability="!0 ", capname="chown"))
    assert out[1:] == ["  refused  cap chown  p:2:1: deny capability chown,", "  allowed by: taking out p:2:1: deny capability chown,"]


def test_rules_come_through_includes(pale, tmp_path):
    (tmp_path / "inc").write_text("deny @{D}/x r,\n")
    file = tmp_path / "p"
    file.write_text(f'@{{D}}=/srv /opt\nprofile t {{\n  include "{tmp_path}/inc"\n}}\n')
    out = pale("why", opened("/opt/x"), file, check=0).out.replace(f"{tmp_path}/", "")
    assert "  refused  open other /opt/x r  inc:1:1: deny @{D}/x r,  (included at p:3:3)\n" in out


BUS = ('type=USER_AVC msg=audit(1.2:3): pid=700 uid=102 auid=1 ses=1 subj=unconfined msg=\'apparmor="DENIED" operation="dbus_method_call"  bus="system" path="/org/x" '
       'interface="org.x" member="M" mask="send" name="%s" pid=12 label="t" peer_pid=3 peer_label="unconfined" exe="/usr/bin/dbus-daemon" sauid=102 hostname=? addr=? terminal=?\'')
# Rules of those classes that only some kernels, or programs, ask about.
RARE = [
    (record("connect", family="unix", sock_type="stream", protocol="!0", requested="send receive connect", denied="send connect", addr="!none", peer_addr="@q1",
            peer="unconfined", **{"class": "net"}), "unix (send, connect) type=stream addr=none peer=(label=unconfined, addr=@q1),"),
    (record("bind", family="unix", sock_type="dgram", requested="bind", denied="bind", addr="@712031", **{"class": "net"}), 'unix (bind) type=dgram addr="@q 1",'),
    (record("listen", family="inet", sock_type="stream", requested="listen", denied="listen", **{"class": "net"}), "network (listen) inet stream,"),
    (record("sendmsg", laddr="!1.2.3.4", lport="!7", family="inet", sock_type="raw", protocol="!6"), "network inet raw,"),
    (BUS % ":1.5", "dbus (send) bus=system path=/org/x interface=org.x member=M peer=(label=unconfined),"),
    (BUS % "org.X", "dbus (send) bus=system path=/org/x interface=org.x member=M peer=(name=org.X, label=unconfined),"),
    ('apparmor="DENIED" operation="dbus_bind" bus="session" name="a.b" mask="bind" pid=2 label="t"', "dbus (bind) bus=session name=a.b,"),
    (record("open", name="/q", requested="read create", denied="read create", **{"class": "posix_mqueue"}), "mqueue (read, create) type=posix /q,"),
    (record("uring_override", requested="override_creds", denied="override_creds", tcontext="x", **{"class": "io_uring"}), "io_uring override_creds label=x,"),
]


def test_rare_classes_have_their_words(pale, tmp_path):
    for line, rule in RARE:
        assert ways(pale("why", line, check=0).out.splitlines()) == [rule]
        assert ways(why(pale, tmp_path, "/none r,", line)) == [rule]
        out = why(pale, tmp_path, rule, line)
        # No parser here has a kernel that asks about queues: there the file rules count.
        assert rule.startswith("mqueue") or not any(text.startswith("  refused") for text in out), out
    file = tmp_path / "p"
    for release in "3.0", "4.1", "5.0":
        file.write_text("profile t {\n" + "\n".join(r for _, r in RARE if release != "3.0" or not r.startswith(("network (", "mqueue", "io_uring"))) + "\n}\n")
        parser = Parser(release)
        assert parser.ask(file) is not None, parser.said


def test_the_words_are_those_of_the_release(pale, tmp_path):
    lines = [record("listen", family="inet", sock_type="stream", requested="listen", denied="listen", **{"class": "net"}),
             record("userns_create", requested="userns_create", denied="userns_create"), opened("/a")]
    assert ways(why(pale, tmp_path, "deny /a r,", *lines, options=("--target", "apparmor=3.0")))[::2] == ["network inet stream,", "taking out p:2:1: deny /a r,; and by: /a r,"]
    out = why(pale, tmp_path, "deny /a r,\n/a r,", *lines, options=("--target", "apparmor=4.1"))
    assert "  allowed by: userns create," in out and "  or by: priority=1 /a r," in out


def test_who_has_no_profile_is_told_so(pale):
    out = pale("why", record("userns_create", profile="unconfined", requested="userns_create", denied="userns_create"), check=0).out
    assert out.splitlines()[1].startswith("  it has no profile, and this kernel refuses it to those that have none")


CASES = [
    (record("capable", capability="!21 ", capname="sys_admin"), "cap sys_admin", "capability sys_admin,"),
    (record("create", family="inet", sock_type="stream", protocol="!0", requested_mask="create", denied_mask="create"),
     "socket inet stream", "network inet stream,"),
    (record("signal", requested_mask="send", denied_mask="send", signal="!term", peer="x"), "signal send term peer=x", "signal (send) set=(term) peer=x,"),
    (record("signal", requested_mask="receive", denied_mask="receive", signal="!rtmin+3", peer="!612062"),
     'signal receive rtmin+3 peer="a b"', 'signal (receive) set=(rtmin+3) peer="a b",'),
    (record("ptrace", requested_mask="readby", denied_mask="readby", peer="y"), "ptrace readby peer=y", "ptrace (readby) peer=y,"),
    (record("userns_create", requested="userns_create", denied="userns_create"), "userns create", "userns create,"),
    (record("uring_sqpoll", requested="sqpoll", denied="sqpoll", **{"class": "io_uring"}), "io_uring sqpoll", "io_uring sqpoll,"),
    (record("link", name="/new", requested_mask="l", denied_mask="l", fsuid=0, ouid=0, target="/old"), "link owner /new /old", "owner link /new -> /old,"),
    (opened("/x", "c", operation="mkdir"), "open other /x w", "/x w,"),
    (opened("/x", "m", operation="file_mmap"), "open other /x m", "/x m,"),
]


@pytest.mark.parametrize("line,access,rule", CASES, ids=[c[2] for c in CASES])
def test_each_class(pale, tmp_path, line, access, rule):
    out = why(pale, tmp_path, "/none r,", line)
    assert out[1].startswith(f"  refused  {access}  no rule allows "), out
    assert out[2] == "  allowed by: " + rule
    out = why(pale, tmp_path, rule, line)
    assert out[1].startswith(f"  allowed  {access}  p:2:1: {rule}"), out
    assert out[2].startswith("  'p' lets it pass: the profile that was loaded is another one"), out


def test_executions_inherit_or_go_on_as_the_other_half_does(pale, tmp_path):
    line = opened("/bin/x", "x", operation="exec")
    out = why(pale, tmp_path, "/a r,", line)
    assert out[1:3] == ["  refused  exec other /bin/x  no rule allows x", "  allowed by: /bin/x ix,"]
    assert out[3].startswith("    ix: it runs under this profile; px: ")
    assert ways(why(pale, tmp_path, "owner /bin/* Px -> k,", line)) == ["/bin/x Px -> k,"]
    assert ways(why(pale, tmp_path, "owner /bin/x cx,", line)) == ["/bin/x cx,"]


def test_what_info_says_has_a_sentence(pale, tmp_path):
    out = why(pale, tmp_path, "/bin/x px,", opened("/bin/x", "x", operation="exec", info="profile transition not found"))
    assert out[1].startswith("  a rule allows the execution under another profile, which is not loaded")
    assert out[2] == "  allowed  exec other /bin/x  px  p:2:1: /bin/x px," and len(out) == 3
    out = why(pale, tmp_path, "/a r,", opened("f", info="Failed name lookup - disconnected path"))
    assert "attach_disconnected" in out[1] and out[3] == "  allowed by: /f r,"


def test_how_it_ended_is_held_against_the_file(pale, tmp_path):
    assert why(pale, tmp_path, "/a w,", opened("/a", status="ALLOWED"))[2:] == \
        ["  it passed, as the loaded profile complains; 'p' enforces", "  allowed by: /a r,"]
    assert why(pale, tmp_path, "/a w,", opened("/a", status="ALLOWED"), head="profile t flags=(complain)")[1:] == \
        ["  allowed, logged  open other /a r  no rule allows r  (the profile complains, and refuses only what is denied without 'audit')",
         "  allowed by: /a r,"]
    assert why(pale, tmp_path, "/a w,", opened("/a", status="KILLED"))[2] == "  it was killed: the loaded profile has flags=(kill), 'p' not"
    assert why(pale, tmp_path, "/a w,", opened("/a", status="KILLED"), head="profile t flags=(kill)")[1:] == \
        ["  refused, killed  open other /a r  no rule allows r", "  allowed by: /a r,"]
    audit = record(status="AUDIT", name="/a", requested_mask="r", fsuid=0, ouid=0)
    assert why(pale, tmp_path, "audit /a r,", audit)[1:] == ["  allowed, audited  open owner /a r  p:2:1: audit /a r,"]
    assert why(pale, tmp_path, "/a r,", audit)[2].startswith("  nothing in 'p' asks for it to be logged: ")


def test_each_record_is_asked_of_its_own_profile(pale, tmp_path):
    file = tmp_path / "p"
    file.write_text("profile a { /x r, profile b { /y r, } ^h { } }\nprofile :n:c { }\nprofile \"b l*k\" { }\n")
    lines = [opened("/x", profile="a"), opened("/x", profile="a//b"), opened("/x", profile="a//h"), opened("/x", profile="z"), opened("/y", profile="z"),
             opened("/x", profile="c"), opened("/x", profile='!62206C2A6B'), opened("/x", profile="a//null-/bin/x"), opened("/x", profile="y")]
    lines.append(opened("/x", profile="c").replace("profile=", 'namespace="root//n" profile='))
    got = pale("why", "-", file, input="\n".join(lines), check=0).out.replace(f"{tmp_path}/", "").splitlines()
    assert [line for line in got if not line.startswith("  allowed by") and "other profile" not in line] == [
        "a: to open /x: DENIED, by p (pid 7)", "  allowed  open other /x r  p:1:13: /x r,",
        "  'p' lets it pass: the profile that was loaded is another one, or an older one ('apparmor_parser -r' loads this)",
        "a//b: to open /x: DENIED, by p (pid 7)", "  refused  open other /x r  no rule allows r",
        "a//h: to open /x: DENIED, by p (pid 7)", "  refused  open other /x r  no rule allows r",
        "b l*k: to open /x: DENIED, by p (pid 7)", "  refused  open other /x r  no rule allows r",
        "a//null-/bin/x: to open /x: DENIED, by p (pid 7)",
        "  the kernel made this profile, as the one before '//null-' complains and has no rule for that execution; answered as if that rule were 'ix'",
        "  allowed  open other /x r  p:1:13: /x r,",
        "  'p' lets it pass: the profile that was loaded is another one, or an older one ('apparmor_parser -r' loads this)",
        "c of the namespace root//n: to open /x: DENIED, by p (pid 7)", "  refused  open other /x r  no rule allows r",
        "not answered: 4 records of profiles that 'p' does not hold: 'z' (2), 'c' (1), 'y' (1); --profile NAME asks one of the file nevertheless",
    ]
    got = pale("why", opened("/y", profile="z"), file, "--profile", "a//b", check=0).out
    assert "  allowed  open other /y r  " in got


def test_both_kinds_in_one_log(pale, tmp_path):
    seccomp = 'type=1326 audit(1.2:3): comm="x" sig=31 arch=c000003e syscall=101 code=0x80000000'
    out = why(pale, tmp_path, "/a r,", seccomp, opened("/a", "w"), seccomp)
    assert out[0] == "2 times x86_64 ptrace: KILL_PROCESS, by x" and out[1].startswith("  allowed by: allow ptrace;")
    assert out[-1] == "  allowed by: /a w,"
    policy = tmp_path / "q.pale"
    policy.write_text("policy q { default kill-process; allow read; }")
    out = pale("why", "-", policy, input=f"{seccomp}\n{opened('/a', 'w')}\n", check=0).out
    assert "q.pale:1:12: default kill-process;" in out and "  allowed by: /a w," in out


FORMS = [
    "[   12.345678] audit: {}", "Nov 23 04:19:50 host kernel: audit: {}", "Nov 23 04:19:50 host kernel: [ 12.3] audit: {}", "{}",
    "2026-11-23T04:19:50+00:00 host kernel: audit: {}", "<5>[   12.345678] audit: {}",
]


@pytest.mark.parametrize("form", FORMS)
def test_every_place_that_a_record_comes_from(pale, form):
    want = ["t: to open /a b: DENIED, by p (pid 7)", '  as an access: open other "/a b" r', '  allowed by: "/a b" r,']
    line = opened("!2F612062")
    assert pale("why", form.format(line), check=0).out.splitlines()[:3] == want
    audit = line.replace("type=1400 audit(", "type=AVC msg=audit(") + '\x1dFSUID="www-data" OUID="root"'
    assert pale("why", audit, check=0).out.splitlines()[:3] == want
    journald = form.split("{}")[0].replace("kernel: audit", "audit[7]") + "AVC " + line.split("): ")[1]
    assert pale("why", journald, check=0).out.splitlines()[:3] == want
    for message in line, list(line.encode()):
        assert pale("why", json.dumps({"_PID": "7", "MESSAGE": message}), check=0).out.splitlines()[:3] == want
    plain = "type=AVC msg=audit(11/23/2026 04:19:50.901:3668) : " + line.split("): ")[1].replace('"', "").replace("2F612062", "/a b") \
        .replace("fsuid=33", "fsuid=www-data").replace("ouid=0", "ouid=root ")
    assert pale("why", plain, check=0).out.splitlines()[:3] == want


@pytest.mark.parametrize("line,what", [
    ('apparmor="DENIED" operation="open"', "it has no profile="), ('apparmor="DENIED" profile="t"', "it has no operation="),
    (record("open"), "it has no name="), (record("open", name="/a"), "it has no requested_mask="),
    (opened("/a", "rq"), "its denied_mask= has letters that are none of a file's"), (opened("!2F6"), "its name= is cut off"),
    (opened("!2F61006200"), "its name= holds a zero byte"), (opened("/a//b"), "its name= holds '//', as no path does that the kernel asks about"), (record("signal", requested_mask="send", denied_mask="send", signal="!term"), "it has no peer="),
    (record("link", name="/n", requested_mask="l", denied_mask="l"), "it has no target="), (record("nosuch", **{"class": "zz"}), "pale knows no rules of its class= and operation="),
    ('apparmor="STATUS" operation="profile_load" profile="unconfined" name="t"', "it tells what became of policy, and asks nothing"),
    ("apparmor=DENIED operation=open profile=t name=/a pid=1 b pid=2 comm=x denied_mask=r", "its pid= stands there twice"),
])
def test_what_is_no_record_is_told(pale, line, what):
    got = pale("why", line, check=1)
    assert got.err.startswith("<line>:1:1: error: no AppArmor record: " + what + " [PL416 bad-denial]") and not got.out, got


def test_options_of_apparmor_are_about_such_a_file(pale, tmp_path):
    file = tmp_path / "p.json"
    file.write_text('{"defaultAction": "SCMP_ACT_ALLOW"}')
    assert "--profile is about a FILE" in pale("why", opened("/a"), "--profile", "t", check=2).err
    assert "--profile says nothing of a file that is not AppArmor's" in pale("why", opened("/a"), file, "--profile", "t", check=2).err
    assert "--target says nothing of " in pale("why", opened("/a"), file, "--target", "apparmor=4.1", check=2).err
    file.write_text("profile t { }\n")
    assert "--as says nothing of an AppArmor file" in pale("why", opened("/a"), file, "--as", "docker:runc", check=2).err
    assert "--pid looks at a call, and AppArmor decides none" in pale("why", "--pid", "1", file, check=2).err
    assert "no profile is called 'z'" in pale("why", opened("/a"), file, "--profile", "z", check=1).err
    file.write_text("profile t { /a q, }\n")
    assert pale("why", opened("/a"), file, check=1).out == ""


def test_options_and_apparmor_are_no_records(pale):
    got = pale("why", "-", input='docker run --security-opt apparmor=unconfined\nmyapparmor="DENIED"\n', check=1)
    assert 'no line has apparmor="DENIED" or the like, nor type=1326 or type=SECCOMP' in got.err


def test_a_record_without_an_outcome_is_told_how_apparmors_look(pale):
    for got in (pale("why", 'audit: type=1400 audit(1.1:1): apparmor="" operation="open"', check=1), pale("why", "-", input='apparmor="" x\n', check=1)):
        assert "PL416" in got.err and "type=1400" in got.err.split("help:")[1] and "syscall=" not in got.err
    got = pale("why", "-", input="garbage\n", check=1)
    assert "PL283" in got.err and "syscall=101" in got.err


# ---- the lines are true ----

ODD = ["/a b", "/*", "/{x,y}", "/[a-z]", "/a^b", "/\\", '/"q"', "/,", "/@{HOME}", "/$x", "/#", "/\u00e9\u200b", "/tab\t", "/\x7f", "/-", "/a->b", "/'", "/ ", "/x,",
       "/r w,", "/\\\\052", "/!", "/(x)", "/a=b", "/&", "/;", "/a|b", "/<x>", "/deny", "/%s"]


def hexed(text):
    return "!" + text.encode().hex().upper()


def every_kind(guest):
    """Denials of a guest's log under `t`, and names that are hard to write."""
    lines = [line for line in LOGS[guest].splitlines() if 'profile="t"' in line and 'apparmor="DENIED"' in line]
    lines += [opened(hexed(n), m, 33, o) for n in ODD for m, o in (("wr", 0), ("k", 33))]
    lines += [opened(hexed("/x" + n), "x", operation="exec") for n in ODD]
    lines += [record("link", name=hexed(n), requested_mask="l", denied_mask="l", fsuid=0, ouid=0, target=hexed("/t" + n)) for n in ODD]
    lines += [record("signal", requested_mask="send", denied_mask="send", signal="!hup", peer=hexed("p" + n)) for n in ODD]
    return lines


def asked(pale, file, lines):
    """The answer to each record, as (head, verdict line, way)."""
    out = pale("why", "-", file, input="\n".join(lines) + "\n", check=0).out
    parts = re.split(r"(?m)^(?=\S)", out)[1:]
    return [(p.splitlines()[0], p.splitlines(), ways(p.splitlines())) for p in parts]


@pytest.mark.parametrize("guest,release", [("sid", "5.0"), ("debian13", "4.1"), ("debian12", "3.0")])
def test_a_proposed_line_allows_and_is_taken(pale, tmp_path, guest, release):
    lines = every_kind(guest)
    file = tmp_path / "p"
    head = "profile t flags=(attach_disconnected) {\n"
    file.write_text(head + "/none r,\n}\n")
    before = asked(pale, file, lines)
    rules = [w for _, _, ws in before for w in ws]
    assert len(rules) > 150
    file.write_text(head + "\n".join(rules) + "\n}\n")
    for name, said, _ in asked(pale, file, lines):
        answers = [line for line in said if line.startswith(("  refused", "  allowed  ", "  whether"))]
        assert answers and not any(line.startswith("  refused") for line in answers), (name, said)
        # Labels that hold what a pattern does are not answered.
        assert "the signal hup" in name or not answers[0].startswith("  whether"), (name, said)
    parser = Parser(release)
    # The parser is given no kernel's features, and without domain/stack among them it stacks nothing.
    taken = [r for r in rules if "-> &" not in r and (release != "3.0" or not r.startswith(("userns", "io_uring")))]
    file.write_text(head + "\n".join(taken) + "\n}\n")
    assert parser.ask(file) is not None, parser.said
    assert "unnecessary" not in parser.said.lower() and "unescap" not in parser.said, parser.said
    assert pale("check", file, "--target", f"apparmor={release}").rc == 0


POLICY = "policy t { layers apparmor; arch x86_64; program /usr/bin/t;\n%s }\n"


def test_a_policy_answers_for_the_profile_that_is_compiled_of_it(pale, tmp_path):
    file = tmp_path / "p.pale"
    file.write_text(POLICY % "file r /etc/passwd; deny file w /etc/hosts; owner file px /bin/x;")
    lines = [opened("/etc/hosts", "wr"), opened("/bin/x", "x", operation="exec"), opened("/etc/passwd"), opened("/a", profile="u")]
    assert pale("why", "-", file, input="\n".join(lines), check=0).out.replace(f"{tmp_path}/", "").splitlines() == [
        "t: to open /etc/hosts: DENIED, by p (pid 7)",
        "  refused  open other /etc/hosts rw  p.pale:2:33: deny file w /etc/hosts;; no rule allows r",
        "  allowed by: taking out p.pale:2:33: deny file w /etc/hosts;; and by: file rw /etc/hosts;",
        "t: to execute /bin/x: DENIED, by p (pid 7)", "  refused  exec other /bin/x  no rule allows x", "  allowed by: file px /bin/x;",
        "t: to open /etc/passwd: DENIED, by p (pid 7)", "  allowed  open other /etc/passwd r  p.pale:2:8: file r /etc/passwd;",
        "  'p.pale' lets it pass: the profile that was loaded is another one, or an older one ('apparmor_parser -r' loads this)",
        "not answered: 1 record of profiles that 'p.pale' does not hold: 'u' (1)"]
    file.write_text("policy t { allow read; }")
    assert pale("why", opened("/a"), file, check=0).out.splitlines()[1:3] == ["  as an access: open other /a r", "  allowed by: /a r,"]


def test_a_proposed_statement_allows(pale, tmp_path):
    lines = every_kind("debian13") + every_kind("sid") + [line for line, _ in RARE] + [case[0] for case in CASES]
    lines = [line for line in lines if "mqueue" not in line]  # which no kernel here asks about
    links = [line for line in lines if 'operation="link"' in line]
    file = tmp_path / "p.pale"
    for some in links, [line for line in lines if line not in links]:
        file.write_text(POLICY % "")
        statements = [w for _, _, ws in asked(pale, file, some) for w in ws]
        assert len(statements) >= len(ODD) and "network inet stream;" in statements or some is links
        file.write_text(POLICY % "\n".join(statements))
        for name, said, _ in asked(pale, file, some):
            answers = [line for line in said if line.startswith(("  refused", "  allowed  ", "  whether"))]
            assert answers and not any(line.startswith("  refused") for line in answers), (name, said)
            # Labels that hold what a pattern does are not answered.
            assert "the signal hup" in name or not answers[0].startswith("  whether"), (name, said)


def test_a_link_of_a_policy_needs_as_much_of_what_it_leads_to(pale, tmp_path):
    file = tmp_path / "p.pale"
    file.write_text(POLICY % "file rl /new; file w /old;")
    line = record("link", name="/new", requested_mask="l", denied_mask="l", fsuid=0, ouid=0, target="/old")
    assert ways(pale("why", line, file, check=0).out.splitlines()) == ["owner file r /old;"]
    file.write_text(POLICY % "file rl /new; file w /old; owner file r /old;")
    assert "  allowed  link owner /new /old  " in pale("why", line, file, check=0).out
    file.write_text(POLICY % "file rl /new; deny file r /old;")
    assert ways(pale("why", line, file, check=0).out.splitlines()) == ["nothing that a policy can say: its links give no more than what they lead to"]


# ---- hostile ----

def test_a_record_cut_anywhere_is_told_or_answered(pale, tmp_path):
    file = tmp_path / "p"
    file.write_text("profile t { /etc/passwd r, }\n")
    for line in (opened("/etc/shadow"), record("link", name="/new", requested_mask="l", denied_mask="l", fsuid=0, ouid=0, target="/old"), CASES[2][0],
                 record("mount", name="/mnt/", fstype="tmpfs", srcname="none", flags="rw, nosuid", **{"class": "mount"})):
        whole = pale("why", line, file, check=0).out.splitlines()
        cuts = "\n".join(line[:n] for n in range(len(line)))
        got = pale("why", "-", file, input=cuts)
        assert got.rc == 1 and "PL416" in got.err
        names = {h for h in (w.split(": DENIED")[0].split("times ")[-1] for w in got.out.splitlines() if ": DENIED" in w)}
        assert names <= {whole[0].split(": DENIED")[0]}, names


def test_a_log_of_many_records_and_long_names(pale, tmp_path):
    file = tmp_path / "p"
    file.write_text("profile t { /etc/** r, deny /etc/s* r, }\n")
    rng = random.Random(1)
    lines = [opened(f"/srv/{rng.randrange(3000)}", rng.choice(["r", "w"]), pid=n) for n in range(99990)] + [HEAD + "apparmor=\"DENIED\" " * 9] * 10
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    got = pale("why", "-", file, input="\n".join(lines))
    assert got.rc == 1 and got.err.count("[PL416 bad-denial]") == 10
    assert re.fullmatch(r"and \d+ records of AppArmor more, of other accesses: 4096 kinds are told apart; .*", got.out.splitlines()[-1])
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < (20 if sanitized() else 2)
    name = "/" + "a" * 1000000
    out = pale("why", "-", file, input=opened(name) + "\n", check=0).out
    assert f"  allowed by: {name} r," in out


@pytest.mark.parametrize("seed", range(3))
def test_bytes_that_changed_are_told_or_answered(pale, tmp_path, seed):
    rng = random.Random(seed)
    file = tmp_path / "p"
    file.write_text("profile t { /etc/** rix, capability, signal, }\n")
    lines = [line.encode() for log in LOGS.values() for line in log.splitlines()]
    changed = []
    for line in rng.choices(lines, k=400):
        b = bytearray(line)
        for _ in range(rng.randrange(1, 4)):
            b[rng.randrange(len(b))] = rng.randrange(256)
        changed.append(bytes(b).replace(b"\n", b" "))
    got = pale("why", "-", file, input=b"\n".join(changed), text=False)
    assert got.rc in (0, 1)
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", got.out)


@pytest.mark.parametrize("name, rule", [("a b", 'change_profile -> "&a b",'), ("ab", "change_profile -> &ab,")])
def test_a_profile_that_is_stacked_has_its_sign_inside_the_quotes(pale, tmp_path, name, rule):
    line = f'audit: type=1400 audit(1.2:3): apparmor="DENIED" operation="stack" profile="t" name="{name}" pid=7 comm="p"'
    assert rule in pale("why", line, check=0).out
    file = tmp_path / "p"
    file.write_text("profile t {\n%s\n}\n" % rule)
    assert pale("check", "-t", "apparmor=5.0", file).rc == 0


TEXT = 'apparmor="DENIED" operation="open" profile="t" name="/a" pid=7 comm="p" requested_mask="r" denied_mask="r" fsuid=33 ouid=0'
AUDIT = "audit(1790000000.125:7): "


@pytest.mark.parametrize("line", [
    f"type=1400 {AUDIT}{TEXT}", f"[   12.345] audit: type=1400 {AUDIT}{TEXT}", f"<5>[ 12.3] audit: type=1400 {AUDIT}{TEXT}", f"[Mon Nov 23 04:19:50 2026] audit: type=1400 {AUDIT}{TEXT}",
    f"kern  :notice: [ 12.345] audit: type=1400 {AUDIT}{TEXT}", f"2026-11-23T04:19:50,123456+00:00 audit: type=1400 {AUDIT}{TEXT}", f"5,371,2123,-;audit: type=1400 {AUDIT}{TEXT}",
    f"Nov 23 04:19:50 host kernel: audit: type=1400 {AUDIT}{TEXT}", f"2026-11-23T04:19:50+0000 host kernel: [ 12.3] audit: type=1400 {AUDIT}{TEXT}",
    f"Mon 2026-11-23 04:19:50 UTC host kernel: audit: type=1400 {AUDIT}{TEXT}", f"Nov 23 04:19:50 host audit[7]: AVC {TEXT}", f"type=AVC msg={AUDIT}{TEXT}", f"node=web type=AVC msg={AUDIT}{TEXT}",
    f"type=1400 msg={AUDIT}{TEXT}", f"Nov 23 04:19:50 host audispd: node=web type=AVC msg={AUDIT}{TEXT}", "type=AVC msg=audit(11/23/2026 04:19:50.123:7) : " + TEXT.replace('"', ""),
    json.dumps({"MESSAGE": f"AVC {TEXT}", "_TRANSPORT": "audit"}), json.dumps({"MESSAGE": f"audit: type=1400 {AUDIT}{TEXT}", "_TRANSPORT": "kernel", "SYSLOG_FACILITY": "0"}),
    json.dumps({"MESSAGE": f"audit: type=1400 {AUDIT}{TEXT}"}), BUS % "org.X", json.dumps({"MESSAGE": RARE[6][0], "_TRANSPORT": "syslog", "SYSLOG_IDENTIFIER": "dbus-daemon"}),
    f"Nov 23 04:19:50 host dbus-daemon[7]: {RARE[6][0]}"])
def test_what_the_kernel_or_the_bus_wrote_is_taken(pale, line):
    got = pale("why", "-", input=line + "\n", check=0)
    assert ": DENIED" in got.out and not got.err


@pytest.mark.parametrize("line,why", [
    (TEXT, "what stands in front of apparmor="), (f"hello {TEXT}", "what stands in front"), (f"Nov 23 04:19:50 host web[7]: {TEXT}", "what stands in front"),
    (f"Nov 23 04:19:50 host web[7]: type=1400 {AUDIT}{TEXT}", "what stands in front"), (f"Nov 23 04:19:50 host web[7]: audit: type=1400 {AUDIT}{TEXT}", "what stands in front"),
    (f"Nov 23 04:19:50 host web[7]: x kernel: audit: type=1400 {AUDIT}{TEXT}", "what stands in front"), (f"GET /type=1400 {AUDIT}{TEXT}", "what stands in front"),
    (f"type=USER_CMD msg={AUDIT}pid=7 msg='cmd=x {TEXT}'", "a record of another type"), (f"type=USER_AVC msg={AUDIT}pid=7 msg='{TEXT}'", "a record of another type"),
    (f"type=AVC msg={AUDIT}avc: denied {TEXT}", "not what it begins with"), (f"type=1400 audit(x): {TEXT}", "what stands in front"), (f"kernel: audit: {TEXT}", "what stands in front"),
    (json.dumps({"MESSAGE": f"audit: type=1400 {AUDIT}{TEXT}", "_TRANSPORT": "syslog"}), "a program logged it"), (json.dumps({"MESSAGE": f"AVC {TEXT}", "_TRANSPORT": "stdout"}), "a program logged it"),
    (json.dumps({"MESSAGE": f"audit: type=1400 {AUDIT}{TEXT}", "_TRANSPORT": "kernel", "SYSLOG_FACILITY": "1"}), "a program logged it"),
    (json.dumps({"MESSAGE": TEXT, "_TRANSPORT": "syslog", "SYSLOG_IDENTIFIER": "dbus-daemon"}), "a program logged it"),
    (json.dumps({"MESSAGE": RARE[6][0], "_TRANSPORT": "journal", "SYSLOG_IDENTIFIER": "web"}), "a program logged it")])
def test_what_a_program_logged_is_no_record_of_the_kernels(pale, line, why):
    """Any program can log such a text, and would have the line proposed that allows what it likes."""
    alone = pale("why", "-", input=line + "\n", check=1)
    assert not alone.out and "PL419" in alone.err and "1 line looks like" in alone.err and why in alone.err and "no AppArmor record" in alone.err
    among = pale("why", "-", input=f"x\n{line}\n{opened('/b')}\n{line}\n", check=0)
    assert "/a" not in among.out and "allowed by: /b r," in among.out and "2 lines look like" in among.err and "line 2: " in among.err
    if line != TEXT:  # who hands over the bare text of one knows whose it is
        assert why in pale("why", line, check=1).err


def test_a_proposal_that_allows_more_than_was_refused_says_so(pale, tmp_path):
    """In each of its forms: AppArmor's rule, 3.0's, which has fewer words, and a policy's statement."""
    connect = record("connect", family="inet", sock_type="stream", requested="connect", denied="connect", **{"class": "net"})
    wider = "    wider than what was refused: "
    out = why(pale, tmp_path, "/none r,", connect)
    assert out[-2:] == ["  allowed by: network (connect) inet stream,", wider + "no kernel matches addresses and ports, and it is allowed with all of them"]
    out = why(pale, tmp_path, "/none r,", connect, options=("-t", "apparmor=3.0"))
    assert out[-2:] == ["  allowed by: network inet stream,", wider + "it allows all that can be done with such sockets, to every address"]
    (tmp_path / "w.pale").write_text("policy t { layers apparmor; arch x86_64; program /usr/bin/t; }\n")
    out = pale("why", connect, tmp_path / "w.pale", check=0).out.splitlines()
    assert out[-2:] == ["  allowed by: network inet stream;", wider + "it allows all that can be done with such sockets, to every address"]
    for line, says in [(opened("/a", "c"), "'w' is to make, to write and to remove it"), (BUS % ":1.5", "names of connections are given anew"),
                       (record("create", family="inet", sock_type="stream", requested="create", denied="create", **{"class": "net"}), "all that can be done with such sockets"),
                       (record("profile_load", name="x"), "to change all of the policy"), (record("mount", name="/m", fstype="tmpfs", flags="rw"), "the rule is of all")]:
        for out in (pale("why", line, check=0).out.splitlines(), why(pale, tmp_path, "/none r,", line)):
            assert any(text.startswith("    wider than what was refused") and says in text for text in out), out
    for line in [opened("/a", "r"), opened("/a", "wc"), BUS % "org.X", RARE[0][0], RARE[7][0], RARE[8][0], record("capable", capability="!0 ", capname="chown")]:
        assert "wider" not in "\n".join(why(pale, tmp_path, "/none r,", line)), line
    assert "wider" not in "\n".join(why(pale, tmp_path, "deny /a r,", opened("/a", "r")))
    for rule in ("deny /a rw,", "deny /* r,", "deny /{a,b} r,"):
        assert wider + "what is taken out denies more" in why(pale, tmp_path, rule, opened("/a", "r"))
    assert wider + "what is taken out denies more" in why(pale, tmp_path, "deny capability,", record("capable", capability="!0 ", capname="chown"))
