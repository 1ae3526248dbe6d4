# SPDX-License-Identifier: Apache-2.0
"""What starts containers, in JSON: Docker's daemon.json, objects of Kubernetes."""
import json

import pytest

from cases import findings_of, open_

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"hostPID": True, "containers": [
    {"name": "a", "securityContext": {"privileged": True}}]}}


@pytest.fixture
def lint(pale, tmp_path):
    def call(*docs):
        files = [tmp_path / f"{n}.json" for n in range(len(docs))]
        for f, doc in zip(files, docs):
            f.write_text(json.dumps(doc))
        (tmp_path / "good.json").write_text(open_("read"))
        return findings_of(pale, files)
    return call


def test_what_a_daemon_gives_its_containers_is_judged(lint, tmp_path):
    rows = [({"seccomp-profile": "unconfined"}, {"DP601", "DP608"}), ({"seccomp-profile": "builtin", "no-new-privileges": True}, set()),
            ({"no-new-privileges": False}, {"DP608"}), ({"seccomp-profile": "default", "no-new-privileges": True}, {"DP602"}),
            ({"seccomp-profile": "good.json", "no-new-privileges": True}, set()),
            ({"seccomp-profile": "/no/such.json", "no-new-privileges": True}, {"DP612"}),
            ({"default-cgroupns-mode": "host", "no-new-privileges": True}, {"DP605"}), ({"log-driver": "journald"}, {"DP608"})]
    for (doc, ids), found in zip(rows, lint(*[doc for doc, _ in rows])):
        assert {f["id"] for f in found} == ids, (doc, found)


def test_a_pod_is_judged_as_in_yaml(lint, pale, tmp_path):
    (tmp_path / "p.yaml").write_text(json.dumps(POD))
    yaml = json.loads(pale("lint", "--format", "json", tmp_path / "p.yaml").out)["findings"]
    found, listed = lint(POD, {"apiVersion": "v1", "kind": "List", "items": [
        POD, {"kind": "SeccompProfile", "apiVersion": "x", "spec": json.loads(open_("read", "ptrace"))}]})
    assert sorted((f["id"], f["message"], f["begin"]) for f in found) == sorted((f["id"], f["message"], f["begin"]) for f in yaml)
    assert {"DP604", "DP605", "SR205"} <= {f["id"] for f in listed}


def test_an_object_without_containers_is_no_deployment(lint):
    assert [f["id"] for f in lint({"apiVersion": "v1", "kind": "ConfigMap", "data": {}})[0]] == ["PL023"]


def test_folders_are_searched_for_them(pale, tmp_path):
    for name, text in {"daemon.json": {"seccomp-profile": "unconfined"}, "pod.json": POD, "package.json": {"apiVersion": "1", "main": "x"}}.items():
        (tmp_path / name).write_text(json.dumps(text))
    out = pale("lint", "--format", "concise", tmp_path, check=1).out
    assert "daemon.json" in out and "pod.json" in out and "package" not in out
