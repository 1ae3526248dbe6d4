# SPDX-License-Identifier: Apache-2.0
"""The JSON that pale writes: entries a call, what the filter that libseccomp builds of it executes, and
the time of writing and proving it. Docker's own profile is flattened, built and run beside it."""
import json
import pathlib
import tempfile

import count
import loader
import table

DOCKER = table.ROOT / "profiles" / "found" / "docker-default.json"
NGINX = table.ROOT / "profiles" / "examples" / "nginx.pale"
HERE = ["--caps", "none", "--kernel", "6.18", "--host", "x86_64", "--arch", "x86_64"]
SETS = ["--sets", table.ROOT / "profiles" / "sets"]
DEFAULT = [DOCKER, "-t", "docker", "-q", "--approximate", *HERE]
SOCKET, AF_INET, STREAM = 41, 2, 1
THREE = ("socket", "socketpair", "ioctl")


def compiled(pale, directory, *argv):
    out = directory / "out.json"
    table.cost([pale, "compile", *argv, "-o", out])
    return json.loads(out.read_text())


def executed(profile, tree, args=(AF_INET, STREAM, 0, 0, 0, 0)):
    answer, steps, _ = count.Program(loader.build(profile, tree)).run(SOCKET, args)
    assert answer == count.ALLOW
    return steps


def main():
    with tempfile.TemporaryDirectory() as tmp:
        tmp = pathlib.Path(tmp)
        own = json.loads(DOCKER.read_text())
        default = {name: compiled(p, tmp, *DEFAULT) for name, p in table.builds().items()}
        nginx = {name: compiled(p, tmp, NGINX, *SETS, "-t", "docker", "-q") for name, p in table.builds().items()}
        times = {what: table.interleaved({name: [p, "compile", *argv, "-o", tmp / "t.json"] for name, p in table.builds().items()})
                 for what, argv in (("nginx", [NGINX, *SETS, "-t", "docker", "-q"]), ("default", DEFAULT))}
    entries = {name: len(loader.entries(p, "socket")) for name, p in default.items()}
    three = {name: sum(len(loader.entries(p, n)) for n in THREE) for name, p in nginx.items()}
    rows = [
        table.Row("Docker's default: entries for socket", table.both(entries, str), str(len(loader.entries(own, "socket"))), "3"),
        table.Row("nginx: entries for socket, socketpair, ioctl", table.both(three, str), None, "under 20"),
        *(table.Row(f"Docker's default: socket(AF_INET) executes, {what}",
                    table.both({n: executed(p, tree) for n, p in default.items()}, str), str(executed(own, tree)), reach)
          for what, tree, reach in (("tree", True, "25"), ("list", False, None))),
        *(table.Row(f"nginx: socket(AF_INET, SOCK_STREAM) executes, {what}",
                    table.both({n: executed(p, tree) for n, p in nginx.items()}, str))
          for what, tree in (("tree", True), ("list", False))),
        *(table.Row(f"compile of {what} to JSON, proved: CPU",
                    table.both({n: c.cpu for n, c in costs.items()}, lambda s: f"{1000 * s:.1f} ms"))
          for what, costs in times.items()),
    ]
    table.show("JSON", rows)


if __name__ == "__main__":
    main()
