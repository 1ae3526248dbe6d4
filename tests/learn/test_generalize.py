# SPDX-License-Identifier: Apache-2.0
"""Names in proposals: what is widened, on which evidence, and what never is. Recordings are made here,
as pale-recording(5) says."""
import os
import random
import re

import pytest

from conftest import PALE, need, run, run_costs
from test_backends import learn
from test_recordings import quote, write


def recording(tmp_path, *runs, others=(), more=()):
    """Each run: path -> rights and words. others: directory -> names that were not used. more: facts of each."""
    out = []
    for i, files in enumerate(runs, 1):
        head = {"id": f"{i:032x}", "machine": "x86_64", "name": '"server"', "host": '"h"', "kernel": '"6.1"',
                "libc": '"glibc 2.36"', "tier": '"ebpf"', "started": str(1764000000000000000 + i), "tasks": "1"}
        facts = {"call x86_64 read": (1, 5)}
        facts |= {f"file {quote(p)} {rights}": (1, 5) for p, rights in files.items()}
        facts |= {f"others {quote(d)} {n}": (1, 0) for d, n in dict(others).items()} | {fact: (1, 0) for fact in more}
        out.append((head, facts))
    return write(tmp_path / "r.rec", *out)


def rules(tmp_path, *runs, others=(), args=(), more=()):
    """Glob -> (rights, the reason and what else is there)."""
    r = run([PALE, "propose", *args, recording(tmp_path, *runs, others=others, more=more)])
    assert r.rc == 0 and not r.err, r
    return {m[2]: (m[1], m[3]) for m in re.finditer(r'^ +(?:owner )?file (\w+) (\S+?|"[^\n]*"); +# ([^\n]*)$', r.out, re.M)}


def globs(tmp_path, files, **kw):
    return set(rules(tmp_path, files, **kw))


