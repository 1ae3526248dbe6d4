# SPDX-License-Identifier: Apache-2.0
"""Programs are laid out for the calls that run them: those that the kernel's action cache does not
answer, where it has one. Counted by an interpreter that shares nothing with pale's."""
import re
import sys

import pytest

from conftest import PALE, ROOT, run

sys.path.insert(0, str(ROOT / "tests" / "bench"))
import bench_weights as bench  # noqa: E402
from count import Program, average, known, trace  # noqa: E402

SETS = ROOT / "profiles" / "sets"
TRACES = ROOT / "tests" / "bench" / "traces"
DOCKER = ROOT / "profiles" / "found" / "docker-default.json"
FIGURE = re.compile(r"executed per call: ([\d.]+) on average over (\d+) known (\w+) calls, (\d+) at most"
                    r"(?:, (?:([\d.]+)|none of them) on the trace)?"
                    r"(?:; executed per uncached call: (?:there is none|([\d.]+) on average over (\d+)"
                    r"(?:, (?:([\d.]+)|none of them) on the trace)?))?; .*cacheable: (\d+) of (\d+)")


def made(tmp_path, source, *argv):
    """(bytes of each program, what is said of each), by machine family."""
    r = run([PALE, "compile", "-t", "bpf", "--sets", SETS, *argv, "-o", f"{tmp_path / 'out'}/", source])
    assert r.rc == 0, r
    out = {}
    for path in (tmp_path / "out").glob("*.bpf"):
        line, = (s for s in r.err.splitlines() if s.startswith(f"{path}: "))
        out[path.name.split(".")[-2]] = path.read_bytes(), FIGURE.search(line)
        path.unlink()
    return out


def policy(tmp_path, body, head="arch x86_64;"):
    path = tmp_path / "p.pale"
    path.write_text(f"policy p {{ layers seccomp; {head}\n{body}\n}}\n")
    return path


def close(said, counted):
    return (said is None) == (counted is None) and (counted is None or abs(float(said) - counted) < 0.00501)


@pytest.mark.parametrize("source", ["examples/nginx.pale", "docker-default.pale", "found/docker-default.json",
                                    "found/seccomp-profile.json"])
@pytest.mark.parametrize("weights", [None, "server", "py", "gcc"])
def test_what_is_said_to_be_executed_is(tmp_path, source, weights):
    file = TRACES / f"{weights}.txt"
    argv = ["--caps", "none", "--kernel", "6.18", "--host", "x86_64", *(["--weights", file] if weights else [])]
    level = re.search(r"level linux ([\d.]+);", (ROOT / "profiles" / source).read_text())
    for data, said in made(tmp_path, ROOT / "profiles" / source, *argv).values():
        program, calls = Program(data, said[3]), known(said[3], level[1] if level else "99.0")
        assert (said[7] is None) == (said[3] == "mips64el"), said[0]
        for cache, mean, n, traced in ((False, 1, 2, 5), (True, 6, 7, 8))[:1 if said[7] is None else 2]:
            steps = program.executed(calls, cache)
            assert int(said[n]) == len(steps), (said[0], len(steps))
            assert close(said[mean], average(steps, dict.fromkeys(steps, 1))), said[0]
            assert not weights or close(said[traced], average(steps, trace(file))), said[0]


@pytest.mark.parametrize("arch", ["i386", "aarch64", "arm", "riscv64", "s390x", "ppc64le", "loongarch64"])
def test_each_architecture_with_a_cache_is_counted_so(tmp_path, arch):
    source = policy(tmp_path, "allow read, write, close; allow lseek(reg arg2 == 0); kill ptrace;", f"arch {arch};")
    (data, said), = made(tmp_path, source, "--kernel", "6.18").values()
    steps = Program(data, arch).executed(known(arch, "99.0"), cache=True)
    assert int(said[7]) == len(steps) == int(said[2]) - 3
    assert close(said[6], average(steps, dict.fromkeys(steps, 1))), said[0]


def test_dockers_default_executes_what_was_to_be_reached(record_property):
    now = bench.figures(PALE)
    record_property("figure", "executed per uncached call: " + ", ".join(
        f"{name} {value:.4g}" for name, value in now.items() if value is not None))
    assert {name for name in bench.REACH if now[name] > bench.REACH[name] + 0.001} == set(), now
    assert all(now[name] <= bench.REACH["instructions"] for name in now if "instructions" in name), now


@pytest.mark.parametrize("head,argv", [("arch x86_64; level linux 6.18;", ["--kernel", "5.10"]),
                                       ("arch x86_64; level linux 5.10;", []),
                                       ("arch mips64el;", ["--kernel", "6.18"]),
                                       ("arch x32;", ["--kernel", "6.18"])])
@pytest.mark.parametrize("weights", [[], ["--weights", TRACES / "server.txt"]])
def test_where_nothing_is_cached_all_calls_count_alike(tmp_path, head, argv, weights):
    rules = "use libc; allow futex, epoll_wait, recvfrom, sendto; allow socket(domain == AF_UNIX); kill ptrace;"
    source = policy(tmp_path, rules, head)
    (data, said), = made(tmp_path, source, *argv, *weights).values()
    assert said[6] is None and "uncached" not in said[0]
    if weights:  # what is frequent comes first, be it allowed or not
        assert float(said[5]) < float(said[1]) - 1, said[0]


@pytest.mark.parametrize("line", ["level linux 5.11;", "level linux 6.18;", ""])
def test_the_level_is_the_kernel_where_none_is_named(tmp_path, line):
    source = policy(tmp_path, "allow read; kill ptrace;", "arch x86_64; " + line)
    (_, said), = made(tmp_path, source).values()
    assert int(said[7]) == int(said[2]) - 1


def test_a_trace_of_cached_calls_alone_changes_nothing(tmp_path):
    source = policy(tmp_path, "allow read, write, futex, getpid; allow socket(domain == AF_UNIX); kill ptrace;")
    (tmp_path / "trace").write_text("1000 read\n10 write\n")
    plain, traced = (made(tmp_path, source, *w)["x86_64"] for w in ([], ["--weights", tmp_path / "trace"]))
    assert plain[0] == traced[0]
    assert traced[1][5] and traced[1][8] is None and "none of them on the trace" in traced[1][0]


def test_a_policy_that_allows_everything_has_no_uncached_call(tmp_path):
    (data, said), = made(tmp_path, policy(tmp_path, "default allow;")).values()
    assert "executed per uncached call: there is none;" in said[0] and said[9] == said[10] == said[2]


@pytest.mark.parametrize("rules,allowed", [
    ("allow read(reg fd == 7); allow read(reg fd != 7);", 1),
    ("allow read(reg fd < 7 or reg fd >= 7);", 1),
    ("allow mprotect(prot has PROT_EXEC); allow mprotect(prot lacks PROT_EXEC);", 1),
    ("allow read(reg fd in 0..7); allow read(reg fd > 7);", 1),
    ("allow read(reg fd <= 7); errno EACCES read(reg fd > 7);", 0),
    ("log read(reg fd == 7); allow read(reg fd != 7);", 0),
    ("allow read, write; allow close(fd == 1 or fd != 1);", 3),
    ("allow read; kill read(reg fd == 7);", 0)])
def test_always_allowed_is_counted_by_meaning(tmp_path, rules, allowed):
    (data, said), = made(tmp_path, policy(tmp_path, rules)).values()
    assert (int(said[9]), int(said[10])) == (allowed, allowed), said[0]
    assert sum(Program(data).caches(nr) for nr in known("x86_64", "99.0").values()) == allowed
