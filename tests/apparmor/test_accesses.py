# SPDX-License-Identifier: Apache-2.0
"""`pale sim` and `pale explain` on AppArmor files: what a program under a profile may do, and which rule says so."""
import pathlib
import random
import re
import sys

import pytest

from conftest import ROOT, some

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import aadfa  # noqa: E402
from parsers import Parser  # noqa: E402
from test_means import PATHS, random_profile, rule, text_of  # noqa: E402

SEED = ROOT.parent / "shared/data/seed/docker-web.apparmor"


def written(tmp_path, body, head="profile t"):
    file = tmp_path / "p"
    file.write_text(f"{head} {{\n{body}\n}}\n")
    return file


def sim(pale, tmp_path, body, *accesses, head="profile t", release="5.0", rc=0):
    got = pale("sim", written(tmp_path, body, head), "--target", f"apparmor={release}", *accesses, check=None)
    assert got.rc == rc, got.err
    return got.out.replace(f"{tmp_path}/", "").splitlines()


def explain(pale, tmp_path, body, access, head="profile t"):
    return pale("explain", written(tmp_path, body, head), access).out.replace(f"{tmp_path}/", "").splitlines()


def test_the_rule_that_decides_is_named_with_its_place(pale, tmp_path):
    body = "/etc/passwd r,\ndeny /etc/shadow rw,\n/etc/** r,\naudit /var/log/* a,"
    assert sim(pale, tmp_path, body, "open /etc/passwd r", "open /etc/shadow r", "open /etc/motd rw", "open /var/log/x a") == [
        "allowed  open /etc/passwd r  p:2:1: /etc/passwd r,", "refused  open /etc/shadow r  p:3:1: deny /etc/shadow rw,",
        "refused  open /etc/motd rw  no rule allows w", "allowed, audited  open /var/log/x a  p:5:1: audit /var/log/* a,"]


def test_the_owner_and_others_are_answered_apart_where_they_differ(pale, tmp_path):
    body = "owner /h/** rw,"
    both = ["allowed  open /h/x r  owner  p:2:1: owner /h/** rw,", "refused  open /h/x r  other  no rule allows r"]
    assert sim(pale, tmp_path, body, "open /h/x r") == both
    assert sim(pale, tmp_path, body, "open owner /h/x r", "open other /h/x r") == [
        "allowed  open owner /h/x r  p:2:1: owner /h/** rw,", "refused  open other /h/x r  no rule allows r"]


def test_how_it_is_executed_is_said(pale, tmp_path):
    body = "/b/* ix,\n/b/py px -> t//py,\n/c Cx,\n/u ux,\ndeny /b/no x,\nprofile py { }"
    out = sim(pale, tmp_path, body, "exec /b/x", "exec /b/py", "exec /c", "exec /u", "exec /b/no", "exec /q", head="profile t")
    assert [line.split("  ")[0] for line in out] == ["allowed"] * 4 + ["refused"] * 2
    assert [line.split("  ")[2] for line in out[:4]] == ["ix", "px -> t//py", "Cx", "ux"]


@pytest.mark.parametrize("flags,want", [("complain", ["allowed, logged", "refused", "allowed, logged"]), ("kill", ["refused, killed", "refused", "refused, killed"]),
                                        ("unconfined", ["allowed"] * 3), ("default_allow", ["allowed"] * 3), ("enforce", ["refused"] * 3)])
def test_the_mode_of_the_profile_counts(pale, tmp_path, flags, want):
    """A quiet deny refuses under complain, too, and does not kill."""
    out = sim(pale, tmp_path, "deny /d r,\naudit deny /a r,", "open /x r", "open /d r", "open /a r", head=f"profile t flags=({flags})")
    assert [line.split("  ")[0] for line in out] == want


