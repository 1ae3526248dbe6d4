# SPDX-License-Identifier: Apache-2.0
"""Witnesses can be asked: whatever bytes a path, label or address holds, what diff prints of it is read back by
sim, which prints it again and answers as diff says."""
import json
import pathlib
import random
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from test_apparmor_diff import assert_witnesses_are_true  # noqa: E402

PIECES = ["\\377", "\\001", "\\033", "\\302\\205", "\\342\\200\\256", "a", " ", "\\\\\\\\", "\\042", "é", "->", "\\054", "&", "\\015", "\\303"]


def piece(rng):
    return "".join(rng.choice(PIECES) for _ in range(rng.randrange(1, 4)))


def rule(rng):
    p, q = piece(rng), re.sub(r"[&]|\\\\\\\\", "x", piece(rng))  # labels with these are matched part by part
    return rng.choice([f'"/{p}" r,', f'owner "/{p}*" w,', f'"/x{p}" px -> "{q}",', f'link "/l{p}" -> "/{q}",', f'signal send set=term peer="{q}",',
                       f'change_profile -> "{p}",', f'change_profile "/{p}" -> "{q}",', f'unix bind type=stream addr="@{q}",', f'ptrace read peer="{q}",',
                       f'mount fstype=tmpfs -> "/{p}/",', f'umount "/{p}",', f'pivot_root "/{p}/",', f'dbus eavesdrop bus="{q}",', f'dbus bind bus="{q}" name="{p}",'])


@pytest.mark.parametrize("seed", range(3))
def test_witnesses_of_any_bytes_are_read_back(pale, tmp_path, seed):
    rng, lines = random.Random(seed), 0
    a, b = tmp_path / "a", tmp_path / "b"
    b.write_text("abi <abi/3.0>,\nprofile t {\n}\n")
    for _ in range(8):
        a.write_text("abi <abi/3.0>,\nprofile t {\n%s\n}\n" % "\n".join(rule(rng) for _ in range(12)))
        if pale("check", a, check=None).rc:
            continue
        text = pale("diff", "--format", "json", a, b, check=None).out
        d = json.loads(text)
        assert d["resources"] and "\ufffd" not in text and not [r for r in d["resources"] if r["reason"]], a.read_text()
        assert_witnesses_are_true(pale, a, b, d)
        lines += len(d["resources"])
    assert lines >= 30


def test_what_no_terminal_shows_stands_in_octal_and_in_quotes(pale, tmp_path):
    f, g = tmp_path / "f", tmp_path / "g"
    f.write_text('profile t {\n "/a\\377*" r,\n change_profile -> "->",\n}\n')
    g.write_text("profile t {\n}\n")
    out = pale("diff", f, g, check=1).out
    assert 'read "/a\\377"\n' in out and '    open "/a\\377" r\n' in out and '    change_profile "->"\n' in out
    assert json.loads(pale("diff", "--format", "json", f, g, check=1).out)["resources"][0]["path"] == '"/a\\377"'
    for asked in ("open /a\udcff r", 'open "/a\\377" r'):
        assert pale("sim", f, asked).out.startswith('allowed  open "/a\\377" r  ')
    for asked in ("/a\udcff", '"/a\\377"'):
        assert pale("explain", f, asked).out.startswith('"/a\\377"\n')
    assert pale("sim", f, "signal send term peer=x\udcff").out.startswith("refused  signal send term peer=x\\377  ")


def test_why_prints_what_was_refused_as_sim_reads_it(pale, tmp_path):
    f = tmp_path / "f"
    f.write_text("profile t {\n}\n")
    for name, asked in (("2F64FF", '"/d\\377"'), ("2F642078", '"/d x"'), ("2F641B5B", '"/d\\033["')):
        got = pale("why", f'type=1400 audit(1.1:1): apparmor="DENIED" operation="open" profile="t" name={name} pid=1 comm="x" requested_mask="r" '
                   'denied_mask="r" fsuid=0 ouid=1', f).out
        access = re.search(r"refused  (open other .* r)  ", got)[1]
        assert access == f"open other {asked} r" and pale("sim", f, access).out.startswith(f"refused  {access}  ")


def test_conflicting_executions_name_a_path_that_can_be_asked(pale, tmp_path):
    f = tmp_path / "f"
    f.write_text('profile t {\n "/a\\377*" ix,\n "/a\\377?*" px,\n}\n')
    said = re.search(r"""how to execute '("/a.*")' """, pale("check", "--target", "apparmor=5.0", f, check=1).err)[1]
    assert pale("sim", tmp_path / "f", f"exec {said}", check=1).err and said.startswith('"/a\\377')
