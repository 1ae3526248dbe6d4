# SPDX-License-Identifier: Apache-2.0
"""An option that a command does not have is told in the same way by all of them."""
import re

import pytest

from conftest import PALE, run
from optiontable import COMMANDS, OPTIONS

OWN = {"run": 125, "learn": 125}  # where another status could be the command's


def usage(command):
    return run([PALE, command, "--help"], check=0).out


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_has_a_usage_line_of_its_options_and_a_line_for_each(command):
    out = usage(command)
    assert out.startswith(f"usage: pale {command} ") and out == run([PALE, command, "-h"], check=0).out
    head, rows = out.split("\n\n", 1)
    assert max(map(len, out.splitlines())) <= 88
    for o in OPTIONS[command]:
        before, after = ("[=", "]") if o.kind == "MAYBE" else (" ", "")
        argument = re.escape(f"{before}{o.argument}{after}" if o.argument else "")
        assert re.search(rf"^  (-{o.letter},|   ) --{o.name}{argument}(  |$)", rows, re.M), o
        listed = re.search(rf"(?<![\w-])(-{o.letter or '-' + o.name}|--{o.name}){argument}(?![\w-])", head)
        assert bool(listed) == (o.id not in ("DIAG", "HELP")), o


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_option_is_told_the_same_by_every_command(command):
    for word in "--nosuchoption", "--hlep", "--\x1b[31mred", "-Z", "--nosuch=--help":
        r = run([PALE, command, word, "x"])
        name = re.escape(word.split("=")[0].replace("\x1b", "\\x1b"))
        assert r.rc == OWN.get(command, 2) and not r.out, r
        assert re.match(rf"pale {command}: no option '{name}'(; did you mean '--[a-z-]+'\?|, or it needs a value|) "
                        rf"\(pale {command} --help\)\nusage: pale {command} ", r.err), r
    assert "no option '--hlep'; did you mean '--help'? (" in run([PALE, command, "--hlep"]).err


@pytest.mark.parametrize("command", COMMANDS)
def test_a_misspelt_option_is_recognised(command):
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]{3,}", usage(command)))
    assert options
    for option in options:
        wrong = option + "x"
        r = run([PALE, command, wrong])
        assert re.match(rf"pale {command}: no option '{wrong}'; did you mean '--[a-z-]+'\? \(", r.err), r


def test_help_names_a_command_or_all_of_them():
    every = run([PALE, "--help"], check=0).out
    assert run([PALE, "help"], check=0).out == every and all(f"\n  {c} " in every for c in COMMANDS)
    assert max(map(len, every.splitlines())) <= 88
    for command in COMMANDS:
        assert run([PALE, "help", command], check=0).out == usage(command)
    r = run([PALE, "help", "lern"])
    assert r.rc == 2 and r.err == "pale: no command 'lern'; did you mean 'learn'?\n"
    assert run([PALE, "-V"], check=0).out == run([PALE, "--version"], check=0).out


def test_what_the_help_begins_with_is_taken(tmp_path):
    """Each of its lines, with the words that stand for a workload and files in place."""
    lines = re.search("to begin with:\n((  pale .*\n)+)", run([PALE, "--help"], check=0).out)[1].splitlines()
    assert len(lines) >= 5
    for line in lines:
        argv = re.split("  +", line.strip())[0].replace("--container web", "--container no-such").split()[1:]
        r = run([PALE, *argv], cwd=tmp_path)
        assert "usage:" not in r.err and r.rc != 2, r


def test_the_end_of_options_is_no_value(tmp_path):
    """Forgotten before '--', it would be a file of that name, and the command ran."""
    for args in (["learn", "--report", "--", "touch", "x"], ["learn", "-o", "--", "touch", "x"],
                 ["learn", "--for", "--", "touch", "x"]):
        r = run([PALE, *args], cwd=tmp_path)
        assert r.rc == 125 and "needs a value, and '--' is none (pale" in r.err and not list(tmp_path.iterdir()), r
    assert run([PALE, "learn", "--backend", "ptrace", "-o./--", "--", "true"], cwd=tmp_path).rc == 0
    assert [p.name for p in tmp_path.iterdir()] == ["--"]


def test_a_value_that_is_missing_or_too_much_is_told():
    for args, said in [(["compile", "--target"], "'--target' needs a value (pale compile --help)"),
                       (["diff", "--fail-on"], "'--fail-on' needs a value"), (["run", "--report"], "'--report' needs a value"),
                       (["fmt", "--check=3"], "'--check' takes no value"), (["check", "-t"], "'-t' needs a value (pale check --help)"),
                       (["diff", "--policy", "x"], "'--policy' can be '--policy-a' or '--policy-b'")]:
        r = run([PALE, *args])
        assert r.rc == OWN.get(args[0], 2) and said in r.err, r


