# SPDX-License-Identifier: Apache-2.0
"""AppArmor, enforced: pale run in a guest whose kernel has it, both layers on."""
import os
import pathlib
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from conftest import PALE, need, program, run  # noqa: E402
from guest import Guest, sets, system, with_pale  # noqa: E402, F401

HERE = pathlib.Path(__file__).parent
# One boot at a time: two machines on two cores take longer than one after the other.
pytestmark = [pytest.mark.once, pytest.mark.xdist_group("guest")]

NGINX_CONF = """
user www-data;
pid /run/nginx.pid;
worker_processes 1;
error_log /var/log/nginx/error.log;
events { worker_connections 32; }
http {
    access_log /var/log/nginx/access.log;
    client_body_temp_path /var/lib/nginx/body;
    proxy_temp_path /var/lib/nginx/proxy;
    fastcgi_temp_path /var/lib/nginx/fastcgi;
    uwsgi_temp_path /var/lib/nginx/uwsgi;
    scgi_temp_path /var/lib/nginx/scgi;
    resolver 127.0.0.1;
    resolver_timeout 1s;
    server {
        listen 127.0.0.1:80;
        root /var/www/html;
        dav_methods PUT DELETE MKCOL;
        location = /shadow { alias /etc/shadow; }
        location = /notes { alias /home/user/notes; }
        location = /cmdline { alias /proc/cmdline; }
        location /resolve { set $to http://name.test; proxy_pass $to; }
    }
}
"""

# Nothing here is AppArmor's or seccomp's own language: what a user does, and asks the kernel.
NGINX_SCRIPT = r"""
mkdir -p /var/log/nginx /var/lib/nginx /var/www/html/w /var/www/html/upload /home/user
echo hello >/var/www/html/index.html; echo notes >/home/user/notes; echo x >/var/www/html/w/there
chown -R www-data:www-data /var/www/html
get() { printf "GET $1 HTTP/1.0\r\nHost: x\r\n\r\n" | nc -w 5 127.0.0.1 80 | sed '1,/^\r*$/d'; }
dav() { printf "$1 $2 HTTP/1.0\r\nHost: x\r\nContent-Length: ${#3}\r\n\r\n$3" | nc -w 5 127.0.0.1 80 | head -1; }
echo "== start"
$PALE run /policy.pale -- /usr/sbin/nginx -c /etc/nginx/nginx.conf -g 'daemon off;' & main=$!
n=0; until get / | grep -q hello || [ $n = 100 ]; do usleep 50000; n=$((n + 1)); done
echo "== request"; get /
echo "== state"
echo "pids $main $(cat /run/nginx.pid)"
cat /proc/$main/attr/current
grep -E 'Seccomp:|NoNewPrivs:|CapBnd:|CapEff:' /proc/$main/status
grep 'open files' /proc/$main/limits
echo "== beyond"
get /shadow; get /notes; get /cmdline; get /resolve
kill -CONT $main
dav PUT /w/new hi; dav MKCOL /w/dir/ ''; dav DELETE /w/there ''
ls /var/www/html/w
echo "== within"
dav PUT /upload/new hi; cat /var/www/html/upload/new; echo; get /
echo "== end"
kill -QUIT $main && wait $main; echo "status $?"
echo "== errors"; cat /var/log/nginx/error.log
"""


@pytest.fixture(scope="module")
def nginx(system):
    """One boot that several tests look at."""
    need("nginx")
    files = {"/policy.pale": (HERE / "nginx.pale").read_bytes(),
             "/etc/nginx/nginx.conf": NGINX_CONF, **sets()}
    guest = Guest(system, binaries=["nginx", PALE], files=files)
    return guest.run(with_pale(NGINX_SCRIPT))


def test_nginx_answers_under_both_layers(nginx):
    assert nginx.part("request") == "hello", nginx.text
    assert nginx.part("end") == "status 0", nginx.text


def test_the_kernel_shows_both_layers_and_the_rest_in_force(nginx):
    state = nginx.part("state")
    pids = re.search(r"pids (\d+) (\d+)", state)
    assert pids[1] == pids[2], "pale run becomes the command"
    assert re.search(r"^\S*nginx\S* \(enforce\)$", state, re.M), state
    assert re.search(r"^Seccomp:\s*2$", state, re.M), state
    assert re.search(r"^NoNewPrivs:\s*1$", state, re.M), state
    # chown 0, dac_override 1, setgid 6, setuid 7, net_bind_service 10 and nothing else
    assert re.search(r"^CapBnd:\s*00000000000004c3$", state, re.M), state
    assert re.search(r"^CapEff:\s*00000000000004c3$", state, re.M), state
    assert re.search(r"open files\s+512\s+512\s", state), state


