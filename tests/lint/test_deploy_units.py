# SPDX-License-Identifier: Apache-2.0
"""Units of systemd: what systemd itself passes over is told, and what its manual says does not hold."""
import json
import pathlib
import re

import pytest

from cases import findings_of
from conftest import need, run

HEAD = "[Unit]\nDescription=x\n[Service]\nType=oneshot\nExecStart=/bin/true\n"
# Settings, and the rules that speak of them.
UNITS = {
    "SystemCallFilter=@system-service\nSystemCallFilter=~@privileged @resources": "", "SystemCallFilter=~@moun": "DP614 high",
    "SystemCallFilter=raed": "DP614 warning", "SystemCallFilter=~raed:EPERM": "DP614 high", "SystemCallFilter=~read:EPERM": "",
    "SystemCallFilter=read:EPERM": "DP614 warning", "SystemCallFilter=~sigwait": "DP614 high", "SystemCallFilter=read \\\n  write \\\n  opne": "DP614 warning",
    "SystemCallFilter=": "", "SystemCallFilter=%i": "DP614 warning", "CapabilityBoundingSet=~CAP_SYS_ADMN": "DP614 high", "CapabilityBoundingSet=sys_admin": "DP614 warning",
    "CapabilityBoundingSet=~cap_sys_admin CAP_BPF": "", "AmbientCapabilities=CAP_NET_BIND": "DP614 warning",
    "SystemCallArchitectures=x86_64": "DP614 high", "SystemCallArchitectures=native x86_64": "DP614 warning", "SystemCallArchitectures=native x86-64": "",
    "NoNewPrivileges=ja": "DP614 high", "NoNewPrivileges=On": "", "RestrictRealtime=2": "DP614 high",
    "RestrictAddressFamilies=none": "DP615 warning", "RestrictAddressFamilies=AF_INET\nSystemCallArchitectures=native": "",
    "RestrictAddressFamilies=AF_INET\nRestrictAddressFamilies=": "", "RestrictAddressFamilies=~AF_PACKT\nSystemCallArchitectures=native": "DP614 high",
    "MemoryDenyWriteExecute=yes": "DP615 warning", "MemoryDenyWriteExecute=no": "",
    "AppArmorProfile=-web": "DP616 warning", "AppArmorProfile=web": "", "User=x": "DP608 info", "User=root": "", "User=x\nNoNewPrivileges=1": "",
    "User=x\nRestrictRealtime=yes": "", "User=x\nExecStart=@+/bin/true true\nNoNewPrivileges=1": "", "ExecStart=+/bin/true": "",
    "User=x\nNoNewPrivileges=1\n[Service]\nExecStart=\nExecStart=+/bin/true": "", "": "",
    "ProtectSystem=ful": "DP614 high", "ProtectSystem=STRICT": "DP614 high", "ProtectSystem=strict": "", "ProtectHome=readonly": "DP614 high", "ProtectHome=Yes": "",
    "ProtectProc=invisble": "DP614 high", "ProcSubset=pid": "", "PrivateTmp=ture": "DP614 high", "DevicePolicy=close": "DP614 high", "KeyringMode=private": "",
    "RestrictNamespaces=~foo": "DP614 high", "RestrictNamespaces=user ~net": "DP614 high", "RestrictNamespaces=~uts time cgroup": "", "RestrictNamespaces=no": "",
    "SystemCallErrorNumber=EPREM": "DP614 warning", "SystemCallErrorNumber=5000": "DP614 warning", "SystemCallErrorNumber=EPERM": "", "SystemCallLog=~raed": "DP614 high",
    "InaccessiblePaths=-/x etc": "DP614 high", "ReadWritePaths=+/x var": "DP614 warning", "NoExecPaths=/ -+x": "DP614 high", "ReadOnlyPaths=%t -/a": "",
    "ExecStartPre=-/usr/bin/docker run --privileged x": "DP604 high", "[Install]\nSystemCallFilter=x": "", "Description=docker run --privileged x": "",
}


@pytest.fixture
def lint(pale, tmp_path):
    def call(texts, name="{}.service", head=HEAD):
        files = [tmp_path / name.format(n) for n in range(len(texts))]
        for f, text in zip(files, texts):
            f.write_text(head + text + "\n")
        return findings_of(pale, files)
    return call


