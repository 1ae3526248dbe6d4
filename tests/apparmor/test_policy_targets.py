# SPDX-License-Identifier: Apache-2.0
"""What `--target` names is asked of a policy as it is compiled for that: `sim`, `diff` and what is
written, read back for the same release and kernel, have one abi and answer alike."""
import pathlib
import random
import subprocess
import sys

import pytest

from conftest import program

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from parsers import Parser  # noqa: E402
from test_policy_profiles import policy  # noqa: E402

NUMBERS = {"3.0": 0, "4.1": 2, "4.1.8": 4, "5.0": 5}  # enum aa_release
TARGETS = ["3.0", "4.1", "5.0", "3.0,kernel=6.1", "4.1,kernel=6.1", "4.1,kernel=6.12", "5.0,kernel=6.1", "5.0,kernel=6.12", "5.0,kernel=7.2"]
POLICIES = [
    "file r /etc/**; deny file w /etc/x;",
    "network unix; network inet stream; signal send;",
    "unix type=stream; deny network unix dgram;",
    "deny userns; dbus bus=session;",
    "userns; mqueue read /q;",
    "io_uring; ptrace read; mount; change_profile -> a;",
    "unix (connect, send) type=stream peer=(addr=@x);",
    'apparmor flags=(attach_disconnected); mount fstype=tmpfs -> /mnt/; file ix "/bin/*"; file rw /tmp/**;',
]
ACCESSES = ["open /etc/x r", "open /etc/x w", "exec /bin/sh", "socket unix stream", "socket inet stream", "unix connect type=stream peer=(addr=@x label=p)",
            "unix bind type=dgram addr=@y", "userns", "io_uring sqpoll", "mqueue read /q", "dbus eavesdrop bus=session", "dbus eavesdrop bus=system",
            "signal send term peer=p", "ptrace read peer=p", "mount fstype=tmpfs tmpfs -> /mnt/", "change_profile a", "cap chown"]


def answers(pale, path, base, target):
    """The outcome of each access, or None where a question is not answered under this target."""
    got = pale("sim", "-I", base, "--target", f"apparmor={target}", path, *ACCESSES, check=None) if path.suffix == ".aa" else \
        pale("sim", "--target", f"apparmor={target}", path, *ACCESSES, check=None)
    return [line.split("  ")[:2] for line in got.out.splitlines()]


@pytest.mark.parametrize("release", ["3.0", "4.1", "5.0"])
def test_sim_of_a_policy_is_sim_of_what_is_compiled_for_that_target(pale, tmp_path, release):
    base, told, refused = Parser(release).base, set(), 0
    for i, body in enumerate(POLICIES):
        source = tmp_path / f"{i}.pale"
        source.write_text(f"policy p {{ layers apparmor; arch x86_64; {body} }}\n")
        for target in [t for t in TARGETS if t.split(",")[0] == release]:
            text = tmp_path / f"{i}.aa"
            done = pale("compile", "-q", "-t", f"apparmor={target}", source, check=None)
            own = pale("sim", "--target", f"apparmor={target}", source, "userns", check=None)
            assert (done.rc == 0) == (own.rc == 0), (body, target, done.err, own.err)
            if done.rc:
                refused += 1
                continue
            text.write_text(done.out)
            wanted = answers(pale, text, base, target)
            assert answers(pale, source, base, target) == wanted and len(wanted) > 10, (body, target)
            told.add(tuple(outcome for outcome, _ in wanted))
    assert refused >= (0 if release == "5.0" else 1) and len(told) >= 6


@pytest.mark.parametrize("release", ["3.0", "4.1", "5.0"])
def test_random_policies_for_a_target_mean_what_is_written_of_them(tmp_path, release):
    rng, files = random.Random(f"targets {release}"), []
    for i in range(100):
        files.append(tmp_path / f"{i}.pale")
        files[-1].write_text(policy(rng))
    got = subprocess.run([program("apparmor/policytool"), "-t", str(NUMBERS[release]), Parser(release).base, *files], capture_output=True, text=True,
                         check=True).stdout.splitlines()
    assert [(f.read_text(), said) for f, said in zip(files, got) if said != "same" and not said.startswith("refused: ")] == []
    assert len(got) == 100 and got.count("same") >= 80


def test_without_a_target_the_oldest_abi_that_carries_it_answers_and_with_one_that_of_the_target(pale, tmp_path):
    source = tmp_path / "p.pale"
    source.write_text("policy p { layers apparmor; arch x86_64; file r /etc/**; }\n")

    def outcome(*args):
        return pale("sim", *args, source, "userns").out.split("  ")[0]

    assert outcome() == outcome("--target", "apparmor=3.0") == outcome("--target", "apparmor=5.0,kernel=6.1") == "allowed"
    assert outcome("--target", "apparmor=4.1") == outcome("--target", "apparmor=5.0,kernel=6.12") == "refused"
    assert "abi/4.0" in pale("compile", "-q", "-t", "apparmor=4.1", source).out


def test_the_halves_of_a_policy_are_compared_under_the_abi_of_the_target(pale, tmp_path):
    source = tmp_path / "p.pale"
    source.write_text("policy p { layers seccomp, apparmor; arch x86_64; default errno EPERM; allow unshare, execve; }\n")

    def told(*args):
        return "AppArmor refuses it [PL140" in pale("check", *args, source, check=None).err

    assert not told() and not told("--target", "apparmor=3.0") and not told("--target", "apparmor=5.0,kernel=6.1")
    assert told("--target", "apparmor=4.1") and told("--target", "apparmor=5.0,kernel=6.12")