def test_what_says_not_how_to_execute_lets_nothing_be_executed(pale, tmp_path):
    """All parsers take `unsafe x`; the kernel finds no profile to change to."""
    out = sim(pale, tmp_path, "unsafe rx /a,\n/b ix,", "exec /a", "open /a r", "exec /b")
    assert [line.split("  ")[0] for line in out] == ["refused", "allowed", "allowed"] and "'unsafe x' says not how" in out[0]
    assert sim(pale, tmp_path, "unsafe rx /a,", "exec /a", head="profile t flags=(complain)")[0].startswith("allowed, logged")


def test_a_link_gives_no_more_than_what_it_leads_to(pale, tmp_path):
    body = "/n l,\n/m lr,\n/o r,\nlink /k -> /t/*,\ndeny link /n -> /z,\nlink subset /s -> /t/*,\n/s w,"
    accesses = {"link /n /o": "allowed", "link owner /m /o": "allowed", "link owner /m /z": "refused", "link other /m /z": "allowed", "link /k /t/x": "allowed",
                "link /k /o": "refused", "link /n /z": "refused", "link owner /s /t/x": "refused"}
    assert dict(zip(accesses, (line.split("  ")[0] for line in sim(pale, tmp_path, body, *accesses)))) == accesses


def test_the_release_counts(pale, tmp_path):
    body = "/a/* ix,\n/a/b px,"
    for release, want in (("3.0", "allowed"), ("4.1", "varies"), ("4.1.2", "refused"), ("5.0", "refused")):
        assert sim(pale, tmp_path, body, "open /a/b m", release=release)[0].split("  ")[0] == want


def test_includes_and_variables_are_followed(pale, tmp_path):
    (tmp_path / "inner").write_text("@{B}/x r,\n")
    (tmp_path / "outer").write_text("include <inner>\n")
    file = tmp_path / "p"
    file.write_text("@{B}=/b /c\nprofile t {\n include <outer>\n}\n")
    out = pale("explain", file, "-I", tmp_path, "open /c/x r").out.replace(f"{tmp_path}/", "")
    assert out == ("open /c/x r\n  decides        allows r  inner:1:1: @{B}/x r,  (included at outer:1:1, at p:3:2)\n"
                   "  in all         allowed\n")


def test_explain_names_all_that_speak(pale, tmp_path):
    assert explain(pale, tmp_path, "/a* rw,\n/ab r,\ndeny /ab w,", "open /ab rw") == [
        "open /ab rw", "  decides        allows rw  p:2:1: /a* rw,", "  agrees         allows r  p:3:1: /ab r,",
        "  decides        denies w  p:4:1: deny /ab w,", "  in all         refused"]
    assert explain(pale, tmp_path, "/a* ix,\n/ab px,", "exec /ab") == [
        "exec /ab", "  outranked      allows ix  p:2:1: /a* ix,", "  decides        allows px  p:3:1: /ab px,", "  in all         allowed: px"]


def test_a_path_is_explained_as_a_policys_is(pale, tmp_path):
    assert explain(pale, tmp_path, "/a* rw,\nowner /ab k,\ndeny /ab a,", "/ab") == [
        "/ab", "  allows         rwa  p:2:1: /a* rw,", "  denies         a  p:4:1: deny /ab a,", "  allows         k (its owner)  p:3:1: owner /ab k,",
        "  in all         rw (w without append); to its owner also k; all else is refused"]


@pytest.mark.parametrize("flags,last", [
    ("complain", "r; all else is logged, and refused only where it is denied without 'audit'"), ("prompt", "r; all else is asked, and refused where it is denied"),
    ("unconfined", "everything: under the profile's flag 'unconfined' or 'default_allow' no rule counts"), ("kill", "r; all else is refused")])
def test_what_is_left_of_a_path_goes_by_the_mode(pale, tmp_path, flags, last):
    assert explain(pale, tmp_path, "/a r,", "/a", head=f"profile t flags=({flags})")[-1] == f"  in all         {last}"


