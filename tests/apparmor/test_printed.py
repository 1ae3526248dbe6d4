# SPDX-License-Identifier: Apache-2.0
"""AppArmor text printed back: what `pale fmt` lays out says what it said, to pale and to apparmor_parser."""
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from conftest import PALE, PATIENCE, need, program, run, shared
from packaged import fragments_of, profiles_into

LONG = bool(os.environ.get("PALE_LONG"))
INSTALLED = pathlib.Path("/etc/apparmor.d")


def fmt(text, *args):
    return run([PALE, "fmt", *args, "-"], input=text, check=0).out


def stable(text):
    once = fmt(text)
    assert fmt(once) == once
    return once


# ---- the layout ----

MESSY = """\
#  Copyright (C) somebody
#vim:syntax=apparmor


#include   <tunables/global>   # all of them
abi   <abi/3.0>   ,
@{X}=/a   /b \\
  "/c d"   # values
@{X}   +=   /e
@{Y} := /f
@BARE   =
${B}=not (defined @{X} and   $C)
alias /a  ->/b,
profile   p   "/usr/bin/a b" flags = (complain,audit)   # of the head
{ # of the brace
	# first

	/etc/a    r,  /etc/b		rw, # two
	owner   /tmp/{x,y}*   rw,
	deny /very/long/path
		# amid
		mrix,
	"/quo\\"ted"   r,
	capability
	  chown
	  setuid,


	network inet   stream, network inet6,
	dbus (send,receive)
	     bus=session
	     peer=(name=org.x  label="a b"),
	signal set=(hup int)   peer=x,
	mount options in(ro,noexec)fstype = ext4 /dev/sda  ->   /mnt,
	/bin/x   Px->y,
	set rlimit data<=100M,
	change_profile unsafe /x   ->   {a,b},
	file,all,
	owner {
	/x r, }
	^   hat  {
	  /z r,
	}
	hat empty { }
	if ${B}  { /b r, } # of the if
	else if not  @{X}==/a { # why
	}
	# in between
	else{ /c r,
	  # last
	}
	include if exists "local/x"
	# at the end
}
# the end

# of all
"""

NEAT = """\
#  Copyright (C) somebody
#vim:syntax=apparmor

#include <tunables/global> # all of them
abi <abi/3.0>,
@{X}=/a /b "/c d" # values
@{X}+=/e
@{Y} := /f
@BARE =
${B} = not (defined @{X} and $C)
alias /a -> /b,
# of the head
profile p "/usr/bin/a b" flags=(complain, audit) { # of the brace
  # first

  /etc/a r,
  /etc/b rw, # two
  owner /tmp/{x,y}* rw,
  # amid
  deny /very/long/path mrix,
  "/quo\\"ted" r,
  capability chown setuid,

  network inet stream,
  network inet6,
  dbus (send, receive) bus=session peer=(name=org.x, label="a b"),
  signal set=(hup, int) peer=x,
  mount options in (ro, noexec) fstype=ext4 /dev/sda -> /mnt,
  /bin/x Px -> y,
  set rlimit data <= 100M,
  change_profile unsafe /x -> {a,b},
  file,
  all,
  owner {
    /x r,
  }
  ^hat {
    /z r,
  }
  hat empty { }
  if ${B} {
    /b r,
    # of the if
  } else if not @{X} == /a { # why
  } else {
    # in between
    /c r,
    # last
  }
  include if exists "local/x"
  # at the end
}
# the end

# of all
"""


def test_the_layout():
    assert stable(MESSY) == NEAT


@pytest.mark.parametrize("text", [
    "profile p {\n  /\udce4 r,\n}\n", "# \udce4 \x1b[1m\n/x r,\n", "# include <x>\n", "#\n", "/**/x\\, r,\n", "@{X}=\n", "@{X}=\"\"\n",
    "/a\\\nr,\n", "\"/a\nb\" r,\n", "profile p { }\n", "profile p {\n  # x\n}\n", "profile p { # x\n}\n", ":ns:p { }\n",
    "profile p {\n  mount options=(ro),\n}\n", "if (@{X} == /a ) { }\n", "include </a b>\n", "include <\"a b\">\n", "#include if exists <x>\n",
    "dbus send path==/x,\n", "/a -> b c,\n", "change_profile\n=a,\n", "priority=-5 audit deny other /x r,\n", "unix (send) peer=(label:=a, addr=@b),\n"])
def test_texts_that_stand_as_they_should(text):
    assert stable(text) == text


def test_what_was_one_line_becomes_one_line_each_and_windows_lines_end_as_others():
    assert stable("/a r,/b r,\r\n/c r, /d w, # x\r\n") == "/a r,\n/b r,\n/c r,\n/d w, # x\n"
    assert stable("/a r,\n/b r,\n\n\n\n/c r,\n") == "/a r,\n/b r,\n\n/c r,\n"


