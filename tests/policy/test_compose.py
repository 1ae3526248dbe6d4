# SPDX-License-Identifier: Apache-2.0
"""Sets, includes, except and when: what a policy consists of, wherever it was written."""
import pytest


def verdict(pale, f, call, *args):
    r = pale("sim", f, "--arch", "x86_64", call, *args, check=0)
    return r.out.split()[0]


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_include_is_taken_from_the_including_file(pale, tmp_path, monkeypatch):
    write(tmp_path / "lib/deep/more.pale", "set more { allow getppid; }")
    write(tmp_path / "lib/base.pale", 'include "deep/more.pale";\nset base { use more; allow getpid; }')
    f = write(tmp_path / "p.pale", 'include "lib/base.pale";\npolicy p { arch x86_64; use base; }')
    monkeypatch.chdir("/")
    assert verdict(pale, f, "getpid") == "ALLOW"
    assert verdict(pale, f, "getppid") == "ALLOW"


def test_sets_are_found_in_directories_in_order(pale, tmp_path):
    write(tmp_path / "a/s.pale", "set s { allow getpid; }")
    write(tmp_path / "b/s.pale", "set s { allow getppid; }")
    f = write(tmp_path / "p.pale", "policy p { arch x86_64; use s; }")
    r = pale("sim", f, "--sets", tmp_path / "a", "--sets", tmp_path / "b", "getpid", "getppid", check=0)
    assert [l.split()[0] for l in r.out.splitlines()] == ["ALLOW", "ERRNO(1)"]
    assert "[PL109 hidden-set]" in r.err


def test_one_file_by_two_ways_hides_nothing(pale, tmp_path):
    write(tmp_path / "a/s.pale", "set s { allow getpid; }")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    f = write(tmp_path / "p.pale", "policy p { arch x86_64; use s; }")
    r = pale("sim", f, "--sets", tmp_path / "a", "--sets", tmp_path / "b", "getpid", check=0)
    assert "PL109" not in r.err


def test_what_a_set_uses_is_looked_up_where_the_set_stands(pale, tmp_path):
    write(tmp_path / "lib.pale", "set inner { allow getppid; }\nset outer { use inner; }")
    f = write(tmp_path / "p.pale",
              'include "lib.pale";\nset inner { allow bpf; }\npolicy p { arch x86_64; use outer; }')
    assert verdict(pale, f, "getppid") == "ALLOW"
    assert verdict(pale, f, "bpf") == "ERRNO(1)"


def test_except_reaches_into_nested_sets_and_only_this_use(pale, tmp_path):
    f = write(tmp_path / "p.pale", """
set inner { allow bpf, ptrace; }
set outer { use inner; allow read; }
policy p { arch x86_64; use outer except bpf; }
policy q { arch x86_64; use outer except bpf; use inner; }
policy r { arch x86_64; use outer except bpf; allow bpf; }
""")
    for name, want in (("p", "ERRNO(1)"), ("q", "ALLOW"), ("r", "ALLOW")):
        assert verdict(pale, f, "bpf", "--policy", name) == want
        assert verdict(pale, f, "ptrace", "--policy", name) == "ALLOW"


def test_except_leaves_out_what_network_and_namespace_say_of_a_call(pale, tmp_path):
    f = write(tmp_path / "p.pale", """
set s { network inet stream; allow socket(domain == AF_UNIX); deny namespace user; allow clone3; }
policy p { arch x86_64; use s except socket, clone3; }
policy q { arch x86_64; use s; }
""")
    for call, p, q in (("socket(AF_INET, SOCK_STREAM)", "ERRNO(1)", "ALLOW"),
                       ("socketpair(AF_INET, SOCK_STREAM)", "ALLOW", "ALLOW"),
                       ("clone3", "ERRNO(1)", "ERRNO(38)")):
        assert verdict(pale, f, call, "--policy", "p") == p, call
        assert verdict(pale, f, call, "--policy", "q") == q, call


