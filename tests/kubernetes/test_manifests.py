# SPDX-License-Identifier: Apache-2.0
"""The manifests of learn/kubernetes: what the published types say of them, what the linter does, what they promise."""
import copy
import fcntl
import json
import re
import subprocess

import pytest
import yaml

from conftest import BUILD, LONG, PATIENCE, ROOT, need, run, skip

HERE = ROOT / "learn/kubernetes"
KINDS = ["base", "hostpath", "merge", "result"]
OBJECTS = [(path.relative_to(HERE), o) for path in sorted(HERE.glob("*/*.yaml")) if path.stem != "kustomization"
           for o in yaml.safe_load_all(path.read_text())]
pytestmark = pytest.mark.once


def pods():
    for path, o in OBJECTS:
        spec = o["spec"].get("template", o).get("spec", {}) if o["kind"] in ("DaemonSet", "Job", "Pod") else None
        if spec:
            yield path, spec


# ---- the published types ----

@pytest.fixture(scope="module")
def published():
    """Kubernetes' OpenAPI description as npm has it, made into validators and types: once a tree."""
    if not LONG:
        skip("PALE_LONG: 25 MB from npm")
    root = BUILD / "kubernetes-models"
    need("node")
    with open(BUILD / "kubernetes-models.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        models = root / "node_modules/kubernetes-models"
        if not (models / "apps/v1/DaemonSet.js").exists():
            r = subprocess.run([need("npm"), "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", root,
                                "kubernetes-models@5.1.0"], capture_output=True, text=True, timeout=600)
            if not (models / "apps/v1/DaemonSet.js").exists():
                skip(f"could not be had: kubernetes-models from npm: {r.stderr[-200:]}")
    return models


VALIDATE = """import fs from "node:fs";
import { pathToFileURL } from "node:url";
const [models, file] = process.argv.slice(2);
for (const o of JSON.parse(fs.readFileSync(file))) {
  const model = (await import(pathToFileURL(`${models}/${o.apiVersion}/${o.kind}.js`)))[o.kind];
  try { new model(o).validate(); console.log("ok"); } catch (e) { console.log(e.message.replaceAll("\\n", " ")); }
}
"""


def validated(models, objects, tmp_path):
    (tmp_path / "v.mjs").write_text(VALIDATE)
    (tmp_path / "o.json").write_text(json.dumps(objects))
    return run([need("node"), tmp_path / "v.mjs", models, tmp_path / "o.json"], check=0).out.splitlines()


def members(path):
    """Of the first interface of a file of types: {name: (type, the file of that)}, or None where any name may be."""
    text = path.read_text()
    body = re.search(r"export interface \w+[^{]*\{(.*?)\n\}", text, re.S)
    if not body:
        return None
    files = {name: at for names, at in re.findall(r"import \{ ([^}]*) \} from \"([^\"]*)\"", text) for name in names.split(", ")}
    out = {}
    for name, kind in re.findall(r'^    "?([\w$]+)"?\??: ([^\n]*?)[;{]?$', body[1], re.M):
        at = files.get(re.sub(r"^Array<(.*)>$", r"\1", kind.strip().rstrip(";")))
        out[name] = at
    return out


def unknown(models, path, value, where=""):
    """Names that the types do not have, as `kubeconform -strict` tells them: the validators let them pass."""
    if isinstance(value, list):
        return [w for i, v in enumerate(value) for w in unknown(models, path, v, f"{where}[{i}]")]
    known = members(path) if isinstance(value, dict) else None
    if not known:
        return []
    out = []
    for name, v in value.items():
        if name not in known:
            out.append(f"{where}.{name}")
        elif known[name]:
            at = known[name]
            file = path.parent / at if at.startswith(".") else models.parent / at
            file = file.with_suffix(".d.ts") if file.suffix == ".js" else file.parent / (file.name + ".d.ts")
            out += unknown(models, file, v, f"{where}.{name}")
    return out


def all_unknown(models, o):
    return unknown(models, models / o["apiVersion"] / f"{o['kind']}.d.ts", o)


def test_the_objects_are_what_kubernetes_publishes(published, tmp_path):
    objects = [o for _, o in OBJECTS]
    assert {o["kind"] for o in objects} == {"Namespace", "ServiceAccount", "PersistentVolumeClaim", "DaemonSet", "Job", "Pod"}
    assert validated(published, objects, tmp_path) == ["ok"] * len(objects)
    assert [all_unknown(published, o) for o in objects] == [[]] * len(objects)


@pytest.mark.parametrize("at, name, value", [
    ((), "hostPid", True), (("containers", 0, "securityContext", "capabilities"), "added", ["BPF"]),
    (("volumes", 0, "hostPath"), "kind", "Directory"), (("containers", 0, "env", 0, "valueFrom", "fieldRef"), "path", "x"),
    (("containers", 0), "command", "pale"), (("containers", 0, "securityContext"), "runAsUser", "root"), ((), "containers", None)])
def test_what_is_wrong_with_one_is_found(published, tmp_path, at, name, value):
    wrong = copy.deepcopy(next(o for _, o in OBJECTS if o["kind"] == "DaemonSet"))
    place = wrong["spec"]["template"]["spec"]
    for step in at:
        place = place[step]
    if value is None:
        del place[name]
    else:
        place[name] = value
    assert validated(published, [wrong], tmp_path) != ["ok"] or [w.rsplit(".", 1)[1] for w in all_unknown(published, wrong)] == [name]


@pytest.mark.parametrize("kind", KINDS)
def test_kustomize_builds_them(kind):
    built = list(yaml.safe_load_all(run([need("kubectl"), "kustomize", HERE / kind], check=0, timeout=PATIENCE).out))
    names = {(o["kind"], o["metadata"]["name"].rsplit("-", 1)[0] if o["kind"] == "ConfigMap" else o["metadata"]["name"]) for o in built}
    daemons = {("Namespace", "pale"), ("ServiceAccount", "pale"), ("ConfigMap", "pale"), ("DaemonSet", "pale")}
    assert names == {"base": {*daemons, ("PersistentVolumeClaim", "recordings")}, "hostpath": daemons,
                     "merge": {("ConfigMap", "pale-merge"), ("Job", "pale-merge")},
                     "result": {("ConfigMap", "nginx-policy"), ("SeccompProfile", "nginx"), ("Pod", "nginx")}}[kind]
    if kind in ("base", "hostpath"):
        (volume,) = [v for o in built if o["kind"] == "DaemonSet" for v in o["spec"]["template"]["spec"]["volumes"] if v["name"] == "recordings"]
        assert ("hostPath" in volume) == (kind == "hostpath")


# ---- what they promise ----

def test_the_linter_has_nothing_to_say_that_is_not_answered_beside_it(pale):
    files = [*sorted(HERE.glob("*/*.yaml")), HERE / "Dockerfile"]
    pale("lint", "--error-on", "info", *files, check=0)
    bare = "".join(p.read_text() for p in files)
    assert bare.count("pale: ignore") == 5 and all(re.search(r"ignore \w+ \w+ \w+", line) for line in bare.splitlines() if "pale: ignore" in line)
    found = json.loads(pale("lint", "--format", "json", HERE / "result/nginx.spo.json").out)
    assert {f["id"] for f in found["findings"]} == {"SC128"}  # the object has no word for it


def test_no_pod_gets_more_than_it_says_why():
    for path, spec in pods():
        assert spec["automountServiceAccountToken"] is False, path
        for c in spec.get("initContainers", []) + spec["containers"]:
            context = c["securityContext"]
            assert context["allowPrivilegeEscalation"] is False and context["capabilities"]["drop"] == ["ALL"] and "privileged" not in context
            if "result" not in str(path):
                assert context["readOnlyRootFilesystem"] and c["resources"]["limits"]["memory"], path
    (daemon,) = [spec for path, spec in pods() if path.name == "daemonset.yaml"]
    (c,) = daemon["containers"]
    assert c["securityContext"]["capabilities"]["add"] == ["BPF", "PERFMON", "SYS_PTRACE"] and "hostNetwork" not in daemon
    assert {m["mountPath"] for m in c["volumeMounts"] if not m.get("readOnly")} == {"/recordings"}
    assert not any(o["kind"].endswith(("Role", "Binding")) for _, o in OBJECTS)


def test_the_result_is_what_compile_writes_of_the_example(pale, tmp_path):
    example = ROOT / "profiles/examples/nginx.pale"
    assert (HERE / "result/nginx.pale").read_text() == example.read_text()
    for target, more in ("spo", ["--approximate"]), ("apparmor", []):
        pale("compile", "-q", "-t", target, *more, "-o", tmp_path / target, example, check=0)
    assert (HERE / "result/nginx.spo.json").read_text() == (tmp_path / "spo").read_text()
    assert (HERE / "result/nginx.apparmor").read_text() == (tmp_path / "apparmor").read_text()


def test_the_image_and_the_settings_are_the_same_in_all_of_them():
    said = [yaml.safe_load((HERE / k / "kustomization.yaml").read_text()) for k in ("base", "merge")]
    assert said[0]["images"] == said[1]["images"] and said[0]["namespace"] == said[1]["namespace"] == "pale"
    names = [line for k in said for g in k["configMapGenerator"] for line in g["literals"] if line.startswith("NAME=")]
    assert names[0] == names[1]
