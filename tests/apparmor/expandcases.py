# SPDX-License-Identifier: Apache-2.0
"""Texts, each with the files that it includes, on which expanding is held against AppArmor's parsers."""
CASES = []


def case(text, **files):
    CASES.append((text, files))


def profile(body, **files):
    case("profile p {\n%s\n}\n" % body, **files)


def include_cases():
    a = {"d/a": "/a r,\n"}
    profile("include <d>", **{"d/a": "/a r,\n", "d/b": "/b r,\n", "d/c": "/c px -> x,\n"})
    profile("include <d>\ninclude <d/a>", **{"d/a": "/a r,\n", "d/b": "include <d/a>\n/b r,\n"})
    case("include <d>\nprofile p { /@{A} r, }\n", **{"d/a": "@{A}+=a\n", "d/b": "@{A}=b\n"})
    case("include <d>\nprofile p { /@{A} r, }\n", **{"d/a": "@{A}=a\n", "d/b": "@{A}+=b\n"})
    for value in ("true", "false"):
        case("${F}=%s\nprofile p { if ${F} { include <d/a> }\ninclude <d/a>\n/x r, }\n" % value, **a)
    for body in ("include <d/a>\nprofile c { include <d/a> }\ninclude <d/a>", "include <d/./a>\ninclude <d/a>", "include <d/>",
                 "include <no/such>", "include if exists <no/such>", "include if exists <d>", "include <  d/a  >", "include < \"d/a\">",
                 'include "d/a"', "include d/a", 'include "no/a"', "include <>", "#include <d/a>", "# include <d/a>\n/x r,"):
        profile(body, **a)
    profile('include <"d/a b">', **{"d/a b": "/a r,\n"})
    profile("include <d/a b>", **{"d/a b": "/a r,\n"})
    left = "b~ c.dpkg-new .x README e.rpmnew f.orig g.rej h.pacnew i.dpkg-remove j.dpkg-old k.dpkg-dist l.dpkg-bak m.rpmsave n.pacsave"
    profile("include <d>", **a, **{"d/" + name: "bad" for name in left.split()})
    for name in ("a~b~", "fooREADME", "a.origin", "a.orig.x"):
        profile("include <d>", **{"d/" + name: "/x r,\n"})
    profile("include <d>", **{"d/s/a": "bad", "d/x": "/x r,\n"})
    profile("include <d/x>", **{"d/x": "include <d/y>\n/x r,\n", "d/y": "include <d/x>\n/y r,\n"})
    profile("include <d/x>", **{"d/x": "profile c { include <d/y>\n/x r,\n }\n", "d/y": "/y r,\n"})
    case("include <d/a>\ninclude <d/a>\nprofile p { /@{A} r, }\n", **{"d/a": "@{A}=a\n"})
    case("include <d/a>\ninclude <d/./a>\nprofile p { /@{A} r, }\n", **{"d/a": "@{A}=a\n"})
    case("include <d/a>\nprofile q {}\n", **{"d/a": "profile p {}\n"})
    case("include <d/a>\n@{A}=x\nprofile q {}\n", **{"d/a": "profile p {}\n"})
    case("include <d/a>\n", **{"d/a": "profile p {}\n"})
    case("")


