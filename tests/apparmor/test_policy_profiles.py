# SPDX-License-Identifier: Apache-2.0
"""A policy's AppArmor half, asked as a profile: what it means is what the profile means that is written of it."""
import os
import random
import subprocess

import pytest

from conftest import ROOT, program

# Two executions of one path must agree: a mode a directory.
EXECS = {"/bin": "ix", "/usr/bin": "px", "/sbin": "Cx", "/opt": "ux", "/lib": "Pix", "/a": "PUx", "/b": "cux"}
PARTS = ["x", "*", "**", "?", "[ab]", "{x,y}", "x*", "a b", "*.so", "{,**}"]
PLACES = ["/etc", "/home/*", "@{HOME}", "@{PROC}", "@{run}", "/srv/@{profile_name}", "/var/{log,lib}"]
ACTIONS = ["", "", "", "log ", "deny ", "quiet deny "]
CAPS = ["chown", "kill", "sys_admin", "net_raw", "setuid", "bpf"]
NETS = ["inet", "inet6 stream", "unix dgram", "netlink raw", "inet stream protocol 6", "packet"]
SIGNALS = ["", " term", " term, kill", " SIGRTMIN", " SIGRTMAX", " usr1"]
LIMITS = ["nofile 100", "nice 10", "cpu 5", "core 0", "rttime 7", "as infinity"]


def glob(rng, place):
    path = "/".join([place] + [rng.choice(PARTS) for _ in range(rng.randrange(1, 3))])
    return f'"{path}"'


def a_file(rng):
    action, owner = rng.choice(ACTIONS), rng.choice(["", "", "owner "])
    perms = "".join(c for c in "rlkm" if rng.random() < 0.4) + rng.choice(["", "w", "a"])
    if rng.random() < 0.4:
        place, mode = rng.choice(sorted(EXECS.items()))
        perms += "x" if "deny" in action else mode
        target = " -> worker" if mode == "px" and "deny" not in action else ""
    else:
        place, target = rng.choice(PLACES), ""
        perms = perms or "r"
    return f"{action}{owner}file {perms} {glob(rng, place)}{target};"


def a_rule(rng):
    action, kind = rng.choice(ACTIONS), rng.random()
    if kind < 0.7:
        return a_file(rng)
    if kind < 0.8:
        return f"{action}capability {rng.choice(CAPS)};"
    if kind < 0.9:
        return f"{action}network {rng.choice(NETS)};".replace(" ;", ";")
    way = rng.choice(["", " send", " receive"])
    peer = rng.choice(["", " -> unconfined", ' -> "/usr/*"', " -> @{profile_name}"])
    return f"{action}signal{way}{rng.choice(SIGNALS)}{peer};"


def policy(rng):
    rules = [a_rule(rng) for _ in range(rng.randrange(1, 15))]
    rules += [f"limit {one};" for one in rng.sample(LIMITS, rng.randrange(3))]
    where = rng.choice(["", "program /usr/bin/web;", "program /srv/{a,b}/web;", "program /srv/@{multiarch}/@{etc_ro}/web;"])
    return f"policy web {{ arch x86_64; layers seccomp, apparmor; {where}\n" + "\n".join(rules) + "\n}\n"


def ask(files):
    return subprocess.run([program("apparmor/policytool"), "/etc/apparmor.d", *files], capture_output=True, text=True, check=True,
                          env={**os.environ, "PALE_PATH": str(ROOT / "profiles/sets")}).stdout.splitlines()


def test_random_policies_mean_what_is_written_of_them(tmp_path):
    rng = random.Random(1111)
    files = []
    for i in range(360):
        files.append(tmp_path / f"{i}.pale")
        files[-1].write_text(policy(rng))
    got = ask(files)
    assert [(f.read_text(), said) for f, said in zip(files, got) if said != "same" and not said.startswith("refused: ")] == []
    assert len(got) == 360 and got.count("same") >= 300


