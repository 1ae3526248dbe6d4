# SPDX-License-Identifier: Apache-2.0
"""grammar/policy.5: it renders without warnings, every example means what the page says of it."""
import re
import shutil

import pytest

from conftest import PALE, ROOT, run

PAGE = ROOT / "grammar" / "policy.5"
WRAP = "policy example {{\nlevel linux 6.18; layers seccomp, apparmor; arch x86_64; capability sys_chroot;\n{}\n}}\n"


def examples():
    lines, found, refused = PAGE.read_text().splitlines(), [], None
    for i, line in enumerate(lines):
        if line.startswith('.\\" refused: '):
            refused = line.split()[-1]
        elif line == ".Bd -literal":
            text = "\n".join(lines[i + 1:lines.index(".Ed", i)]) + "\n"
            found.append((i + 1, text.replace("\\-", "-").replace("\\&", ""), refused))
            refused = None
    return found


EXAMPLES = examples()


def test_there_are_examples():
    assert len(EXAMPLES) > 12 and sum(1 for e in EXAMPLES if e[2]) > 5


@pytest.mark.parametrize("line,text,refused", EXAMPLES, ids=[f"line-{e[0]}" for e in EXAMPLES])
def test_example(line, text, refused, tmp_path):
    whole = re.match(r"(policy|set|include)\b", text)
    file = tmp_path / "example.pale"
    file.write_text(text if whole else WRAP.format(text))
    r = run([PALE, "check", "--kernel", "6.1", "--host", "x86_64", "-t", "bpf", file])
    if refused:
        assert r.rc == 1 and f"[{refused} " in r.err, r
    else:
        assert r.rc == 0, r
        run([PALE, "fmt", file], check=0)


def test_every_word_of_the_language_is_explained():
    page = PAGE.read_text()
    words = re.findall(r'KEYWORD\("([^"]+)"', (ROOT / "grammar" / "keywords.def").read_text())
    assert len(words) > 40
    assert [w for w in words if not re.search(rf"(?<![\w-]){re.escape(w)}(?![\w-])", page)] == []


def test_it_renders_without_warnings():
    if shutil.which("mandoc"):
        r = run(["mandoc", "-T", "lint", "-W", "warning", PAGE])
        assert r.rc == 0 and not r.out and not r.err, r
    elif shutil.which("groff"):
        r = run(["groff", "-ww", "-mandoc", "-Tutf8", PAGE])
        assert r.rc == 0 and not r.err, r
    else:
        pytest.skip("neither mandoc nor groff is installed")