def test_an_include_chain_of_16_is_fine_and_17_is_not(pale, tmp_path):
    for n, rc in ((15, 0), (17, 1)):
        d = tmp_path / str(n)
        for i in range(n):
            write(d / f"{i}.pale", f'include "{i + 1}.pale";\nset s{i} {{ use s{i + 1}; }}')
        write(d / f"{n}.pale", f"set s{n} {{ allow getpid; }}")
        f = write(d / "p.pale", 'include "0.pale";\npolicy p { arch x86_64; use s0; }')
        r = pale("sim", f, "--arch", "x86_64", "getpid")
        assert r.rc == rc, r
        assert ("[PL004 " in r.err) == (rc == 1)


def test_a_file_that_includes_itself(pale, tmp_path):
    f = write(tmp_path / "p.pale", 'include "p.pale";\npolicy p { arch x86_64; }')
    r = pale("sim", f, "read")
    assert r.rc == 1 and "p.pale -> " in r.err and "[PL106 include-cycle]" in r.err


def test_use_bombs_end(pale, tmp_path):
    """2^40 expansions as written; a set that is in already adds nothing."""
    sets = "".join(f"set s{i} {{ use s{i + 1}; use s{i + 1}; }}\n" for i in range(40))
    f = write(tmp_path / "p.pale", sets + "set s40 { allow getpid; }\npolicy p { arch x86_64; use s0; }")
    assert verdict(pale, f, "getpid") == "ALLOW"
    sets = "".join(f"set s{i} {{ use s{i + 1} except a{i}; use s{i + 1} except b{i}; }}\n" for i in range(40))
    f = write(tmp_path / "q.pale", sets + "set s40 { allow getpid; }\npolicy p { arch x86_64; use s0; }")
    r = pale("sim", f, "getpid")
    assert r.rc == 1 and "[PL145 too-large]" in r.err


def test_a_set_is_for_every_machine(pale, tmp_path):
    f = write(tmp_path / "p.pale", "set s { allow open, openat, arch_prctl; }\npolicy p { arch aarch64; use s; }")
    r = pale("sim", f, "--arch", "aarch64", "openat", check=0)
    assert r.out.startswith("ALLOW") and r.err == ""


def test_a_set_nobody_uses_is_checked(pale, tmp_path):
    f = write(tmp_path / "s.pale", "set s { allow opnat; }")
    r = pale("check", f)
    assert r.rc == 1 and "[PL114 unknown-syscall]" in r.err


def test_shipped_sets_resolve_without_a_word(pale, request):
    from conftest import ROOT
    files = sorted((ROOT / "profiles/sets").glob("*.pale"))
    assert len(files) >= 10
    for f in files:
        r = pale("check", f, check=0)
        assert r.err == "", r


WHEN = """policy p {
	arch x86_64, i386;
	when capability sys_chroot { allow chroot; }
	when not capability sys_chroot { errno EACCES chroot; }
	when kernel >= 5.9 and not kernel >= 6.0 { allow close_range; }
	when host aarch64 { allow bpf; }
	when arch i386 { allow ptrace; }
	when arch x86_64 and kernel < 4.0 { kill getpid; }
}
"""
ENV = ["--kernel", "5.10", "--host", "x86_64", "--caps"]


def test_when(pale, tmp_path):
    f = write(tmp_path / "p.pale", WHEN)
    assert verdict(pale, f, "chroot", *ENV, "sys_chroot,chown") == "ALLOW"
    assert verdict(pale, f, "chroot", *ENV, "none") == "ERRNO(13)"
    assert verdict(pale, f, "close_range", *ENV, "none") == "ALLOW"
    assert verdict(pale, f, "close_range", "--kernel", "6.1", "--host", "x86_64", "--caps", "none") == "ERRNO(1)"
    assert verdict(pale, f, "bpf", *ENV, "none") == "ERRNO(1)"
    assert verdict(pale, f, "getpid", "--kernel", "3.2", *ENV[2:], "none") == "KILL_PROCESS"
    r = pale("sim", f, "--arch", "i386", "ptrace", *ENV, "none", check=0)
    assert r.out.startswith("ALLOW")
    assert verdict(pale, f, "ptrace", *ENV, "none") == "ERRNO(1)"
    r = pale("sim", f, "chroot")
    assert r.rc == 1 and "--caps" in r.err and "--kernel" in r.err
    assert "--host" not in r.err  # x86_64 answers it