def test_examples_mean_what_is_written_of_them():
    examples = sorted((ROOT / "profiles/examples").glob("*.pale"))
    assert ask(examples) == ["same"] * len(examples) and examples


RULES = """    network inet stream;
    deny network inet6;
    capability net_bind_service;
    deny capability sys_admin;
    file r /etc/**;
    owner file w /etc/own;
    deny file rw /etc/shadow;
    log file r @{HOME}/**;
    file ix /bin/*;
    deny file x /bin/no;
    file px /opt/foo -> foo;
    signal receive term -> unconfined;
"""


@pytest.fixture
def web(tmp_path):
    f = tmp_path / "web.pale"
    f.write_text("policy web { arch x86_64; layers apparmor;\n" + RULES + "}\n")
    return f


def sim(pale, web, *asked, **more):
    got = pale("sim", web, *asked, **more)
    return got.out.replace(f"{web.parent}/", "").splitlines()


def test_a_policy_answers_accesses_with_its_lines(pale, web):
    assert sim(pale, web, "open /etc/passwd r", "open /etc/shadow r", "open /etc/own w", "exec /bin/sh", "exec /bin/no", "exec /opt/foo", "open /home/a/x r") == [
        "allowed  open /etc/passwd r  web.pale:6:12: file r /etc/**;",
        "refused  open /etc/shadow r  web.pale:8:18: deny file rw /etc/shadow;",
        "allowed  open /etc/own w  owner  web.pale:7:18: owner file w /etc/own;",
        "refused  open /etc/own w  other  no rule allows w",
        "allowed  exec /bin/sh  ix  web.pale:10:13: file ix /bin/*;",
        "refused  exec /bin/no  web.pale:11:17: deny file x /bin/no;",
        "allowed  exec /opt/foo  px -> foo  web.pale:12:13: file px /opt/foo -> foo;",
        "allowed, audited  open /home/a/x r  web.pale:9:16: log file r @{HOME}/**;"]
    assert sim(pale, web, "cap net_bind_service", "cap sys_admin", "cap chown", "socket inet stream", "socket inet6 dgram",
               "signal receive term peer=unconfined", "signal send term peer=unconfined", "userns") == [
        "allowed  cap net_bind_service  web.pale:4:16: capability net_bind_service;",
        "refused  cap sys_admin  web.pale:5:21: deny capability sys_admin;",
        "refused  cap chown  no rule allows it",
        "allowed  socket inet stream  web.pale:2:13: network inet stream;",
        "refused  socket inet6 dgram  web.pale:3:18: deny network inet6;",
        "allowed  signal receive term peer=unconfined  web.pale:13:20: signal receive term -> unconfined;",
        "refused  signal send term peer=unconfined  no rule allows it",
        "allowed  userns  (not mediated under this abi and these features: rules of it do not count)"]


def test_rules_of_a_set_say_which_set(pale, tmp_path):
    f = tmp_path / "web.pale"
    f.write_text("policy web { arch x86_64; layers apparmor; use s; }\nset s { file r /etc/**; }\n")
    assert sim(pale, f, "open /etc/x r") == ["allowed  open /etc/x r  web.pale:2:16: file r /etc/**;  (set 's', used at web.pale:1:48)"]


@pytest.mark.parametrize("asked, access", [
    ("open /etc/x r", True), ("open(\"/etc/x\")", False), ("open (\"/etc/x\")", False), ("open", False), ("link /a /b", True), ("link", False),
    ("signal send term peer=x", True), ("userns", True), ("ptrace", False), ("mount", False), ("socket", False), ("socket inet stream", True),
    ("exec /bin/x", True), ("execve", False), ("cap chown", True), ("read", False), ("io_uring sqpoll", True)])
def test_what_is_an_access_and_what_a_call(pale, web, asked, access):
    out = pale("sim", web, asked, check=None).out
    assert out.split("  ")[0] in (("allowed", "refused") if access else ("ALLOW",)), out