FEATURES = "/usr/share/apparmor-features/features"
HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize("path, rights, glob", [
    ("/srv/550e8400-e29b-41d4-a716-446655440000.json", "r", "/srv/????????-????-????-????-????????????.json"),
    (f"/srv/{HEX[:40]}/log", "w", f"/srv/{'?' * 40}/log"),
    (f"/var/cache/pack-{HEX[:40]}.idx", "r", f"/var/cache/pack-{'?' * 40}.idx"),
    ("/run/lrn.Ab3xYz", "w gone", "@{run}/lrn.??????"),
    ("/srv/r/.git/objects/tmp_obj_aB3dE9", "rw gone", "/srv/r/.git/objects/tmp_obj_??????"),
    ("/srv/tmpk3_x9w2a", "w gone", "/srv/tmp????????"), ("/tmp/tmpk3_x9w2a", "w", "/tmp/tmp????????"),
    ("/srv/r/.git/tukojgx", "rw gone", "/srv/r/.git/t??????"), ("/tmp/gNF1CxM6VA", "rw", "/tmp/??????????"),
    ("/srv/x/aNFxCxMzVA", "rw gone", "/srv/x/??????????"), ("/srv/x/s.pid27695", "w gone", "/srv/x/s.pid[0-9]*"),
    ("/tmp/20261130-5015-ig0o1s", "rw", "/tmp/20??????-[0-9]*-*"), ("/srv/x/up20261130-7-9.jpg", "rw gone", "/srv/x/up20??????-[0-9]*-*.jpg"),
    ("/srv/s/sess_539hcr6uqk3hi9g08o7s4ed5cc", "rw", f"/srv/s/sess_{'?' * 26}"),
    ("/srv/db/#sql-alter-32db-4.frm", "rw gone", "/srv/db/#sql-alter-[0-9a-f]*-[0-9]*.frm"), ("/srv/db/x-47-4711-2.b", "w gone", "/srv/db/x-[0-9]*-[0-9]*-[0-9]*.b"),
    ("/srv/d/login-notify1f4286121a7d0174", "rw gone", f"/srv/d/login-notify{'?' * 16}"),
    ("/srv/d/.temp.vm.21970.ae7d17b77428435b", "rw gone", f"/srv/d/.temp.vm.[0-9]*.{'?' * 16}"),
    ("/srv/d/box.lock31434ccb5e6fcdef", "rw gone", f"/srv/d/box.lock{'?' * 16}"),
    ("/srv/m/1796024804.M379277P24907.vm,S=30", "rw", "/srv/m/1?????????.M[0-9]*P[0-9]*.vm\\,S=[0-9]*"),
    ("/tmp/cck3Kx9w.o", "rw", "/tmp/cc??????.o"), ("/srv/lrn.Ab3xYz", "w", "/srv/lrn.??????"),
    ("/tmp/x-ab12cd", "w", "/tmp/x-??????"), ("/srv/b/.sp.igsct3", "rw gone", "/srv/b/.sp.??????"),
    ("/var/log/app-1764000000.log", "w", "/var/log/app-1?????????.log"),
    ("/srv/db/temp-4711.rdb", "w gone", "/srv/db/temp-[0-9]*.rdb"),
    ("/srv/w-4711.log", "w numbered", "/srv/w-[0-9]*.log"), ("/run/app2-4711/", "w numbered", "@{run}/app2-[0-9]*/"),
    ("/proc/4711/task/4712/stat", "r", "@{PROC}/@{pid}/task/@{tid}/stat"),
    ("/dev/shm/PostgreSQL.1099136102", "rw gone", "/dev/shm/PostgreSQL.[0-9]*"), ("/proc/7/fd/12", "r", "@{PROC}/@{pid}/fd/[0-9]*"),
    ("/usr/lib/libc.so.6", "rm", "/usr/lib/libc.so.*"),
    ("/srv/d/tmp-DjraqASg4Y", "rw gone", "/srv/d/tmp-??????????"), ("/tmp/x.gNF1CxM6VA.d", "rw", "/tmp/x.??????????.d"),
    ("/srv/spool/1xY30l-0006aa-0Q-D", "rw gone", "/srv/spool/??????-??????-??-D"), ("/srv/spool/hdr.1xY30l-0006aa-0Q", "rw", "/srv/spool/hdr.??????-??????-??"),
    ("/srv/spool/2rKzPq-00000006aaB-0Q3x-H", "rw", "/srv/spool/??????-???????????-????-H"),
    ("/srv/m/all.lock.h.6a9c2e9e.00005be2", "rw gone", "/srv/m/all.lock.h.[5-7]???????.[0-9a-f]*"), ("/srv/m/x.1796051358.5be2.cafe12", "rw", "/srv/m/x.1?????????.[0-9a-f]*.cafe[0-9]*"),
    ("/srv/m/uidvalidity.6b0d919e", "w", "/srv/m/uidvalidity.[5-7]???????"),
    ("/tmp/wgunicorn-7xoqyu0g", "rw gone", "/tmp/wgunicorn-????????"), ("/srv/d/up.k3x_9w2a.part", "w gone", "/srv/d/up.????????.part"),
    ("/tmp/k3x_9w2a", "w gone", "/tmp/????????"), ("/srv/y0kpknhe", "w gone", "/srv/????????"),
    ("/srv/d/Params.7da0e5e49e831fd6", "rw gone", f"/srv/d/Params.{'?' * 16}"),
    ("/usr/lib/libdns-9.18.49-1~deb12u1-Debian.so", "rm", "/usr/lib/libdns-[0-9]*.so"), ("/usr/lib/libbfd-2.40-system.so", "rm", "/usr/lib/libbfd-[0-9]*.so"),
    ("/srv/e/sedJIfQbd", "rw gone", "/srv/e/sed??????"), ("/srv/e/sortuWvhih", "rw gone", "/srv/e/sort??????"), ("/tmp/phpDAecA9", "rw", "/tmp/php??????"),
    ("/srv/stUNDdF2", "rw gone", "/srv/st??????"), ("/srv/ziHc3Qdd", "rw gone", "/srv/zi??????"), ("/srv/e/XXL6HkCW", "rw gone", "/srv/e/XX??????"),
    ("/srv/rs/rmetauqMvxZ/", "rw gone", "/srv/rs/rmeta??????/"),
    ("/srv/r.rrdKPhPsb", "rw gone", "/srv/r.rrd??????"), ("/srv/e/f.oByK4ec", "rw gone", "/srv/e/f.o??????"), ("/srv/docCOShUM", "w gone", "/srv/doc??????"),
    ("/tmp/appiYOsGq/", "w", "/tmp/app??????/"), ("/tmp/ssh-ELgvMl9IV1Bb/", "w", "/tmp/ssh-????????????/"), ("/srv/foo.x3Ab9z/", "w gone", "/srv/foo.??????/"),
    ("/tmp/go-build1287799997/", "w gone", "/tmp/go-build[0-9]*/"), ("/tmp/old1764000000123456789.tmp", "rw", "/tmp/old[0-9]*.tmp"),
    ("/srv/br/lock.exclusive.5p19e89n.tmp/", "rw gone", "/srv/br/lock.exclusive.????????.tmp/"), ("/srv/d/job-4711/", "w gone", "/srv/d/job-[0-9]*/"),
    ("/srv/jail/proc/4711/status", "r", "/srv/jail/proc/[0-9]*/status"), ("/srv/jail/proc/47/task/48/stat", "r", "/srv/jail/proc/[0-9]*/task/[0-9]*/stat"),
    ("/var/spool/p/maildrop/831B7A9C07D", "w", "/var/spool/p/maildrop/???????????"), ("/var/spool/p/defer/5/5A51BA9CC53", "rw", "/var/spool/p/defer/[0-9A-F]/???????????"),
    ("/srv/v/_.StatDoc.473c019339426691", "rw gone", f"/srv/v/_.StatDoc.{'?' * 16}"),
    ("/srv/rs/m.tmp2c1d712", "rw gone", "/srv/rs/m.tmp???????"),
    (f"/srv/gc/07/{HEX[:64]}-a", "r", f"/srv/gc/[0-9a-f][0-9a-f]/{'?' * 64}-a"),
])
def test_a_whole_word_of_a_known_form_is_widened(tmp_path, path, rights, glob):
    got = rules(tmp_path, {path: rights})
    assert set(got) == {glob} and ": " in got[glob][1], got


