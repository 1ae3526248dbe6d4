#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command in runc or crun on this machine's own root, network and user, under a seccomp
profile; and another that joins it, as a health check does.

    in_runc.py DIR RUNTIME PROFILE.oci.json nnp|plain CMD...
    in_runc.py --join DIR RUNTIME CMD...

RUNTIME: the program. DIR, empty and of one's own, says which container it is. What is left of a
container is what the filter meets: the runtime's start. Meant to be the prefix of
tests/workloads.py, inside its namespaces.
"""
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from runtimes import as_argv  # noqa: E402


def join(where, program, *argv):
    runtime = as_argv(program, pathlib.Path(where) / "state")
    return subprocess.call([*runtime, "exec", "pale-" + pathlib.Path(where).name, *argv],
                           stdin=subprocess.DEVNULL)


def main():
    if sys.argv[1] == "--join":
        return join(*sys.argv[2:])
    where, program, profile, nnp, *argv = sys.argv[1:]
    tmp = pathlib.Path(where)
    root = tmp / "rootfs"
    root.mkdir(parents=True)
    name = "pale-" + tmp.name
    runtime = as_argv(program, tmp / "state")
    try:
        subprocess.run(["mount", "--rbind", "/", root], check=True)
        subprocess.run(["mount", "--make-rprivate", root], check=True)
        subprocess.run(["runc", "spec", "-b", tmp], check=True)
        path = tmp / "config.json"
        c = json.loads(path.read_text())
        c["ociVersion"] = "1.0.2"  # which every runtime knows
        p = c["process"]
        p.update(terminal=False, args=argv, noNewPrivileges=nnp == "nnp")
        caps = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_NET_BIND_SERVICE", "CAP_SETGID", "CAP_SETUID",
                "CAP_KILL"]
        p["capabilities"] = {k: caps for k in ("bounding", "effective", "permitted")}
        p["rlimits"] = []
        c["root"] = {"path": str(root), "readonly": False}
        # Where the host's own /dev stays, runc 1.3 follows its links into /proc.
        c["mounts"] = [m for m in c["mounts"] if m["destination"] in ("/proc", "/dev", "/dev/pts", "/dev/shm")]
        c["linux"]["namespaces"] = [{"type": "mount"}]
        c.pop("hostname", None)
        c["linux"].pop("maskedPaths", None)
        c["linux"].pop("readonlyPaths", None)
        c["linux"]["seccomp"] = json.loads(pathlib.Path(profile).read_text())
        path.write_text(json.dumps(c))
        return subprocess.call([*runtime, "run", "--no-pivot", "-b", tmp, name])
    finally:
        subprocess.run([*runtime, "delete", "--force", name], stderr=subprocess.DEVNULL)
        subprocess.run(["umount", "-l", root])


if __name__ == "__main__":
    sys.exit(main())
