#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is asked of each server, from its own network namespace: `nsenter -t PID -n loads.py NAME`.

Ends with 0 where every answer was right; the server is to be ended by whoever started it."""
import functools
import http.client
import pathlib
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import workloads  # noqa: E402
from workloads import expect, wait_for  # noqa: E402

request = functools.partial(workloads.request, timeout=60)
BIG = bytes(range(256)) * 1024


def answers(port):
    def asked():
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            return False
    wait_for(f"port {port}", asked, 60)


def nginx():
    answers(80)
    page = request(80, "/")[1]
    expect("index", b"<h1>pale</h1>" in page, True)
    expect("404", request(80, "/missing")[0], 404)
    expect("range", request(80, "/big.bin", {"Range": "bytes=100-199"}), (206, BIG[100:200]))
    expect("whole", request(80, "/big.bin")[1] == BIG, True)
    expect("head", request(80, "/big.bin", method="HEAD")[0], 200)
    c = http.client.HTTPConnection("127.0.0.1", 80, timeout=60)
    c.request("GET", "/")
    stamp = c.getresponse().headers["Last-Modified"]
    c.close()
    expect("not modified", request(80, "/", {"If-Modified-Since": stamp})[0], 304)
    for _ in range(50):
        expect("index", request(80, "/")[0], 200)


def redis():
    answers(6379)
    with socket.create_connection(("127.0.0.1", 6379), 20) as s:
        f = s.makefile("rwb")

        def cmd(*words):
            f.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in map(str.encode, words)))
            f.flush()
            line = f.readline().rstrip()
            return f.read(int(line[1:]) + 2)[:-2] if line[:1] == b"$" and int(line[1:]) >= 0 else line
        expect("ping", cmd("PING"), b"+PONG")
        for i in range(200):
            expect("set", cmd("SET", f"key{i}", "x" * 1000), b"+OK")
        expect("get", cmd("GET", "key7"), b"x" * 1000)
        expect("lua", cmd("EVAL", "return redis.call('incr','n')", "0"), b":1")
        expect("expire", cmd("EXPIRE", "key7", "100"), b":1")
        expect("aof", cmd("CONFIG", "SET", "appendonly", "yes"), b"+OK")
        wait_for("the log's first write", lambda: b"aof_rewrite_in_progress:0" in cmd("INFO", "persistence"))
        expect("save", cmd("SAVE"), b"+OK")
        expect("bgsave", cmd("BGSAVE")[:6], b"+Backg")
        wait_for("the background save", lambda: b"rdb_bgsave_in_progress:0" in cmd("INFO", "persistence"))


def sql(*argv, text=None):
    return subprocess.run([*argv, "-h", "127.0.0.1", "-U", "postgres"], input=text, check=True, capture_output=True, text=True,
                          timeout=120).stdout


def postgres():
    answers(5432)
    wait_for("its answer", lambda: subprocess.run(["pg_isready", "-q", "-h", "127.0.0.1"], check=False).returncode == 0, 60)
    time.sleep(0.2)
    sql("pgbench", "-i", "-q", "postgres")
    sql("pgbench", "-c", "2", "-t", "30", "postgres")
    out = sql("psql", "-qAt", "postgres", text="""
        create table t as select i, md5(i::text) as m from generate_series(1, 20000) i;
        create index on t (m); analyze t; vacuum t; checkpoint;
        copy t to '/tmp/t.csv'; create table u (like t); copy u from '/tmp/t.csv';
        set work_mem = '64kB'; select count(*) from (select * from t order by m) s;
        begin; delete from u where i > 10; rollback; select count(*) from u; drop table u;""")
    expect("rows", out.split(), ["20000", "20000"])


def node():
    answers(8000)
    expect("hello", request(8000, "/"), (200, b"hello\n"))
    expect("file", request(8000, "/file")[1][:7], b"'use st")
    for _ in range(30):
        expect("digest", len(request(8000, "/digest")[1]), 64)
    expect("worker", request(8000, "/worker"), (200, b"42"))
    expect("written", request(8000, "/write"), (200, b"ok"))


def java():
    answers(8000)
    for _ in range(30):
        expect("hello", request(8000, "/"), (200, b"hello\n"))
    expect("file", request(8000, "/file")[0], 200)
    expect("digest", len(request(8000, "/digest")[1]), 64)
    expect("written", request(8000, "/write"), (200, b"ok"))


if __name__ == "__main__":
    {f.__name__: f for f in (nginx, redis, postgres, node, java)}[sys.argv[1]]()