@pytest.mark.parametrize("path, rights", [
    ("/srv/pg/base/1249_fsm", "w"), ("/srv/s.pid27695", "w"), ("/srv/apache2", "w"), ("/srv/apache2/", "w"),
    ("/var/lib/mysql/ibtmp1", "w"), ("/srv/README", "w"), ("/srv/Readme", "w"), ("/srv/backup", "w"),
    ("/srv/MAKE01x", "w"), ("/srv/lrn.Ab3xYz", "r"), ("/srv/deadbeef", "w"),
    ("/var/lib/mysql/ibtmp1", "w gone"), ("/srv/node.web-01", "w"), ("/srv/ccoutput", "w"), ("/srv/tmpfiles_d1", "w"),
    ("/srv/worker-node01", "w"), ("/tmp/x-backup", "w gone"), ("/tmp/apache2", "w"), ("/srv/x1764000000", "w"),
    ("/tmp/20261130-x-ig0o1", "rw"), ("/tmp/20267130-5015-ig0o1", "rw"), ("/tmp/20261130-5015-ig0o1szz", "rw"), ("/srv/20261130-5015-ig0o1", "rw"),
    ("/srv/s/sess_539hcr6uqk3hi9g08o7s4ed5cc", "r"), ("/srv/s/alongwordwith26characters", "rw"), ("/srv/d/x-b64-2.tmp", "w gone"),
    ("/srv/d/x-32DB.tmp", "w gone"), ("/srv/d/x6e97c9cb66", "rw gone"), ("/srv/d/x12y", "rw gone"), ("/srv/d/notify1f4286121a7d", "rw"),
    ("/srv/r/tukOjg2", "rw gone"), ("/srv/r/.git/tukojgx", "rw"), ("/tmp/MyFileName", "rw"), ("/tmp/Backup2026", "rw"),
    ("/tmp/backup2026", "rw"), ("/tmp/CHANGELOGS", "w"), ("/srv/gNF1CxM6VA", "rw"), ("/tmp/a_b_c_d_e_", "w"), ("/tmp/gNF1CxM6VAx", "w"),
    ("/srv/d/tmp-DjraqASg4Y", "rw"), ("/tmp/x-MyFileName", "rw"), ("/srv/d/x.Params", "rw gone"), ("/tmp/data2set", "w"), ("/srv/d/PostgreSQL.x", "rw gone"), ("/srv/data_set", "w gone"), ("/tmp/w-7xoqyu0g", "rw"), ("/srv/w-7xoqyu0g1", "w gone"), ("/srv/w-backups", "w gone"),
    ("/srv/DataSet1", "w gone"), ("/srv/spool/1xY30l-0006aa-0Q-D", "r"), ("/srv/spool/1abcde-xabcde-ab", "w"), ("/srv/spool/1abcde-0abcde-abc", "w"),
    ("/srv/m/u.0b0d919e", "w"), ("/srv/m/u.6B0D919E", "w"), ("/srv/m/u.66666666", "w"), ("/srv/m/u.6b0d919e", "r"),
    ("/usr/lib/libdns-9.18.49-1.so", "r"), ("/usr/lib/_decimal.cpython-311-x86_64-linux-gnu.so", "rm"), ("/usr/lib/libx-2.so", "rm"), ("/usr/lib/lib-x.so", "rm"),
    (f"/srv/x{HEX[:20]}", "w"), (f"/sys/devices/{HEX[:32]}", "r"), ("/srv/20261129", "w"),
    ("/srv/w-4711.log", "w"), ("/srv/sedJIfQbd", "w"), ("/srv/sediment1", "w gone"), ("/srv/stMyFileA", "w gone"), ("/srv/startTheWeb", "w gone"), ("/srv/lockDataSet1", "w gone"),
    ("/srv/lockPostgreSQL", "w gone"), ("/srv/docCOShUM", "w"), ("/srv/fooBARbaz", "w gone"), ("/srv/x.proc/4711/status", "r"), ("/srv/proc/4711/report", "r"),
    ("/srv/proc/x4711/status", "r"), ("/tmp/backup20261130", "rw"), ("/tmp/ssh-MyFileNames", "rw"), ("/srv/job-4711/", "w"),
    ("/srv/DEADBEEF01", "w"), ("/srv/831B7A9C07D", "r"), ("/srv/FB1B7A9C07D", "w"), ("/srv/d/5/x", "w gone"), ("/srv/rs/m.tmp2c1d712", "w"), ("/srv/m.tmpfile1", "w gone"),
    ("/dev/550e8400-e29b-41d4-a716-446655440000", "r"),
])
def test_words_and_parts_of_words_stay_as_they_are(tmp_path, path, rights):
    assert globs(tmp_path, {path: rights}) == {path}


