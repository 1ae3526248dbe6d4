# SPDX-License-Identifier: Apache-2.0
"""Many profiles compiled in one process, against a process each."""
import pathlib
import tempfile

import table

FILES = 1000


def main():
    with tempfile.TemporaryDirectory(dir="/dev/shm") as tmp:
        tmp = pathlib.Path(tmp)
        text = (table.ROOT / "profiles" / "examples" / "nginx.pale").read_text()
        paths = [tmp / f"p{i}.pale" for i in range(FILES)]
        for i, path in enumerate(paths):
            path.write_text(text.replace("policy nginx", f"policy p{i}", 1))
        (tmp / "each").mkdir()
        options = ["compile", "-q", "-t", "bpf", "--caps", "none"]
        argv = {"one process": [table.PALE, *options, "-o", tmp / "all", *paths]}
        each = 'for f in "$@"; do "$PALE" compile -q -t bpf --caps none -o "$OUT" "$f"; done'
        for build, pale in table.builds().items():
            argv[build] = ["env", f"PALE={pale}", f"OUT={tmp}/each/", "sh", "-c", each, "sh", *paths]
        found = table.interleaved(argv, 3)
    assert all(c.rc == 0 for c in found.values()), found
    each = table.both({k: v for k, v in found.items() if k != "one process"}, lambda c: f"{c.cpu:.2f} s")
    table.show(f"{FILES} profiles, CPU", [
        table.Row("a process each", each),
        table.Row("one process", f"{found['one process'].cpu:.2f} s", None, "1.5 s", each.get("old"))])


if __name__ == "__main__":
    main()
