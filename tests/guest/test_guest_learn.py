# SPDX-License-Identifier: Apache-2.0
"""pale learn on Linux 6.1, the kernel of Debian 12, and what AppArmor says of what it proposes."""
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from conftest import PALE, need, run  # noqa: E402
from guest import Guest, sets, with_pale  # noqa: E402

pytestmark = [pytest.mark.once, pytest.mark.xdist_group("guest")]

BACKENDS = ["ebpf", "ebpf-raw", "ptrace"]

# Files made, moved, linked, locked and removed, a subshell, a pipe, a signal from outside.
JOB = r"""
cd /tmp
mkdir job job/sub; echo one >job/a; echo two >>job/a
cat /etc/hosts | grep -q localhost && (cd job && mv a b && ln b c && ln -s b d)
chmod 600 job/b; chown nobody job/c; touch -d @0 job/d; chroot /tmp true 2>/dev/null
cp /etc/group job/sub/g; ls job/sub >/dev/null; find job -name g >/dev/null
rm -r job; sleep 0 & wait; exit 3
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
get() { printf 'GET / HTTP/1.0\r\n\r\n' | nc -w 5 127.0.0.1 80; }
client() {
    n=0; until grep -q ":0050 00000000:0000 0A" /proc/net/tcp || [ $n = 300 ]; do
        usleep 20000; n=$((n + 1)); done
    get | tail -1; kill -QUIT $(cat /run/nginx.pid)
}
for b in ebpf ebpf-raw ptrace; do
    pale learn --backend $b --recording /rec -o /$b.pale --name job -- /bin/sh /job.sh
    echo "== job $b"; echo "status $?"; cat /rec; echo "== job $b proposal"; cat /$b.pale
    client >/client </dev/null &
    pale learn --backend $b --recording /rec -o /$b.nginx.pale -- /usr/sbin/nginx -g 'daemon off;' </dev/null
    echo "== nginx $b"; echo "status $?"; wait; cat /client /rec
    echo "== nginx $b proposal"; cat /$b.nginx.pale
done
for b in ebpf ptrace; do
    pale compile -q -t apparmor -o /$b.aa /$b.pale
    sed -E "s,^profile .* \{,profile $b flags=(complain) {," /$b.aa >/$b.complain
    apparmor_parser -r /$b.complain
    echo "== again $b"
    sh -c "echo 'exec $b' >/proc/self/attr/exec && exec /bin/sh /job.sh"; echo "status $?"
done
echo "== more"
sh -c "echo 'exec ebpf' >/proc/self/attr/exec && exec /bin/sh -c 'cat /etc/shadow >/dev/null'"
"""


@pytest.fixture(scope="module")
def guest():
    need("nginx")
    files = {"/job.sh": JOB, "/etc/nginx/nginx.conf": NGINX_CONF, "/var/www/keep": "", **sets()}
    return Guest(binaries=["nginx", PALE], files=files).run(with_pale(SCRIPT))