def test_a_port_that_was_bound_is_no_number_that_is_made_anew(tmp_path):
    files = {"/run/.s.db.5432": "rw gone", "/run/.s.db.5433": "rw gone", "/run/w-5432": "w numbered"}
    got = globs(tmp_path, files, more=["address bind inet stream 5432 loopback", "address connect inet stream 5433 any"])
    assert got == {"@{run}/.s.db.5432", "@{run}/.s.db.[0-9]*", "@{run}/w-[0-9]*"}


def test_of_30_000_files_in_a_directory_one_rule_is_loaded_at_once(tmp_path):
    parser = need("apparmor_parser")
    head = {"id": f"{1:032x}", "machine": "x86_64", "name": '"server"', "host": '"h"', "kernel": '"6.1"', "libc": '"glibc 2.36"',
            "tier": '"ebpf"', "started": "1764000000000000001", "tasks": "1"}
    files = {f'file "/srv/d/f{i}" r owned': (1, 5) for i in range(30000)}
    rec = write(tmp_path / "r.rec", (head, files | {"call x86_64 read": (1, 5)}))
    policy, profile = tmp_path / "p.pale", tmp_path / "p.apparmor"
    assert run([PALE, "propose", "-o", policy, rec]).rc == 0
    assert re.findall(r"file .*/srv/.*;", policy.read_text()) == ["file r /srv/d/*;"]
    assert run([PALE, "compile", "-q", "-t", "apparmor", policy, "-o", profile]).rc == 0
    r, _, seconds = run_costs(tmp_path, [parser, "-QK", "-M", FEATURES, profile])
    assert r.rc == 0 and seconds < 1, (r, seconds)


