# SPDX-License-Identifier: Apache-2.0
"""AppArmor text to a policy and back: what is compiled of the import is the profile again, as `pale diff` has it."""
import os
import pathlib
import random
import shutil
import sys

import pytest

from conftest import ROOT, some

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "apparmor"))
import packaged  # noqa: E402
from test_import_apparmor import random_body  # noqa: E402
from test_policy_profiles import policy as random_policy  # noqa: E402

# Under a kernel whose features are known unix rules that it does not mediate are network's.
TARGETS = ["3.0,kernel=6.1", "4.1,kernel=6.12", "5.0,kernel=7.2", "5.0", None]
LONG = bool(os.environ.get("PALE_LONG"))
ABIS = {
    "3.0": "dbus {} signal {} ptrace {} mount {} network {af_unix {}} network_v8 {}",
    "4.0": "dbus {} signal {} ptrace {} mount {} network {af_unix {}} network_v8 {} ipc {posix_mqueue {}} namespaces {mask {userns_create}}",
    "5.0": "dbus {} signal {} ptrace {} mount {} network {af_unix {}} network_v8 {af_inet {}} network_v9 {af_unix {}} ipc {posix_mqueue {}} "
           "namespaces {mask {userns_create}} io_uring {}",
}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """What a file may include, and the abi files of all releases, as far as they say which classes are mediated."""
    d = tmp_path_factory.mktemp("base")
    (d / "abi").mkdir()
    for abi, text in ABIS.items():
        (d / "abi" / abi).write_text(text)
    return d


def way_back(pale, base, file, target, out, *options):
    """None: it has no policy, and why. Else what diff says of the profile and of what its policy is compiled to."""
    named = ["--target", f"apparmor={target}"] if target else []
    got = pale("import", "-I", base, *named, *options, file, "-o", out / "back.pale", check=None)
    assert got.rc in (0, 1), got.err
    if got.rc:
        return None, got.err
    said = []
    for compiled_for in ([], named)[: 2 if named else 1]:
        pale("compile", "-t", "apparmor", *compiled_for, out / "back.pale", "-o", out / "back.apparmor", check=0)
        got = pale("diff", "-I", base, *named, *(["--profile-a", options[1]] if options else []), file, out / "back.apparmor", check=None)
        said.append("same" if got.rc == 0 else got.out + got.err)
    return ("same", "") if said == ["same"] * len(said) else ("\n".join(said), "")


@pytest.mark.once
@pytest.mark.parametrize("target", TARGETS)
def test_packaged_profiles_come_back(pale, tmp_path, base, target):
    """Of the 27 that four packages install, with the files under local/ that installing makes."""
    all_of = tmp_path / "all"
    shutil.copytree(base, all_of)
    for package in packaged.PACKAGES[:4]:
        shutil.copytree(packaged.unpacked(packaged.SUITE, package) / "etc/apparmor.d", all_of, dirs_exist_ok=True)
    files = sorted(p for p in all_of.iterdir() if p.is_file())
    assert len(files) == 27
    for f in files:
        (all_of / "local" / f.name).touch()
    said = {f.name: way_back(pale, all_of, f, target, tmp_path) for f in files}
    back = [name for name, (what, _) in said.items() if what == "same"]
    why = {name: err for name, (what, err) in said.items() if what is None}
    assert {name: what for name, (what, _) in said.items() if what not in ("same", None)} == {}
    print(f"figure: the way back of packaged profiles, {target or 'no target'}: {len(back)} same, {len(why)} not imported")
    assert all("PL397" in err or "PL373" in err for err in why.values()), why
    assert len(back) >= (18 if target == "4.1,kernel=6.12" else 20)


@pytest.mark.parametrize("target", TARGETS)
def test_examples_come_back(pale, tmp_path, base, target):
    for example in sorted((ROOT / "profiles/examples").glob("*.pale")):
        pale("compile", "-t", "apparmor", example, "-o", tmp_path / "x.apparmor", check=0)
        assert way_back(pale, base, tmp_path / "x.apparmor", target, tmp_path) == ("same", ""), example


@pytest.mark.parametrize("target", TARGETS)
def test_what_random_policies_are_compiled_to_comes_back(pale, tmp_path, base, target):
    rng = random.Random(3970)
    n = back = 0
    for _ in range(300 if LONG else some(20)):
        (tmp_path / "x.pale").write_text(random_policy(rng))
        if pale("compile", "-t", "apparmor", tmp_path / "x.pale", "-o", tmp_path / "x.apparmor", check=None).rc:
            continue
        n += 1
        what, err = way_back(pale, base, tmp_path / "x.apparmor", target, tmp_path)
        # Of a network rule about unix sockets the parser makes unix rules, and a deny is quiet there that is audited elsewhere.
        if what is None and target == "5.0,kernel=7.2" and "of 'unix" in err and "the profile refuses it" in err and "the policy refuses it" in err:
            continue
        assert what == "same", (tmp_path / "x.apparmor").read_text() + str(what) + err
        back += 1
    assert back >= n // 2 > some(5)


FLAGS = ["", "", "", " flags=(complain)", " flags=(attach_disconnected, mediate_deleted)", " flags=(audit)", " flags=(unconfined)", " (kill, chroot_relative)",
         " xattrs=(user.a=b)"]
NEWER = [" flags=(error=EACCES kill.signal=term)", " flags=(default_allow)", " flags=(prompt, attach_disconnected.path=/x)"]
OTHERS = ["userns,", "audit userns,", "deny userns,", "io_uring sqpoll,", "io_uring,", "mqueue read type=posix /q,", "mqueue,", "ptrace read peer=x,", "unix,",
          "unix (send, receive) type=stream peer=(label=x),", "unix type=dgram,", "audit unix bind type=stream addr=@a*,", "network unix stream,",
          "deny network unix dgram,", "dbus send bus=session,", "dbus,", "mount fstype=tmpfs -> /a/,", "umount /a/,", "change_profile -> p,"]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("abi", ["3.0", "4.0", "5.0", None])
def test_random_profiles_come_back_or_are_refused(pale, tmp_path, base, target, abi):
    """Of every abi, and of none: what the release pins then. What no policy for the target says is told with it."""
    if target and abi == "5.0" > target or target and target < "4" and abi == "4.0":
        return  # that release has no such abi
    rng = random.Random(3971)
    back = 0
    for _ in range(150 if LONG else some(12)):
        body = random_body(rng) + "\n" + "\n".join(rng.choice(OTHERS) for _ in range(rng.randrange(4)))
        if target and target < "4":
            body = "\n".join(line for line in body.splitlines() if not line.startswith("priority") and "userns" not in line and "mqueue" not in line and "uring" not in line)
        head = rng.choice(FLAGS if target and target < "4" else FLAGS + NEWER)
        f = tmp_path / "web.aa"
        f.write_text((f"abi <abi/{abi}>,\n" if abi else "") + "@{HOME}=/home/u\n" + f"profile web /usr/bin/web{head} {{\n" + body + "\n}\n")
        what, err = way_back(pale, base, f, target, tmp_path)
        assert what == "same" or (what is None and "[PL39" in err), f.read_text() + str(what) + err
        back += what == "same"
    print(f"figure: the way back of random profiles, abi {abi}, {target or 'no target'}: {back} same")
    assert back >= some(3) or (target and abi is None)
