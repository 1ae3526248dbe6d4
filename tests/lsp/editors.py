# SPDX-License-Identifier: Apache-2.0
"""The lists of words in the editors' syntax files, from words.def: `editors.py --write` writes them."""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
EDITORS = ROOT / "grammar" / "editors"


def words(macro):
    """{group: words}: where a word may stand decides how it is shown."""
    text = (ROOT / "compiler/lsp/words.def").read_text()
    groups = {"TOP": [], "RULE": [], "COND": [], "OTHER": []}
    for word, where in re.findall(rf'^{macro}\("([^"]+)", ([^,]+),', text, flags=re.M):
        groups["TOP" if "TOP" in where else "OTHER" if where == "0" else where].append(word)
    return {g: sorted(w) for g, w in groups.items() if w}


VIM = {"TOP": "Top", "RULE": "Rule", "COND": "Condition", "OTHER": "Word"}


def vim(name, macro):
    lines = []
    for group, list_ in words(macro).items():
        head = f"syn keyword {name}{VIM[group]}"
        line = head
        for w in list_:
            if len(line) + len(w) > 96:
                lines.append(line)
                line = head
            line += " " + w
        lines.append(line)
    text = (EDITORS / "vim/syntax" / f"{name}.vim").read_text()
    return re.sub(r'(?s)(" \{ words\n).*?(" \})', lambda m: m[1] + "".join(x + "\n" for x in lines) + m[2], text)


def textmate(name, macro):
    path = EDITORS / "vscode/syntaxes" / f"{name}.tmLanguage.json"
    text, names = path.read_text(), {"TOP": "storage.type", "RULE": "keyword.control", "COND": "keyword.operator.word",
                                     "OTHER": "keyword.other"}
    for group, list_ in words(macro).items():
        longest = sorted(list_, key=lambda w: (-len(w), w))
        pattern = json.dumps(r"(?<![\w-])(" + "|".join(longest) + r")(?![\w-])")
        text = re.sub(rf'("name": "{re.escape(names[group])}\.{name}", "match": )"[^"]*"', lambda m: m[1] + pattern, text)
    return text


def files():
    for name, macro in (("pale", "PALE"), ("apparmor", "AA")):
        yield EDITORS / "vim/syntax" / f"{name}.vim", vim(name, macro)
        yield EDITORS / "vscode/syntaxes" / f"{name}.tmLanguage.json", textmate(name, macro)


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    for file, wanted in files():
        file.write_text(wanted)
