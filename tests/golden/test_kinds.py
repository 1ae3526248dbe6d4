# SPDX-License-Identifier: Apache-2.0
"""What a file is: every command that takes FILE says the same of what pale does not read, and a
profile inside other JSON is read at its places."""
import json
import os
import pathlib
import re
import resource
import subprocess

import pytest

from conftest import PALE, PATIENCE, ROOT, run

COMMANDS = {  # {} is FILE
    "check": ["check", "{}"], "import": ["import", "{}"], "diff": ["diff", "{}", "{}"],
    "explain": ["explain", "{}", "read"], "sim": ["sim", "{}", "read"], "lint": ["lint", "{}"],
    "sim --as": ["sim", "--as", "docker:runc", "--caps", "none", "--kernel", "6.1", "{}", "read"],
    "why": ["why", "type=1326 arch=c000003e syscall=0 code=0x50001", "{}"], "compile": ["compile", "-o", "-", "{}"],
    "fmt": ["fmt", "{}"], "run": ["run", "{}", "--", "/bin/true"],
}
TEXT = {
    "an AppArmor profile": [
        "# mine\n/usr/bin/x {\n  /etc/x r,\n}\n", "#include <tunables/global>\nprofile x { }\n",
        "abi <abi/3.0>,\ninclude <tunables/global>\n", "@{X}=/a\nprofile y { }\n", "  /etc/x r,\n  /y w,\n",
        "capability chown,\n", "\"/bin/a b\" { }\n", ":ns:/bin/x { }\n", "${A} = true\n", "/** rw,\n/*/x r,\n",
        "abi \"x\",\n", "abi<abi/4.0>,\n", "include \"/etc/apparmor.d/x\"\n", "include if exists \"x\"\n",
        "include <local/x>\n", "include tunables/global\n", "#include \"x\"\n", "@X += a\n", "@{X} += b\n", "alias /a -> /b,\n",
        "all,\n", "userns create,\n", "io_uring,\n", "mqueue r type=posix /x,\n", "pivot_root,\n", "remount /x,\n",
        "unmount /x,\n", "link /a -> /b,\n", "set rlimit nofile <= 5,\n", "set  rlimit cpu <= 5,\n", "network inet,  # why\n",
        "r /etc/x,\n", "rw @{HOME}/x,\n", "owner \"/a b\" r,\n", "audit deny owner /x w,\n", "prompt /x r,\n", "other /x r,\n",
        "priority=5 /x r,\n", "priority=-1 deny capability chown,\n", "owner {\n  /x r,\n}\n", "allow file,\n", "dbus send\n  bus=session,\n",
        "dbus (send)  # here\n\n  # and here\n  bus=session,\n", "mount\n  options=(ro)\n  -> /x,\n", "if ${X} {\n  /x r,\n}\n",
        "if not defined @{X} {\n}\n", "^hat {\n}\n", "hat x {\n}\n", "# Site-specific additions for AppArmor.\n",
        "# see /etc/apparmor.d/local/README\r\n\r\n"],
    "the features of a kernel's AppArmor": ["query {label {multi_transaction {yes\n}\n}\n}\n", "caps {mask {chown\n}\n}\n"],
    "a Kubernetes SeccompProfile in YAML": [
        "apiVersion: x/v1\nkind: SeccompProfile\nspec:\n  defaultAction: SCMP_ACT_ERRNO\n",
        "# c\n---\nkind: \"SeccompProfile\"\n", "apiVersion: v1\nkind: List\nitems:\n- kind: SeccompProfile\n"],
    "a Kubernetes AppArmorProfile in YAML": ["apiVersion: x/v1\nkind: AppArmorProfile\nspec:\n  abstract: {}\n"],
    "a Kubernetes object in YAML": ["apiVersion: v1\nkind: Pod\nspec: {}\n"],
    "a compose file": ["services:\n  web:\n    image: x\n", "version: '3'\nname: x\nservices:\n  a: {}\n"],
    "a seccomp profile in YAML": ["defaultAction: SCMP_ACT_ERRNO\nsyscalls: []\n", "syscalls: []\ndefaultAction: x\n"],
    "a template, with {{ ... }} in it": ["{{- if .Values.a }}\nkind: Pod\n{{- end }}\n", "# c\n{% if a %}\na: b\n{% endif %}\n"],
    "YAML": ["a: b\n", "- a\n- b\n", "%YAML 1.2\n"],
    "a systemd unit": ["[Unit]\nDescription=x\n", "; c\n[Service]\nSystemCallFilter=@system-service\n"],
    "an INI or TOML file": ["[main]\nx=y\n", "[tool.x]\na = 1\n", "version = 2\n\n[plugins]\n", "X=1\n"],
    "an LXC seccomp profile (version 1)": ["1\nallowlist\n103\n"],
    "an LXC seccomp profile (version 2)": ["2\nblacklist\n[all]\nmount errno 1\n", "2\ndenylist allow\nkexec_load\n"],
    "an LXC configuration": ["lxc.seccomp.profile = x\n"],
    "a minijail policy": ["read: 1\nioctl: arg1 == TCGETS\n", "# c\n@include ./base.policy\n", "@frequency ./x\n",
                          "@default kill\n", "@default\tkill-process\nread: 1\n", "# c\n\n@denylist\nread: 1\n",
                          "@include\t./x\n"],
    "a kafel policy": ["POLICY a {\n  ALLOW { read }\n}\n", "#define X 1\n\nUSE a DEFAULT KILL\n",
                       "/* c */\n// d\nALLOW {\n read\n}\n"],
    "a firejail profile": ["# c\ninclude globals.local\nseccomp\n", "caps.drop all\n", "seccomp.drop mount\n", "noblacklist ${HOME}\n"],
    "a list of system call names, as snapd's templates are": ["# c\nread\nwrite\nsocket AF_UNIX - -\n", "~read\nopen\nclose\n"],
    "Go source": ["// c\n\npackage seccomp\n\nimport \"x\"\n"],
    "C source": ["#include <stdio.h>\nint main(void) { }\n"],
    "a script": ["#!/usr/bin/python3\nprint()\n"],
    "a shell script": ["#!/bin/sh\necho hi\n", "#!/usr/bin/env bash\nset -e\n", "sudo docker run x\n", "podman container create x\n"],
    "a Dockerfile": ["FROM scratch\nCOPY x /\n"],
    "XML or HTML": ["<!DOCTYPE html>\n"],
    "an audit log": ["type=SECCOMP msg=audit(1.2:3): syscall=1\n",
                     "[1.2] audit: type=1326 audit(1.2:3): syscall=1\n"],
    "a disassembly of BPF": [" line  CODE  JT   JF      K\n=====\n"],
}
BYTES = {
    "a program": b"\x7fELF\x02\x01\x01" + bytes(57), "a compressed file": b"\x1f\x8b\x08" + bytes(20),
    "UTF-16 text": "policy p { }".encode("utf-16"),
    "AppArmor's compiled policy": b"\x04\x08\x00version\x00\x02\x07\x20\x20\x00\x04\x08\x00profile\x00\x07\x05\x02\x00t\x00",
}