FAMILIES = """policy t { layers seccomp; arch %s; default allow; unknown allow;
    when host %s { errno EPERM ptrace; } }
"""


def test_a_program_of_a_machine_answers_when_host(pale, tmp_path):
    """t.aarch64.bpf runs on aarch64 and nowhere else, whatever --host says."""
    f = write(tmp_path / "t.pale", FAMILIES % ("x86_64, i386, aarch64", "aarch64"))
    for host in ([], ["--host", "x86_64"], ["--host", "aarch64"]):
        out = tmp_path / "-".join(["out", *host[1:]])
        pale("compile", "-q", "-t", "bpf", *host, "-o", out, f, check=0)
        for arch, said in (("x86_64", "ALLOW"), ("i386", "ALLOW"), ("aarch64", "ERRNO(1)")):
            bpf = out / ("t.aarch64.bpf" if arch == "aarch64" else "t.x86_64.bpf")
            assert pale("sim", bpf, "--arch", arch, "ptrace", check=0).out.startswith(said)
            assert pale("sim", f, *host, "--arch", arch, "ptrace", check=0).out.startswith(said)


def test_only_a_32_bit_family_alone_asks_for_the_host(pale, tmp_path):
    for arch, host in (("i386", "x86_64"), ("arm", "aarch64")):
        f = write(tmp_path / "t.pale", FAMILIES % (arch, host))
        r = pale("compile", "-t", "bpf", "-o", tmp_path / "x", f, check=1)
        assert "give --host ARCH" in r.err
        pale("compile", "-q", "-t", "bpf", "--host", host, "-o", tmp_path / "x", f, check=0)
        assert pale("sim", tmp_path / "x", "--arch", arch, "ptrace", check=0).out.startswith("ERRNO(1)")
        r = pale("compile", "-t", "bpf", "--host", "s390x", "-o", tmp_path / "y", f, check=1)
        assert "the one that is given makes none of these calls" in r.err


def test_a_capability_that_is_denied_is_not_there(pale, tmp_path):
    f = write(tmp_path / "p.pale", """
set s { capability sys_chroot, chown; }
policy p { arch x86_64; use s; deny capability sys_chroot; when capability sys_chroot { allow chroot; }
           when capability chown { allow chown; } }
""")
    assert verdict(pale, f, "chroot") == "ERRNO(1)"
    assert verdict(pale, f, "chown") == "ALLOW"


def test_own_capability_lines_are_the_environment(pale, tmp_path):
    f = write(tmp_path / "p.pale", """
set s { capability sys_chroot; }
policy p { arch x86_64; use s; when capability sys_chroot { allow chroot; } when capability chown { allow chown; } }
""")
    assert verdict(pale, f, "chroot") == "ALLOW"
    assert verdict(pale, f, "chown") == "ERRNO(1)"
    assert verdict(pale, f, "chown", "--caps", "chown") == "ALLOW"


@pytest.mark.parametrize("rules, told", [
    ("allow socket;", ""), ("allow socket; allow socketcall;", ""),
    ("allow socket(domain == AF_INET);", ""),
    # Who allows the multiplexer by a rule has decided, and is warned.
    ("allow socket(domain == AF_INET), socketcall;", "PL255"),
    ("allow socket(domain == AF_INET), socketcall(call == 2);", ""),
    ("allow socket(domain == AF_INET), socketcall(call == 1);", "PL255"),
    ("network inet stream; allow socketcall;", "PL255"),
    ("allow socketcall; deny socket;", "PL255"),
    ("allow socketcall; errno ENOSYS socketcall; allow socket(domain == AF_INET);", ""),
    ("allow ipc; errno EPERM semget;", "PL255"), ("errno ENOSYS ipc; errno EPERM semget;", ""),
    ("allow ipc(reg arg1 == 1); deny semget;", "PL255"),
    # The kernel takes what is above the 16 bits of ipc's call for a version.
    ("errno ENOSYS ipc(call == 2); allow ipc; deny semget;", "PL255"),
    ("errno ENOSYS ipc((call & 0xffff) == 2); allow ipc; deny semget;", ""),
    # Where nothing is said the default lets it pass: that is a hole.
    ("default allow; errno EPERM socket(domain == AF_VSOCK);", "PL126"),
    ("default allow; errno EPERM socket(domain == AF_VSOCK); allow socketcall;", "PL255"),
    ("default allow; errno EPERM socket(domain == AF_VSOCK), socketcall(call == 2);", "PL126"),
    ("default allow; errno EPERM semget, ipc(call == 2);", "PL126"),
    ("default allow; errno EPERM socket, socketcall(call == 1);", ""),
])
def test_multiplexed_calls_on_i386(pale, tmp_path, rules, told):
    f = write(tmp_path / "p.pale", f"policy p {{ arch x86_64, i386; {rules} }}")
    r = pale("sim", f, "getpid")
    for one in ("PL126", "PL255"):
        assert (f"[{one} " in r.err) == (one == told)
    assert r.rc == (told == "PL126")