@pytest.mark.parametrize("access,say", [
    ("open", "a path is missing"), ("open etc r", "a path begins with '/'"), ("open /a//b r", "the kernel asks about no path"), ("open /a/../b r", "the kernel asks"),
    ("open /a", "what it is opened for is not said"), ("open /a rx", "r, w, a, m or k"), ("exec /a b", "nothing may stand here"), ("link /a", "what it leads to is missing"),
    ("opne /a r", "did you mean 'open'"), ("", "no access is said"), ('open "/a r', "a quote is not closed"), ('open "/a\\9" r', "three octal digits"),
    ('open "/a\\000" r', "three octal digits"), ('open "/a\\400" r', "three octal digits"), ("read", "accesses are asked, not calls"),
    ("mount /a", "asked about by fstype"), ("open \x1b[1m r", "\\x1b")])
def test_what_does_not_read_is_told_with_its_place(pale, tmp_path, access, say):
    got = pale("sim", written(tmp_path, "/a r,"), access, check=None)
    assert got.rc == 1 and say in got.err and "<access>:1:" in got.err and "\x1b" not in got.err and not got.out


def test_a_file_that_the_parser_refuses_answers_nothing(pale, tmp_path):
    for body in ("/a rx,", "/a ix,\n/{a,b} px,\n/b r,\n@{NO} r,"):
        got = pale("sim", written(tmp_path, body), "open /b r", check=None)
        assert got.rc == 1 and not got.out and "p:" in got.err


def test_the_profile_is_picked_by_name(pale, tmp_path):
    file = tmp_path / "p"
    file.write_text("profile a {\n /a r,\n profile kid {\n  /k r,\n }\n ^hat {\n  /h r,\n }\n}\nprofile b {\n /b r,\n}\n")
    for name, path in (("a", "/a"), ("b", "/b"), ("a//kid", "/k"), ("kid", "/k"), ("hat", "/h"), ("^hat", "/h")):
        assert pale("sim", file, "--profile", name, f"open {path} r").out.startswith("allowed")
    got = pale("sim", file, "open /a r", check=None)
    assert got.rc == 1 and "the file holds 2 profiles" in got.err and "'a//kid'" in got.err
    assert "no profile is called '^kid'" in pale("sim", file, "--profile", "^kid", "open /k r", check=1).err
    got = pale("sim", file, "--profile", "kit", "open /a r", check=None)
    assert got.rc == 1 and "no profile is called 'kit'" in got.err


def test_options_that_do_not_fit_are_wrong_usage(pale, tmp_path):
    policy = tmp_path / "x.pale"
    policy.write_text("policy t { program /usr/bin/t; level linux 6.18; layers seccomp; arch x86_64; default errno EPERM; }\n")
    assert pale("sim", policy, "--profile", "t", "read", check=None).rc == 2
    file = written(tmp_path, "/a r,")
    assert pale("sim", file, "--target", "apparmor=3.0,apparmor=5.0", "open /a r", check=None).rc == 2
    assert pale("sim", file, "--target", "bpf", "open /a r", check=None).rc == 2
    assert pale("sim", file, "--as", "bpf", "open /a r", check=None).rc == 2
    assert pale("explain", file, "--arch", "x86_64", "open /a r", check=None).rc == 2


@pytest.mark.parametrize("release", ["3.0", "4.1.8", "5.0"])
def test_random_profiles_answer_as_their_tables(pale, tmp_path, release):
    rng, parser, compared = random.Random(372), Parser(release), 0
    accesses = aadfa.accesses(PATHS[:24])
    for _ in range(25):
        rules = random_profile(rng, release)
        body = "\n".join(map(text_of, rules))
        binary = parser.ask(written(tmp_path, body))
        if not binary:
            err = pale("sim", tmp_path / "p", "--target", f"apparmor={release}", accesses[0], check=None).err
            assert "PL370" in err or "PL386" in err, body  # the latter: it may refuse, or not
            continue
        lines = sim(pale, tmp_path, body, *accesses, release=release)
        compared += aadfa.assert_says(aadfa.File(binary), lines, accesses, (body,))
    assert compared > 3000


