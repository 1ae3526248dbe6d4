# SPDX-License-Identifier: Apache-2.0
"""Hostile and mistaken input to what reads AppArmor's text: bounds by number, several faults a run, the word
that was meant, and nothing half accepted."""
import pytest

ASK = {"check": ["check", "--target", "apparmor=5.0", "{}"], "sim": ["sim", "--target", "apparmor=5.0", "{}", "open /a r"],
       "explain": ["explain", "--target", "apparmor=5.0", "{}", "open /a r"]}


def ask(pale, command, path):
    return pale(*[a.replace("{}", str(path)) for a in ASK[command]])


@pytest.fixture
def file(tmp_path):
    return tmp_path / "t"


@pytest.mark.parametrize("text", ["".join(f"/a{i} q,\n" for i in range(30)), "".join("/a r\n}\nprofile x {\n" for i in range(30)),
                                  "".join(f"capability c{i},\n" for i in range(30)), "".join(f"/@{{V{i}}} r,\n" for i in range(30))])
def test_twenty_errors_a_run(pale, file, text):
    file.write_text(f"profile t {{\n{text}}}\n")
    r = ask(pale, "check", file)
    assert r.rc == 1 and r.err.count(": error: ") == 20, r
    assert len({line.split(": error: ")[0] for line in r.err.splitlines() if ": error: " in line}) == 20


@pytest.mark.parametrize("rule,meant", [
    ("capabilty kill", "capability"), ("capability kil", "kill"), ("netwrok inet", "network"), ("network inte", "inet"),
    ("network inet straem", "stream"), ("signal sned", "send"), ("signal set=trem", "term"), ("ptrace raed", "read"), ("mount optoins=ro", "options"),
    ("mount options=noexce", "noexec"), ("unix peer=(lable=a)", "label"), ("dbus intreface=a", "interface"), ("mqueue raed", "read"),
    ("io_uring sqpol", "sqpoll"), ("userns craete", "create"), ("set rlimit nofle <= 5", "nofile"), ("/@{HOEM}/x r", "@{HOME}"),
    ("include <abstractions/bsae>\n/a r", "abstractions/base"), ("if ${BOLO} { }\n/a r", "${BOOL}")])
def test_the_word_that_was_meant(pale, tmp_path, file, rule, meant):
    (tmp_path / "abstractions").mkdir()
    (tmp_path / "abstractions/base").write_text("")
    file.write_text(f"@{{HOME}}=/home\n${{BOOL}}=true\nprofile t {{\n{rule},\n}}\n")
    r = pale("check", "--target", "apparmor=5.0", "-I", tmp_path, file, check=1)
    assert f"did you mean '{meant}'?" in r.err and r.err.count(": error: ") == 1, r


def test_the_flag_that_was_meant(pale, file):
    file.write_text("profile t flags=(complian) { }\n")
    assert "did you mean 'complain'?" in ask(pale, "check", file).err


@pytest.mark.parametrize("command", ASK)
@pytest.mark.parametrize("what,content,says", [
    ("NUL", b"profile t {\n /a r,\n}\n\0", "a NUL byte: this is not text"),
    ("bytes of a NUL in a path", b"profile t { /a\0b r, }\n", "a NUL byte: this is not text"),
    ("JSON", b'{"defaultAction":"SCMP_ACT_ALLOW"}\n', None), ("a policy", b"policy p {\n layers seccomp;\n arch x86_64;\n default allow;\n}\n", None),
    ("YAML that holds a profile", b"kind: AppArmorProfile\nspec:\n  policy: |\n    profile t {\n      /a r,\n    }\n", "YAML"),
    ("an object of Kubernetes", b"apiVersion: v1\nkind: AppArmorProfile\nspec:\n  policy: 'profile t { }'\n", "a Kubernetes AppArmorProfile in YAML"),
    ("compiled policy", b"\x04\x08\x00version\x00\x02\x07\x20\x20\x00\x04\x08\x00profile\x00\x07\x05\x02\x00t\x00", "AppArmor's compiled policy"),
    ("a program", b"\x7fELF\x02\x01\x01" + bytes(57), "a program"), ("text packed", b"\x1f\x8b\x08" + bytes(20), "a compressed file")])
