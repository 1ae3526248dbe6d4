#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One of jobs/, its first load, behind a prefix, in network and mount namespaces of its own: traced.py JOB DIR PREFIX..."""
import os
import pathlib
import subprocess
import sys

import jobs
import loop


def main(name, top, *prefix):
    if not os.environ.get("PALE_LOOP_INSIDE"):
        os.environ["PALE_LOOP_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "--net", "--mount", sys.executable, *sys.argv])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    job = next(j for j in jobs.JOBS if j.name == name)
    keep = pathlib.Path(top, "keep")
    keep.mkdir(exist_ok=True)
    if job.get("once"):
        loop.shell({**os.environ, "KEEP": str(keep), "D": top, "HOME": top}, job.get("once"), check=True)
    loop.run_job(job, 1, prefix, top, keep)


if __name__ == "__main__":
    main(*sys.argv[1:])