# ---- default and unknown of one architecture ----

APART = """policy p {{
    level linux 6.18;
    arch x86_64, x32, i386, aarch64;
    default errno EPERM;
    unknown errno ENOSYS;
    {}
    allow read;
}}
"""


def test_an_architecture_has_verdicts_of_its_own(pale, tmp_path):
    f = tmp_path / "p.pale"
    f.write_text(APART.format("when arch x32, aarch64 { default kill; } when arch aarch64 { unknown log; }"))
    pale("compile", "-t", "bpf", "-o", tmp_path, f, check=0)
    want = {"x86_64": "ALLOW ERRNO(1) ERRNO(38)", "x32": "ALLOW KILL_PROCESS ERRNO(38)",
            "i386": "ALLOW ERRNO(1) ERRNO(38)", "aarch64": "ALLOW KILL_PROCESS LOG"}
    for arch, answers in want.items():
        prog = tmp_path / ("p.aarch64.bpf" if arch == "aarch64" else "p.x86_64.bpf")
        for file in (f, prog):
            out = pale("sim", file, "--arch", arch, "read", "mount", "#4095", check=0).out
            assert [line.split()[0] for line in out.splitlines()] == answers.split(), (arch, file, out)
    out = pale("sim", f, "--arch", "x32", "mount", check=0).out
    assert "p.pale:6:30: default kill;" in out
    assert pale("diff", f, f, check=0).rc == 0


@pytest.mark.parametrize("lines, id, words", [
    ("when arch x32 { default kill; default log; }", "PL100", "a second 'default' line for x32"),
    ("when arch x32 { unknown log; } when arch x32 { unknown log; }", "PL100", "'unknown' line for x32"),
    ("when arch x32 { foreign kill; }", "PL111", "belongs at the top"),
    ("when arch x32 { level linux 6.1; }", "PL111", "belongs at the top"),
    ("when not arch x32 { default kill; }", "PL111", "'when arch LIST'"),
    ("when arch x32 { when arch x32 { default kill; } }", "PL111", "belongs at the top"),
    ("when kernel >= 5.1 { unknown kill; }", "PL111", "'when arch LIST'"),
])
def test_where_verdicts_of_an_architecture_stand(pale, tmp_path, lines, id, words):
    f = tmp_path / "p.pale"
    f.write_text(APART.format(lines))
    r = pale("compile", "-t", "bpf", "--kernel", "6.1", f, check=1)
    assert f"[{id} " in r.err and words in r.err, r


def test_json_has_one_default_for_all_architectures(pale, tmp_path):
    f = tmp_path / "p.pale"
    f.write_text(APART.format("use start-runc-nnp; when arch x32 { unknown kill; }"))
    r = pale("compile", "-t", "docker", f, check=1)
    assert "PL252" in r.err and "KILL_PROCESS on x32" in r.err, r
    f.write_text(APART.format("use start-runc-nnp; when arch x32 { default errno EACCES; }"))
    r = pale("compile", "-t", "docker", f, check=1)
    assert "PL221" in r.err and "--arch" in r.err, r
    pale("compile", "-t", "docker", "--arch", "x86_64", "-o", tmp_path / "o.json", f, check=0)