BEYOND = {
    "read /etc/shadow": dict(operation="open", name="/etc/shadow", denied_mask="r"),
    "read a home": dict(operation="open", name="/home/user/notes", denied_mask="r"),
    "read /proc/cmdline": dict(operation="open", name="/proc/cmdline", denied_mask="r"),
    "put a file": dict(operation="rename_dest", name="/var/www/html/w/new"),
    "make a directory": dict(operation="mkdir", name="/var/www/html/w/dir/"),
    "delete a file": dict(operation="unlink", name="/var/www/html/w/there"),
    "be sent a signal": dict(operation="signal", signal="cont", denied_mask="receive"),
    "a UDP socket": dict(operation="create", family="inet", sock_type="dgram"),
}


@pytest.mark.parametrize("what", BEYOND)
def test_nginx_beyond_its_policy_is_denied_and_audited(nginx, what):
    assert nginx.denied(**BEYOND[what]), "\n".join(
        [nginx.text, *(line for line in nginx.log if "DENIED" in line)])


def test_nothing_beyond_the_policy_happened(nginx):
    beyond = nginx.part("beyond")
    for secret in ("root:*", "notes", "console="):
        assert secret not in beyond
    assert beyond.splitlines()[-1] == "there", beyond


def test_what_the_policy_allows_goes_on(nginx):
    within = nginx.part("within")
    assert "201" in within and within.splitlines()[1:] == ["hi", "hello"], within


# ---- patterns, deny, owner: our reading of AppArmor is the kernel's ----

PATHS = ["a", "b", "d", "ab", "axb", "a/b", "a.txt", ".txt", "a b", "sub/x", "sub/deep/x", "x",
         "deep/a", "sx", ".hid", "aa"]

GLOB_SCRIPT = r"""
for d in /g/*; do
    mkdir -p $d/a $d/sub/deep $d/deep; rmdir $d/a
    for f in b d ab axb a.txt .txt "a b" sub/x sub/deep/x x deep/a sx .hid aa; do echo x >"$d/$f"; done
    case $d in *0|*2|*4|*6|*8) mkdir $d/a; echo x >$d/a/b;; *) echo x >$d/a;; esac
done
mkdir -p /deny /own /append /write
for f in fine secret secret2 quiet; do echo x >/deny/$f; done
echo x >/own/mine; echo x >/own/other; chown nobody /own/other; chmod 666 /own/other
echo x >/append/log; echo x >/write/log; cp /bin/busybox /other
echo "== run"
pale run /globs.pale -- /bin/busybox sh /probe.sh
echo "status $?"
"""

PROBE = r"""
try() { if read x <"$1"; then echo "yes $1"; else echo "no $1"; fi; }
for d in 00 01 02 03 04 05 06 07 08 09 10 11 12 13; do
    for f in a b d ab axb a/b a.txt .txt "a b" sub/x sub/deep/x x deep/a sx .hid aa; do
        try "/g/$d/$f"
    done
done 2>/dev/null
for f in /deny/fine /deny/secret /deny/secret2 /deny/quiet /own/mine /own/other; do try $f; done 2>/dev/null
{ /other true && echo yes executed; } 2>/dev/null
{ echo y >>/append/log && echo yes append; } 2>/dev/null
{ echo y >/append/log && echo yes truncate; } 2>/dev/null
{ echo y >/write/log && echo yes write; } 2>/dev/null
{ read x </write/log && echo yes read; } 2>/dev/null
exit 7
"""


@pytest.fixture(scope="module")
def globs(system):
    files = {"/globs.pale": (HERE / "globs.pale").read_bytes(), "/probe.sh": PROBE,
             **{f"/g/{i:02d}/keep": "" for i in range(14)}}
    return Guest(system, binaries=[PALE], files=files).run(with_pale(GLOB_SCRIPT))