def variable_cases():
    use = "profile p { /@{A} r, }\n"
    for text in ("@{A}=a\n@{A}=b\n", "@{A}=a\n@{A}+=b\n", "@{A}=a b a\n", "@{A}=@{A}\n", "@{A}=@{B}\n@{B}=@{A}\n", "@{A}=@{B}\n",
                 "@{A}=@{B}\n@{B}=x\n", "@{A} = a\n", "@A=a\n", "${A}=true\n", "@{A}?=a\n", "@{A}=a\n@{A}?=b\n", "@{A}=a\n@{A} := b\n",
                 "@{A} := b\n", "@{A}:=b\n", "@{A}=a # b c\n", "@{A}=a b\n@{B}=@{A}@{A} @{A}\n@{A} += c\n", "@{A}=x@{a,b}\n",
                 "@{A}=#x y\n", "@{A}=a \\\n  b\n", '@{A}="a b" c\\ d "e\\"f"\n', "@{A}=\n", "@{A}=a,\n", "@{B}=a b\n@{A}=@{B}/@{B}\n"):
        case(text + use)
    for text in ("@{A}+=a\n", "@{A}=@{A}\n", "@{A}=@{B}\n", "@{A}=\n", "@{A}=a\n${A}=true\n", "${A}=true\n@{A}=a\n", "${A}=true\n${A}=true\n",
                 "${A}=true\n@{A}+=a\n", "${A}=maybe\n", "${A}=true\n${A}+=true\n", "@{A}=a\nprofile q {}\n@{B}=b\n"):
        case(text + "profile p { }\n")
    for text in ("${A}=TRUE", "${A}=false\n${A}:=true", "${A}=false\n${A}?=true", "@{V}=a\n${A}=defined @{V}", "${A}=not defined @{V}",
                 "${A}=not true or (true and false)", "@{V}=a\n${A}=@{V} == a\n@{V}+=b"):
        case(text + "\nprofile p { if ${A} { /a r, } /@{profile_name} r, }\n")
    case("@{V}=a\n${A}=@{V} == a\n@{V}+=b\nprofile p { /@{V} r, }\n")
    case('@{A}=""\nprofile p { /x@{A} r, }\n')
    for rule in ("/@{NO} r", "/a px -> @{NO}", "signal peer=@{NO}", "change_profile -> @{NO}", "mount fstype=@{NO}", "mount -> /@{NO}",
                 "link /a -> /@{NO}", "/a rl -> /@{NO}", "l /a -> /@{NO}", "dbus send path=/@{NO}", "/a@{1,b} r", "/a@{a,b} r", "/a@{a_1} r"):
        case("profile p { %s, }\n" % rule)
    for name in ("p", "p /x", "/x", "@{B}", "p@{B}", "p /y@{B}", "/a//b", "p @{exec_path}", "p@{NO}", "p /@{NO}"):
        for rule in ("/@{profile_name} r,", "/@{exec_path} r,", "/@{attach_path}/b r,"):
            case("@{B}=/b\nprofile %s { %s }\n" % (name, rule))
    case("profile p { profile c { /@{profile_name} r, } }\n")
    for variable in ("exec_path", "attach_path", "profile_name"):
        case("@{%s}=/u\nprofile p { @{%s} r, }\nprofile q /x { @{%s} w, }\n" % (variable, variable, variable))
        case("@{V}=/b@{%s}\nprofile p /x { @{V} r, }\n" % variable)
    for value in ("/x/ /y/", "/x/", "/x{1,2}/ /y/*", "/"):
        case("@{A}=%s\nprofile p { /a/@{A}/b r, @{A}/c w, @{A}d w, }\n" % value)
    case("@{A}=x y\nprofile p@{A} { /@{profile_name} r, }\n")
    for text in ("profile p { @{A}=x\n}\n", "profile p { ${A}=true\n }\n", "profile p { alias /a/ -> /b/,\n}\n", "profile p {}\nalias /a/ -> /b/,\n",
                 "alias /a/ -> /b/,\nprofile p { /a/x r, }\n", "alias /a/ -> /b/,\nalias /a/ -> /b/,\nprofile p { /a/x r, }\n",
                 "/a r,\nprofile p {}\n", "{ }\n", "if true { }\n", "profile p {}\n/a r,\n"):
        case(text)


TESTS = """true|false|not true|${T}|${F}|not ${F}|not not ${T}|${N}|defined ${T}|defined ${F}|defined ${N}|defined @{V}|defined @{N}
not defined @{N}|defined ${V}|defined @{T}|@{V} == a|@{V} == b|@{W} == @{W}|@{W} == @{V}|@{V} in @{W}|@{W} in @{V}|a in @{W}|@{V} != a
@{N} == a|@{I} > 3|@{I} >= 10|@{I} < 3|@{I} <= 10|10 <= @{I}|0x10 > 10|010 < 9|@{I} > a|b > a|@{W} > @{V}|@{V} > @{W}|truish|@{V}
true and ${N}|false and ${N}|true or ${N}|(true)|(${T} or ${F}) and not ${F}|99999999999999999999 > 1|"a" == @{V}|"" == ""|@{E} == ""
@{E} > 1|@{T} == a|$T|@V == a|99 > 100|"a b" == "a b"|"@{V}" == a|@{L} > 2|-3 < 2"""
RULES = """capability chown,|network inet,|mount,|set rlimit nproc <= 5,|signal,|ptrace,|dbus,|unix,|change_profile -> b,|deny /a r,
profile x { /c r, }|^h { /c r, }|link /a -> /b,|audit /a r,|owner /a r,|pivot_root,"""


