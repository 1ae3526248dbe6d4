# SPDX-License-Identifier: Apache-2.0
"""What starts containers with both profiles of a recorded workload has nothing to be told; a fault planted in it, at
any place where it may stand, is found, and nothing else."""
import json
import random

import pytest

import recorded
from cases import findings_of

COMPOSE = """services:
  web:
    image: nginx:1.29
    security_opt:
      - seccomp=./{name}.docker.json
      - apparmor={name}
      - no-new-privileges
    cap_drop: [ALL]
    restart: always
"""
POD = """apiVersion: v1
kind: Pod
metadata:
  name: web
  annotations:
    note: x
spec:
  securityContext:
    runAsNonRoot: true
    seccompProfile: {{type: Localhost, localhostProfile: {name}.docker.json}}
    appArmorProfile: {{type: Localhost, localhostProfile: {name}}}
  containers:
    - name: web
      image: nginx:1.29
      securityContext:
        allowPrivilegeEscalation: false
        capabilities: {{drop: [ALL]}}
"""
UNIT = """[Unit]
Description=x
[Service]
ExecStart=/bin/true
User=web
NoNewPrivileges=yes
SystemCallFilter=@system-service
SystemCallArchitectures=native
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
AppArmorProfile={name}
"""
DAEMON = """{{
  "log-driver": "journald",
  "no-new-privileges": true,
  "userns-remap": "default",
  "icc": false
}}
"""
SERVICE = ["    cap_drop: [ALL]\n", "    restart: always\n"]  # lines that another may stand in front of
OPTION = ["      - seccomp=", "      - apparmor=", "      - no-new-"]
SETTING = ["ExecStart=", "User=", "SystemCallFilter=", "AppArmorProfile="]
KEY = ['  "log-driver"', '  "no-new', '  "userns', '  "icc"']
# A rule, a text, what is put in front of any of these lines or in place of the one, and what other finding that is besides.
FAULTS = [
    ("DP601", COMPOSE, OPTION, "      - label=disable\n"), ("DP601", COMPOSE, OPTION, "      - systempaths=unconfined\n"),
    ("DP601", POD, "type: Localhost, localhostProfile: {name}.docker.json", "type: Unconfined"), ("DP601", COMPOSE, "seccomp=./{name}.docker.json", "seccomp=unconfined"),
    ("DP602", COMPOSE, "seccomp=./{name}.docker.json", "seccomp=default"), ("DP604", COMPOSE, SERVICE, "    privileged: true\n"),
    ("DP604", POD, ["        allowPrivilege", "        capabilities:"], "        privileged: true\n"),
    ("DP605", COMPOSE, SERVICE, "    pid: host\n"), ("DP605", COMPOSE, SERVICE, "    userns_mode: 'host'\n"), ("DP605", POD, ["  securityContext:", "  containers:"], "  hostIPC: true\n"),
    ("DP607", COMPOSE, SERVICE, "    volumes: ['/run/docker.sock:/x:ro']\n"), ("DP607", POD, ["  containers:"], "  volumes: [{{name: x, hostPath: {{path: /var/run}}}}]\n"),
    ("DP609", POD, "localhostProfile: {name}.docker.json", "localhostProfile: ../{name}.docker.json"), ("DP609", POD, ", localhostProfile: {name}}}", "}}"),
    ("DP610", POD, ["    note: x"], "    seccomp.security.alpha.kubernetes.io/pod: runtime/default\n"),
    ("DP611", COMPOSE.replace("      - seccomp=./{name}.docker.json\n", ""), SERVICE, "    cap_add: [SYS_ADMIN]\n"),
    ("DP612", COMPOSE, "{name}.docker", "{name}.doker"), ("DP613", COMPOSE, OPTION, "      - secomp=unconfined\n"),
    ("DP614", UNIT, SETTING, "SystemCallFilter=~@moun\n"), ("DP614", UNIT, SETTING, "CapabilityBoundingSet=~CAP_SYS_ADMN\n"),
    ("DP614", UNIT, SETTING, "ProtectKernelModules=ye\n"), ("DP614", UNIT, "Architectures=native", "Architectures=x86_64"),
    ("DP624", UNIT, "SystemCallArch", "SystemCallFilter=~execve\nSystemCallArch"), ("DP624", UNIT, "SystemCallArch", "SystemCallFilter=~@process execve\nSystemCallArch"),
    ("DP625", UNIT, "Filter=@system-service", "Filter=~@aio\nRestrictAddressFamilies=~AF_PACKET"),
    ("DP625", UNIT, "Filter=@system-service", "Filter=@system-service\nSystemCallFilter=~@aio\nRestrictAddressFamilies=~AF_NETLINK AF_VSOCK"),
    ("DP630", COMPOSE, SERVICE, "    cap_add: [NET_BIND]\n"), ("DP630", COMPOSE, SERVICE, "    cap_add: [CAP_CHOWNN]\n"),
    ("DP631", COMPOSE, SERVICE, "    volumes: ['/etc/cron.d:/x']\n"), ("DP631", COMPOSE, SERVICE, "    volumes: [{{type: bind, source: /proc, target: /p}}]\n"),
    ("DP632", COMPOSE, SERVICE, "    devices: ['/dev/nvme0n1:/dev/x']\n"), ("DP604", COMPOSE, SERVICE, "    privileged: 'true'\n"), ("DP607", COMPOSE, SERVICE, "    use_api_socket: true\n"),
    ("DP601", POD, ["        allowPrivilege", "        capabilities:"], "        procMount: Unmasked\n"),
    ("DP601", POD, ["        allowPrivilege", "        capabilities:"], "        seLinuxOptions: {{type: spc_t}}\n"),
    ("DP634", DAEMON, KEY, '  "live-restor": true,\n'), ("DP634", DAEMON, "false", '"no"'), ("DP634", DAEMON, KEY, '  "default-runtime": "runsc",\n'),
    ("DP636", DAEMON, KEY, '  "hosts": ["tcp://0.0.0.0:2375"],\n'), ("DP636", DAEMON, KEY, '  "hosts": ["unix:///run/docker.sock", "tcp://10.0.0.1:2376"],\n'),
    ("DP619", UNIT, None, None), ("DP619", COMPOSE, None, None), ("DP619", POD, None, None),
]
SUFFIX = {COMPOSE: ".compose.yaml", POD: ".pod.yaml", UNIT: ".service", DAEMON: "-daemon.json"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    at = tmp_path_factory.mktemp("made")
    recorded.profiles(range(6), at)
    return at


def written(folder, name, kind, text):
    path = folder / f"{name}{next((s for k, s in SUFFIX.items() if k[:9] == kind[:9]))}"
    path.write_text(text.replace("{name}", name).replace("{{", "{").replace("}}", "}"))
    return path


def planted(text, where, what, rand):
    if isinstance(where, str):
        assert where in text
        return text.replace(where, what)
    place = text.index(rand.choice(where)) if where else 0
    return text[:place] + (what or "") + text[place:]


def grave(found):
    return [f["id"] for f in found if f["severity"] != "info"]


def test_what_starts_recorded_workloads_has_nothing_to_be_told(pale, folder):
    files = [written(folder, f"w{n}", kind, kind) for n in range(6) for kind in SUFFIX]
    both = [folder / f"w{n}{end}" for n in range(6) for end in (".docker.json", ".apparmor")]
    assert [grave(f) for f in findings_of(pale, [*files, *both])] == [[]] * len([*files, *both])


def test_a_fault_planted_in_what_starts_a_workload_is_found_and_nothing_else(pale, folder):
    rand, files = random.Random(12), []
    for n, (rule, text, where, what) in enumerate(FAULTS):
        name, source = f"w{100 + n}", f"w{rand.randrange(6)}"
        profile = (folder / f"{source}.apparmor").read_text().replace(f"profile {source} ", f"profile {name} ")
        if rule == "DP619":
            profile = profile.replace("flags=(", "flags=(complain,", 1) if "flags=(" in profile else profile.replace(f"{name} ", f"{name} flags=(complain) ", 1)
        (folder / f"{name}.apparmor").write_text(profile)
        (folder / f"{name}.docker.json").write_text((folder / f"{source}.docker.json").read_text())
        files.append(written(folder, name, text, planted(text, where, what, rand)))
    found = findings_of(pale, [*files, *(folder / f"w{100 + n}{end}" for n in range(len(FAULTS)) for end in (".apparmor", ".docker.json"))])
    wrong = [(f.name, rule, grave(of)) for f, (rule, *_), of in zip(files, FAULTS, found) if grave(of) != [rule]]
    assert not wrong, "\n".join(map(str, wrong))


def test_every_error_and_high_of_deployments_has_a_fault(pale):
    rules = json.loads(pale("lint", "--list-rules", "--format", "json", check=0).out)["rules"]
    assert {r["id"] for r in rules if r["severity"] in ("error", "high") and r["formats"] == "deployment"} == {f[0] for f in FAULTS}
