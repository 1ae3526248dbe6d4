# SPDX-License-Identifier: Apache-2.0
"""The seed's profile for a web server's container starts nothing; a repaired one runs nginx, and both are as answered."""
import os
import pathlib
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from conftest import PALE, ROOT, need, run, shared  # noqa: E402
from guest import Guest, System  # noqa: E402
from test_guest import NGINX_CONF  # noqa: E402

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("guest")]

REPAIRED = pathlib.Path(__file__).parent / "docker-web.apparmor"
STARTED = ["/docker-entrypoint.sh", "/bin/sh", "/usr/sbin/nginx"]

SCRIPT = r"""
mkdir -p /var/log/nginx /var/lib/nginx /var/www/html; echo hello >/var/www/html/index.html; chmod 755 /docker-entrypoint.sh
get() { printf "GET $1 HTTP/1.0\r\nHost: x\r\n\r\n" | nc -w 5 127.0.0.1 80 | sed '1,/^\r*$/d'; }
under() { sh -c "echo 'exec docker-web' >/proc/self/attr/exec; exec /docker-entrypoint.sh /usr/sbin/nginx -c /etc/nginx/nginx.conf -g 'daemon off;'"; }
if [ -e /seed ]; then
    echo "== seed"; apparmor_parser -r /seed && under; echo "status $?"
fi
echo "== repaired"; apparmor_parser -r /repaired; echo "loaded $?"
under & main=$!
n=0; until get / | grep -q hello || [ $n = 100 ]; do usleep 50000; n=$((n + 1)); done
echo "== request"; get /; cat /proc/$(cat /run/nginx.pid)/attr/current
echo "== end"; kill -QUIT $(cat /run/nginx.pid) && wait $main; echo "status $?"; cat /var/log/nginx/error.log
"""


@pytest.fixture(scope="module")
def seed():
    try:
        return shared("data", "seed", "docker-web.apparmor")
    except pytest.skip.Exception:
        return None


@pytest.fixture(scope="module")
def container(seed):
    need("nginx")
    files = {"/repaired": REPAIRED.read_bytes(), "/etc/nginx/nginx.conf": NGINX_CONF, "/docker-entrypoint.sh": '#!/bin/sh\nexec "$@"\n'}
    if seed:
        files["/seed"] = seed.read_bytes()
    return Guest(System("debian13"), binaries=["nginx"], files=files).run(SCRIPT, timeout=60)


@pytest.fixture(scope="module")
def base():
    return System("debian13").dir / "parser/etc/apparmor.d"


def test_the_repaired_profile_runs_nginx(container):
    assert "loaded 0" in container.part("repaired"), container.text
    assert container.part("request").split("\n") == ["hello", "docker-web (enforce)"], container.text
    assert "status 0" in container.part("end"), container.text
    assert not [line for line in container.log if 'apparmor="DENIED"' in line and 'profile="docker-web"' in line and "docker-entrypoint" not in line], container.log[-5:]


def test_of_the_repaired_profile_it_is_answered_so(base):
    wanted = [*(f"exec {p}" for p in STARTED), "open /etc/passwd r", "cap net_bind_service", "socket inet stream", "open /run/nginx.pid w", "open /etc/shadow r"]
    got = run([PALE, "sim", REPAIRED, "-I", base, "--target", "apparmor=4.1", *wanted])
    assert [line.split("  ")[0] for line in got.out.splitlines()[:6]] == ["allowed"] * 6, got
    assert "refused  open /etc/shadow r" in got.out and "allowed  open /run/nginx.pid w  owner" in got.out


def test_under_the_seeds_profile_nothing_starts(container, seed, base):
    if not seed:
        pytest.skip("the seed's profile is not here")
    assert container.part("seed").split()[-1] not in ("0",) and container.denied(profile="docker-web", name="/docker-entrypoint.sh"), container.text
    for path in STARTED:
        out = run([PALE, "explain", seed, "-I", base, f"exec {path}"], check=0).out
        assert out == f"exec {path}\n  in all         refused: no rule allows x\n"


def test_what_was_repaired_is_told_with_accesses_that_show_it(seed, base):
    """Each of them is answered otherwise by the two."""
    if not seed:
        pytest.skip("the seed's profile is not here")
    where = ["-I", base, "--target", "apparmor=4.1"]
    out = run([PALE, "diff", *where, seed, REPAIRED], check=1).out
    shown = re.findall(r"^    ((?:open|exec|cap) .*)$", out, re.M)
    assert {"exec /bin/sh", "open /etc/group r", "cap net_bind_service"} <= set(shown)
    words = [[line.split("  ")[0] for line in run([PALE, "sim", *where, file, access]).out.splitlines()] for file in (seed, REPAIRED) for access in shown]
    assert all(a != b for a, b in zip(words, words[len(shown):])), (shown, words)
