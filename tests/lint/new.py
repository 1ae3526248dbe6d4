#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Lays out a new rule of the linter: tests/lint/new.py SC199 slug-of-it HIGH meaning

Appends its row and an empty function to compiler/lint/rules_meaning.c (of an AP rule: aa_meaning for
rules_aa_meaning.c, of a DP rule: deploy or unit), and writes the folder of its cases, which fail until both are true."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKELETON = """
RULE({id}, "{slug}", {severity}, {formats}, {fn},
     "one line: what is wrong",
     "What is found, why it matters, what shows it.\\n\\n"
     "Way out: what to write instead.")
void {fn}(struct lint *l, enum diag_id id)
{{
{body}
}}
"""
BODY = """	if (!l->facts)
		return;
	/* facts.h: what passes, always or under a condition, and a call that shows it */
	diag_add(l->ds, id, l->facts->dflt_span, "what is wrong, in lower case");"""
APPARMOR = """	vec_each(&l->aa->q->rules, r) {
		/* aa_facts.h: what is allowed, and an access that shows it */
		aa_tell(l, id, (*r)->use, "what is wrong, in lower case");
	}"""
DEPLOYMENT = """	vec_each(&l->deployment->containers, it) {
		const struct deploy_container *c = *it;
		/* deploy.h: what it asks for, and where that stands */
		diag_add(l->ds, id, c->name.span, PRISTR " is wrong, in lower case", STRARG(c->name.text));
	}"""
COMPOSE = "services:\n  web:\n    image: web\n"
EMPTY = '{"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],\n' \
        ' "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]}\n'


def main(id, slug, severity, family):
    source = ROOT / "compiler" / "lint" / f"rules_{family}.c"
    folder = ROOT / "tests" / "lint" / "rules" / id
    if not re.fullmatch(r"(SJ|SC|SR|SP|AP|DS|DP)[0-9]{3}", id) or severity not in ("ERROR", "HIGH", "WARNING", "INFO"):
        sys.exit(__doc__)
    if not source.exists() or folder.exists() or f"({id}," in source.read_text():
        sys.exit(f"{source} is not there, or {id} is")
    fn = "_".join([id[:2].lower(), *slug.split("-")])
    aa, dp = id.startswith("AP"), id.startswith("DP")
    with source.open("a") as f:
        f.write(SKELETON.format(id=id, slug=slug, severity=severity, fn=fn, formats="APPARMOR" if aa else "DEPLOYMENT" if dp else "BOTH",
                                body=APPARMOR if aa else DEPLOYMENT if dp else BODY))
    folder.mkdir()
    for name in ("bad", "ok"):
        if aa:
            (folder / f"{name}-apparmor.aa").write_text("profile p /bin/p {\n\t/bin/p mr,\n}\n")
        elif dp:
            (folder / f"{name}-compose.yaml").write_text(COMPOSE)
        else:
            (folder / f"{name}-profile.json").write_text(EMPTY)
    (folder / "says").write_text(f"{'apparmor' if aa else 'compose' if dp else 'profile'}\tin lower case\n")
    print(f"{source.relative_to(ROOT)}\n{folder.relative_to(ROOT)}/")


if __name__ == "__main__":
    main(*sys.argv[1:]) if len(sys.argv) == 5 else sys.exit(__doc__)