def test_settings_are_judged(lint):
    for (text, want), found in zip(UNITS.items(), lint(UNITS)):
        assert " ".join(f"{f['id']} {f['severity']}" for f in found if f["id"] != "DP627") == want, (text, found)


def test_what_systemd_passes_over_is_what_is_told(lint, tmp_path):
    """Of capabilities it says nothing: `security` shows that the misspelt one stays."""
    kept = [t for t in UNITS if "Cap" not in t and "docker" not in t and "User" not in t]
    told = lint(kept)
    files = [f"{n}.service" for n in range(len(kept))]
    says = run([need("systemd-analyze"), "verify", *files], cwd=tmp_path).err
    passed = {}
    for name, line in re.findall(r"/(\d+\.service):(\d+): (?:Failed to parse|Unknown system call group|Allow-listed|\w+= path is not absolute).*ignoring", says):
        passed.setdefault(name, set()).add(int(line))
    assert len(passed) >= 8, says
    for name, text, found in zip(files, kept, told):  # a setting's lines are one to systemd
        assert len({f["line"] for f in found if f["id"] == "DP614"}) == len(passed.get(name, ())), (text, says)
    for word, stays in ("CAP_SYS_TIME", False), ("SYS_TIME", True), ("CAP_SYS_TIM", True):
        (tmp_path / "c.service").write_text(HEAD + f"CapabilityBoundingSet=~{word}\n")
        out = run([need("systemd-analyze"), "security", "--offline=true", "./c.service"], cwd=tmp_path, env={"SYSTEMD_COLORS": "0"}).out
        assert (re.search(r"~CAP_SYS_TIME +Service processes may", out) is not None) == stays, out


def test_what_is_put_over_a_unit_counts(lint, pale, tmp_path):
    text = "RestrictAddressFamilies=AF_INET\nUser=x"
    assert {f["id"] for f in lint([text])[0]} == {"DP615"}
    (tmp_path / "0.service.d").mkdir()
    over = tmp_path / "0.service.d/a.conf"
    over.write_text("[Service]\nSystemCallArchitectures=native\nSystemCallFilter=~nosuch\n")
    assert lint([text])[0] == []
    found = json.loads(pale("lint", "--format", "json", over, check=1).out)["findings"]
    assert [(f["id"], f["line"]) for f in found] == [("DP614", 3)]
    over.write_text("[Service]\nRestrictAddressFamilies=AF_INET\nUser=x\n")
    pale("lint", over, check=0)
    out = pale("lint", "--format", "concise", tmp_path).out
    assert "0 findings" in out or not out


def test_a_privileged_program_beside_others_is_a_preparation(lint):
    text = "[Service]\nUser=x\nNoNewPrivileges=1\nExecStart=@+/bin/a a\n"
    found = lint([text, text + "ExecStart=/bin/b", text + "ExecStart=+/bin/b", "[Service]\nExecStart=+/bin/a"], head="")
    assert [[f["id"] for f in of] for of in found] == [["DP617"], [], ["DP617"], []]


def test_the_namespaces_that_a_unit_names_are_no_gap_in_a_mask(lint):
    """systemd-homed's and systemd-importd's are so (262): what passes is what the unit says."""
    for found in lint(["RestrictNamespaces=mnt user", "RestrictNamespaces=net", "RestrictNamespaces=~user"]):
        assert not [f for f in found if f["id"] == "SC125"], found


