# SPDX-License-Identifier: Apache-2.0
"""Containers that scripts start: `docker run`, `podman run`, read as words and never run."""
import re

import pytest

from cases import findings_of, open_
from conftest import need, run

# A command, and the rules that speak of it besides DP608.
COMMANDS = {
    "docker run --privileged x": "DP604", "docker run --privileged=false x": "", "docker run --privileged=true x": "DP604",
    "docker create -it --privileged x": "DP604", "docker container run --rm --privileged x": "DP604",
    "docker run x --privileged": "", "docker run -- x --privileged": "", "docker build --privileged .": "-",
    "sudo -u root docker -H unix:///x run --pid=host x": "DP605", "A=b exec /usr/bin/docker --debug run --pid host x": "DP605",
    "docker run --pid 'host' x": "DP605", "docker run --pid container:a x": "", "docker run --pid \"$P\" x": "",
    "docker run --network host --uts=host --cgroupns host --userns host --ipc host x": "DP605 DP605 DP605 DP605 DP605",
    "podman run --userns host x": "", "podman run --pid host x": "DP605",
    "docker run -v/var/run/docker.sock:/s x": "DP607", "docker run -itv /run:/s x": "DP607", "docker run -v=/run:/s x": "DP607",
    "docker run --mount type=bind,src=/run/docker.sock,dst=/s x": "DP607", "docker run -v a:/run/docker.sock x": "",
    "docker run --mount=type=bind,target=/s,source=/ x": "DP607", "docker run -e A=--privileged -w /run x": "",
    "docker run --security-opt label:type:container_t x": "DP603", "docker run --security-opt label=type:container_t x": "",
    "docker run --security-opt seccomp=default x": "DP602", "docker run --security-opt=seccomp=unconfined x": "DP601",
    "docker run --security-opt \"seccomp=\"'unconfined' x": "DP601", "docker run --security-opt seccomp=$P x": "-", "docker run -v $PWD:/x x": "",
    "docker run --security-opt seccomp=none.json x": "DP612", "docker run --security-opt seccomp=here.json x": "",
    "docker run --security-opt secomp=x x": "DP613", "podman run --security-opt secomp=x x": "", "podman run --security-opt label:disable x": "", "podman run --security-opt label=disable x": "DP601",
    "docker run --cap-add SYS_ADMIN x": "DP611", "docker run --cap-add=NET_RAW x": "", "docker run --cap-add ALL x": "DP611",
    "docker run --security-opt seccomp=here.json --cap-add SYS_ADMIN x": "", "docker run --cap-add SYS_ADMIN \"$IMAGE\"": "DP611",
    "docker run --cap-add SYS_ADMIN $MORE x": "-", "docker run $MORE --privileged x": "-", "docker run --unknown v --privileged x": "DP604",
    "echo docker run --privileged x": "-", "echo \"docker run --privileged x\"": "-", "# docker run --privileged x": "-", "a=docker; $a run --privileged": "-",
    "C=$(docker run -d --privileged x)": "DP604", "C=\"`docker run -d --privileged x`\"": "DP604", "C=\"$(a $(docker run --privileged x))\"": "DP604",
    "if ! docker run --privileged x >/dev/null 2>&1; then :; fi": "DP604", "true && (docker run --privileged x) || :": "DP604",
    "docker run 2>x --privileged x": "DP604", "docker run >x \\\n  --privileged \\\n  x": "DP604", "docker run --env-file <(x) x": "",
    "cat <<E\ndocker run --privileged x\nE\ndocker run x": "", "cat <<-'E' > x\n\tdocker run --privileged x\n\tE\ndocker run --pid host x": "DP605",
    "x=$((1 << 2))\ndocker run --privileged x": "DP604", "cat <<< docker\ndocker run --privileged x": "DP604",
    "docker run --security-opt no-new-privileges x": "-", "docker run --security-opt no-new-privileges=false x": "",
}


@pytest.fixture
def lint(pale, tmp_path):
    def call(texts, name="{}.sh", head="#!/bin/sh\nset -e\n"):
        (tmp_path / "here.json").write_text(open_("read"))
        files = [tmp_path / name.format(f"{n:03}") for n in range(len(texts))]
        for f, text in zip(files, texts):
            f.write_text(head + text + "\n")
        return findings_of(pale, files)
    return call


def test_a_commands_options_are_read_up_to_the_image(lint):
    for (text, rules), found in zip(COMMANDS.items(), lint(COMMANDS)):
        ids = [f["id"] for f in found if f["id"] != "PL456"]
        want = rules.replace("-", "").split()
        if rules != "-" and "DP604" not in want:
            want.append("DP608")
        assert sorted(ids) == sorted(want), (text, found)


def test_places_are_those_of_the_script(lint):
    text = "\u00e9=1; docker run --pid=host --security-opt 'seccomp=unconfined' --mount=type=bind,src=/,dst=/x \"a\"b"
    found = lint([text], head="")[0]
    told = {f["id"]: text.encode()[f["begin"]:f["end"]].decode() for f in found}
    assert told == {"DP605": "host", "DP601": "'seccomp=unconfined'", "DP607": "type=bind,src=/,dst=/x", "DP608": "\"a\"b"}
    assert {f["message"].split("'")[1] for f in found if f["id"] != "DP608"} == {"ab"}


def test_a_comment_above_a_command_suppresses_in_all_its_lines(lint):
    text = "# pale: ignore DP604 it builds images\ndocker run \\\n  --rm \\\n  --privileged x # pale: ignore DP605 no\ndocker run --privileged y"
    kept = [(f["id"], f["line"]) for f in lint([text], head="")[0] if not f.get("suppressed")]
    assert sorted(kept) == [("DP604", 5), ("DS517", 4)]


def test_a_script_that_starts_nothing_says_so_and_is_passed_over_in_folders(lint, pale, tmp_path):
    assert [f["id"] for f in lint(["echo hi"])[0]] == ["PL456"]
    (tmp_path / "docker.sh").write_text("docker run --privileged x\n")
    out = pale("lint", "--format", "concise", tmp_path, check=1).out
    assert "docker.sh" in out and "000.sh" not in out


def test_a_profile_that_is_named_as_its_script_is_a_profile(pale, tmp_path):
    f = tmp_path / "apparmor.d/usr.bin.web.sh"
    f.parent.mkdir()
    f.write_text("# docker\n/usr/bin/web.sh {\n\tdeny / r\n}\n")
    assert "AP102" in pale("lint", "--format", "concise", f, check=1).out and "AP102" in pale("lint", "--format", "concise", tmp_path, check=1).out


def test_options_without_a_value_are_those_of_dockers_client():
    from conftest import ROOT
    text = (ROOT / "compiler/deploy/read_run.c").read_text()
    flags = set(re.findall(r'"([a-z-]+)"', re.search(r"const flags\[\] = \{(.*?)\}", text, re.S)[1]))
    short, values = (set(re.search(rf'short_{n}\[\] = "(\w+)"', text)[1]) for n in ("flags", "values"))
    rows = re.findall(r"^ {2,6}(?:-(\w), )?--([\w-]+)(?: (\w\S*))? {2,}", run([need("docker"), "run", "--help"], check=0).out, re.M)
    assert len(rows) > 80
    for one, name, value in rows:
        assert (name in flags) == (not value), (name, value)
        assert not one or (one in short, one in values) == (not value, bool(value)), (one, name)