def ask(pale, command, path, **kw):
    return pale(*[a.replace("{}", str(path)) for a in COMMANDS[command]], **kw)


# What lint reads, and no other command does.
STARTS = {"a Kubernetes SeccompProfile in YAML", "a Kubernetes AppArmorProfile in YAML", "a seccomp profile in YAML", "a Kubernetes object in YAML", "a compose file", "a shell script", "a systemd unit", "a Dockerfile"}


def test_every_kind_is_told_from_its_content(pale, tmp_path):
    for what, texts in [*TEXT.items(), *((w, [b]) for w, b in BYTES.items())]:
        for text in texts:
            f = tmp_path / "file.json"
            f.write_bytes(text if isinstance(text, bytes) else text.encode())
            r = pale("lint", f)
            says = f"this looks like {what}, which pale does not read"
            if what in STARTS:
                assert "PL021" not in r.out, r
                continue
            if what == "an AppArmor profile":
                assert "; for apparmor 5.0" in r.out and "PL021" not in r.out, r
                continue
            assert r.rc == 1 and f"{says} [PL021 foreign-kind]" in r.out, r
            assert "= help: " in r.out and r.out.count("error") == 2, r


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_the_same(pale, tmp_path, command):
    for what in "an LXC configuration", "a kafel policy", "a program", "AppArmor's compiled policy":
        f = tmp_path / "x"
        f.write_bytes(BYTES[what] if what in BYTES else TEXT[what][0].encode())
        r = ask(pale, command, f)
        assert r.rc == (125 if command == "run" else 1), r
        said = r.out if command == "lint" else r.err
        assert f"this looks like {what}, which pale does not read [PL021 foreign-kind]" in said, r
        assert said.count("error") == (2 if command == "lint" else 1), r
        assert command == "lint" or not r.out