def test_what_is_no_text_of_apparmors_is_told_for_what_it_is(pale, file, command, what, content, says):
    file.write_bytes(content)
    r = ask(pale, command, file)
    assert "apparmor=5.0 ok" not in r.out and "allowed" not in r.out, what
    if says:
        assert r.rc == 1 and says in r.err, r
    elif command != "check":
        assert "not decided" in r.out and r.rc == 0, r  # an answer, and not that it may


@pytest.mark.parametrize("command", ["sim", "explain"])
@pytest.mark.parametrize("text", [
    "profile t { /a r, /b q, }\n", "profile t { /a r, }\nprofile u { /b q, }\n", "profile t { /a r, /b px, /b* ix, /?b ux, }\n",
    "profile t { /a r, include <nix>\n }\n", "profile t { /a r, }\n# end", "profile t { /a r, /@{NO} r, }\n", "profile t { /a r, profile c { q, } }\n"])
def test_a_profile_is_never_half_accepted(pale, file, command, text):
    file.write_text(text)
    r = ask(pale, command, file)
    assert r.rc == 1 and not r.out and ": error: " in r.err, r


@pytest.mark.parametrize("deep,takes", [(199, True), (200, False)])
def test_brackets_nest_two_hundred_times(pale, file, deep, takes):
    file.write_text("profile t { " + "if defined @{A} { " * deep + "/a r, " + "} " * deep + "}\n")
    r = ask(pale, "check", file)
    assert ("more than 200 brackets inside one another" in r.err) == (not takes) and r.rc == (0 if takes else 1), r


@pytest.mark.parametrize("n,takes", [(1000, True), (1001, False)])
def test_a_thousand_variables(pale, file, n, takes):
    file.write_text("".join(f"@{{V{i}}}=a\n" for i in range(n)) + "profile t { /@{V0} r, }\n")
    r = ask(pale, "check", file)
    assert r.rc == (0 if takes else 1) and ("more than 1000 variables" in r.err) == (not takes), r


@pytest.mark.parametrize("n,takes", [(3, True), (5, False), (60, False), (900, False)])
def test_what_variables_multiply_to_is_bounded(pale, file, n, takes):
    """Ten values, and each variable twice the one before it, or ten times."""
    values = " ".join(map(str, range(10)))
    file.write_text(f"@{{V0}}={values}\n" + "".join(f"@{{V{i}}}=@{{V{i - 1}}}@{{V0}}\n" for i in range(1, n)) + f"profile t {{ /@{{V{n - 1}}} r, }}\n")
    r = ask(pale, "check", file)
    assert r.rc == (0 if takes else 1) and ("makes them more than 10000" in r.err) == (not takes), r


def test_a_file_of_sixteen_mebibytes(pale, file):
    text = "profile t {\n /a r,\n" + "#" * 99 + "\n"
    file.write_text(text + " " * ((16 << 20) - len(text) - 2) + "}\n")
    assert ask(pale, "check", file).rc == 0
    file.write_text(text + " " * ((16 << 20) - len(text) - 1) + "}\n")
    assert "larger than 16 MiB" in ask(pale, "check", file).err and ask(pale, "sim", file).rc == 1


def test_what_is_included_again_and_again_is_bounded(pale, tmp_path, file):
    (tmp_path / "part").write_text("#" + "x" * (1 << 20) + "\n")
    file.write_text("".join(f'profile p{i} {{ include "{tmp_path}/part"\n }}\n' for i in range(65)))
    r = ask(pale, "check", file)
    assert r.rc == 1 and "more than 64 MiB" in r.err and r.err.count(": error: ") == 1, r