def test_the_kernel_matches_paths_as_pale_does(globs):
    rules = [m[1] for m in re.finditer(r'file\s+r\s+"?(/g/[^";]*)"?;',
                                       (HERE / "globs.pale").read_text())]
    assert len(rules) == 14
    seen = dict((path, word == "yes") for word, path in
                re.findall(r"^(yes|no) (/g/.*)$", globs.part("run"), re.M))
    made = {p for p in seen if exists(p)}
    asked = [(rule, path) for rule in rules for path in sorted(made)
             if path.startswith(rule[:6])]
    out = run([program("apparmor/globtool"), "match"], input="".join(f"{r}\t{p}\n" for r, p in asked), check=0).out
    ours = {p: v == "1" for (_, p), v in zip(asked, out.split())}
    assert len(ours) > 150 and {True, False} == set(ours.values())
    assert {p: seen[p] for p in ours} == ours


def exists(path):
    """As GLOB_SCRIPT makes them: a is a directory under even numbers, a file under odd ones."""
    even = int(path[3:5]) % 2 == 0
    return path.endswith("/a/b") == even if path[6:] in ("a", "a/b") else True


def test_deny_beats_allow_and_owner_means_the_owner(globs):
    said = globs.part("run").splitlines()
    assert [w for w in said if "/deny/" in w or "/own/" in w] == [
        "yes /deny/fine", "no /deny/secret", "no /deny/secret2", "no /deny/quiet",
        "yes /own/mine", "no /own/other"]
    assert globs.denied(name="/deny/secret"), "deny is audited"
    assert not globs.denied(name="/deny/quiet"), "quiet deny is not"
    assert globs.denied(name="/own/other")


def test_only_named_programs_are_executed(globs):
    assert "yes executed" not in globs.part("run")
    assert globs.denied(operation="exec", name="/other", denied_mask="x")


def test_append_neither_creates_nor_truncates_and_write_does_not_read(globs):
    """A shell's >> opens with O_CREAT, and for that the kernel asks for more than `a`."""
    said = globs.part("run").splitlines()
    assert [w for w in said if w.split()[1] in ("append", "truncate", "write", "read")] == [
        "yes write"]
    assert globs.denied(name="/append/log", denied_mask="c")
    assert globs.denied(name="/append/log", denied_mask="wc")
    assert "status 7" in said


# ---- fail closed ----

CLOSED_SCRIPT = r"""
echo "== nobody"
chmod 755 /policy.pale
su -s /bin/sh nobody -c "$PALE run /policy.pale -- /bin/busybox touch /tmp/executed"; echo "status $?"
echo "== no parser"
mv /usr/sbin/apparmor_parser /moved
mkdir /own; printf '#!/bin/sh\ntouch /tmp/executed\n' >/own/apparmor_parser; chmod 755 /own/apparmor_parser
PATH=/own:$PATH
pale run /policy.pale -- /bin/busybox touch /tmp/executed; echo "status $?"
echo "== one layer"
pale run --layers seccomp /policy.pale -- /bin/busybox cat /proc/self/attr/current; echo "status $?"
echo "== both"
mv /moved /usr/sbin/apparmor_parser
pale run /policy.pale -- /bin/busybox cat /proc/self/attr/current; echo "status $?"
pale run --count /policy.pale -- /bin/busybox cat /proc/self/attr/current; echo "status $?"
echo "== left"; ls /tmp/executed
"""


def test_a_profile_that_cannot_be_loaded_executes_nothing(system):
    policy = ("policy closed {\n layers seccomp, apparmor;\n arch x86_64;\n default allow;\n"
              " file mr /bin/busybox;\n file r /proc/*/attr/current;\n file rw /dev/ttyS0;\n}\n")
    out = Guest(system, binaries=[PALE], files={"/policy.pale": policy}).run(with_pale(CLOSED_SCRIPT))
    assert out.part("nobody").splitlines()[-1] == "status 125", out.text
    assert "PL305" in out.part("nobody")
    assert out.part("no parser").splitlines()[-1] == "status 125", out.text
    assert out.part("one layer").splitlines() == ["unconfined", "status 0"], out.text
    lines = out.part("both").splitlines()
    assert re.fullmatch(r"\S*closed\S* \(enforce\)", lines[0]) and lines[1] == "status 0", out.text
    assert lines[2] == lines[0] and lines[-1] == "status 0", out.text
    assert "No such file" in out.part("left"), "executed all the same"


