# SPDX-License-Identifier: Apache-2.0
"""Profiles that apparmor_parser accepts without a word, and that mean what the policy says."""
import pathlib
import re
import subprocess
import sys

import pytest

from conftest import ROOT, need, run

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import aadfa  # noqa: E402
from parsers import Parser  # noqa: E402

FEATURES = "/usr/share/apparmor-features/features"
HEAD = ("policy web { program /usr/sbin/nginx; level linux 6.18; layers seccomp, apparmor; "
        "arch x86_64; default errno EPERM; unknown errno ENOSYS; %s }\n")
QUIET = ("Cache read/write disabled",)


def write(pale, body, check=0):
    return pale("compile", "-", "-t", "apparmor", input=HEAD % body, check=check)


def parser(*args, text):
    return run([need("apparmor_parser"), "-Q", "-K", "-M", FEATURES, *args], input=text)


def said(r):
    return [line for line in r.err.splitlines() if line.strip() and not line.startswith(QUIET)]


def compiled(text):
    proc = subprocess.run([need("apparmor_parser"), "-Q", "-K", "-S", "-M", FEATURES],
                          input=text.encode("latin-1"), capture_output=True)
    return proc.stdout if proc.returncode == 0 else None


EVERYTHING = """
    file r /etc/nginx/**; file rw /var/log/nginx/*.log; file mr /usr/lib/nginx/modules/*.so;
    file ix /usr/sbin/nginx; file px /usr/bin/helper -> nginx-helper; file Cx /usr/bin/child -> web-child;
    deny file rw /etc/shadow; quiet deny file r /root/**; log file r /etc/passwd;
    owner file rwk "/tmp/my files/nginx-*"; file a /var/log/append.log; file rl /srv/links/*;
    deny file x /bin/sh; file r /etc/{group,hosts}, /proc/[0-9]*/status, "/srv/a,b#c=(d)";
    file r @{PROC}/cpuinfo;
    capability net_bind_service, setuid; deny capability sys_admin; log capability chown;
    network inet stream, inet6 dgram, netlink raw; deny network alg;
    signal receive term, hup; signal send kill; signal; deny signal send stop;
    limit nofile 65536; limit cpu 20; limit rttime 100; limit nice 25; limit memlock infinity; limit core 0;
"""


def test_every_kind_of_rule_is_accepted_with_nothing_said(pale):
    text = write(pale, EVERYTHING).out
    r = parser("--warn=all", text=text)
    assert r.rc == 0 and not said(r), r


def test_the_form_of_each_rule(pale):
    out = write(pale, EVERYTHING).out
    lines = [line.split("  #")[0].strip() for line in out.splitlines()]
    assert lines[1] == "abi <abi/3.0>," and "include <tunables/global>" in lines
    assert "profile web /usr/sbin/nginx {" in lines
    for want in ["/etc/nginx/** r,", "audit deny /etc/shadow rw,", "deny /root/** r,", "audit /etc/passwd r,",
                 'owner "/tmp/my files/nginx-*" rwk,', "/usr/bin/helper px -> nginx-helper,",
                 "audit deny /bin/sh x,", "capability setuid,", "audit deny capability sys_admin,",
                 "audit capability chown,", "network inet stream,", "audit deny network alg,",
                 "signal receive set=term,", "signal send set=kill,", "signal,",
                 "set rlimit nofile <= 65536,", "set rlimit cpu <= 20s,", "set rlimit nice <= 5,",
                 "set rlimit memlock <= infinity,", '"/srv/a,b#c=(d)" r,']:
        assert want in lines, (want, out)


def test_rules_carry_the_line_they_came_from(pale):
    out = write(pale, "\n\nfile r /etc/hosts;\n").out
    assert "/etc/hosts r,  # <stdin>:3\n" in out


def test_without_variables_nothing_is_included(pale):
    assert "include" not in write(pale, "file r /etc/hosts;").out


def test_the_same_rule_twice_is_one_line(pale):
    assert write(pale, "file r /etc/hosts; file r /etc/hosts;").out.count("/etc/hosts r,") == 1


