# SPDX-License-Identifier: Apache-2.0
"""Profiles that AppArmor's parser takes long to load are told, with the option that ends it."""
import resource

import pytest

from parsers import Parser

HEAD = "policy deep {\n\tlayers apparmor;\n\tlevel linux 6.1;\n\tarch x86_64;\n"


def below(n, letters):
    """Directories below each other."""
    path, out = "", ""
    for i in range(n):
        path += f"/{i}" + "x" * letters
        out += f"\tfile r {path}/;\n"
    return HEAD + out + "}\n"


def notes(pale, tmp_path, text, *args):
    (tmp_path / "a.pale").write_text(text)
    return pale("compile", "-t", "apparmor", *args, "-o", tmp_path / "a.aa", tmp_path / "a.pale").err.count("PL470")


@pytest.mark.parametrize("n, letters, release, told", [(40, 26, None, False), (46, 26, None, True), (46, 26, "3.0", True), (46, 26, "4.1", False), (70, 26, "5.0", True)])
def test_long_names_that_begin_alike_are_told(pale, tmp_path, n, letters, release, told):
    assert notes(pale, tmp_path, below(n, letters), *(["--target", f"apparmor={release}"] if release else [])) == told


def test_long_names_that_begin_otherwise_and_rules_that_come_twice_are_not(pale, tmp_path):
    other = HEAD + "".join(f"\tfile r /{i}/{'x' * 1500}/;\n" for i in range(60)) + "}\n"
    twice = HEAD + "".join(f"\tfile {p} /{'x' * 1500}/;\n" for p in ("r", "w", "k", "m", "ix") * 3) + "}\n"
    assert notes(pale, tmp_path, other) == notes(pale, tmp_path, twice) == 0


def test_the_option_that_is_named_ends_it(pale, tmp_path):
    parser = Parser("3.0")

    def cpu(*args):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        parser.run("-Q", "-K", "-S", "--base", parser.base, *args, tmp_path / "a.aa")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime - before.ru_utime
    notes(pale, tmp_path, below(28, 26))
    assert cpu() > 5 * cpu("-O", "no-expr-simplify")