def test_rules_that_are_outranked_change_nothing(pale, tmp_path):
    rng, left_out = random.Random(373), 0
    for _ in range(some(250)):
        rules = random_profile(rng, "5.0")
        access = rng.choice(["open owner {} r", "open other {} w", "exec owner {}", "open owner {} rwk"]).format(rng.choice(PATHS[:24]))
        first = pale("explain", written(tmp_path, "\n".join(map(text_of, rules))), access, check=None)
        if first.rc:
            continue
        lost = {int(n) - 2 for n in re.findall(r"outranked .*/p:(\d+):1:", first.out)}
        if lost:
            left_out += 1
            keep = [r for i, r in enumerate(rules) if i not in lost] or [rule("/none", "r")]
            again = pale("explain", written(tmp_path, "\n".join(map(text_of, keep))), access)
            assert again.out.splitlines()[-1] == first.out.splitlines()[-1], first.out
    assert left_out >= some(4)


@pytest.mark.parametrize("path", ["/docker-entrypoint.sh", "/bin/sh", "/usr/sbin/nginx"])
def test_why_the_seeds_container_does_not_start(pale, path):
    if not SEED.exists():
        pytest.skip("the seed's profile is not here")
    out = pale("explain", SEED, f"exec {path}").out
    assert out == f"exec {path}\n  in all         refused: no rule allows x\n"
    assert "nothing; all else is refused" in pale("explain", SEED, path).out


def test_capabilities_are_masks(pale, tmp_path):
    """No priority counts among them, and a deny wins."""
    body = "capability chown kill,\naudit capability kill,\ndeny capability net_admin,\npriority=5 capability net_admin,\naudit deny capability sys_admin,"
    asked = {"cap chown": "allowed", "cap kill": "allowed, audited", "cap net_admin": "refused", "cap bpf": "refused", "cap sys_admin": "refused"}
    assert dict(zip(asked, (line.split("  ")[0] for line in sim(pale, tmp_path, body, *asked)))) == asked
    complains = [line.split("  ")[0] for line in sim(pale, tmp_path, body, *asked, head="profile t flags=(complain)")]
    assert complains == ["allowed", "allowed, audited", "refused", "allowed, logged", "allowed, logged"]
    kills = [line.split("  ")[0] for line in sim(pale, tmp_path, body, *asked, head="profile t flags=(kill)")]
    assert kills == ["allowed", "allowed, audited"] + ["refused, killed"] * 3
    assert explain(pale, tmp_path, body, "cap net_admin") == [
        "cap net_admin", "  decides        denies  p:4:1: deny capability net_admin,", "  outranked      allows  p:5:1: priority=5 capability net_admin,",
        "  in all         refused"]


def test_what_the_abi_does_not_mediate_is_allowed(pale, tmp_path):
    (tmp_path / "abi").write_text("caps {mask {chown\n}\n}\nfile {mask {read\n}\n}\n")
    body = "deny userns,\ndeny signal,\ndeny network,"
    file = tmp_path / "p"
    for abi, want in ("", "refused"), (f'abi "{tmp_path}/abi",\n', "allowed"):
        file.write_text(f"{abi}profile t {{\n{body}\n}}\n")
        out = pale("sim", file, "userns", "signal send term peer=q", "socket inet stream").out
        assert [line.split("  ")[0] for line in out.splitlines()] == [want] * 3
        assert ("not mediated under this abi" in out) == bool(abi)


def test_who_is_unconfined_traces_whom_it_likes(pale, tmp_path):
    """The kernel asks the tracer's side alone, as guests show; a signal it asks for on both."""
    asked = {"ptrace tracedby peer=unconfined": "allowed", "ptrace readby peer=unconfined": "allowed", "ptrace trace peer=unconfined": "refused",
             "ptrace tracedby peer=q": "refused", "signal receive term peer=unconfined": "refused"}
    assert dict(zip(asked, (line.split("  ")[0] for line in sim(pale, tmp_path, "deny ptrace,", *asked)))) == asked