@pytest.mark.parametrize("body", ["network decnet;", "network inet dccp;", "limit nice 99;", "limit nice 40;", "limit cpu 0;", "limit rttime 0;",
                                  "limit cpu 9223372036855;", "limit nofile 9223372036854775808;"])
def test_what_the_abi_lacks_is_an_error(pale, body):
    r = write(pale, body, check=None)
    assert r.rc == 1 and "PL250" in r.err and not r.out, r


def families():
    """Every word that a policy has for a socket family that AppArmor knows, and its number. DECnet has none there."""
    rows = [line.split() for line in (ROOT / "compiler/tables/constants.tsv").read_text().splitlines()]
    found = {row[1].removeprefix("AF_").lower(): int(row[2]) for row in rows if row[:1] == ["af"]}
    del found["decnet"]
    assert len(set(found.values())) == 45 and found["mctp"] == 45 and found["unspec"] == 0
    return found


def test_what_apparmor_has_no_word_for_is_told_as_family_or_type(pale):
    assert "no word for this socket family" in write(pale, "network decnet;", check=1).err
    assert "no word for this socket type" in write(pale, "network inet dccp;", check=1).err


@pytest.mark.parametrize("release", ["3.0", "4.1", "5.0"])
def test_each_family_is_written_and_read_back_as_itself(pale, tmp_path, release):
    base = Parser(release).base
    for name, number in families().items():
        text = pale("compile", "-", "-t", f"apparmor={release}", input=HEAD % f"network {name} stream;").out
        word, = re.findall(r"^  network (\S+) stream,", text, re.M)
        (tmp_path / "x.aa").write_text(text)
        others = [n for n in ("inet", "mctp", "unspec", "xdp") if families()[n] != number]
        asked = [f"socket {n} {t}" for n, t in [(word, "stream"), (word, "dgram"), *((n, "stream") for n in others)]]
        r = pale("sim", tmp_path / "x.aa", "-I", base, "-t", f"apparmor={release}", *asked, check=None)
        assert [line.split()[0] for line in r.out.splitlines()] == ["allowed"] + ["refused"] * (1 + len(others)), (name, r)


@pytest.mark.parametrize("release", ["3.0", "4.1", "5.0"])
def test_the_parsers_let_each_family_pass_and_no_other_whatever_the_abi(pale, release):
    """Families that abi/3.0 does not list are mediated, too: a class NET table is over all numbers."""
    parser, abi = Parser(release), pathlib.Path(Parser("3.0").base, "abi/3.0")
    for name, number in families().items():
        text = write(pale, f"network {name} stream;").out
        binary = parser.ask("/dev/stdin", features=abi, input=text.encode())
        assert binary is not None, (name, parser.said)
        _attachment, dfa = (aadfa.Dfa(blob) for _, tag, blob, _ in aadfa.tokens(binary) if tag == aadfa.BLOB)
        assert [(f, t) for f in range(48) for t in range(11)
                if dfa.accept[dfa.run(bytes([14, 0, f, 0, t]))]] == [(number, 1)], name


def test_each_signal_is_written_in_a_word_that_every_release_reads(pale, tmp_path):
    names = ["exists", *"hup int quit ill trap abrt bus fpe kill usr1 segv usr2 pipe alrm term stkflt chld cont stop tstp ttin "
             "ttou urg xcpu xfsz vtalrm prof winch io pwr sys SIGRTMIN SIGRTMAX".split()]
    text = write(pale, "".join(f"signal send {n} -> p;" for n in names)).out
    words = re.findall(r"^  signal send set=(\S+) peer=p,", text, re.M)
    assert sorted(words) == sorted(["stp" if n == "tstp" else {"SIGRTMIN": "rtmin+0", "SIGRTMAX": "rtmin+32"}.get(n, n) for n in names])
    (tmp_path / "x.aa").write_text(text)
    for release in ("3.0", "4.1", "5.0"):
        pale("check", "-t", f"apparmor={release}", tmp_path / "x.aa", check=0)