@pytest.mark.parametrize("command", ["compile", "run"])
def test_what_does_not_read_apparmor_says_who_does(pale, tmp_path, command):
    (tmp_path / "x").write_text("profile x { }\n")
    r = ask(pale, command, tmp_path / "x")
    assert r.rc == (125 if command == "run" else 1) and "an AppArmor profile, which this command does not read" in r.err
    assert "'pale check', 'sim', 'explain' and 'fmt' read it" in r.err


@pytest.mark.parametrize("text", [
    "polcy p { allow read; }", "default = errno EPERM;", "allow read(count == 1);", "allow read;", "Policy p { }", "set s { allow read; }", "# c\npolicy p { allow read; }",
    "include \"x.pale\";", "include \"x.pale\"", "include \"x\";", "set rlimit { allow read; }", "allow read,\n write;", "network inet,\n unix;",
    "audit read;", "# c", "#c\n#d\n", "deny mount;", "mount;", "signal send term;", "file rw /a,\n /b;", "if (x) { }", "#!/usr/bin/pale\npolicy p { allow read; }", "policy p { # include <x>\n allow read; }",
    "#include <x> was here\npolicy p { allow read; }", "read write;", "file r /x;", "// c\npolicy p { }"])
def test_a_policy_with_errors_stays_a_policy(pale, tmp_path, text):
    f = tmp_path / "p.pale"
    f.write_text(text)
    assert "PL021" not in pale("lint", f).out and "PL021" not in pale("fmt", f).err


def test_all_policies_and_profiles_here_are_what_they_are(pale):
    files = [*(ROOT / "profiles").rglob("*.pale"), *(ROOT / "tests").rglob("*.pale"),
             *(ROOT / "profiles").rglob("*.json")]
    r = pale("lint", *files)
    assert not re.search("PL02[0-9]", r.out + r.err), r
    assert len(files) > 100 and all(f.name in r.out for f in files)


@pytest.mark.parametrize("text", ["// c\n{\"defaultAction\": \"SCMP_ACT_ALLOW\"}", "{ /* c */ \"defaultAction\": \"x\"}",
                                  "# c\n{\"defaultAction\": \"SCMP_ACT_ALLOW\"}"])
def test_json_with_comments_is_json_that_has_comments(pale, tmp_path, text):
    f = tmp_path / "x"
    f.write_text(text)
    assert "SJ001" in pale("lint", f, check=1).out
    assert "SJ001" in pale("check", f, check=1).err


# ---- BPF ----

def test_a_policy_with_a_nul_byte_is_no_bpf(pale, tmp_path):
    for n in range(8):
        f = tmp_path / "p"
        f.write_bytes(b"policy p {\0 allow read; }" + b" " * n)
        assert "a NUL byte: this is not text" in pale("check", f, check=1).err


def test_lint_says_that_it_does_not_read_bpf(pale, tmp_path):
    pale("compile", "-q", "-t", "bpf", "-o", tmp_path / "p.bpf", ROOT / "profiles/examples/echo.pale", check=0)
    r = pale("lint", tmp_path / "p.bpf", check=1)
    assert "this is a BPF program, which lint does not read" in r.out and "pale import" in r.out
    cut = tmp_path / "cut.bpf"
    cut.write_bytes((tmp_path / "p.bpf").read_bytes()[:-3])
    assert "instructions are 8 bytes each" in pale("check", cut, check=1).err


def test_import_of_a_policy_says_that_it_is_one(pale):
    assert "this is a policy, which import does not read" in pale("import", ROOT / "profiles/examples/echo.pale", check=1).err


# ---- profiles inside other JSON ----

PROFILE = {"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
           "syscalls": [{"names": ["read", "é\"write"], "action": "SCMP_ACT_ALLOW"},
                        {"names": ["kill"], "action": "SCMP_ACT_KILL"}]}
