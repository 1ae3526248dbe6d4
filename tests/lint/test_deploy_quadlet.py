# SPDX-License-Identifier: Apache-2.0
"""Containers that Podman makes services of: NAME.container, and what is put over one."""
import json

import pytest

from cases import RULES, findings_of

HEAD = "[Unit]\nDescription=x\n[Container]\nImage=registry.example/web:1\nNoNewPrivileges=true\n"
SAYS = {  # settings: what is told, and of which bytes
    "": "", "AppArmor=web\nSeccompProfile=/no/such.json": "DP612 warning /no/such.json", "SeccompProfile=such.json": "", "SeccompProfile=%h/x.json": "",
    "AppArmor=unconfined": "DP601 high unconfined", "AppArmor=\"unconfined\"": "DP601 high unconfined", "SeccompProfile=unconfined": "DP601 high unconfined",
    "SeccompProfile=unconfined\nSeccompProfile=": "", "SeccompProfile=unconfined\nSeccompProfile=/dev/null": "DP612 warning /dev/null",
    "SecurityLabelDisable=yes": "DP601 high yes", "SecurityLabelDisable=no": "", "SecurityLabelDisable=true\nSecurityLabelDisable=false": "",
    "Unmask=ALL": "DP601 high ALL", "Unmask=/proc/acpi": "", "Network=host": "DP605 warning host", "Network=host\nNetwork=": "", "Network=web.network": "",
    "Volume=/run/podman/podman.sock:/x:ro": "DP607 high /run/podman/podman.sock:/x:ro", "Volume=web.volume:/x": "", "Volume=/var/run:/x": "DP607 high /var/run:/x",
    "Mount=type=bind,source=/var/run/docker.sock,target=/y": "DP607 high type=bind,source=/var/run/docker.sock,target=/y",
    "PodmanArgs=--privileged": "DP604 high --privileged", "PodmanArgs=--pid host \\\n  --security-opt unmask=ALL": "DP605 high host DP601 high unmask=ALL",
    "PodmanArgs=--ipc=host": "DP605 high host", "UserNS=host": "", "AddCapability=CAP_SYS_ADMIN NET_RAW": "DP611 high CAP_SYS_ADMIN", "NoNewPrivileges=no": "DP608 info Image=registry.example/web:1",
    "User=x\n[Service]\nUser=x": "", "[Service]\nAppArmor=unconfined\nNetwork=host": "", "[Service]\nSystemCallFilter=~@moun": "DP614 high @moun",
    "# pale: ignore DP605 it counts what others do\nPodmanArgs=--pid=host": "",
}


def test_settings_of_a_container_are_what_podman_gets(pale, tmp_path):
    files = [tmp_path / f"{n}.container" for n in range(len(SAYS))]
    for f, text in zip(files, SAYS):
        f.write_text(HEAD + text + "\n")
    for f, (text, want), found in zip(files, SAYS.items(), findings_of(pale, files)):
        assert " ".join(f"{x['id']} {x['severity']} {f.read_text()[x['begin']:x['end']]}" for x in found) == want, (text, found)


def test_what_is_put_over_a_container_takes_back_and_is_told_by_itself(pale, tmp_path):
    main, over, more = tmp_path / "a.container", tmp_path / "a.container.d/1.conf", tmp_path / "a.container.d/2.conf"
    over.parent.mkdir()
    main.write_text(HEAD.replace("true", "false") + "SeccompProfile=unconfined\nUnmask=ALL\nNetwork=host\n")
    over.write_text("[Container]\nSeccompProfile=/dev/null\nUnmask=\nNoNewPrivileges=true\nVolume=/run/docker.sock:/x\n")
    more.write_text("[Container]\n; pale: ignore DP605 it counts what others do\nPodmanArgs=--pid=host\nAppArmor=unconfined\n")
    r = pale("lint", "--format", "json", tmp_path, check=1)
    assert sorted((f["file"].rpartition("/")[2], f["id"]) for f in json.loads(r.out)["findings"]) == \
        [("1.conf", "DP607"), ("1.conf", "DP612"), ("2.conf", "DP601"), ("a.container", "DP605")], r


@pytest.mark.parametrize("seccomp", ["f.json", "{folder}/f.json"])
def test_its_profiles_are_joined(pale, tmp_path, seccomp):
    for name, text in {"a.container": HEAD + f"AppArmor=web\nSeccompProfile={seccomp.format(folder=tmp_path)}\n", "f.json": (RULES / "DP621/bad-joined.json").read_text(),
                       "web.aa": (RULES / "DP621/bad-joined.aa").read_text()}.items():
        (tmp_path / name).write_text(text)
    found = json.loads(pale("lint", "--target", "apparmor=3.0", "--select", "DP", "--format", "json", *(tmp_path / n for n in ("a.container", "f.json", "web.aa")), check=1).out)["findings"]
    assert [f["id"] for f in found] == ["DP621"], found
    (tmp_path / "web.aa").write_text("profile wab {\n}\n")
    found = json.loads(pale("lint", "--target", "apparmor=3.0", "--select", "DP", "--format", "json", *(tmp_path / n for n in ("a.container", "web.aa")), check=1).out)["findings"]
    assert [f["id"] for f in found] == ["DP618"], found
