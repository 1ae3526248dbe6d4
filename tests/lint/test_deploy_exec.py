# SPDX-License-Identifier: Apache-2.0
"""`docker exec --privileged` in scripts."""
import json
import shutil
import subprocess

from cases import findings_of
from conftest import need, need_root, run
from engines import Docker

SH = "#!/bin/sh\n"
TOLD = {  # a command, and whose command is told; None: none
    "docker exec --privileged web ls": "container 'web'", "docker exec -it --privileged web sh -c x": "container 'web'",
    "sudo docker container exec --privileged=true -u 0 web ls": "container 'web'", "podman exec --privileged x ls": "container 'x'",
    "nerdctl exec -w / --privileged x ls": "container 'x'", "docker exec --privileged \"$C\" ls": "a container",
    "docker exec --privileged $C ls": "a container", "X=$(docker exec --privileged web ls)": "container 'web'",
    "docker exec web sh --privileged": None, "docker exec -e A=--privileged web ls": None, "docker exec -u --privileged web ls": None,
    "docker exec --privileged=false web ls": None, "docker exec $O --privileged web ls": None, "docker compose exec --privileged web ls": None,
    "# docker exec --privileged web ls": None, "echo docker exec --privileged web ls": None,
}


def test_a_privileged_command_is_told_where_its_option_stands(pale, tmp_path):
    files = [tmp_path / f"{n}.sh" for n in range(len(TOLD))]
    for f, line in zip(files, TOLD):
        f.write_text(SH + line + "\n")
    for f, (line, who), found in zip(files, TOLD.items(), findings_of(pale, files)):
        told = [(f.read_text()[x["begin"]:x["end"]], x["severity"], x["message"]) for x in found if x["id"] == "DP604"]
        assert [t[2].partition(" is privileged")[0] for t in told] == ([f"a command in {who}"] if who else []), (line, found)
        assert all(t[0].startswith("--privileged") or t[0] == "true" for t in told) and all(t[1] == "warning" for t in told), told
        assert [x["id"] for x in found if x["id"] != "DP604"] == ["PL456"] * (not who), (line, found)


def test_a_comment_suppresses_it(pale, tmp_path):
    (tmp_path / "x.sh").write_text(SH + "docker exec --privileged web ls # pale: ignore DP604 it mounts\n")
    assert [f["id"] for f in findings_of(pale, [tmp_path / "x.sh"])[0] if not f.get("suppressed")] == []


def test_docker_asks_its_runtime_for_all_capabilities(tmp_path_factory):
    """DP604: by what a runtime is called with; where the machine's root lacks some, runc refuses them."""
    need("dockerd")
    need_root()
    root, d = tmp_path_factory.mktemp("r"), tmp_path_factory.mktemp("e")
    (root / "bin").mkdir()
    shutil.copy(need("busybox"), root / "bin/busybox")
    (d / "spy").write_text(f"#!/bin/sh\np=\nfor a; do [ \"$p\" = --process ] && cat \"$a\" >> {d}/asked; p=$a; done\nexec {need('runc')} \"$@\"\n")
    (d / "spy").chmod(0o755)
    docker = Docker(d, options=("--add-runtime", f"spy={d}/spy"))
    try:
        docker.imports(subprocess.run(["tar", "-C", root, "-c", "."], capture_output=True, check=True, timeout=60).stdout, "x:x")
        assert docker("run", "-d", "--runtime", "spy", "--network", "none", "--name", "one", "x:x", "/bin/busybox", "sleep", "600")
        for options in (), ("--privileged",):
            run([need("docker"), "exec", *options, "one", "/bin/busybox", "true"], env=docker.env)
        plain, full = (set(json.loads(line)["capabilities"]["bounding"]) for line in (d / "asked").read_text().splitlines())
        assert len(plain) == 14 and "CAP_SYS_ADMIN" not in plain and plain < full and len(full) > 36 and {"CAP_SYS_ADMIN", "CAP_SYS_MODULE"} < full
    finally:
        docker("rm", "-f", "one")
        docker.end()