def test_what_several_runs_share_is_what_it_is(tmp_path):
    same = {"/srv/lrn.Ab3xYz": "w", f"/srv/{HEX[:32]}": "r"}
    assert set(rules(tmp_path, same, same)) == set(same)


def test_what_differs_from_run_to_run_is_one_rule(tmp_path):
    one = {"/srv/sess_k3x9a": "w", "/srv/a/job-17/out": "w", "/srv/fixed": "w", "/srv/only": "w"}
    two = {"/srv/sess_p07qq": "w", "/srv/a/job-9213/out": "w", "/srv/fixed": "w"}
    got = rules(tmp_path, one, two)
    assert "/srv/sess_?????" in got and got["/srv/sess_?????"][1].endswith("differs from run to run")
    assert "/srv/fixed" in got and "/srv/only" in got and "/srv/sess_k3x9a" not in got
    # One run alone does not say so, nor does what was only read, or made by one run twice.
    assert "/srv/sess_k3x9a" in rules(tmp_path, one)
    assert "/srv/d/ab" in rules(tmp_path, {"/srv/d/ab": "r"}, {"/srv/d/cd": "r"})
    assert "/srv/d/s_a1" in rules(tmp_path, {"/srv/d/s_a1": "w", "/srv/d/s_c2": "w"}, {"/srv/x": "w"})
    # Words that somebody chose are other things, and not one that is called anew.
    words = {"/srv/d/in.log": "w"}, {"/srv/d/up.log": "w"}
    assert set(rules(tmp_path, *words)) == {"/srv/d/in.log", "/srv/d/up.log"}


def beside(directory, n, rights):
    return {f"{directory}n{chr(97 + i % 26)}{'x' * (i // 26)}": rights for i in range(n)}


@pytest.mark.parametrize("directory, n, rights, others, whole", [
    ("/srv/data/", 15, "w", None, False),
    ("/srv/data/", 16, "w", None, True),
    ("/srv/data/", 16, "w", 7, True),
    ("/srv/data/", 40, "r", None, False),
    ("/srv/data/", 40, "r", 1, False),
    ("/srv/data/", 16, "r", 0, True),
    ("/srv/data/", 255, "r", 3, False),
    ("/srv/data/", 256, "r", 3, True),
    ("/srv/data/", 256, "rx", 3, False),
    ("/srv/data/", 40, "rwx", 3, False),
    ("/srv/data/", 40, "rwx", 0, False),
    ("/srv/data/", 300, "rwm", 0, False),
    ("/etc/app.d/", 300, "r", 0, False),
    ("/root/.cache/x/", 300, "w", 0, False),
    ("/home/u/.ssh/", 300, "r", 0, False),
    ("/run/secrets/", 300, "w", 0, False),
    ("/tmp/", 40, "w", 9, False),
])
def test_many_of_equal_rights_beside_each_other_are_one_rule(tmp_path, directory, n, rights, others, whole):
    got = rules(tmp_path, beside(directory, n, rights), others={} if others is None else {directory: others})
    assert (directory + "*" in got) is whole and len(got) == (1 if whole else n), got
    if whole:
        said = got[directory + "*"][1]
        assert f"{n} files" in said
        assert others is None or ("no other name there" if not others else f"; {others} other name") in said, said
        assert others is not None or "other name" not in said


def test_of_a_tree_that_the_run_made_or_used_whole_one_rule_is_enough(tmp_path):
    tree = {f"/srv/out/{a}/{b}": "w" for a in "pqrst" for b in "uvwxy"} | {f"/srv/out/{a}/": "w" for a in "pqrst"}
    made = tree | {"/srv/out/": "w"}
    assert globs(tmp_path, made) == {"/srv/out/", "/srv/out/**", *(f"/srv/out/{a}/" for a in "pqrst")}
    # Somebody else's directory is not given away for what is below.
    assert len(globs(tmp_path, tree)) == len(tree)
    read = {p: "r" for p in tree if p[-1] != "/"}
    dirs = {f"/srv/out/{a}/": 0 for a in "pqrst"} | {"/srv/out/": 0}
    got = rules(tmp_path, read, others=dirs)
    assert set(got) == {"/srv/out/**"} and got["/srv/out/**"][1].endswith("all that is there; no other name there")
    assert len(globs(tmp_path, read, others=dirs | {"/srv/out/q/": 1})) == len(read)


