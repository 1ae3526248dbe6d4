#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command in runc on this machine's own root, network and user, under a seccomp profile.

    in_runc.py PROFILE.oci.json nnp|plain CMD...

What is left of a container is what the filter meets: the runtime's start. Meant to be the prefix
of tests/workloads.py, inside its namespaces.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile


def main():
    profile, nnp, *argv = sys.argv[1:]
    tmp = pathlib.Path(tempfile.mkdtemp(prefix="pale-runc-"))
    root = tmp / "rootfs"
    root.mkdir()
    name = f"pale-{os.getpid()}"
    try:
        subprocess.run(["mount", "--rbind", "/", root], check=True)
        subprocess.run(["mount", "--make-rprivate", root], check=True)
        subprocess.run(["runc", "spec", "-b", tmp], check=True)
        path = tmp / "config.json"
        c = json.loads(path.read_text())
        p = c["process"]
        p.update(terminal=False, args=argv, noNewPrivileges=nnp == "nnp")
        caps = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_NET_BIND_SERVICE", "CAP_SETGID", "CAP_SETUID",
                "CAP_KILL"]
        p["capabilities"] = {k: caps for k in ("bounding", "effective", "permitted")}
        p["rlimits"] = []
        c["root"] = {"path": str(root), "readonly": False}
        c["mounts"] = [m for m in c["mounts"] if m["destination"] == "/proc"]
        c["linux"]["namespaces"] = [{"type": "mount"}]
        c.pop("hostname", None)
        c["linux"].pop("maskedPaths", None)
        c["linux"].pop("readonlyPaths", None)
        c["linux"]["seccomp"] = json.loads(pathlib.Path(profile).read_text())
        path.write_text(json.dumps(c))
        return subprocess.call(["runc", "run", "--no-pivot", "-b", tmp, name])
    finally:
        subprocess.run(["runc", "delete", "--force", name], stderr=subprocess.DEVNULL)
        subprocess.run(["umount", "-l", root])
        shutil.rmtree(tmp, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
