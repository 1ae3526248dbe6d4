# SPDX-License-Identifier: Apache-2.0
"""libFuzzer over every reader of hostile input; prints the coverage it reached."""
import os
import pathlib
import re
import struct

import pytest

from conftest import PALE, ROOT, build_once, run

HERE = pathlib.Path(__file__).parent
TARGETS = sorted(p.stem for p in HERE.glob("fuzz_*.c"))
# All seeds run whatever the time; what is left of it looks for new ones, as `make fuzz` and `make test-long` do at length.
SECONDS = int(os.environ.get("FUZZ_SECONDS", "5"))
SLOW = int(os.environ.get("FUZZ_SECONDS", "12"))  # an import: a diagram each, with sanitizers
SLICE = int(os.environ.get("FUZZ_SECONDS", "3"))  # of the four that read one part of AppArmor each, of the server, engines, pale.toml and fixes


def programs(tmp_path):
    """What pale itself compiles: as the file it is, and with a call in front of it."""
    seeds = tmp_path / "programs"
    seeds.mkdir()
    call = struct.pack("<IIQQQQQQ", 0xc000003e, 41, 2, 1, 0, 0, 0, 0)
    for policy in sorted((ROOT / "profiles" / "examples").glob("*.pale")):
        out = seeds / policy.stem
        run([PALE, "compile", "-q", "-t", "bpf", "-o", out, policy], check=0)
        (seeds / f"{policy.stem}.call").write_bytes(call + out.read_bytes())
    for old in (HERE / "seeds" / "program").iterdir():  # what went wrong once
        (seeds / old.name).write_bytes(old.read_bytes())
    return seeds


def fixed(tmp_path):
    """The linter's cases that a fix mends."""
    seeds = tmp_path / "fixed"
    seeds.mkdir()
    for after in (ROOT / "tests/lint/rules").glob("*/fixed-*"):
        bad = after.with_name(after.name.replace("fixed-", "bad-"))
        if bad.suffix in (".aa", ".json"):
            (seeds / f"{bad.parent.name}-{bad.name}").write_bytes(b"A" * (bad.suffix == ".aa") + bad.read_bytes())
    return seeds


@pytest.mark.parametrize("target", TARGETS)
def test_fuzz(target, tmp_path, record_property):
    binary = ROOT / "build" / "fuzz" / "tests" / "fuzz" / target
    if not binary.exists():
        build_once(binary, ROOT / "build" / "fuzz", ["make", "-s", "-C", str(ROOT), "fuzz-build"])
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    seeds = HERE / "seeds" / target.removeprefix("fuzz_")
    if target == "fuzz_model":
        seeds = HERE / "seeds" / "json"
    if target in ("fuzz_bpf", "fuzz_lift", "fuzz_import"):
        seeds = programs(tmp_path)
    if target == "fuzz_fix":
        seeds = fixed(tmp_path)
    assert any(seeds.iterdir()), f"no seeds in {seeds}"
    words = HERE / ("fuzz_apparmor.dict" if "apparmor" in target else f"{target}.dict".replace("model", "json"))
    seconds = SLICE if "apparmor_" in target or target in ("fuzz_fix", "fuzz_grpc", "fuzz_http", "fuzz_lsp", "fuzz_toml", "fuzz_watch") else SLOW if target == "fuzz_import" else SECONDS
    r = run([binary, f"-max_total_time={seconds}", "-timeout=30", "-seed=1",
             "-rss_limit_mb=4096",  # an import may take 1 GiB, and a sanitizer as much again
             "-print_final_stats=1", f"-artifact_prefix={tmp_path}/",
             *([f"-dict={words}"] if words.exists() else []), corpus, seeds],
            timeout=seconds + 120, text=True)
    assert r.rc == 0, r
    cov = re.findall(r"cov: (\d+) ft: (\d+)", r.err)
    execs = re.search(r"stat::number_of_executed_units:\s*(\d+)", r.err)
    assert cov and execs and int(execs.group(1)) > (20 if target == "fuzz_import" else 100), r
    record_property("figure", f"{target}: {execs.group(1)} runs in {seconds} s, {cov[-1][0]} edges, "
                              f"{cov[-1][1]} features")