def test_a_rule_for_a_tree_stands_where_its_files_are_and_no_higher(tmp_path):
    names = [f"{a}/{b}" for a in "pqrst" for b in "uvwxy"]
    dirs = ["", *(f"{a}/" for a in "pqrst")]
    files = {f"/srv/job/a/{n}": "r" for n in names} | {f"/srv/job/b/{n}": "rw" for n in names}
    files |= {f"/srv/job/b/{n}.tmp": "w" for n in names}
    others = {f"/srv/job/{x}/{d}": 0 for x in "ab" for d in dirs} | {"/srv/job/": 0}
    # What was read is not given to be written, nor do fewer rights need a rule of their own.
    assert {g: r for g, (r, _) in rules(tmp_path, files, others=others).items()} == {
        "/srv/job/a/**": "r", "/srv/job/b/**": "rw"}


@pytest.mark.parametrize("rights", ["rmx", "rm", "rx", "rwx"])
@pytest.mark.parametrize("n", [40, 300])
def test_programs_keep_their_names(tmp_path, rights, n):
    files = beside("/srv/bin/", n, rights)
    assert globs(tmp_path, files, others={"/srv/bin/": 0}) == set(files)


def test_objects_spread_by_their_hash_are_one_rule(tmp_path):
    files = {f"/srv/r/.git/objects/{i:02x}/{HEX[i:i + 38]}": "r" for i in range(12)}
    assert globs(tmp_path, files) == {f"/srv/r/.git/objects/[0-9a-f][0-9a-f]/{'?' * 38}"}


@pytest.mark.parametrize("path, rights, rule", [
    ("/proc/meminfo", "r", "file r @{PROC}/meminfo"), ("/proc/sys/kernel/ngroups_max", "r", "file r @{PROC}/sys/kernel/ngroups_max"),
    ("/proc/irq/9/spurious", "r", "file r @{PROC}/irq/9/spurious"), ("/run/x.pid", "rw", "file rw @{run}/x.pid"),
    ("/usr/lib/x86_64-linux-gnu/gconv/x", "r", "file r /usr/lib/@{multiarch}/gconv/x"),
    ("/srv/x86_64-linux-gnu/x", "r", "file r /srv/x86_64-linux-gnu/x"), ("/usr/lib/linux-gnu/x", "r", "file r /usr/lib/linux-gnu/x"),
    ("/home/anna/.cache/x", "rw owned", "owner file rw @{HOME}/.cache/x"), ("/home/anna/.cache/x", "rw", "file rw /home/anna/.cache/x"),
    ("/home/anna/", "r owned", "file r /home/anna/"), ("/root/.cache/x", "rw owned", "file rw /root/.cache/x"),
])
def test_places_have_the_names_of_the_tunables(tmp_path, path, rights, rule):
    r = run([PALE, "propose", recording(tmp_path, {path: rights})])
    assert r.rc == 0 and f"\n    {rule}; #" in r.out, r
    policy = tmp_path / "p.pale"
    policy.write_text(r.out)
    answer = run([PALE, "sim", policy, f"open {path} {rights.split()[0]}"])
    assert answer.rc == 0 and "allow" in answer.out, answer


def test_of_what_is_widened_it_is_told_what_else_is_named_so(tmp_path):
    lib, other = "/usr/lib/libc.so.*", "/srv/lrn.??????"
    got = rules(tmp_path, {"/usr/lib/libc.so.6": "rm", "/srv/lrn.Ab3xYz": "w gone", "/srv/tmp.Ab3xYzAb3x": "w gone"},
                others={lib: 0, other: 3})
    assert got[lib][1].endswith("a library's version; no other name like it")
    assert got[other][1].endswith("made anew each time; 3 other names like it")
    assert "like it" not in got["/srv/tmp.??????????"][1]