def test_the_dfa_decides_as_the_policy_says(pale):
    text = write(pale, "file r /etc/nginx/**; deny file r /etc/nginx/private/*; owner file rw /tmp/x-*; "
                       "file a /var/log/l; file mr /lib/*.so;").out
    dfa = aadfa.file_dfa(compiled(text))
    for path, owner, want in [("/etc/nginx/a/b", False, aadfa.READ), ("/etc/nginx/private/k", False, 0),
                              ("/etc/nginx/", False, 0), ("/tmp/x-1", False, 0),
                              ("/tmp/x-1", True, aadfa.READ | aadfa.WRITE | aadfa.APPEND),
                              ("/var/log/l", False, aadfa.APPEND), ("/lib/a.so", False, aadfa.READ | aadfa.MMAP),
                              ("/etc/passwd", False, 0)]:
        assert aadfa.perms(dfa, path.encode(), owner) == want, path


def test_backslashes_mean_the_same_to_the_parser_and_are_not_remarked_on(pale):
    body = r"""file r "/end\\"; file r /a\ b; file r "/c\"d"; file r "/e\+f\(g\)"; file r /h\*; file r "/i\,j";
               file r "/k\\l m"; signal send kill -> "p\"q";"""
    text = write(pale, body).out
    r = parser("--warn=all", text=text)
    assert r.rc == 0 and not said(r), (text, r)
    dfa = aadfa.file_dfa(compiled(text))
    for path in ["/end\\", "/k\\l m", "/a b", '/c"d', "/e+f(g)", "/h*", "/i,j"]:
        assert aadfa.perms(dfa, path.encode(), False) == aadfa.READ, path
    assert not aadfa.perms(dfa, b"/hx", False) and not aadfa.perms(dfa, b"/end", False)


@pytest.mark.parametrize("body", ['signal send kill -> "a{b";', 'signal send kill -> "[";', 'signal -> "";',
                                  'file px /bin/x -> "";', 'signal -> "a\\n";'])
def test_a_peer_that_is_no_pattern_is_an_error(pale, body):
    r = write(pale, body, check=None)
    assert r.rc == 1 and ("PL134" in r.err or "PL251" in r.err) and not r.out, r


@pytest.mark.parametrize("program", ['"/usr/bin/x{"', '"/x} /etc/shadow rw, {"', '"/x["', '"/x\\n"'])
def test_a_program_that_is_no_pattern_is_an_error(pale, program):
    text = "policy p { program %s; arch x86_64; layers apparmor; }" % program
    r = pale("compile", "-", "-t", "apparmor", input=text)
    assert r.rc == 1 and ("PL134" in r.err or "PL251" in r.err) and not r.out, r


def test_the_examples_are_accepted(pale):
    for path in sorted((ROOT / "profiles" / "examples").glob("*.pale")):
        r = pale("compile", path, "-t", "apparmor", check=0)
        p = parser("--warn=all", text=r.out)
        # abi 3.0 has a unix class that this kernel's features lack; the parser says so always.
        rest = [line for line in said(p) if "downgrading extended network unix socket rule" not in line]
        assert p.rc == 0 and not rest, p


@pytest.mark.parametrize("x,y,witness", [("/a//b", "/a/b", "/a/b"), (r"/a/\141", "/a/a", "/a/a"), (r"/a\142", "/ab", "/ab"),
                                         (r"/a\x62", "/ab", "/ab"), (r"/a\d98", "/a[a-c]", "/ab"), ("/[z-x]", "/y", "/y")])
def test_two_ways_to_execute_what_the_parser_takes_for_one_path(pale, x, y, witness):
    r = write(pale, f'file ix "{x}"; file px "{y}";', check=None)
    assert r.rc == 1 and not r.out and "PL129" in r.err and f"both match '{witness}'" in r.err, r


@pytest.mark.parametrize("x,y", [(r"/a/\052", "/a/052"), ("/a/*", "/a/"), ("/a?", "/a/"), (r"/a\142", "/a142")])
def test_paths_that_only_look_alike_are_executed_each_its_own_way(pale, x, y):
    assert parser("--warn=all", text=write(pale, f'file ix "{x}"; file px "{y}";').out).rc == 0


