# SPDX-License-Identifier: Apache-2.0
"""The examples under AppArmor: both layers on, and not one refusal in the kernel's log.

The workloads are those of tests/workloads.py, as there with Debian's own programs, configuration
and paths. Of Python's library only the modules that the workload imports are in the guest; the
interpreter looks for the others all the same.
"""
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from conftest import PALE, ROOT, need, program  # noqa: E402
from guest import Guest, from_host, program_tree, sets, system, with_pale  # noqa: E402, F401

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("guest")]

PYTHON = os.path.basename(os.path.realpath("/usr/bin/python3"))

SCRIPT = r"""
http() { printf "$1 $2 HTTP/1.0\r\nHost: x\r\n$3\r\n" | nc -w 20 127.0.0.1 $port; }
code() { http "$@" | sed -n '1s/[^ ]* \([0-9]*\).*/\1/p'; }
wait_for() { n=0; until eval "$1"; do n=$((n + 1)); [ $n = 1000 ] && { echo "no: $1"; return 1; }
             usleep 20000; done; }
# A confined program takes no signal that its policy does not name: it is confined no more, then.
end() { a=/sys/kernel/security/apparmor; sed 's/ (.*//' $a/profiles |
        while read -r p; do printf %s "$p" >$a/.remove; done; killall -9 $1; }
listens() { grep -q ":$(printf %04X $port) 00000000:0000 0A" /proc/net/tcp; }
state() { cat /proc/$1/attr/current; grep -E 'Seccomp:' /proc/$1/status; }

nginx_client() {
    port=80; wait_for listens && wait_for '[ -s /run/nginx.pid ]' || return
    m=$(cat /run/nginx.pid); state $m; echo "index $(code GET /) 404 $(code GET /missing)"
    http GET /big.bin 'Range: bytes=100-199\r\n' | tail -c 100 | cmp - /range && echo range
    http GET /big.bin | tail -c $(stat -c %s /big) | cmp - /big && echo whole
    since=$(date -u -r /var/www/html/index.html '+%a, %d %b %Y %H:%M:%S GMT')
    echo "head $(code HEAD /big.bin) since $(code GET / "If-Modified-Since: $since\r\n")"
    before=$(workers); state $before; kill -HUP $m
    wait_for '[ -n "$(workers)" ] && ! workers | grep -qw $before' && echo "reload $(code GET /)"
    mv /var/log/nginx/access.log /var/log/nginx/access.log.1; kill -USR1 $m
    wait_for '[ "$(stat -c %U /var/log/nginx/access.log 2>/dev/null)" = www-data ]' && echo reopened
    wait_for '[ "$(code GET /)" = 200 ] && [ -s /var/log/nginx/access.log ]' && echo logged
    kill -QUIT $m
}
workers() { tr -d ' ' </proc/$m/task/$m/children; }

redis() { printf "$1\r\n" | nc -w 20 127.0.0.1 6379 | tr -d '\r'; }
redis_client() {
    port=6379; wait_for listens || return
    m=$(pidof redis-server); state $m
    redis 'PING\r\nSET k v\r\nGET k\r\nINCR n\r\nLPUSH l a b\r\nEXPIRE k 100'
    redis SAVE; rm /var/lib/redis/dump.rdb; redis BGSAVE
    wait_for 'redis "INFO persistence" | grep -q rdb_bgsave_in_progress:0'
    redis "INFO persistence" | grep last_bgsave_status
    [ -s /var/lib/redis/dump.rdb ] && echo dumped
    redis SHUTDOWN
}

python_client() {
    port=8000; wait_for listens || return
    m=$(pidof python3); state $m
    echo "file $(code GET /a.txt) listing $(code GET /) 404 $(code GET /x) sub $(code GET /sub)"
    http GET / | grep -c 'a.txt</a>'; http GET /a.txt | tail -c 5000 | cmp - /srv/files/a.txt
    kill -INT $m
}

echo_client() {
    port=7; wait_for listens || return
    m=$(pidof echo-server); state $m
    for i in 1 2 3; do echo "hello $i" | nc 127.0.0.1 7; done
    # Not in the policy: the one refusal that this run is to see.
    kill -CONT $m 2>/dev/null || echo refused
    kill -TERM $m
}

serve() {
    name=$1; shift
    { ${name}_client 2>&1 || end $(basename $1); } >/client </dev/null &
    { pale run /examples/$name.pale -- "$@" </dev/null; echo "status $?"; } 2>&1 | cat >/said; wait
    echo "== $name"; cat /client; echo "== $name server"; cat /said
}

mkdir -p /var/log/nginx /var/lib/nginx /var/lib/redis /var/www/html /srv/files/sub
seq 1 200 >/var/www/html/index.html; seq 1 150000 >/big; cp /big /var/www/html/big.bin
dd if=/big bs=1 skip=100 count=100 of=/range 2>/dev/null
yes pale | head -1000 >/srv/files/a.txt
serve echo /usr/local/bin/echo-server 7
serve nginx /usr/sbin/nginx -g 'daemon off;'
serve redis /usr/bin/redis-server --bind 127.0.0.1 --port 6379 --dir /var/lib/redis \
    --save '3600 1' --daemonize no
export PYTHONDONTWRITEBYTECODE=1
serve python /usr/bin/python3 -I -m http.server --bind 127.0.0.1 --directory /srv/files 8000
echo "== end"
"""