def test_sockets_are_asked_by_family_and_type(pale, tmp_path):
    body = "network inet stream,\nnetwork inet6,\nnetwork netlink raw,\ndeny network netlink,"
    asked = {"socket inet stream": "allowed", "socket inet dgram": "refused", "socket inet6 raw": "allowed", "socket netlink raw": "refused"}
    assert dict(zip(asked, (line.split("  ")[0] for line in sim(pale, tmp_path, body, *asked)))) == asked
    assert sim(pale, tmp_path, "network,", "socket packet raw") == ["allowed  socket packet raw  p:2:1: network,"]


@pytest.mark.parametrize("access,say", [
    ("cap foo", "no capability is called 'foo'"), ("cap", "one capability is asked about"), ("cap chown kill", "one capability"), ("cap chown, /x r", "no one access"),
    ("socket inet", "one family and one type"), ("socket unix", "one family and one type"), ("signal send term", "whose process it is"),
    ("signal term peer=p", "signal"), ("signal send peer=p", ""), ("ptrace peer=p", "one of trace"), ("signal send term peer=:n:p", "is not answered"),
    ("ptrace trace peer=p//&q", "is not answered"), ("userns x", ""), ("io_uring", "sqpoll, or override_creds"), ("cap { }", "")])
def test_what_is_no_single_access_is_told(pale, tmp_path, access, say):
    got = pale("sim", written(tmp_path, "/a r,"), access, check=None)
    assert got.rc == 1 and say in got.err and "<access>:1:" in got.err and not got.out


def test_what_is_not_answered_under_a_mode_or_an_abi_is_told(pale, tmp_path):
    got = pale("sim", written(tmp_path, "userns,", "profile t flags=(unconfined)"), "userns", check=None)
    assert got.rc == 1 and "not answered" in got.err
    assert sim(pale, tmp_path, "", "cap chown", head="profile t flags=(unconfined)")[0].startswith("allowed")


SIGNALS = {"hup": 1, "int": 2, "kill": 9, "term": 15, "usr1": 10}
PEERS = ["a", "ab", "b//c", "unconfined"]
CLASS = {"signal": 10, "ptrace": 9}
BIT = {"send": aadfa.WRITE, "receive": aadfa.READ, "trace": aadfa.WRITE, "read": aadfa.READ}


def random_peer_rule(rng, release):
    words = [f"priority={rng.choice([1, -1])}"] if release != "3.0" and rng.random() < 0.3 else []
    words += ["audit"] if rng.random() < 0.2 else []
    words += ["deny"] if rng.random() < 0.3 else []
    kind = rng.choice(["signal", "ptrace"])
    words += [kind] + ([rng.choice(["send", "receive"] if kind == "signal" else ["trace", "read"])] if rng.random() < 0.7 else [])
    if kind == "signal" and rng.random() < 0.6:
        words += [f"set=({' '.join(rng.sample(sorted(SIGNALS), 2))})"]
    return " ".join(words + ([f"peer={rng.choice(['a', 'a*', '**', 'b//c', '{a,b}', 'unconfined', '?'])}"] if rng.random() < 0.6 else [])) + ","


@pytest.mark.parametrize("release", ["3.0", "4.1.8", "5.0"])
def test_random_signals_and_traces_answer_as_their_tables(pale, tmp_path, release):
    rng, parser, seen = random.Random(374), Parser(release), set()
    accesses = [f"signal {p} {s} peer={l}" for p in ("send", "receive") for s in SIGNALS for l in PEERS]
    accesses += [f"ptrace {p} peer={l}" for p in ("trace", "read") for l in PEERS]
    for _ in range(40):
        body = "\n".join(random_peer_rule(rng, release) for _ in range(rng.randrange(1, 7)))
        binary = parser.ask(written(tmp_path, body), features=parser.features)
        end = next(at + len(v) for name, tag, v, at in aadfa.tokens(binary) if tag == aadfa.BLOB and name == "aadfa")
        table = aadfa.File(binary[:end])  # of all but files
        for access, line in zip(accesses, sim(pale, tmp_path, body, *accesses, release=release)):
            kind, perm, *rest = access.replace("peer=", "").split()
            text = bytes([CLASS[kind], *([SIGNALS[rest[0]]] if kind == "signal" else [])]) + rest[-1].encode()
            answer = table.answer(text, owner=True)
            want = "refused" if not answer["allow"] & BIT[perm] else "allowed, audited" if answer["audit"] & BIT[perm] else "allowed"
            assert line.split("  ")[0] == want, (body, access)
            seen.add((kind, want))
    assert len(seen) == 6