HOSTS = """policy p {{ level linux 6.18; layers seccomp; arch {both}; default errno EPERM;
    use start-run; when {says} {{ allow getcpu; }} }}
"""


@pytest.mark.parametrize("both, small", [("x86_64, i386", "i386"), ("arm, aarch64", "arm"), ("x86_64, i386, x32", "i386")])
@pytest.mark.parametrize("argv", [["compile", "-t", "bpf", "-o", "o"], ["sim"], ["check"]])
def test_the_machine_that_is_assumed_is_named_where_another_would_answer_otherwise(pale, tmp_path, both, small, argv):
    """A 32-bit kernel loads the program as well, and then it is another policy's."""
    policy = tmp_path / "p.pale"
    tail = ["read"] if argv == ["sim"] else []
    argv = [str(tmp_path / w) if w == "o" else w for w in argv]
    for says in (f"host {small}", f"not host {small}", f"arch {small} and not host aarch64, x86_64"):
        policy.write_text(HOSTS.format(both=both, says=says))
        r = pale(*argv, policy, *tail, check=None)
        text = r.out + r.err
        assert text.count("PL238") == 1 and f"give --host {small}" in text, r
        assert "PL238" not in pale(*argv, "--host", small, policy, *tail, check=None).err
    for says in (f"host {small} or host x86_64, aarch64", "arch x86_64 and host x86_64", "host riscv64"):
        policy.write_text(HOSTS.format(both=both, says=says))
        assert "PL238" not in pale(*argv, policy, *tail, check=None).err


def test_explain_says_what_the_machine_decides_beside_the_assumed_one(pale, tmp_path):
    policy = tmp_path / "p.pale"
    policy.write_text(HOSTS.format(both="x86_64, i386", says="host i386"))
    out = pale("explain", policy, "getcpu", check=0).out
    assert "getcpu on i386\n" in out and "if so          ALLOW, host i386" in out, out


@pytest.mark.parametrize("text", [
    b"root:$y$j9T$SECRET:20000::::::\n", b'{"defaultAction": "SECRET"}', b"[Service]\nPassword=SECRET\n",
    b"\x7fELF\x02\x01\0SECRET", b"# a remark\n\n\x1b[31mSECRET\n", b"-----BEGIN SECRET KEY-----\n", b"\xff\xfeS\0E\0C\0R\0E\0T\0"])
def test_what_is_no_file_of_sets_is_not_quoted(pale, tmp_path, text):
    (tmp_path / "other").write_bytes(text)
    f = write(tmp_path / "p.pale", 'include "other";\npolicy p { arch x86_64; layers seccomp; default allow; }')
    for command in "check", "compile", "lint", "explain":
        r = pale(command, *(["-t", "bpf", "-o", "/dev/null"] if command == "compile" else []), f,
                 *(["read"] if command == "explain" else []), check=1)
        said = r.err + r.out
        assert "[PL241 included-foreign]" in said and "/other' is no file of sets" in said and "p.pale:1:" in said, r
        assert "SECRET" not in said and "S\\x00E" not in said and "\x1b" not in said, r


@pytest.mark.parametrize("text, said", [("sett x { allow read; }", "unknown keyword 'sett'"), ("polcy x { }", "unknown keyword 'polcy'"),
                                        ("set x { allow reed; }", "reed"), ("set x { \x1b[31m\u202e }", "\\x1b[31m\\xe2\\x80\\xae")])
def test_a_fault_of_a_file_of_sets_is_shown(pale, tmp_path, text, said):
    write(tmp_path / "other", text)
    f = write(tmp_path / "p.pale", 'include "other";\npolicy p { arch x86_64; layers seccomp; use x; default allow; }')
    r = pale("check", f, check=1)
    assert said in r.err and "PL241" not in r.err, r


def test_a_file_that_is_included_may_hold_nothing(pale, tmp_path):
    write(tmp_path / "other", " # nothing yet\n\n#")
    f = write(tmp_path / "p.pale", 'include "other";\npolicy p { arch x86_64; layers seccomp; default allow; }')
    pale("check", "-t", "bpf", f, check=0)