NESTED = json.dumps(PROFILE, indent=1)
KUBERNETES = {"apiVersion": "x/v1", "kind": "SeccompProfile", "metadata": {"name": "x"}, "spec": PROFILE}
INSIDE = {
    "config.json": {"ociVersion": "1.0.2", "linux": {"seccomp": PROFILE}},
    "a SeccompProfile": KUBERNETES,
    "a list of one": {"apiVersion": "v1", "kind": "List", "items": [{"kind": "Pod"}, KUBERNETES]},
    "a SeccompProfileList": {"apiVersion": "x/v1", "kind": "SeccompProfileList", "items": [KUBERNETES]},
    "docker inspect": [{"Id": "x", "HostConfig": {"SecurityOpt": ["no-new-privileges", "seccomp=" + NESTED]}}],
    "docker inspect, old": [{"HostConfig": {"SecurityOpt": ["seccomp:" + NESTED]}}],
    "docker inspect --format": {"HostConfig": {"SecurityOpt": ["seccomp= \n" + NESTED]}},
    "crictl inspect": {"status": {}, "info": {"runtimeSpec": {"ociVersion": "1.0", "linux": {"seccomp": PROFILE}}}},
    "ctr info": {"ID": "x", "Spec": {"ociVersion": "1.0", "linux": {"seccomp": PROFILE}}},
    "an array of one": [PROFILE],
}


@pytest.mark.parametrize("kind", INSIDE)
@pytest.mark.parametrize("ascii_only", [True, False], ids=["escaped", "utf-8"])
def test_a_profile_inside_json_is_read_at_its_places(pale, tmp_path, kind, ascii_only):
    f, plain = tmp_path / "x.json", tmp_path / "plain.json"
    f.write_text(json.dumps(INSIDE[kind], indent=1, ensure_ascii=ascii_only))
    plain.write_text(NESTED)
    assert pale("diff", f, plain, check=0).out.splitlines()[-1].startswith("note: not compared: numbers")
    r = pale("sim", f, "read", "kill", "write", check=0)
    assert [line.split()[0] for line in r.out.splitlines()] == ["ALLOW", "KILL_THREAD", "ERRNO(1)"]
    line, column = map(int, re.search(rf"{re.escape(str(f))}:(\d+):(\d+): .*SCMP_ACT_KILL", r.out).groups())
    text = f.read_text().splitlines()[line - 1][column - 1:]
    assert re.match(r'\\?"SCMP_ACT_KILL', text) or re.match(r'\\?"kill', text), text
    assert pale("check", f, check=0).out.startswith("libseccomp   ok (")
    assert pale("import", f, check=0).out.replace("policy x", "policy plain") == pale("import", plain, check=0).out
    name = pale("lint", f)
    assert re.search(rf"{re.escape(str(f))}:\d+:\d+: warning: .*SC101", name.out), name
    assert pale("compile", "-q", "-t", "bpf", "--host", "x86_64", "-o", "-", f, text=False).out == \
        pale("compile", "-q", "-t", "bpf", "--host", "x86_64", "-o", "-", plain, text=False).out


def test_errors_in_a_profile_inside_a_string_stand_in_the_file(pale, tmp_path):
    f = tmp_path / "x.json"
    f.write_text(json.dumps([{"HostConfig": {"SecurityOpt": ["seccomp={\n\"defaultAction\": nope}"]}}]))
    r = pale("lint", f, check=1)
    line, column = map(int, re.search(rf"{re.escape(str(f))}:(\d+):(\d+): error", r.out).groups())
    assert f.read_text().splitlines()[line - 1][column - 1:].startswith("nope"), r


UNCONFINED = {
    "config.json": {"ociVersion": "1.0.2", "process": {}, "root": {"path": "r"}, "linux": {"namespaces": []}},
    "no linux": {"ociVersion": "1.0.2"}, "null": {"ociVersion": "1.0.2", "linux": {"seccomp": None}},
    "crictl": {"info": {"runtimeSpec": {"ociVersion": "1.0", "linux": {}}}},
    "docker": [{"HostConfig": {"SecurityOpt": ["seccomp=unconfined"]}}],
    "privileged": [{"HostConfig": {"SecurityOpt": None, "Privileged": True}}],
}


@pytest.mark.parametrize("kind", UNCONFINED)
def test_a_container_without_a_filter_is_unconfined(pale, tmp_path, kind):
    f = tmp_path / "x.json"
    f.write_text(json.dumps(UNCONFINED[kind]))
    for command in COMMANDS:
        r = ask(pale, command, f)
        said = r.out if command == "lint" else r.err
        assert "the container is unconfined: " in said and "[PL022 unconfined]" in said, r
        assert r.rc == (125 if command == "run" else 1) and "defaultAction" not in said