SAID = {
    "echo": ["hello 1", "hello 2", "hello 3", "refused"],
    "nginx": ["index 200 404 404", "range", "whole", "head 200 since 304", "reload 200",
              "reopened", "logged"],
    "redis": ["+PONG", "+OK", "$1", "v", ":1", ":2", ":1", "+OK", "+Background saving started",
              "rdb_last_bgsave_status:ok", "dumped"],
    "python": ["file 200 listing 200 404 404 sub 301", "1"],
}


def python_files():
    """The interpreter, and the files of the modules that the workload imports."""
    code = ("import sys, runpy, encodings.idna, http.server\n"
            "sys.argv[1:] = ['--help']\n"
            "try: runpy.run_module('http.server', run_name='__main__')\n"
            "except SystemExit: pass\n"
            "for m in list(sys.modules.values()):\n"
            "    for f in getattr(m, '__file__', None), getattr(m, '__cached__', None):\n"
            "        if f: print(f)\n")
    out = subprocess.run(["/usr/bin/python3", "-I", "-c", code], capture_output=True, text=True,
                         check=True).stdout
    tree = program_tree("/usr/bin/python3")
    for path in out.split():
        if path.startswith(f"/usr/lib/{PYTHON}/") and os.path.exists(path):
            tree.update(program_tree(path) if path.endswith(".so") else from_host(path))
    return tree


def debian_files():
    tree = {}
    for path in ("/etc/nginx", "/usr/share/nginx/modules-available", "/usr/lib/nginx/modules",
                 "/etc/ssl/openssl.cnf", "/etc/ld.so.cache", "/etc/mime.types",
                 "/usr/share/zoneinfo/Etc/UTC", "/usr/lib/locale",
                 "/usr/lib/x86_64-linux-gnu/gconv/gconv-modules.cache"):
        if os.path.exists(path):
            tree.update(from_host(path))
    for so in [p for p in tree if p.endswith(".so")]:
        tree.update(program_tree(so))
    return {p: e for p, e in tree.items()
            if not re.match(r"/etc/nginx/(modules|sites)-enabled/", p)}


def links():
    """Debian's, and the enabled site that the workload prepares."""
    out = {"/usr/bin/redis-server": "redis-check-rdb", "/usr/bin/python3": PYTHON,
           "/etc/localtime": "/usr/share/zoneinfo/Etc/UTC",
           "/usr/lib/ssl/openssl.cnf": "/etc/ssl/openssl.cnf",
           "/usr/share/nginx/modules": "../../lib/nginx/modules",
           "/etc/nginx/sites-enabled/default": "/etc/nginx/sites-available/default"}
    enabled = "/etc/nginx/modules-enabled"
    for name in os.listdir(enabled) if os.path.isdir(enabled) else ():
        out[f"{enabled}/{name}"] = os.readlink(f"{enabled}/{name}")
    return out


@pytest.fixture(scope="module")
def guest(system):
    """One boot, one server after the other."""
    for name in ("nginx", "redis-server"):
        need(name)
    echo = program("live/echo")
    files = {f"/examples/{p.name}": p.read_bytes()
             for p in (ROOT / "profiles/examples").glob("*.pale")}
    g = Guest(system, binaries=["nginx", "redis-server", PALE], files={**files, **sets()}, links=links())
    g.tree.update(debian_files())
    g.tree.update(python_files())
    g.tree["/usr/local/bin/echo-server"] = next(iter(from_host(echo).values()))
    return g.run(with_pale(SCRIPT))


@pytest.mark.parametrize("name", SAID)
def test_workload_runs_under_its_example_with_both_layers(guest, name):
    said = guest.part(name).splitlines()
    states = [s for s in said if "(enforce)" in s]
    assert states and all(name in s for s in states), guest.text
    assert said.count("Seccomp:\t2") == len(states) == (2 if name == "nginx" else 1), guest.text
    answers = [s for s in said if "(enforce)" not in s and "Seccomp" not in s]
    assert answers == SAID[name], guest.text
    assert guest.part(name + " server").splitlines()[-1] == "status 0", guest.text


@pytest.mark.parametrize("name", SAID)
def test_apparmor_refused_the_workload_nothing(guest, name):
    """But for the one signal that echo is sent on purpose: refusals are audited here."""
    wanted = guest.denied(operation="signal", signal="cont") if name == "echo" else []
    assert len(wanted) == (name == "echo"), guest.log
    mine = [line for line in guest.denied() if re.search(rf'profile="[^"]*{name}', line)]
    assert mine == wanted, "\n".join(mine)