def test_calls_and_accesses_are_answered_in_their_order(pale, web):
    assert [line.split("  ")[1] for line in sim(pale, web, "read", "open /etc/x r", "getpid", "userns")] == ["read", "open /etc/x r", "getpid", "userns"]


def test_explain_names_every_rule_of_a_policy(pale, web):
    got = pale("explain", web, "open /etc/own rw").out.replace(f"{web.parent}/", "").splitlines()
    reads, writes = "allows r  web.pale:6:12: file r /etc/**;", "allows w (its owner)  web.pale:7:18: owner file w /etc/own;"
    assert got == ["open /etc/own rw, owner", f"  decides        {reads}", f"  decides        {writes}", "  in all         allowed",
                   "open /etc/own rw, other", f"  decides        {reads}", "  in all         refused: no rule allows w"]


def test_what_the_release_changes_is_said_of_a_path(pale, web):
    want = ["  in all         nothing; all else is refused", "  by AppArmor 3  m"]
    assert pale("explain", web, "/bin/no").out.splitlines()[-2:] == want
    assert pale("explain", web, "/bin/no", "--target", "apparmor=3.0").out.splitlines()[-1] == "  in all         m; all else is refused"
    assert pale("explain", web, "/bin/no", "--target", "apparmor=4.1.2").out.splitlines()[-1] == want[0]


def test_a_policy_without_apparmor_decides_no_access(pale, tmp_path):
    f = tmp_path / "web.pale"
    f.write_text("policy web { arch x86_64; layers seccomp; allow read; }\n")
    why = "web.pale:1:27: layers seccomp; (without apparmor no access is decided)"
    assert sim(pale, f, "open /etc/x r", "cap chown") == [f"not decided  open /etc/x r  {why}", f"not decided  cap chown  {why}"]
    assert pale("explain", f, "/etc/x").out.replace(f"{tmp_path}/", "").splitlines() == ["/etc/x", f"  not decided    {why}"]


def test_what_seccomp_decides_too_is_said_once(pale, web):
    web.write_text(web.read_text().replace("layers apparmor", "layers seccomp, apparmor"))
    got = pale("sim", web, "cap chown", "socket inet stream", "open /etc/x r")
    assert got.err.count("[PL395 one-half]") == 1 and got.rc == 0
    assert "PL395" not in pale("sim", web, "open /etc/x r").err


def test_accesses_are_asked_of_nothing_that_decides_calls_alone(pale, web, tmp_path):
    bpf = tmp_path / "x.bpf"
    web.write_text(web.read_text().replace("layers apparmor", "layers seccomp, apparmor"))
    pale("compile", web, "-t", "bpf", "-o", bpf, check=None)
    for args in (["sim", bpf, "cap chown"], ["explain", bpf, "/etc/x"], ["sim", web, "--as", "bpf", "cap chown"]):
        got = pale(*args, check=None)
        assert got.rc == 1 and "[PL396 no-accesses]" in got.err and got.out == ""


def test_options_of_apparmor_files_say_nothing_of_calls(pale, web):
    assert pale("sim", web, "--target", "apparmor=3.0", "read", check=None).rc == 2
    assert pale("sim", web, "--profile", "web", "open /x r", check=None).rc == 2
    assert pale("sim", web, "--target", "apparmor=3.0", "open /etc/x r", check=None).rc == 0


def test_what_apparmor_cannot_say_has_no_answer(pale, web):
    web.write_text(web.read_text().replace("signal receive", "limit cpu 0; signal receive"))
    got = pale("sim", web, "open /etc/x r", check=None)
    assert got.rc == 1 and "PL250" in got.err and got.out == ""


def test_the_programs_path_does_not_hold_the_profiles_name(pale, web):
    """No parser knows it yet: Found reference to variable profile_name, but is never declared."""
    web.write_text(web.read_text().replace("layers", "program /srv/@{profile_name}/web; layers"))
    got = pale("check", "-t", "apparmor", web, check=None)
    assert got.rc == 1 and "1:35: error: AppArmor's variable '@{profile_name}' is never declared" in got.err
