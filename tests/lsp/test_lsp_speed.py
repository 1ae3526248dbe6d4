# SPDX-License-Identifier: Apache-2.0
"""A keystroke in a text of a thousand lines, and ten thousand of them: time and memory."""
import os
import statistics

import pytest

from client import codes, starts  # noqa: F401 (a fixture)
from keystrokes import LINES, TEXTS, Typing, median_and_p95, resident_kib

LONG = bool(os.environ.get("PALE_LONG"))
KEYS = 200 if LONG else 40


@pytest.mark.once
@pytest.mark.parametrize("name", TEXTS)
def test_a_keystroke_in_a_thousand_lines_is_answered_at_once(tmp_path, starts, record_property, name):
    """20 ms; the bound here leaves room for a machine with others on it, and counts CPU time alone."""
    t = Typing(tmp_path, name, starts)
    assert t.text.count("\n") == LINES and not [c for c in codes(t.found) if c.startswith("PL0")]
    first = t.found
    t.keys(4)
    wall, cpu = t.keys(KEYS)
    assert t.key() == first or t.key() == first
    record_property("figure", "%s: a keystroke in %d lines: CPU %.1f ms (95 %%: %.1f), wall clock %.1f ms (95 %%: %.1f)"
                    % (name, LINES, *median_and_p95(cpu), *median_and_p95(wall)))
    assert t.client.end() == 0
    assert median_and_p95(cpu)[0] < 60


@pytest.mark.once
def test_memory_stays_what_it_is_over_ten_thousand_keystrokes(tmp_path, starts, record_property):
    """A small profile with includes, so that what is kept between two lintings would show; a slice, unless PALE_LONG."""
    c = starts("--isolated", "--runtime", "any")
    text = "include <tunables/global>\nprofile a /usr/bin/a {\n  include <abstractions/base>\n  /a/b r,\n}\n"
    uris = {name: c.open(tmp_path / name, text if name[0] == "a" else "policy a { use libc; arch x86_64; }\n", wait=False)
            for name in ("a.apparmor", "b.pale")}
    for uri in uris.values():
        c.findings(uri)
    sizes = []
    for i in range(10000 if LONG else 4000):  # in half of them what is kept has grown to its bound and begun anew
        for uri in uris.values():
            c.change(uri, i + 2, (1, 0, 1, 0 if i % 2 == 0 else 1, "#" if i % 2 == 0 else ""))
            if i % 10 == 0:
                c.findings(uri)
                c.at("hover", uri, 1, 2)
                c.at("completion", uri, 1, 2)
        if i % 250 == 249:
            sizes.append(resident_kib(c.proc.pid))
    record_property("figure", f"resident KiB: {sizes}")
    assert c.end() == 0
    half = len(sizes) // 2
    assert statistics.median(sizes[half:]) < statistics.median(sizes[:half]) * 1.1 + 2048, sizes
