# SPDX-License-Identifier: Apache-2.0
"""pale learn on the kernels of Debian, and what AppArmor says of what it proposes."""
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from conftest import LONG, PALE, need, run  # noqa: E402
from recordings import Recording  # noqa: E402
from guest import Guest, sets, system, with_pale  # noqa: E402, F401

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("guest")]

BACKENDS = ["ebpf", "ebpf-raw", "ptrace"]
# A recording by eBPF is seconds of an emulated processor: that raw tracepoints see a server too, PALE_LONG looks at.
PAIRS = [(name, b) for name in ("job", "nginx") for b in BACKENDS if LONG or (name, b) != ("nginx", "ebpf-raw")]

# Files made, moved, linked, locked and removed, a subshell, a pipe, a child in the background.
JOB = r"""
cd /tmp
mkdir job job/sub; echo one >job/a; echo two >>job/a
cat /etc/hosts | grep localhost >/dev/null && (cd job && mv a b && ln b c && ln -s b d)
chmod 600 job/b; chown nobody job/c; touch -d @0 job/d; chroot /tmp true 2>/dev/null
cp /etc/group job/sub/g; ls job/sub >/dev/null; find job -name g >/dev/null
rm -r job; sleep 0 & wait; exit 3
"""

# Tasks that share the one CPU: since Linux 7.0 they are switched in the middle of a tracepoint.
BUSY = r"""
for i in 1 2 3 4; do dd if=/dev/zero of=/dev/null bs=1 count=2000 2>/dev/null & done; wait
i=0
while [ $i -lt 40 ]; do
    (mkdir /tmp/busy$i; cat /etc/hosts >/tmp/busy$i/f; rm -r /tmp/busy$i) & i=$((i + 1))
done
wait
"""

NGINX_CONF = """
user www-data;
pid /run/nginx.pid;
worker_processes 1;
error_log /var/log/nginx/error.log;
events { worker_connections 32; }
http { access_log /var/log/nginx/access.log;
       server { listen 127.0.0.1:80; root /var/www; } }
"""

SCRIPT = r"""
mkdir -p /var/log/nginx /var/lib/nginx; echo hello >/var/www/index.html
client() {
    n=0; until grep -q ":0050 00000000:0000 0A" /proc/net/tcp || [ $n = 300 ]; do
        usleep 20000; n=$((n + 1)); done
    wget -q -O - http://127.0.0.1/; kill -QUIT $(cat /run/nginx.pid)
}
record() { # BACKEND NAME COMMAND...
    b=$1 name=$2; shift 2
    pale learn --backend $b --recording /rec -o /$name.$b --name $name -- "$@" </dev/null 2>/said
    status=$?; echo "== $name $b said"; cat /said
    echo "== $name $b"; echo "status $status"; cat /rec; echo "== $name $b proposal"; cat /$name.$b
}
for backend in ebpf ebpf-raw ptrace; do
    [ $backend = ptrace ] || record $backend busy /bin/sh /busy.sh
    record $backend job /bin/sh /job.sh
    case "$PAIRS" in *nginx-$backend,*) ;; *) continue ;; esac
    rm -rf /var/lib/nginx/* /var/log/nginx/*
    client >/client </dev/null &
    record $backend nginx /usr/sbin/nginx -g 'daemon off;'
    wait; echo "== client $backend"; cat /client
done
for b in ebpf ptrace; do
    echo "== profile $b"
    pale compile -q -t apparmor -o /$b.aa /job.$b
    sed -E "s,^profile .* \{,profile $b flags=(complain) {," /$b.aa >/$b.complain
    apparmor_parser -r /$b.complain
    echo "== again $b"
    sh -c "echo 'exec $b' >/proc/self/attr/exec && exec /bin/sh /job.sh"; echo "status $?"
done
echo "== more"
sh -c "echo 'exec ptrace' >/proc/self/attr/exec && exec /bin/sh -c 'cat /etc/shadow >/dev/null'"
/bin/busybox sleep 1000 & other=$!
echo "cat /proc/$other/environ; exit 0" >/peer.sh
pale learn --backend ptrace -o /peer.pale --name peer -- /bin/sh /peer.sh >/dev/null
pale compile -q -t apparmor -o /peer.aa /peer.pale
# Since Linux 6.15 these two read it too (mm_access()); ptrace, which cannot see them, proposes all.
sed -E -e "s,^profile .* \{,profile peer {," -e '/capability (perfmon|sys_admin),/d' /peer.aa >/peer
apparmor_parser -r /peer
echo "== peer"; grep '^ *ptrace' /peer.pale
sh -c "echo 'exec peer' >/proc/self/attr/exec && exec /bin/sh /peer.sh" 2>&1
kill $other
"""


@pytest.fixture(scope="module")
def guest(system):
    need("nginx")
    files = {"/job.sh": JOB, "/busy.sh": BUSY, "/etc/nginx/nginx.conf": NGINX_CONF, "/var/www/keep": "", **sets()}
    return Guest(system, binaries=["nginx", PALE], files=files).run(
        f"PAIRS='{''.join(f'{name}-{b},' for name, b in PAIRS)}'\n" + with_pale(SCRIPT))


def recorded(guest, name):
    return Recording(text=guest.part(name).split("\n", 1)[1])


def calls(guest, name):
    return set(recorded(guest, name).calls)


def accesses(guest, name):
    return {(path, perms) for path, (perms, _) in recorded(guest, name).files.items()}


def made(guest, name):
    """Which program made what; that a child ends before it is waited for is a race."""
    race = {("x86_64", "rt_sigsuspend"), ("x86_64", "rt_sigprocmask")}
    return {program: set(calls) - race for program, calls in recorded(guest, name).by.items()}


