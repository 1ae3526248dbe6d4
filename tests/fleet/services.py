# SPDX-License-Identifier: Apache-2.0
"""Servers of Debian's packages: of what their root file systems are made, how each is started in a
container, looked at while it runs, and ended."""
import pathlib
import subprocess
from dataclasses import dataclass, field

from loads import BIG

JAVA = "/usr/lib/jvm/java-17-openjdk-amd64/bin/java"
SERVERS = pathlib.Path(__file__).with_name("servers")


@dataclass
class Service:
    name: str
    packages: list
    argv: list
    health: str                                  # a HEALTHCHECK's command
    exec: list                                   # what somebody runs beside it
    options: list = field(default_factory=list)  # of the engine's `run`
    extra: dict = field(default_factory=dict)    # files more: path -> text


def java_classes(work):
    """Compiled by the runtime itself: jdk.compiler is among its modules."""
    subprocess.run([JAVA, "-m", "jdk.compiler/com.sun.tools.javac.Main", "-d", work, SERVERS / "Server.java"], check=True, timeout=120)
    return {"srv/" + f.name: f.read_bytes() for f in pathlib.Path(work).glob("*.class")}


def services():
    """name -> Service; java's classes come beside it."""
    page = "<h1>pale</h1>\n" * 100
    alive = "kill -0 1"
    return {s.name: s for s in [
        Service("nginx", ["nginx-light"], ["nginx", "-g", "daemon off;"], alive, ["sh", "-c", "nginx -t; nginx -s reload"],
                extra={"etc/nginx/sites-enabled/default": pathlib.Path("/etc/nginx/sites-available/default"),
                       "var/www/html/index.html": page, "var/www/html/big.bin": BIG}),
        Service("redis", ["redis-server"], ["redis-server", "--bind", "127.0.0.1", "--dir", "/srv", "--save", "3600 1"],
                "redis-cli ping", ["redis-cli", "info"]),
        Service("postgres", ["postgresql-15"],
                ["sh", "-c", "initdb -D /tmp/pg -U postgres -A trust -E UTF8 --locale C >/dev/null && exec postgres -D /tmp/pg -k /tmp"],
                "pg_isready -h 127.0.0.1", ["psql", "-h", "127.0.0.1", "-U", "postgres", "-c", "select 1"],
                options=["--user", "postgres", "--env", "PATH=/usr/lib/postgresql/15/bin:/usr/bin:/bin"]),
        Service("node", ["nodejs"], ["node", "/srv/server.js"], alive, ["node", "-e", "console.log(process.pid)"],
                extra={"srv/server.js": (SERVERS / "server.js").read_text()}),
        Service("java", ["openjdk-17-jre-headless"], [JAVA, "-cp", "/srv", "-Xmx96m", "Server"],
                alive, ["sh", "-c", "cat /proc/1/status >/dev/null"]),
    ]}