def test_check_and_in_place(tmp_path):
    good, bad, wrong = (tmp_path / n for n in ("good", "bad", "wrong"))
    good.write_text(NEAT)
    bad.write_text(MESSY)
    wrong.write_text("profile p {\n/a r\n}\n")
    assert run([PALE, "fmt", "--check", good], check=0).err == ""
    assert "'%s' is not in the canonical layout [PL147" % bad in run([PALE, "fmt", "--check", good, bad], check=1).err
    r = run([PALE, "fmt", "-i", wrong, bad, good], check=1)
    assert "missing ','" in r.err and wrong.read_text() == "profile p {\n/a r\n}\n"
    assert bad.read_text() == good.read_text() == NEAT


def test_policies_and_profiles_in_one_run(tmp_path):
    (tmp_path / "p.pale").write_text("policy p{allow read;}")
    (tmp_path / "a").write_text("/x{/y r,\n}\n/z  {\n}\n")
    r = run([PALE, "fmt", "p.pale", "a"], cwd=tmp_path)
    assert "policy p {\n    allow read;\n}\n" in r.out


# ---- of texts that there are ----

def same(files):
    """Each file printed and read again; those that pale refuses, which say so of themselves."""
    refused, tool = [], program("apparmor/printtool")
    for i in range(0, len(files), 500):
        r = run([tool, *files[i:i + 500]], timeout=PATIENCE)
        for line in r.out.splitlines():
            what, _, path = line.partition("\t")
            if what == "refused":
                refused.append(pathlib.Path(path))
            else:
                assert what == "same", r
        assert r.rc == 0, r
    return refused


def test_random_trees():
    run([program("apparmor/printtool"), "-r", "1", "100000" if LONG else "2000"], check=0, timeout=600)


def test_what_is_installed():
    if not INSTALLED.exists():
        pytest.skip("no AppArmor profiles are installed")
    files = [p for p in INSTALLED.rglob("*") if p.is_file() and p.parent.name != "abi"]
    assert len(files) > 100 and not same(files)


def test_the_parsers_own_corpus():
    refused = same(sorted(shared("data", "apparmor-simple-tests").rglob("*.sd")))
    # What pale refuses is what the parser is to refuse, too, but for what is said of its own folders.
    assert all(re.search("EXRESULT *FAIL", p.read_text(errors="replace")) for p in refused), refused


def compiled(where, file, *args):
    r = subprocess.run([need("apparmor_parser"), "-Q", "-K", "-S", "--base", where, *args, file], capture_output=True, cwd=where, check=False)
    return r.stdout if r.returncode == 0 else None


def compare(before, after, files, *args):
    """How many the parser takes; each is the same to it afterwards."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        old = list(pool.map(lambda f: compiled(before, f, *args), files))
        new = list(pool.map(lambda f: compiled(after, f, *args), files))
    differ = [str(f) for f, x, y in zip(files, old, new) if x is not None and x != y]
    assert not differ, differ
    return sum(x is not None for x in old)


@pytest.mark.once
def test_packaged_profiles_compile_to_the_same_bytes(tmp_path):
    before, after = tmp_path / "old", tmp_path / "new"  # names as long: some parsers' answers hang on that
    before.mkdir()
    profiles = profiles_into(before)
    fragments = fragments_of(before)
    assert len(profiles) >= 143 and len(fragments) >= 127, (len(profiles), len(fragments))
    assert not same([before / f for f in profiles + fragments])
    shutil.copytree(before, after)
    run([PALE, "fmt", "-i", *profiles, *fragments], cwd=after, check=0, timeout=PATIENCE)
    run([PALE, "fmt", "--check", *profiles, *fragments], cwd=after, check=0, timeout=PATIENCE)
    assert any((before / f).read_bytes() != (after / f).read_bytes() for f in profiles)
    some = profiles if LONG else profiles[::12]
    assert compare(before, after, some) > len(some) * 0.9


@pytest.mark.once
def test_the_corpus_compiles_to_the_same_bytes(tmp_path):
    """Every 15th; PALE_LONG: all."""
    before, after = tmp_path / "old", tmp_path / "new"
    shutil.copytree(shared("data", "apparmor-simple-tests"), before)
    features = shared("data", "apparmor-features.all")
    refused = {p.relative_to(before) for p in same(sorted(before.rglob("*.sd")))}
    files = [p.relative_to(before) for p in sorted(before.rglob("*.sd")) if p.relative_to(before) not in refused]
    some = files if LONG else files[::15]
    shutil.copytree(before, after)
    tool = program("apparmor/printtool")
    for f in some:
        run([tool, "-i", after / f], check=0)
    assert compare(before, after, some, "-M", features) > len(some) * 0.4