@pytest.mark.parametrize("path", ["/c/[a-]", "/c/[a-c-e]", "/c/[--]", r"/c/[a\-z]", "/c/[a*]", r"/c/\q"])
def test_brackets_and_escapes_that_the_parser_refuses_or_misreads_are_errors(pale, path):
    for body in (f'file r "{path}";', f'signal send kill -> "{path}";'):
        r = write(pale, body, check=None)
        assert r.rc == 1 and "PL251" in r.err and not r.out, r
    assert "PL251" in pale("compile", "-", "-t", "apparmor", input=f'policy p {{ program "{path}"; arch x86_64; layers apparmor; }}').err


@pytest.mark.parametrize("path,matched", [(r"/a\x41\d66\103", "/aABC"), (r"/c/[\*]", "/c/*"), ("/c/[{a}]", "/c/}"), ("/c/[-a]", "/c/-"),
                                          ("/c/[[a]", "/c/["), (r"/c/[a\^]", "/c/^")])
def test_escapes_and_brackets_that_the_parser_takes_mean_what_they_say(pale, path, matched):
    text = write(pale, f'file r "{path}";').out
    r = parser("--warn=all", text=text)
    assert r.rc == 0 and not said(r), (text, r)
    assert aadfa.perms(aadfa.file_dfa(compiled(text)), matched.encode()) == aadfa.READ


LIMITS = ("cpu fsize data stack core rss nproc nofile memlock as locks sigpending msgqueue nice rtprio rttime").split()


def test_each_limit_arrives_as_setrlimit_counts_it(pale):
    most = {"nice": 39, "cpu": (2**63 - 1) // 10**6}
    for value in (1, 2, 19, 20, 39, 2**31, 2**32, (2**63 - 1) // 10**6, 2**63 - 1, "infinity"):
        asked = {n: value for n in LIMITS if value == "infinity" or value <= most.get(n, 2**63 - 1)}
        text = write(pale, "".join(f"limit {n} {v};" for n, v in asked.items())).out
        r = parser("--warn=all", text=text)
        assert r.rc == 0 and not said(r), (text, r)
        wanted = {i: 2**64 - 1 if value == "infinity" else value for i, n in enumerate(LIMITS) if n in asked}
        assert aadfa.limits(compiled(text)) == wanted, text
    zero = [n for n in LIMITS if n not in ("cpu", "rttime")]
    text = write(pale, "".join(f"limit {n} 0;" for n in zero)).out
    assert aadfa.limits(compiled(text)) == {LIMITS.index(n): 0 for n in zero}


def test_the_thirteenth_profile_to_change_to_is_an_error_at_its_rule(pale):
    def rules(n):
        return "\n" + "".join(f"file px /bin/p{i} -> t{i};\n" for i in range(n))
    assert parser(text=write(pale, rules(12)).out).rc == 0
    r = write(pale, rules(14), check=None)
    assert r.rc == 1 and not r.out and "<stdin>:14:9: error: " in r.err and "PL250" in r.err and r.err.count("PL250") == 1, r
    assert parser(text=write(pale, rules(12).replace("-> t11", "-> t1") + "file Px /bin/q -> t0; file px /bin/r; file pix /bin/s -> t2;"
                                   "file cix /bin/u -> t1;").out).rc == 0
    r = write(pale, rules(12) + "file cix /bin/u -> t1;", check=None)
    assert r.rc == 1 and "<stdin>:14:10: error: " in r.err, r


def test_a_backslash_that_protects_nothing_is_not_written(pale):
    text = write(pale, r"""file r /a\-\+\.\~b; file r "/[\.\:]c"; file r "/d\ e";""").out
    r = parser("--warn=all", text=text)
    assert r.rc == 0 and not said(r), (text, r)
    dfa = aadfa.file_dfa(compiled(text))
    for path in ["/a-+.~b", "/.c", "/:c", "/d e"]:
        assert aadfa.perms(dfa, path.encode()) == aadfa.READ, path