def missed(guest, name, backend):
    """Programs attached in this way can be preempted since Linux 7.0: then it is told that they
    missed something, and the rest of the recording is not looked at."""
    said = guest.part(f"{name} {backend}").splitlines()
    if backend != "ebpf-raw" or int(guest.kernel.split(".")[0]) < 7:
        return False
    losses = recorded(guest, f"{name} {backend}").losses
    return said[0] == "status 1" and "events" in losses and set(losses) <= {"events", "uncounted"}


@pytest.mark.parametrize("name, backend", PAIRS)
def test_the_recording_is_whole(guest, name, backend):
    status = 3 if name == "job" else 0
    guest.needs_ebpf(backend, f"{name} {backend}")
    if missed(guest, name, backend):
        assert "'--backend ptrace' is slower and misses nothing" in guest.part(f"{name} {backend} said")
        return
    said = guest.part(f"{name} {backend}").splitlines()
    assert said[0] == f"status {status}", guest.text
    rec = recorded(guest, f"{name} {backend}")
    assert rec.runs[1]["tier"] == f'"{backend.split("-")[0]}"' and rec.runs[1]["kernel"] == f'"{guest.kernel}"'
    assert rec.losses == "none"
    assert ("x86_64", "openat") in calls(guest, f"{name} {backend}")


@pytest.mark.parametrize("backend", [b for name, b in PAIRS if name == "nginx"])
def test_nginx_was_asked(guest, backend):
    guest.needs_ebpf(backend, f"nginx {backend}")
    assert guest.part(f"client {backend}") == "hello"


@pytest.mark.parametrize("backend", BACKENDS[:-1])
def test_tasks_that_share_a_cpu_are_seen_whole(guest, backend):
    name = f"busy {backend}"
    guest.needs_ebpf(backend, name)
    if missed(guest, "busy", backend):
        return
    assert guest.part(name).splitlines()[0] == "status 0", guest.part(f"{name} said")
    assert recorded(guest, name).losses == "none"
    counts = recorded(guest, name).calls
    assert counts["x86_64", "mkdir"] == 40 and counts["x86_64", "read"] >= 8000, counts
    assert recorded(guest, name).tasks == 125
    assert {path for path, _ in accesses(guest, name)} >= {f"/tmp/busy{i}/f" for i in range(40)}


@pytest.mark.parametrize("name, backend", [pair for pair in PAIRS if pair[1] != "ebpf"])
def test_the_backends_agree_on_calls_and_files(guest, name, backend):
    one, other = f"{name} ebpf", f"{name} {backend}"
    guest.needs_ebpf("ebpf", one)
    if missed(guest, name, backend):
        return
    race = {("x86_64", "rt_sigsuspend"), ("x86_64", "rt_sigprocmask")}  # a child ends before it is waited for
    assert calls(guest, other) - race == calls(guest, one) - race and len(calls(guest, one)) > 40
    assert accesses(guest, other) == accesses(guest, one)
    assert made(guest, other) == made(guest, one) and None not in made(guest, one)
    assert ("/etc/hosts", "r") in accesses(guest, "job ebpf")
    assert ("/var/www/index.html", "r") in accesses(guest, "nginx ebpf")


@pytest.mark.parametrize("name, backend", PAIRS)
def test_the_proposal_compiles_for_every_target(guest, name, backend, tmp_path):
    """And has the capabilities that were used, on kernels without a tracepoint for them too."""
    guest.needs_ebpf(backend, f"{name} {backend}")
    if missed(guest, name, backend):
        return
    policy = tmp_path / f"{name}.pale"
    policy.write_text(guest.part(f"{name} {backend} proposal") + "\n")
    run([PALE, "fmt", "--check", policy], check=0)
    run([PALE, "compile", "-t", "all", "-o", tmp_path, policy], check=0)
    assert {p.name for p in tmp_path.iterdir()} >= {f"{name}.docker.json", f"{name}.oci.json",
                                                    f"{name}.apparmor"}
    if backend == "ptrace":
        assert "# capabilities: not observed (ptrace cannot see them" in policy.read_text()
    else:
        assert "not observed" not in policy.read_text()
        used = {"job": {"chown", "dac_override", "fowner", "sys_chroot"},
                "nginx": {"chown", "net_bind_service", "setgid", "setuid"}}[name]
        said = set(re.findall(r"^ +capability (\w+); +#", policy.read_text(), re.M))
        assert said == used, (said, policy.read_text())


@pytest.mark.parametrize("backend", ["ebpf", "ptrace"])
def test_apparmor_in_complain_mode_misses_nothing_in_the_proposal(guest, backend):
    """What a profile lacks is allowed and logged then: the kernel's list of what was forgotten."""
    guest.needs_ebpf(backend, f"job {backend}")
    assert guest.part(f"again {backend}") == "status 3", guest.text
    logged = [line for line in guest.log if 'apparmor="ALLOWED"' in line]
    mine = [line for line in logged if f'profile="{backend}' in line]
    forgotten = [line for line in mine if 'name="/etc/shadow"' not in line]
    assert not forgotten, "\n".join(forgotten)
    assert len(mine) == (backend == "ptrace"), "the one that was left out is logged"


def test_environ_of_another_process_is_proposed_with_the_right_to_trace_it(guest):
    said = guest.part("peer").splitlines()
    assert re.match(r" *ptrace \(read\); # 1x, .*by opening /proc/\d+/environ", said[0]), guest.text
    assert "denied" not in said[1].lower() and "not permitted" not in said[1], guest.text
    assert not guest.denied(operation="ptrace", profile="peer"), guest.log