# ---- compile --log-only ----

STAGED = """policy staged {
    program /usr/bin/busybox-staged;
    layers apparmor;
    arch x86_64;
    file mr /usr/bin/busybox-staged;
    file rw /dev/ttyS0;
    file r /etc/*;
    deny file r /etc/secret;
    quiet deny file r /etc/motd;
    limit nofile 64;
}
"""
STAGED_SCRIPT = r"""
mkdir -p /usr/bin /srv; cp /bin/busybox /usr/bin/busybox-staged
staged() { for f in /etc/secret /etc/motd /srv/other; do busybox-staged cat $f; done; busybox-staged sh -c 'ulimit -n'; }
echo secret >/etc/secret; echo motd >/etc/motd; echo other >/srv/other
for way in '' --log-only; do
    pale compile -q $way -t apparmor -o /profile /policy.pale 2>/dev/null
    apparmor_parser -r -K /profile
    echo "== enforces$way"; staged 2>&1
done
"""


def test_a_log_only_profile_lets_pass_what_the_policy_denies(system):
    """What a deny rule refuses and what a limit bounds too, which AppArmor does in complain mode as well."""
    out = Guest(system, binaries=[PALE], files={"/policy.pale": STAGED}).run(with_pale(STAGED_SCRIPT))
    enforced = out.part("enforces").splitlines()
    assert "secret" not in enforced and "motd" not in enforced and enforced[-1] == "64", out.text
    passed = out.part("enforces--log-only").splitlines()
    assert passed[:3] == ["secret", "motd", "other"] and passed[3] != "64", out.text
    logged = [line for line in out.log if "busybox-staged" in line]
    assert [line for line in logged if 'apparmor="AUDIT"' in line and "/etc/secret" in line], out.log
    assert [line for line in logged if 'apparmor="ALLOWED"' in line and "/srv/other" in line], out.log


# ---- limit nice ----

NICE = """policy niced {
    layers apparmor;
    arch x86_64;
    program PROBE;
    file mrix PROBE;
    file rw /dev/ttyS0;
    capability sys_resource;
    limit nice 25;
}
"""
NICE_SCRIPT = r"""
pale compile -q -t apparmor -o /profile /policy.pale
ask() { (ulimit -He 40; ulimit -Se 40; exec $PROBE "$@"); }
echo "== free"; ask 39 40 -19; ask 26 40 -6 -7
apparmor_parser -r -K /profile
echo "== inherited"; ask '' '' -5 -6 0
echo "== lower"; ask 24 25 -4 -5
echo "== same"; ask 25 25 -5 -6
echo "== soft"; ask 26 26 -5 -6
echo "== hard"; ask 20 26 0 -5 -6
echo "== infinite"; ask 18446744073709551615 18446744073709551615 -6
"""


def test_limit_nice_bounds_setpriority_and_setrlimit(system):
    """The value 25 is nice -5. What the program is given is cut to it, and with CAP_SYS_RESOURCE too
    it raises it no more: 13 is AppArmor's EACCES, and setpriority's without the limit's leave."""
    probe = program("live/nice")
    script = f"PROBE={probe}\n" + NICE_SCRIPT
    files = {"/policy.pale": NICE.replace("PROBE", str(probe))}
    out = Guest(system, binaries=[PALE, probe], files=files).run(with_pale(script))
    assert out.part("free").splitlines() == ["rlimit 39 40: 0", "nice -19: 0", "rlimit 26 40: 0",
                                             "nice -6: 0", "nice -7: 0"], out.text
    assert out.part("inherited").splitlines() == ["nice -5: 0", "nice -6: 13", "nice 0: 0"], out.text
    assert out.part("lower").splitlines() == ["rlimit 24 25: 0", "nice -4: 0", "nice -5: 13"], out.text
    assert out.part("same").splitlines() == ["rlimit 25 25: 0", "nice -5: 0", "nice -6: 13"], out.text
    assert out.part("soft").splitlines() == ["rlimit 26 26: 13", "nice -5: 0", "nice -6: 13"], out.text
    assert out.part("hard").splitlines() == ["rlimit 20 26: 13", "nice 0: 0", "nice -5: 0", "nice -6: 13"]
    assert out.part("infinite").splitlines()[1] == "nice -6: 13", out.text
    assert out.denied(operation="setrlimit", rlimit="nice"), out.log
