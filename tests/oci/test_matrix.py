# SPDX-License-Identifier: Apache-2.0
"""Each runtime of `make deps-runtimes`, the seven that pale's predictions are measured with: what
the kernel holds after it has loaded a profile is what the model of it says, and a container
starts when `sim --as` says so."""
import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import PALE, run
from runtimes import ROWS, fetched
from test_loaded import FACTS, X86, base, jobs, of, run_all, shipped, tell  # noqa: F401 (base is a fixture)
from test_one_reader import answers, mutants

LONG = int(os.environ.get("PALE_LONG", "0"))  # all of it, and N profiles of each kind more


@pytest.mark.once
@pytest.mark.parametrize("row", ROWS)
def test_each_runtime_is_the_one_named(row):
    rt = fetched(row)
    said = run([rt.path, "--version"], check=0).out
    assert f"{rt.kind} version {row.split('-')[1]}" in said.replace("+", " "), said
    assert rt.full.startswith(row + "+libseccomp-2."), rt.full


def facts(i):
    """A slice for each row, which together are all of them."""
    work = [(f"f{n}", {"text": text, "engine": False}) for n, (name, text) in enumerate(FACTS.items())
            if "6.1 " not in name and "6.2 " not in name]
    return work if LONG else work[i::len(ROWS)]


NUMBERED = {  # by libseccomp's own table, and what runc's stub makes of the highest
    "map_shadow_stack on x32": ["kill", "sendto", "map_shadow_stack"],
    "newer than many kernels": ["listns", "rseq_slice_yield", "file_setattr", "open_tree_attr"],
}


@pytest.mark.once
@pytest.mark.parametrize("row", ROWS)
def test_names_have_the_numbers_that_each_library_gives_them(base, tmp_path, row):  # noqa: F811
    work = [(f"n{i}", {"text": of({"names": ["exit_group", *names], "action": "SCMP_ACT_ALLOW"}, arches=X86),
                       "engine": False}) for i, names in enumerate(NUMBERED.values())]
    assert {a for _, a in run_all(base, tmp_path, fetched(row), work)} == {"equal"}


@pytest.mark.once
@pytest.mark.parametrize("row", ROWS)
def test_the_model_is_what_the_kernel_holds_after_each(base, tmp_path, record_property, row):  # noqa: F811
    rt, i = fetched(row), ROWS.index(row)
    first = 20000 + 1000 * i
    work = jobs(first, first + 36 + LONG) + facts(i) + (shipped() if LONG else shipped()[i % 6::6])
    bad = tell(record_property, rt.full, run_all(base, tmp_path, rt, work))
    assert not bad


OPTIONS = """policy p { level linux 6.1; layers seccomp; arch x86_64, x32, i386; default errno EPERM; unknown errno ENOSYS;
    use start-%s; allow exit_group, getsockopt(level == SOL_SOCKET and optname in {SO_TYPE, SO_ERROR, SO_SNDBUF, SO_KEEPALIVE, SO_REUSEPORT}
    or level == IPPROTO_TCP and optname in {TCP_NODELAY, TCP_INFO, TCP_CORK} or level == IPPROTO_IPV6 and optname == IPV6_V6ONLY);
}
"""


@pytest.mark.once
@pytest.mark.parametrize("row", ROWS)
def test_what_is_written_for_each_of_options_by_level_is_what_the_kernel_holds(base, tmp_path, row):  # noqa: F811
    """Rules on two arguments, some of which one alone decides: of other releases' libraries here that was not asked."""
    rt = fetched(row)
    r = run([PALE, "compile", "-q", "-t", "docker", "--runtime", rt.full, "-"], input=OPTIONS % rt.kind, check=0)
    assert sum("getsockopt" in e["names"] for e in json.loads(r.out)["syscalls"]) > 5
    assert {a for _, a in run_all(base, tmp_path, rt, [("options", {"text": json.loads(r.out), "engine": False})])} == {"equal"}


@pytest.mark.once
@pytest.mark.parametrize("row", ROWS)
def test_sim_knows_what_each_does_not_start(base, tmp_path, record_property, row):  # noqa: F811
    rt, n = fetched(row), 30 + LONG
    some = mutants(n, 100 + ROWS.index(row))
    work = [(base, tmp_path / f"m{i}", [rt], p, lenient) for i, (p, lenient) in enumerate(some)
            if rt.kind == "runc" or not lenient]
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda job: answers(job, lint=False), work))
    wrong = [w for r in results for w in r[0]]
    stopped = [r[1][rt.kind] for r in results].count(False)
    record_property("figure", f"{rt.full}: {len(results)} mutants, {stopped} not started, {len(wrong)} where sim "
                    "says otherwise")
    assert not wrong, "\n".join(str(w)[:1500] for w in wrong[:6])
    assert stopped