def test_the_recorder_counts_what_patterns_stand_for(tmp_path):
    d = tmp_path / "d"
    d.mkdir()
    for name in ("lrn.Ab3xYz", "lrn.Qb3xYz", "lrn.tooLong1", "x.Ab3xYz"):
        (d / name).write_text("")
    (d / "lrn.Ln3kXx").symlink_to("lrn.Ab3xYz")
    rec = tmp_path / "rec"
    r = run([PALE, "learn", "-r", rec, "-o", "/dev/null", "--", "sh", "-c", f"echo >{d}/lrn.Cb3xYz; rm {d}/lrn.Cb3xYz"])
    assert r.rc == 0, r
    glob = str(d).replace("\\", "")
    assert re.search(rf'^others "{re.escape(glob)}/lrn\.\?{{6}}" 2\t', rec.read_text(), re.M), rec.read_text()


@pytest.mark.parametrize("backend", ["ebpf", "ptrace"])
def test_a_number_in_a_name_is_a_process_s_where_that_process_or_its_child_made_it(tmp_path, backend):
    """Of what was renamed by mv too, and of directories; not of another process, and no small number."""
    script = (f"cd {tmp_path}; echo >w-$$.log; echo >plain-$(($$ + 7)).log; exec 3>>app.$$; mkdir d-$$; echo >d-$$/7; echo >new; mv new q-$$;"
              "echo $$ >pid; cat w-$$.log; true")
    rec, text = learn(tmp_path, backend, "sh", "-c", script)
    pid = int((tmp_path / "pid").read_text())
    found = {m[1] for m in re.finditer(rf'^file "{tmp_path}/([^"]*)" \S+ owned numbered\t', rec.text, re.M)}
    assert found == {f"w-{pid}.log", f"app.{pid}", f"d-{pid}/", f"q-{pid}"}, rec.text
    assert f"{tmp_path}/w-[0-9]*.log" in text and f"{tmp_path}/d-[0-9]*/7" in text and f"plain-{pid + 7}.log" in text, text


def test_exact_turns_all_of_it_off(tmp_path):
    files = beside("/srv/data/", 40, "w") | {"/run/lrn.Ab3xYz": "w gone", f"/srv/{HEX[:40]}": "r", "/proc/7/stat": "r",
                                             "/usr/lib/libc.so.6": "rm", "/srv/temp-4711.rdb": "w gone"}
    assert globs(tmp_path, files, args=["--exact"]) == set(files)


@pytest.mark.parametrize("words", [", ", " and ", " or ", "|", '"', "\\", "\n"])
def test_long_names_that_look_like_lists_are_rules_that_read_back(tmp_path, words):
    names = [f"/srv/{'x' * n}{words}{'y' * 60}{words}z" for n in (30, 60, 85)]
    policy = tmp_path / "p.pale"
    policy.write_text(run([PALE, "propose", recording(tmp_path, {n: "rw owned" for n in names})], check=0).out)
    assert run([PALE, "fmt", "--check", policy]).rc == 0
    rc = run([PALE, "check", "-t", "apparmor", policy])
    assert rc.rc == 0, rc
    text = policy.read_text()
    assert len(re.findall(r"file rw .*y{60}.*z\"?; +# ", text)) == 3, text


def test_everything_that_was_seen_is_allowed_whatever_it_is_called(tmp_path):
    rnd = random.Random(41)
    for _ in range(60 if os.environ.get("PALE_LONG") else 4):
        runs = []
        for _ in range(rnd.randrange(1, 4)):
            files = {}
            for _ in range(rnd.randrange(1, 80)):
                parts = [rnd.choice(["srv", "tmp", "run", "d", "etc"])]
                parts += ["".join(rnd.choice("aB7_.-[]{}*?^,~ ") for _ in range(rnd.choice([1, 2, 6, 7])))
                          for _ in range(rnd.randrange(1, 4))]
                if all(p.strip(". ") for p in parts):
                    files["/" + "/".join(parts)] = rnd.choice(["r", "w", "rw", "w gone", "rw owned"])
            runs.append({"/srv/x": "r", **files})  # of those with a blank in them nothing is asked
        r = run([PALE, "propose", recording(tmp_path, *runs)])
        policy = tmp_path / "p.pale"
        policy.write_text(r.out)
        asked = [(p, rights.split()[0]) for files in runs for p, rights in files.items() if " " not in p]
        answer = run([PALE, "sim", policy, *(f"open {p} {rights}" for p, rights in asked)])
        assert answer.rc == 0 and answer.out.count("allow") >= len(asked), (asked, answer)