def test_what_is_given_twice_or_does_not_go_together_is_told(tmp_path):
    for args, said in [(["list", "--arch", "arm", "--arch=arm", "syscalls"], "'--arch' is given twice"),
                       (["list", "--format", "text", "--format", "json", "sets"], "'--format' is given twice"),
                       (["fmt", "-i", "x", "--check"], "one of '--in-place' and '--check', not both"),
                       (["diff", "--policy-a", "x", "--policy-a", "y", "a", "b"], "'--policy-a' is given twice"),
                       (["run", "--log", "--count", "x", "--", "y"], "one of '--count' and '--log', not both"),
                       (["compile", "--log-only", "--log-refusals", "x"], "one of '--log-refusals' and '--log-only', not both")]:
        assert said in run([PALE, *args], check=OWN.get(args[0], 2)).err
    (tmp_path / "a.pale").write_text("set zzz { allow read; }")
    f = tmp_path / "b.pale"
    f.write_text("set b {\n    allow read;\n}\n")
    run([PALE, "fmt", "--check", "--check", f], check=0)  # a flag says the same again
    assert "zzz" in run([PALE, "show", "--sets", "/usr", "--sets", tmp_path, "zzz"], check=0).out  # a list adds up


def test_a_value_that_is_none_of_the_words_is_told_with_the_nearest():
    for args, said in [(["list", "--format", "jsn", "sets"], "takes one of text, json; 'jsn' is none; did you mean 'json'?"),
                       (["list", "--arch", "x86-46", "sets"], "did you mean 'x86_64'?"),
                       (["list", "--sets", "/no/such", "sets"], "'--sets' takes a directory, and '/no/such' is none"),
                       (["check", "-I", "/no/such", "x"], "'--include' takes a directory"),
                       (["check", "-t", "docker,oic", "x"], "a list of docker, oci, spo, bpf, apparmor, all; 'oic' is none; did you mean 'oci'?"),
                       (["compile", "--caps", "chown,net_amin", "x"], "'net_amin' is none; did you mean 'net_admin'?"),
                       (["sim", "--caps", "CAP_SYS_ADMIM", "x", "read"], "'CAP_SYS_ADMIM' is none; did you mean 'sys_admin'?"),
                       (["list", "sycalls"], "cannot list 'sycalls'; sets, syscalls, constants or targets; did you mean 'syscalls'?"),
                       (["--versoin"], "pale: no command '--versoin'; did you mean '--version'?"),
                       (["diff", "--layers", "seccomp,aparmor", "a", "b"], "did you mean 'apparmor'?"),
                       (["explain", "--kernel", "six", "x", "read"], "'--kernel' takes a version such as 5.10, not 'six'"),
                       (["sim", "--kernel", "99.1-x", "x", "read"], "this pale knows Linux up to 7.3, not '99.1-x'; "
                                                                    "'--kernel 7.3' is the nearest"),
                       (["why", "--pid", "0"], "'--pid' takes a number from 1 to 2147483647, not '0'"),
                       (["import", "--output", "", "x"], "'--output' needs a value"), (["sim", "--arch", ",", "x", "y"], "'--arch' takes one of")]:
        assert said in run([PALE, *args], check=2).err


def test_two_dashes_end_the_options(tmp_path):
    f = tmp_path / "--check"
    f.write_text("set b {\n    allow read;\n}\n")
    assert run([PALE, "fmt", "--", "--check"], cwd=tmp_path, check=0).out == f.read_text()


def test_behind_an_operand_of_learn_and_two_dashes_of_run_stand_the_programs_own(tmp_path):
    assert "--nosuch" not in run([PALE, "learn", "--backend", "ptrace", "/no/such/program", "--nosuch"], check=127).err
    f = tmp_path / "a.pale"
    f.write_text("policy a { nosuch; }")
    r = run([PALE, "run", f, "--count", "--diag=json", "--", "x", "--nosuch"], check=125)  # options behind the FILE
    assert r.err.startswith("{") and "nosuch" in r.err


def test_how_diagnostics_are_told_is_an_option_of_every_command(tmp_path):
    f = tmp_path / "a.pale"
    f.write_text("policy a { nosuch; }")
    for args in (["--diag=json", "check", f], ["check", "--diag=json", f], ["check", f, "--diag", "json"], ["fmt", f, "--diag=json"]):
        assert run([PALE, *args], check=1).err.startswith("{"), args
    assert "'--diag' takes one of text, json" in run([PALE, "check", "--diag=xml", f], check=2).err