NONE = {
    "Pod": ({"apiVersion": "v1", "kind": "Pod", "spec": {}}, "this Kubernetes object (Pod) holds no seccomp profile"),
    "two": ([PROFILE, PROFILE], "an array of 2 profiles"),
    "a list of two": ({"apiVersion": "v1", "kind": "List", "items": [KUBERNETES] * 2}, "holds 2 SeccompProfiles"),
    "an empty list": ({"apiVersion": "v1", "kind": "List", "items": []}, "holds no SeccompProfile"),
    "default": ([{"HostConfig": {"SecurityOpt": None}}], "the engine's default applies"),
    "a file": ([{"HostConfig": {"SecurityOpt": ["seccomp=/x/y.json"]}}], "seccomp profile is '/x/y.json'"),
    "two containers": ([{"HostConfig": {}}, {"HostConfig": {}}], "holds 2 containers"),
    "a base": ({"apiVersion": "x", "kind": "SeccompProfile", "spec": {**PROFILE, "baseProfileName": "runc"}},
               "builds on another one"),
    "hostile name": ({"apiVersion": "v1", "kind": "\u001b[31mPod"}, "(\\x1b[31mPod)"),
}


@pytest.mark.parametrize("kind", NONE)
def test_json_without_one_profile_says_so(pale, tmp_path, kind):
    f = tmp_path / "x.json"
    f.write_text(json.dumps(NONE[kind][0]))
    for command in "check", "lint", "import", "diff":
        if command == "lint" and kind in ("a list of two", "a base"):  # it looks at each, and with its base
            out = ask(pale, command, f).out
            assert "PL023" not in out and ("DP628" if kind == "a base" else "SC140") in out, out
            continue
        r = ask(pale, command, f, check=1)
        said = r.out if command == "lint" else r.err
        assert NONE[kind][1] in said and "[PL023 no-one-profile]" in said and "= help: " in said, r


# ---- hostile input ----

def hostile():
    deep = "[" * 150000
    yield "empty", b""
    yield "blank", b" \n\t\n" * 1000
    yield "deep", deep.encode()
    yield "deep inside", json.dumps([{"HostConfig": {"SecurityOpt": ["seccomp={\"a\":" + deep]}}]).encode()
    yield "deep items", (b'{"apiVersion":"a","kind":"List","items":' + b"[" * 100000)
    yield "long line", b"x" * 1000000
    yield "long yaml", b"a: b\n" * 500000
    yield "long comment", b"# c\n" * 300000 + b"lxc.x = y\n"
    yield "open comment", b"/*" + b" x\n" * 100000
    yield "slashes", b"/*" * 100000
    yield "nul", bytes(1 << 20)
    yield "random", bytes((i * 2654435761 >> 13) & 255 for i in range(100000))
    yield "escapes", json.dumps([{"HostConfig": {"SecurityOpt": ["seccomp={" + "\u20ac\U0001f600\"" * 50000]}}]).encode()
    yield "lone surrogates", b'[{"HostConfig":{"SecurityOpt":["seccomp={\\"\\ud800\\udc00\\ud800\\":1}"]}}]'
    yield "many containers", json.dumps([{"HostConfig": {"SecurityOpt": ["seccomp={}"] * 10}}] * 3000).encode()


@pytest.mark.parametrize("name, data", [pytest.param(n, d, id=n) for n, d in hostile()])
def test_hostile_files_end_with_a_word(tmp_path, name, data):
    f = tmp_path / "x"
    f.write_bytes(data)
    for command in "check", "lint", "import":
        r = run([PALE, *[a.replace("{}", str(f)) for a in COMMANDS[command]]], timeout=PATIENCE)
        assert r.rc == 1 and "[" in r.err + r.out and len(r.err + r.out) < 100000, (command, r.rc, r.err[:500])


@pytest.mark.parametrize("kind", sorted({*TEXT, *INSIDE}))
def test_every_beginning_of_a_file_is_answered(tmp_path, kind):
    whole = TEXT[kind][0] if kind in TEXT else json.dumps(INSIDE[kind])
    step = max(1, len(whole) // 12)
    for n in range(0, len(whole), step):
        r = run([PALE, "lint", "-"], input=whole[:n])
        assert r.rc in (0, 1) and "finding" in r.out, (whole[:n], r)


def test_a_directory_and_a_pipe(pale, tmp_path):
    assert "nothing that 'pale lint' takes up is below" in pale("lint", tmp_path, check=1).out
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    p = subprocess.Popen([PALE, "check", fifo], stderr=subprocess.PIPE, text=True)
    fifo.write_text("[Unit]\n")
    assert "nothing in this unit filters calls" in p.communicate(timeout=PATIENCE)[1] and p.returncode == 1