def condition_cases():
    for test in TESTS.replace("\n", "|").split("|"):
        case('${T}=true\n${F}=false\n@{V}=a\n@{W}=b a\n@{I}=10\n@{E}=""\n@{L}=1 3\nprofile p { if %s { /yes r, } else { /no r, } }\n' % test)
    for body in ("if ${F} { /1 r, } else if ${T} { /2 r, } else { /3 r, }", "if ${F} { /1 r, } else if ${F} { /2 r, } else { /3 r, }",
                 "if ${T} { /1 r, } else if ${N} { /2 r, } else { /3 r, }", "if ${T} { if ${F} { /1 r, } else { /2 r, } }",
                 "if ${F} { /@{NO} r, }", "if ${F} { include <no> }", "^x {} if ${F} { ^x {} }", "^x {} if ${T} { ^x {} }",
                 "if ${F} { ^x {} ^x {} }", "if ${F} { ^x {} } if ${F} { ^x {} }", "if ${F} { ^x {} } else { ^x {} }", "network inet, if ${T} { }",
                 "network inet, if ${T} { network inet6, }", "network inet, if ${F} { /a r, }", "network inet, if ${F} { } else { network inet6, }"):
        case("${T}=true\n${F}=false\nprofile p { %s }\n" % body)
    for rule in RULES.replace("\n", "|").split("|"):
        for around in ("if ${T} { %s }", "if ${T} { if ${T} { %s } }", "network unix, if ${T} { %s network unix, }", "{ %s /y w, } /z r,",
                       "audit { %s /y w, } /z r,", "owner { %s /y w, }", "deny { %s /y w, }", "if ${T} { { %s } }", "{ if ${T} { %s } }"):
            case("${T}=true\nprofile p { %s }\n" % (around % rule))


def prefix_cases():
    for inner in ("/a r,", "deny /a r,", "audit deny /a r,", "allow /a r,", "audit /a r,", "owner /a r,", "other /a r,", "priority=5 /a r,", "prompt /a r,"):
        for outer in ("", "audit", "deny", "audit deny", "owner", "other", "allow", "prompt", "priority=3", "audit owner", "deny other"):
            case("profile p { %s { %s } /a w, /b r, }\n" % (outer, inner))
        for outer in ("", "audit", "deny"):
            case("profile p { audit { %s { %s } } /b r, }\n" % (outer, inner))
            case("profile p { %s { owner { %s } } /b r, }\n" % (outer, inner))
    for words in ("audit audit", "owner audit", "deny audit", "allow deny", "owner other", "deny owner", "audit deny owner", "priority=1001",
                  "priority=-1000", "priority=+3 audit", "audit priority=3", "priority=1 priority=2"):
        case("profile p { %s /a r, }\n" % words)
    for body in ("allow { if ${F} { deny /a r, } /b r, }", "if ${F} { allow { deny /a r, } } /b r,", 
                 "{ audit { prompt /a r, } }", "{ deny { priority=3 /a r, } }", "owner { { audit deny /a r, } }", "deny { deny { audit /a r, } }", "audit { audit { deny /a r, } }",
                 "audit { change_profile -> a, }", "deny { audit change_profile -> a, }", "allow { deny change_profile -> a, }"):
        case("${F}=false\nprofile p { %s }\n" % body)


def name_cases():
    for head in ("profile a", "/a", "a", "^a", "hat a", "profile :n:a", ":n:a", ":n://a", ":n:/a", "::a", ":n:", ":n", 'profile ""', '"/a b"',
                 "profile a b", "profile a /b", "profile a @{B}", 'profile a "/b c"', "@{B}", "@{B}x", "profile @{B}", "&a", "profile &a",
                 "profile a//b", "profile a:b", "audit profile a", "profile", "profile profile", "profile a /b /c"):
        case("@{B}=/b\n%s { /x r, }\n" % head)
    for text in ("profile p {}\nprofile p {}\n", "profile :a:p {}\nprofile p {}\n", "profile :a:p {}\nprofile :b:p {}\n",
                 "profile p { profile x {} profile x {} }\n", "profile p { ^x {} hat x {} }\n", "profile p { ^x {} profile x {} }\n",
                 "profile p { /x {} }\n", "profile p { profile x { profile y { /a r, } } }\n", "profile p { ^x { ^y { } } }\n",
                 "/a {}\nprofile /a {}\n", "profile p { profile x {} }\nprofile q { profile x {} }\n", "profile p { { ^x {} } { ^x {} } }\n",
                 "profile p { { ^x {} ^x {} } }\n"):
        case(text)


def abi_cases():
    for text in ("abi <abi/3.0>,\nprofile p { }\n", "abi <abi/9.9>,\nprofile p { }\n", "abi <default>,\nprofile p { }\n",
                 "profile p { abi <abi/3.0>, }\n", "profile p {}\nabi <abi/3.0>,\n", "abi <abi/3.0>,\nabi <abi/3.0>,\nprofile p { }\n",
                 "audit abi <abi/3.0>,\nprofile p {}\n", "abi <>,\nprofile p {}\n", "abi abi/3.0,\nprofile p {}\n",
                 "${T}=true\nprofile p { if ${T} { abi <abi/3.0>, } }\n", "profile p { { abi <abi/3.0>, } }\n", "abi <abi>,\nprofile p { }\n"):
        case(text)
    for n in (8190, 8191):
        case("abi <d/a>,\nprofile p { }\n", **{"d/a": "x" * n})
    case('abi "d/a",\nprofile p { /a r, }\n', **{"d/a": "x {y {z}}"})


for fill in (include_cases, variable_cases, condition_cases, prefix_cases, name_cases, abi_cases):
    fill()
