# SPDX-License-Identifier: Apache-2.0
"""Which release takes which form: pale and the parsers of three releases, one by one."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from parsers import Parser  # noqa: E402

# A letter a release, 3.0.8, 4.1.0, 5.0.2: does it take the body of a profile with an attachment?
BODIES = {
    "network inet stream port=1-1024,": "nyy", "network inet stream ip=::1 port=53 peer=(ip=10.0.0.1 port=5),": "nyy", "network inet ip=10.0.0.0/8,": "nnn",
    "network interface=eth0,": "nny", "network label=foo,": "nny", "network peer=(label:=@{profile_name}),": "nny", "network label:=x,": "nnn",
    'if @{V} == a { /a r, }': "nny", 'if a in "a b" { /a r, }': "nny", "if @{N} >= 3 { /a r, }": "nny", "if not defined ${B} { /a r, }": "yyy", "if not defined ${NONE} { /a r, }": "yny",
    "if ${B} { } else if not ${B} { } else { }": "yyy", "owner { /a r, deny { /b r, } }": "nyy", "all,": "nyy", "userns,": "nyy", "io_uring,": "nyy", "mqueue,": "nyy",
    "prompt /a r,": "nyy", "priority=+1 /a r,": "nyy", "priority=-1000 /a r,": "nyy", "priority=5 { /a r, }": "nnn",
    "/a@{exec_path} r,": "nny", "/a@{attach_path} r,": "nny", r"/\x41 r,": "yyy", r"/\d66 r,": "yyy", "unix (bind) addr=auto,": "yyy", r"unix (bind) addr=@x\000y,": "yyy",
    "other /a r,": "yyy", "safe px /a,": "yyy", "unsafe px /a,": "yyy", "/a px -> :ns:b,": "yyy", "/a px -> b//c,": "yyy", "/a px -> &b,": "yyy", "/a px -> b//&c,": "yyy",
    "rix /a -> b,": "yyy", "/a rl -> /b,": "yyy", "set rlimit cpu <= 1 hours,": "yyy", "set rlimit as <= 1GB,": "yyy", "set rlimit ofile <= 5,": "yyy", "abi <abi/3.0>,": "yyy",
    "profile :ns:p { }": "yyy", "mount options=(nosymfollow) -> /m/,": "nyy", "dbus name=(a, b),": "nnn", 'dbus send bus=system path==/org/x,': "yyy",
}
# ... flags, what stands before the profile, and the profile's head.
FLAGS = {"error=EACCES": "nyy", "kill.signal=term": "nyy", "interruptible": "nyy", "debug": "nyy", "default_allow": "nyy", "prompt": "nyy", "attach_disconnected.path=/x": "nyy",
         "attach_disconnected.ipc=/x": "nny"}
PREAMBLES = {"${C}=not defined @{V}": "nny", "${C}=@{V} == a": "nny", "${C}?=true": "nny", "@{W}?=a b": "nny", "@{W} := a b": "nny", "@{W}:=a": "nnn", "@{W}=a,": "nnn",
             "if ${B} { }": "nnn"}
HEADS = {"profile p /a + identities=(b) { }": "nny", "profile p//q { }": "yyy", "profile @{exec_path} /a { }": "nnn"}


def texts():
    before = "${B}=true\n@{V}=a\n@{N}=3\n"
    yield from ((f"{before}profile t /bin/t {{\n{body}\n}}\n", want) for body, want in BODIES.items())
    yield from ((f"profile t flags=({flags}) {{ }}\n", want) for flags, want in FLAGS.items())
    yield from ((f"{before}{line}\nprofile t {{ }}\n", want) for line, want in PREAMBLES.items())
    yield from ((f"{head}\n", want) for head, want in HEADS.items())


@pytest.mark.parametrize("text,want", texts(), ids=lambda x: x if len(x) == 3 else repr(x[-60:]))
def test_each_form_is_taken_by_the_releases_that_have_it(pale, tmp_path, text, want):
    file = tmp_path / "p"
    file.write_text(text)
    takes = lambda yes: "y" if yes else "n"
    theirs, ours = "", ""
    for release in ("3.0", "4.1", "5.0"):
        parser = Parser(release)
        theirs += takes(parser.ask(file) is not None)
        ours += takes(pale("check", "--target", f"apparmor={release}", "-I", parser.base, file, check=None).rc == 0)
    assert (theirs, ours) == (want, want)