def raw(pale, file, text, *options, rc=0):
    got = pale("sim", file, "--raw", *options, input=text, check=None)
    assert got.rc == rc, got.err
    return got if rc else got.out.splitlines()


def test_raw_lines_are_answered_a_line_each(pale, tmp_path):
    body = "/a r,\nowner /o rw,\n/x px -> t//kid,\n/x\\ y\\* r,\n/tab?b r,\nlink /n -> /t,\nsignal send set=(term) peer=q,\nmount fstype=tmpfs -> /m/,\nprofile kid { }"
    lines = {"open\t/a\tr": "allowed", "open\t/a\trw": "refused", "open\t/o\tw": "owner allowed\tother refused", "open\towner\t/o\tw": "allowed",
             "open\tother\t/o\tw": "refused", "exec\t/x": "allowed px -> t//kid", "exec\t/a": "refused", "open\t/x y*\tr": "allowed", "open\t/x\\040y\\x2a\tr": "allowed",
             "open\t/x\\d32y\\*\tr": "allowed", "open\t/tab\\tb\tr": "allowed", "link\t/n\t/t": "allowed", "signal\tsend\tterm\tpeer=q": "allowed", "signal send kill peer=q": "refused",
             "mount\tfstype=tmpfs\ttmpfs\t->\t/m/": "allowed"}
    assert dict(zip(lines, raw(pale, written(tmp_path, body), "".join(f"{line}\n" for line in lines)))) == lines


@pytest.mark.parametrize("line,say", [
    ("open\t/a", "what it is opened for"), ("open\ta\tr", "begins with '/'"), ("open\t/a\tx", "r, w, a, m or k"), ("open\t/a\tr\tr", "nothing may follow"), ("exec", "a path is missing"),
    ("link\t/a", "a path is missing"), ("open\t/a\\q\tr", "is no escape"), ("open\t/a\\0\tr", "is no escape"), ("open\t/a\\", "is no escape"), ("", "no access"),
    ("opne\t/a\tr", "did you mean 'open'"), ("open\t/" + "a" * 9000 + "\tr", "longer than 8192"), ("mount\toptions=(foo)\tx\t->\t/m/", "no option 'foo'"), ("open\t/a//b\tr", "no path that holds")])
def test_a_bad_raw_line_is_told_with_its_number(pale, tmp_path, line, say):
    got = raw(pale, written(tmp_path, "/a r,"), f"open\t/a\tr\n{line}\nopen\t/a\tr\n", rc=1)
    assert "line 2 of standard input" in got.err and say in got.err and got.out == "allowed\n"


def test_raw_answers_are_those_of_single_accesses(pale, tmp_path):
    rng = random.Random(375)
    accesses = [f"{kind} {p}" for p in PATHS[:24] for kind in ("exec", "exec owner")] + [f"open {p} {c}" for p in PATHS[:24] for c in ("r", "w", "rm")]
    for _ in range(10):
        body = "\n".join(map(text_of, random_profile(rng, "5.0")))
        got = pale("sim", written(tmp_path, body), *accesses, check=None)
        if got.rc:
            continue
        single = {}
        for line in got.out.splitlines():
            outcome, access, *rest = line.split("  ")
            who = rest.pop(0) if rest[0] in ("owner", "other") else ""
            single.setdefault(access, {})[who] = outcome + (f" {rest[0]}" if outcome.startswith("allowed") and access.startswith("exec") and outcome != "allowed, logged" else "")
        briefly = [h.popitem()[1] if len(set(h.values())) == 1 else f"owner {h['owner']}\tother {h['other']}" for h in (single[a] for a in accesses)]
        assert briefly == raw(pale, tmp_path / "p", "".join(a.replace(" ", "\t") + "\n" for a in accesses)), body
