# SPDX-License-Identifier: Apache-2.0
"""`diff` of two revisions of packaged profiles: of the largest, and of whichever takes longest. A revision loses
one rule and has three more; once one more that is over everything."""
import pathlib
import re
import tempfile

import table
from bench_means import installed

MORE = "  /srv/revised/** rw,\n  deny /etc/secret w,\n  capability sys_nice,\n"
EVERYWHERE = "  deny /**/secret w,\n"


def revised(text, more=MORE):
    head, tail = text.rsplit("}", 1)
    return re.sub(r"^\s+/\S+ r,\n", "", head, count=1, flags=re.M) + more + "}" + tail


def main():
    with tempfile.TemporaryDirectory() as folder:
        base = pathlib.Path(folder)
        pairs = {}
        for path in map(pathlib.Path, installed(base)):
            pairs[path] = pathlib.Path(f"{path}.revised")
            pairs[path].write_text(revised(path.read_text()))
        ask = {path: [table.PALE, "diff", "-I", base, "--fail-on", "none", path, new] for path, new in pairs.items()}
        size = {path: path.stat().st_size for path in pairs}
        found = table.interleaved({str(p): a for p, a in ask.items()}, table.ROUNDS)
        assert all(c.rc == 0 for c in found.values()), found
        largest, slowest = max(size, key=size.get), max(found, key=lambda p: found[p].cpu)
        rows = [(f"the largest, {largest.name}", str(largest)), (f"the slowest, {pathlib.Path(slowest).name}", slowest)]
        wide = pathlib.Path(f"{slowest}.wide")
        wide.write_text(revised(pathlib.Path(slowest).read_text(), MORE + EVERYWHERE))
        over = table.cost([table.PALE, "diff", "-I", base, "--fail-on", "none", slowest, wide])
        table.show("diff of two revisions of packaged profiles", [
            table.Row(f"{what}: CPU", f"{1000 * found[p].cpu:.1f} ms", None, "50 ms") for what, p in rows] + [
            table.Row("that with a rule over everything: CPU", f"{1000 * over.cpu:.1f} ms", None, "-"),
            table.Row("its memory", f"{over.peak:.0f} MiB", None, "64 MiB")])


if __name__ == "__main__":
    main()
