# SPDX-License-Identifier: Apache-2.0
"""Images whose distribution nobody mends any more: in Dockerfiles, and wherever an image is named."""
import csv
import pathlib
import re

import pytest

from cases import findings_of
from conftest import ROOT, need

ROWS = re.findall(r'^IMAGE\("([\w/]+)", "([\d.]+)", "([\w.]*)", "([\d-]+)"\)', (ROOT / "compiler/lint/deploy_images.def").read_text(), re.M)
IMAGES = {  # what is named, and the release that is told
    "debian:9": "debian 9", "debian:9.13-slim": "debian 9", "debian:90": "", "debian:stretch-20220622": "debian 9", "debian:12": "", "debian": "",
    "docker.io/library/debian:buster": "debian 10", "python:3.7-slim-stretch": "debian 9", "python:3.7-stretched": "", "ubuntu:16.04": "ubuntu 16.04",
    "ubuntu:xenial-20210804@sha256:00": "ubuntu 16.04", "ubuntu:24.04": "", "alpine:3.14.2": "alpine 3.14", "alpine:3.1": "alpine 3.1", "alpine:3.140": "", "centos:7": "centos 7",
    "python:3.9-alpine3.14": "alpine 3.14", "node:alpine3.140": "", "fedora:41": "fedora 41", "fedora:44": "", "amazonlinux:2.0.20240131.0": "amazonlinux 2",
    "amazonlinux:2023": "", "oraclelinux:7-slim": "oraclelinux 7", "opensuse/leap:15.3": "opensuse/leap 15.3", "opensuse/leap:16.0": "",
    "httpd:2.4-centos7": "centos 7", "my/debian:9": "", "reg.example:5000/debian": "", "debian:$V": "", "scratch": "",
}
AS = {  # how
    "Dockerfile": "FROM {}\n", "compose.yaml": "services:\n  a:\n    security_opt: [no-new-privileges]\n    image: '{}'\n",
    "run.sh": "docker run --security-opt no-new-privileges {}\n",
    "pod.yaml": "apiVersion: v1\nkind: Pod\nspec:\n  securityContext: {{seccompProfile: {{type: RuntimeDefault}}}}\n  containers:\n"
                "  - image: '{}'\n    securityContext: {{allowPrivilegeEscalation: false}}\n",
}


@pytest.fixture
def lint(pale, tmp_path):
    def call(files):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)
        return dict(zip(files, findings_of(pale, [tmp_path / n for n in files])))
    return call


def test_an_ended_image_is_told_wherever_it_is_named(lint):
    files = {f"{n}/{name}": text.format(image) for n, image in enumerate(IMAGES) for name, text in AS.items()}
    for name, found in lint(files).items():
        image, want = list(IMAGES.items())[int(name.split("/")[0])]
        told = [re.search(r"is made of ([\w/]+ [\d.]+),", f["message"])[1] for f in found if f["id"] != "PL456"]
        assert told == [want] * bool(want), (name, image, found)
        assert all(files[name][f["begin"]:f["end"]].strip("'") == image for f in found if f["id"] == "DP606")


def test_stages_and_continued_lines_name_no_image(lint):
    text = "# syntax=x\nARG V=9\nFROM --platform=linux/amd64 debian:9 AS debian:8\nFROM debian:8\nRUN echo \\\n  # c\n  FROM debian:10\nfrom\tcentos:6\r\n"
    found = lint({"Dockerfile": text})["Dockerfile"]
    assert [(f["line"], text.encode()[f["begin"]:f["end"]].decode()) for f in found] == [(3, "debian:9"), (8, "centos:6")]


def test_comments_suppress_and_folders_are_searched(lint, pale, tmp_path):
    kept = lint({"Dockerfile": "# pale: ignore DP606 it is an archive\nFROM debian:9\n"})["Dockerfile"]
    assert not [f for f in kept if not f.get("suppressed")]
    (tmp_path / "web.Dockerfile").write_text("FROM debian:9\n")
    assert "web.Dockerfile:1:6: warning DP606" in pale("lint", "--format", "concise", tmp_path, check=1).out


def test_days_are_those_of_distro_info():
    if not pathlib.Path("/usr/share/distro-info").exists():
        need("debian-distro-info")  # of the package that has both
    known = {}
    for distribution, key in ("debian", "eol-lts"), ("ubuntu", "eol"):
        with open(f"/usr/share/distro-info/{distribution}.csv") as f:
            for row in csv.DictReader(f):
                known[distribution, row["version"].partition(" ")[0]] = row["series"], row[key]
    ours = {(d, v): (codename, day) for d, v, codename, day in ROWS if d in ("debian", "ubuntu")}
    assert len(ours) > 20 and {k: known[k] for k in ours} == ours