def test_a_hole_that_the_bounding_set_closes_is_none(lint):
    """What the kernel asks a capability of the machine's own for, whatever the arguments: ProtectClock= takes the clock's. A mount is
    a matter of a user namespace, too, in which the bounding set counts for nothing."""
    clock, module = "SystemCallFilter=~@clock\n", "SystemCallFilter=~init_module\n"
    mount = "SystemCallFilter=~mount fsmount move_mount mount_setattr open_tree_attr\nSystemCallArchitectures=native\n"
    holes = {"ProtectClock=yes": [], clock: ["'stime'"], clock + "CapabilityBoundingSet=~CAP_SYS_TIME": [], clock + "CapabilityBoundingSet=CAP_SYS_TIME": ["'stime'"],
             clock + "ProtectClock=yes\nProtectClock=no": ["'stime'"], clock + "CapabilityBoundingSet=CAP_SYS_TIME\nProtectClock=1": [],
             module: ["'finit_module'"], module + "CapabilityBoundingSet=CAP_CHOWN": [], module + "PrivateDevices=yes": ["'finit_module'"],
             "SystemCallFilter=~mount\nCapabilityBoundingSet=CAP_CHOWN": ["'fsmount'"],
             mount: ["'open_tree'"], mount + "RestrictNamespaces=yes": ["'open_tree'", "'unshare(flags"], mount + "CapabilityBoundingSet=~CAP_SYS_ADMIN": ["'open_tree'"],
             mount + "CapabilityBoundingSet=~CAP_SYS_ADMIN\nRestrictNamespaces=yes": [], mount + "CapabilityBoundingSet=~CAP_SYS_ADMIN\nRestrictNamespaces=net": [],
             "SystemCallFilter=~chroot\nCapabilityBoundingSet=CAP_CHOWN": ["'fchroot'"], "SystemCallFilter=~chroot\nCapabilityBoundingSet=CAP_CHOWN\nRestrictNamespaces=yes": [],
             mount + "CapabilityBoundingSet=~CAP_SYS_ADMIN\nRestrictNamespaces=user": ["'open_tree'", "'unshare(flags"]}
    for (text, want), found in zip(holes.items(), lint(holes)):
        told = [f["message"].split("stays allowed: ")[1].split(" ")[0].rstrip(",") for f in found if f["id"] == "SC131"]
        assert told == want, (text, found)


def test_a_capability_that_a_setting_takes_is_not_kept(lint):
    text = "SystemCallFilter=@basic-io\nCapabilityBoundingSet=CAP_SYS_TIME CAP_SYS_MODULE\n"
    idle = [[f["message"].split(": ")[1] for f in found if f["id"] == "DP626"] for found in lint([text, text + "ProtectClock=yes", text + "ProtectKernelModules=1"])]
    assert idle == [["CAP_SYS_MODULE, CAP_SYS_TIME"], ["CAP_SYS_MODULE"], ["CAP_SYS_TIME"]]


def test_comments_suppress_in_units(lint):
    text = "# pale: ignore DP615 it has no 32-bit programs\nRestrictAddressFamilies=AF_INET\n; pale: ignore DP614 it is new\nSystemCallFilter=read \\\n  nosuch"
    assert [f["id"] for f in lint([text])[0] if not f.get("suppressed")] == []


def test_a_units_filter_is_held_against_its_apparmor_profile(pale, tmp_path):
    """As a container's two halves are; that nothing is executed DP624 says."""
    (tmp_path / "web.aa").write_text("profile web {\n  /usr/bin/{web,sh} mrix,\n  mount fstype=tmpfs -> /x/,\n  network vsock,\n  capability sys_boot,\n}\n")
    unit = tmp_path / "a.service"
    for name, lists, want in (("web", "SystemCallFilter=@system-service\nSystemCallFilter=~@mount execve execveat\nRestrictAddressFamilies=AF_UNIX", ["DP622", "DP623"]),
                              ("-web", "SystemCallFilter=@system-service @mount @reboot\nRestrictAddressFamilies=AF_VSOCK", []), ("web", "SystemCallFilter=~@mount", ["DP622"]),
                              ("other", "SystemCallFilter=@system-service", []), ("web", "RestrictRealtime=yes", [])):
        unit.write_text(f"{HEAD}SystemCallArchitectures=native\nAppArmorProfile={name}\n{lists}\n")
        found = json.loads(pale("lint", "--target", "apparmor=3.0", "--format", "json", unit, tmp_path / "web.aa").out)["findings"]
        assert [f["id"] for f in found if f["id"] in ("DP621", "DP622", "DP623")] == want, (lists, found)


def test_packaged_units_have_the_findings_that_were_looked_at(pale):
    """systemd's own: io_uring lets through what their other settings refuse, and risky calls are in @system-service."""
    units = sorted(pathlib.Path("/lib/systemd/system").glob("systemd-*d.service"))
    units = [u for u in units if u.stat().st_size and "SystemCallFilter=" in u.read_text()]
    if not units:
        pytest.skip("no units of systemd are here")
    for unit, found in zip(units, findings_of(pale, units)):
        assert {f["id"] for f in found if f["severity"] in ("error", "high")} <= {"SC132"}, (unit, found)
