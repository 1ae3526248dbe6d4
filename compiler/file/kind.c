/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of files by what they begin with. A policy that is misspelt must stay a policy. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/deploy/deploy.h"
#include "compiler/file/kind.h"

enum { LINES_MAX = 2000, LISTED_MIN = 3 };

#define OTHER(what, way_out)                                                                       \
	{                                                                                          \
		INPUT_OTHER, what, way_out, false                                                  \
	}
#define BINARY(what, way_out)                                                                      \
	{                                                                                          \
		INPUT_OTHER, what, way_out, true                                                   \
	}
#define DUMP "'pale dump --pid PID' reads the filter of a process that runs under it"

static const struct file_kind policy = { INPUT_PALE, "a policy", "", false };
static const struct file_kind unknown = { INPUT_PALE, "text", "", false };
static const struct file_kind json = { INPUT_JSON, "JSON", "", false };
static const struct file_kind bpf = { INPUT_BPF, "a BPF program", "", true };

static const struct file_kind apparmor =
	OTHER("an AppArmor profile", "'pale check', 'sim', 'explain' and 'fmt' read it");
static const struct file_kind compiled =
	BINARY("AppArmor's compiled policy", "name the profile that apparmor_parser made it of");
static const struct file_kind features =
	OTHER("the features of a kernel's AppArmor", "name the profile whose abi they are");
static const struct file_kind seccomp_yaml = OTHER(
	"a Kubernetes SeccompProfile in YAML",
	"'pale lint' reads it, and 'pale import' makes a policy of it; its JSON can be read: 'yq -o json FILE'");
static const struct file_kind apparmor_yaml =
	OTHER("a Kubernetes AppArmorProfile in YAML",
	      "'pale lint' reads it; or name the profile that stands in its policy");
static const struct file_kind profile_yaml = OTHER(
	"a seccomp profile in YAML",
	"'pale lint' reads it, and 'pale import' makes a policy of it; its JSON can be read: 'yq -o json FILE'");
static const struct file_kind kubernetes =
	OTHER("a Kubernetes object in YAML",
	      "'pale lint' reads it; or name the profile that its seccompProfile names");
static const struct file_kind compose = OTHER(
	"a compose file", "'pale lint' reads it; or name the profile that its security_opt names");
static const struct file_kind yaml = OTHER(
	"YAML",
	"of YAML 'pale lint' reads compose files, by their 'services:', and objects of Kubernetes, by 'apiVersion:' and 'kind:'; a profile in another can be read as JSON: 'yq -o json FILE'");
static const struct file_kind template =
	OTHER("a template, with {{ ... }} in it",
	      "name what is made of it: 'helm template CHART > FILE' writes it");
static const struct file_kind unit = OTHER("a systemd unit", "'pale lint' reads it; " DUMP);
static const struct file_kind ini =
	OTHER("an INI or TOML file", "name a policy, a seccomp profile in JSON or a BPF program");
static const struct file_kind lxc1 = OTHER("an LXC seccomp profile (version 1)", DUMP);
static const struct file_kind lxc2 = OTHER("an LXC seccomp profile (version 2)", DUMP);
static const struct file_kind lxc_config = OTHER("an LXC configuration", DUMP);
static const struct file_kind minijail =
	OTHER("a minijail policy", "the BPF that compile_seccomp_policy makes of it can be read");
static const struct file_kind kafel = OTHER("a kafel policy", DUMP);
static const struct file_kind firejail = OTHER("a firejail profile", DUMP);
static const struct file_kind snapd =
	OTHER("a list of system call names, as snapd's templates are", DUMP);
static const struct file_kind go_source = OTHER(
	"Go source", "name the JSON that is made of it; Docker's is profiles/seccomp/default.json");
static const struct file_kind c_source = OTHER("C source", DUMP);
static const struct file_kind script =
	OTHER("a script", "'pale learn -- FILE' proposes a policy for it");
static const struct file_kind shell = OTHER(
	"a shell script",
	"'pale lint' reads the containers that it starts; 'pale learn -- FILE' proposes a policy for it");
static const struct file_kind program =
	BINARY("a program", "'pale learn -- FILE' proposes a policy for it");
static const struct file_kind dockerfile = OTHER(
	"a Dockerfile",
	"'pale lint' reads which images it begins with; 'pale learn' proposes a policy from a run of the image's program");
static const struct file_kind packed = BINARY("a compressed file", "unpack it first");
static const struct file_kind utf16 =
	BINARY("UTF-16 text", "turn it into UTF-8: 'iconv -f utf-16 -t utf-8'");
static const struct file_kind markup =
	OTHER("XML or HTML", "name the profile itself, not a page about it");
static const struct file_kind records =
	OTHER("an audit log", "'pale why -' reads it from standard input");
static const struct file_kind listing =
	OTHER("a disassembly of BPF", "name the program itself, which is binary");
static const struct file_kind recording =
	OTHER("a recording of 'pale learn'", "name the policy that was proposed from it");

const struct file_kind *const kind_apparmor = &apparmor;
const struct file_kind *const kind_policy = &policy;
const struct file_kind *const kind_compose = &compose;
const struct file_kind *const kind_shell = &shell;
const struct file_kind *const kind_unit = &unit;
const struct file_kind *const kind_dockerfile = &dockerfile;
const struct file_kind *const kind_kubernetes = &kubernetes;
const struct file_kind *const kind_template = &template;

bool kind_may_be_template(struct str text)
{
	const char *open = text.n ? memmem(text.p, text.n, "{{", 2) : NULL;

	return open && memmem(open, (size_t)(text.p + text.n - open), "}}", 2);
}

bool kind_holds_profile(const struct file_kind *kind)
{
	return kind == &seccomp_yaml || kind == &profile_yaml || kind == &apparmor_yaml;
}

/* ---- bytes ---- */

static bool starts_bytes(struct str t, const char *bytes, size_t n)
{
	return t.n >= n && !memcmp(t.p, bytes, n);
}

/* Every code of the instruction set fits a byte, so of the code's two bytes one is zero; text
 * has no zero bytes, or a few stray ones. */
static bool is_bpf(struct str t)
{
	size_t n = t.n / 8, fit = 0;

	if (!n || !memchr(t.p, 0, t.n))
		return false;
	for (size_t i = 0; i < n; i++)
		fit += !t.p[i * 8] || !t.p[i * 8 + 1];
	return fit > n / 2;
}

static const struct file_kind *by_bytes(struct str t)
{
	static const struct {
		const char *bytes;
		size_t n;
		const struct file_kind *kind;
	} magic[] = {
		{ "\x7f"
		  "ELF",
		  4, &program },
		/* A name of seven bytes and its NUL: what apparmor_parser -S writes, and its cache. */
		{ "\x04\x08\0version", 10, &compiled },
		{ "\x1f\x8b", 2, &packed },
		{ "\xfd"
		  "7zXZ",
		  5, &packed },
		{ "\x28\xb5\x2f\xfd", 4, &packed },
		{ "PK\x03\x04", 4, &packed },
		{ "BZh", 3, &packed },
		{ "\xff\xfe", 2, &utf16 },
		{ "\xfe\xff", 2, &utf16 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(magic); i++)
		if (starts_bytes(t, magic[i].bytes, magic[i].n))
			return magic[i].kind;
	return is_bpf(t) ? &bpf : NULL;
}

/* ---- lines ---- */

struct lines { /* those that are not blank and no comment, trimmed */
	struct str rest;
	bool indented;      /* the line had blanks before it */
	struct str include; /* the first "#include <...>", which to some is a comment */
};

static struct str trim(struct str s)
{
	while (s.n && strchr(" \t\r", s.p[0]) && s.p[0])
		s = (struct str){ s.p + 1, s.n - 1 };
	while (s.n && strchr(" \t\r", s.p[s.n - 1]) && s.p[s.n - 1])
		s.n--;
	return s;
}

static bool next_raw(struct lines *l, struct str *out)
{
	if (!l->rest.n)
		return false;
	const char *nl = memchr(l->rest.p, '\n', l->rest.n);
	size_t n = nl ? (size_t)(nl - l->rest.p) : l->rest.n;

	*out = (struct str){ l->rest.p, n };
	n += nl != NULL;
	l->rest = (struct str){ l->rest.p + n, l->rest.n - n };
	l->indented = out->n && (out->p[0] == ' ' || out->p[0] == '\t');
	*out = trim(*out);
	return true;
}

static bool ends_with(struct str s, const char *end)
{
	size_t n = strlen(end);

	return s.n >= n && !memcmp(s.p + s.n - n, end, n);
}

/* Goes on behind a block comment. A glob of AppArmor may look like the start of one. */
static bool skip_block(struct lines *l, struct str line)
{
	size_t left = (size_t)(l->rest.p + l->rest.n - line.p);
	const char *end = str_starts(line, "/*") && !ends_with(line, ",") && !ends_with(line, "{") ?
				  memmem(line.p + 2, left - 2, "*/", 2) :
				  NULL;

	if (end)
		l->rest = (struct str){ end + 2, left - (size_t)(end + 2 - line.p) };
	return end;
}

static bool next_line(struct lines *l, struct str *out)
{
	while (next_raw(l, out)) {
		if (skip_block(l, *out) || !out->n || str_starts(*out, "//"))
			continue;
		if (str_starts(*out, "#include ") && !l->include.n)
			l->include = *out;
		if (out->p[0] != '#' && out->p[0] != ';')
			return true;
	}
	return false;
}

static struct str word_of(struct str line)
{
	size_t n = 0;

	while (n < line.n && !strchr(" \t{(,;=", line.p[n]))
		n++;
	return (struct str){ line.p, n };
}

static bool one_of(struct str word, const char *const *words)
{
	for (; *words; words++)
		if (str_is(word, *words))
			return true;
	return false;
}

static bool has(struct str s, const char *what)
{
	return memmem(s.p, s.n, what, strlen(what));
}

/* ---- kinds ---- */

/* "[Service]": no array of JSON begins so. */
static const struct file_kind *by_section(struct str line)
{
	static const char *const sections[] = { "[Unit]",  "[Service]",   "[Install]", "[Socket]",
						"[Timer]", "[Mount]",     "[Path]",    "[Slice]",
						"[Scope]", "[Container]", NULL };

	if (one_of(line, sections))
		return &unit;
	bool section =
		line.n > 2 && line.p[0] == '[' && line.p[line.n - 1] == ']' &&
		((line.p[1] >= 'A' && line.p[1] <= 'Z') || (line.p[1] >= 'a' && line.p[1] <= 'z'));
	for (size_t i = 1; section && i + 1 < line.n; i++)
		section = (line.p[i] | 0x20) >= 'a' ? (line.p[i] | 0x20) <= 'z' :
						      strchr(" -_.", line.p[i]) != NULL;
	if (!section || str_is(line, "[true]") || str_is(line, "[false]") || str_is(line, "[null]"))
		return NULL;
	return &ini;
}

static bool is_kafel(struct str line)
{
	static const char *const words[] = { "POLICY",     "USE",  "DEFAULT",      "ALLOW",
					     "DENY",       "KILL", "KILL_PROCESS", "KILL_THREAD",
					     "TRAP",       "LOG",  "TRACE",        "ERRNO",
					     "USER_NOTIF", NULL };
	struct str word = word_of(line);

	return one_of(word, words) && (word.n == line.n || strchr(" {(", line.p[word.n]));
}

static bool is_firejail(struct str line)
{
	static const char *const words[] = { "seccomp",
					     "caps",
					     "nonewprivs",
					     "noroot",
					     "netfilter",
					     "private",
					     "private-dev",
					     "private-tmp",
					     "private-etc",
					     "private-bin",
					     "private-cache",
					     "protocol",
					     "noblacklist",
					     "blacklist",
					     "whitelist",
					     "nowhitelist",
					     "disable-mnt",
					     "shell",
					     "tracelog",
					     "dbus-user",
					     "dbus-system",
					     "ignore",
					     "apparmor",
					     "machine-id",
					     "ipc-namespace",
					     "nodvd",
					     "nogroups",
					     "noinput",
					     "nosound",
					     "notv",
					     "nou2f",
					     "novideo",
					     "no3d",
					     "quiet",
					     "mkdir",
					     "mkfile",
					     "read-only",
					     "memory-deny-write-execute",
					     "restrict-namespaces",
					     NULL };
	struct str word = word_of(line);

	if (ends_with(line, ";") || ends_with(line, "{") || ends_with(line, ","))
		return false;
	if (str_is(word, "include"))
		return ends_with(line, ".inc") || ends_with(line, ".local") ||
		       ends_with(line, ".profile") || ends_with(line, ".net");
	return one_of(word, words) || str_starts(word, "seccomp.") || str_starts(word, "caps.");
}

/* ---- AppArmor ---- */

/* Behind the words that a rule may begin with: "audit deny owner". */
static struct str skip_prefixes(struct str line)
{
	static const char *const prefixes[] = { "allow", "audit",  "deny", "other",
						"owner", "prompt", NULL };

	while (str_starts(line, "priority=") || one_of(word_of(line), prefixes)) {
		const char *blank = memchr(line.p, ' ', line.n);
		size_t n = blank ? (size_t)(blank - line.p) : line.n;

		line = trim((struct str){ line.p + n, line.n - n });
	}
	return line;
}

/* "r /etc/x": permissions may stand in front of a path. */
static bool starts_with_perms(struct str line)
{
	struct str word = word_of(line);

	for (size_t i = 0; i < word.n; i++)
		if (!strchr("rwaklmixupcPUC", word.p[i]))
			return false;
	line = trim((struct str){ line.p + word.n, line.n - word.n });
	return word.n && (str_starts(line, "/") || str_starts(line, "@{") ||
			  str_starts(line, "\"/") || str_starts(line, "\"@{"));
}

/* "set rlimit nofile <= 5": a set of a policy may be named rlimit. */
static bool sets_limit(struct str line)
{
	return str_starts(line, "set ") && has(line, "<=") &&
	       str_starts(trim((struct str){ line.p + 4, line.n - 4 }), "rlimit ");
}

/*
 * How a statement ends that begins with this line: with ',' as AppArmor's, '{' or '}'. A policy's list
 * has such lines too, but there is a ';' in the end.
 */
static char end_of(struct str line, struct lines l)
{
	char end = 0;

	for (unsigned i = 0; i < LINES_MAX; i++) {
		const char *comment = line.n > 2 ? memmem(line.p + 1, line.n - 1, " #", 2) : NULL;
		struct str words = line;

		if (comment)
			words = trim((struct str){ line.p, (size_t)(comment - line.p) });
		if (ends_with(words, ";"))
			return ';';
		if (!end && words.n && strchr(",{}", words.p[words.n - 1]))
			end = words.p[words.n - 1];
		if (!next_line(&l, &line))
			break;
	}
	return end;
}

/* A rule, or what begins a block of rules: the text of a profile, or of what profiles include. */
static bool is_apparmor_rule(struct str line, const struct lines *l)
{
	static const char *const rules[] = { "all",    "capability", "change_profile", "dbus",
					     "file",   "hat",        "io_uring",       "link",
					     "mount",  "mqueue",     "network",        "pivot_root",
					     "ptrace", "remount",    "rlimit",         "signal",
					     "umount", "unix",       "unmount",        "userns",
					     NULL };
	struct str rest = skip_prefixes(line);
	bool prefixed = rest.n < line.n;
	char end = end_of(line, *l);

	if (end == ';')
		return false;
	if (prefixed && (str_is(rest, "{") || str_starts(rest, "/") || str_starts(rest, "@{") ||
			 str_starts(rest, "\"/") || str_starts(rest, "\"@{")))
		return true;
	if (end != ',')
		return false;
	return one_of(word_of(rest), rules) || starts_with_perms(rest) || sets_limit(rest);
}

/* `include "x"`: a policy's ends with ';', or names what ends as policies do. */
static bool is_apparmor_include(struct str line)
{
	static const char *const bare[] = {
		"/", "<", "abi/", "abstractions/", "local/", "tunables/"
	};
	struct str rest;

	if (str_starts(line, "include if exists"))
		return true;
	if (!str_starts(line, "include ") || has(line, ";") || has(line, ".pale\""))
		return false;
	rest = trim((struct str){ line.p + 8, line.n - 8 });
	if (str_starts(rest, "\""))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(bare); i++)
		if (str_starts(rest, bare[i]))
			return !is_firejail(line);
	return false;
}

/* `if` is AppArmor's where it asks for a variable. */
static bool is_apparmor_choice(struct str line)
{
	return str_starts(line, "if ") && (ends_with(line, "{") || has(line, " { ")) &&
	       (has(line, "${") || has(line, "@{") || has(line, " defined ") || has(line, " $") ||
		has(line, " @"));
}

/* "@X = a": a variable may go without braces. */
static bool is_bare_variable(struct str line)
{
	size_t n = 1;

	if (line.p[0] != '@')
		return false;
	while (n < line.n && !strchr(" \t=+?:{", line.p[n]))
		n++;
	line = trim((struct str){ line.p + n, line.n - n });
	return n > 1 && (str_starts(line, "=") || str_starts(line, "+=") ||
			 str_starts(line, "?=") || str_starts(line, ":="));
}

static bool is_apparmor(struct str line, const struct lines *l)
{
	static const char *const starts[] = { "abi ", "abi<",  "profile ", "profile\t", "profile\"",
					      "hat ", "hat\t", "alias /",  "\"/",       "alias \"",
					      "@{",   "\"@{",  ":",        "\":",       "^ ",
					      "$",    NULL };

	for (const char *const *s = starts; *s; s++)
		if (str_starts(line, *s))
			return true;
	return line.p[0] == '/' || str_is(line, "profile") ||
	       (line.p[0] == '^' && has(line, "{")) || is_apparmor_include(line) ||
	       is_apparmor_choice(line) || is_bare_variable(line) || is_apparmor_rule(line, l);
}

/* "query {label {perms {...": an abi file. */
static bool is_features(struct str line)
{
	size_t n = word_of(line).n;
	struct str rest = { line.p + n, line.n - n };

	return n && rest.n > 2 && str_starts(rest, " {") && rest.p[2] != ' ' && !has(line, ";") &&
	       has((struct str){ rest.p + 2, rest.n - 2 }, " {");
}

/* Nothing but comments: what sites add to a profile says so in its comments. */
static bool names_apparmor(struct str text)
{
	for (size_t i = 0; i + strlen("apparmor") <= text.n; i++)
		if (str_ieq((struct str){ text.p + i, strlen("apparmor") }, STR("apparmor")))
			return true;
	return false;
}

/* "read: 1", "@include ./base.policy": the calls before the colon tell it from YAML. */
static bool is_minijail(struct str line)
{
	static const char *const words[] = { "@include", "@frequency", "@default", "@denylist",
					     NULL };
	const char *colon = memchr(line.p, ':', line.n);
	size_t n = colon ? (size_t)(colon - line.p) : 0;

	if (one_of(word_of(line), words))
		return true;
	return n && syscall_by_name(trim((struct str){ line.p, n }));
}

/* "key: value", "key:", "- item", "---". */
static bool is_yaml(struct str line)
{
	size_t n = 0;

	if (str_starts(line, "---") || str_starts(line, "- ") || str_starts(line, "%YAML"))
		return true;
	while (n < line.n &&
	       ((line.p[n] | 0x20) >= 'a' ? (line.p[n] | 0x20) <= 'z' :
					    strchr("0123456789_-./", line.p[n]) && line.p[n]))
		n++;
	return n && n < line.n && line.p[n] == ':' && (n + 1 == line.n || line.p[n + 1] == ' ');
}

static const struct file_kind *yaml_kind(struct str line, struct lines *l)
{
	const struct file_kind *kind = &yaml;

	for (unsigned i = 0; i < LINES_MAX; i++) {
		if (has(line, "kind:") && has(line, "SeccompProfile"))
			return &seccomp_yaml;
		if (has(line, "kind:") && has(line, "AppArmorProfile"))
			return &apparmor_yaml;
		if (l->indented)
			; /* of a member */
		else if (str_starts(line, "apiVersion:"))
			kind = &kubernetes;
		else if (str_starts(line, "services:") && kind == &yaml)
			kind = &compose;
		else if (str_starts(line, "defaultAction:") && kind == &yaml)
			kind = &profile_yaml;
		if (!next_line(l, &line))
			break;
	}
	return kind;
}

/* A call a line, with or without arguments. */
static bool is_list_of_calls(struct str line, struct lines *l)
{
	unsigned n = 0;

	do {
		struct str word = word_of(line);
		if (word.n && (word.p[0] == '~' || word.p[0] == '!'))
			word = (struct str){ word.p + 1, word.n - 1 };
		if (ends_with(line, ";") || !syscall_by_name(word))
			return false;
		n++;
	} while (n < LISTED_MIN && next_line(l, &line));
	return n == LISTED_MIN;
}

static const struct file_kind *lxc_kind(struct str line, struct lines *l)
{
	struct str second;

	if (!str_is(line, "1") && !str_is(line, "2"))
		return NULL;
	if (!next_line(l, &second) || !(has(second, "allowlist") || has(second, "denylist") ||
					has(second, "whitelist") || has(second, "blacklist")))
		return NULL;
	return str_is(line, "1") ? &lxc1 : &lxc2;
}

static const struct file_kind *by_word(struct str line)
{
	static const struct {
		const char *start;
		const struct file_kind *kind;
	} starts[] = {
		{ "lxc.", &lxc_config },
		{ "FROM ", &dockerfile },
		{ "ARG ", &dockerfile },
		{ "<", &markup },
		{ "type=", &records },
		{ "audit: ", &records },
		{ "recording backend=", &recording },
	};

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
		if (str_starts(line, starts[i].start))
			return starts[i].kind;
	if (str_starts(line, "package ") && !memchr(line.p, ';', line.n) && !has(line, ":"))
		return &go_source;
	const char *equals = memchr(line.p, '=', line.n);
	if (equals && !ends_with(line, ";") &&
	    str_eq(trim((struct str){ line.p, (size_t)(equals - line.p) }), word_of(line)))
		return &ini;
	if (has(line, "CODE") && has(line, "JT") && has(line, "JF"))
		return &listing;
	return has(line, "audit(") || has(line, "audit[") ? &records : NULL;
}

/* A word or a number alone: JSON, if no profile. */
static bool is_json_alone(struct str line, struct lines *l)
{
	size_t digits = 0;
	struct str more;

	while (digits < line.n && strchr("+-.eE0123456789", line.p[digits]))
		digits++;
	bool number =
		digits == line.n && (line.p[0] == '-' || (line.p[0] >= '0' && line.p[0] <= '9'));
	bool text = line.n > 1 && line.p[0] == '"' && line.p[line.n - 1] == '"' &&
		    line.p[1] != '/' && line.p[1] != '@';

	return (number || text || str_is(line, "null") || str_is(line, "true") ||
		str_is(line, "false")) &&
	       !next_line(l, &more);
}

/* "sudo docker run ..." */
static bool starts_container(struct str line)
{
	static const char *const verbs[] = { "run", "create", "container", NULL };
	struct str word = word_of(line);

	if (str_is(word, "sudo")) {
		line = trim((struct str){ line.p + word.n, line.n - word.n });
		word = word_of(line);
	}
	if (!deploy_is_engine(word))
		return false;
	return one_of(word_of(trim((struct str){ line.p + word.n, line.n - word.n })), verbs);
}

/* The first line that is not a comment. */
static const struct file_kind *by_line(struct str line, struct lines *l)
{
	struct str word = word_of(line);
	struct lines rest = *l;

	if (is_json_alone(line, &rest))
		return &json;
	if (str_starts(line, "{{") || str_starts(line, "{%"))
		return &template;
	if (line.p[0] == '{')
		return &json;
	if (line.p[0] == '[') {
		const struct file_kind *section = by_section(line);
		return section ? section : has(line, "] audit: ") ? &records : &json;
	}
	if (starts_container(line))
		return &shell;
	if (str_is(word, "policy") || (str_is(word, "set") && !sets_limit(line)))
		return &policy;
	if (l->include.n)
		return ends_with(l->include, ".h>") || ends_with(l->include, ".h\"") ? &c_source :
										       &apparmor;
	if (is_apparmor(line, l))
		return &apparmor;
	if (is_features(line))
		return &features;
	const struct file_kind *kind = by_word(line);
	if (kind)
		return kind;
	if (is_kafel(line))
		return &kafel;
	if (is_minijail(line))
		return &minijail;
	if (is_yaml(line))
		return yaml_kind(line, l);
	if (is_firejail(line))
		return &firejail;
	kind = lxc_kind(line, l);
	return kind ? kind : is_list_of_calls(line, l) ? &snapd : &unknown;
}

/* "#!/bin/sh -e", "#!/usr/bin/env bash" */
static bool names_shell(struct str text)
{
	static const char *const shells[] = { "sh", "ash", "bash", "dash", "ksh", "zsh", NULL };
	const char *nl = text.n ? memchr(text.p, '\n', text.n) : NULL;
	struct str line = trim((struct str){ text.p, nl ? (size_t)(nl - text.p) : text.n });

	if (!str_starts(line, "#!"))
		return false;
	for (line = trim((struct str){ line.p + 2, line.n - 2 }); line.n;) {
		struct str word = word_of(line);
		const char *slash = memrchr(word.p, '/', word.n);
		size_t skip = slash ? (size_t)(slash - word.p) + 1 : 0;

		if (one_of((struct str){ word.p + skip, word.n - skip }, shells))
			return true;
		word.n += !word.n;
		line = trim((struct str){ line.p + word.n, line.n - word.n });
	}
	return false;
}

const struct file_kind *kind_of(struct str text)
{
	const struct file_kind *kind = by_bytes(text);
	bool marked = str_starts(text, "\xef\xbb\xbf");
	struct lines l = { .rest = { text.p + (marked ? 3 : 0), text.n - (marked ? 3 : 0) } };
	struct str line;

	if (kind)
		return kind;
	if (names_shell(text))
		return &shell;
	if (!next_line(&l, &line))
		return l.include.n || names_apparmor(text) ? &apparmor : &unknown;
	kind = by_line(line, &l);
	return kind == &unknown && str_starts(text, "#!") ? &script : kind;
}

bool kind_is_blank(struct str text)
{
	bool comment = false;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		comment = c != '\n' && (comment || c == '#');
		if (!comment && (!c || !strchr(" \t\r\n", c)))
			return false;
	}
	return true;
}

const struct file_kind *kind_of_file(struct str text, const char *path)
{
	static const char folder[] = "apparmor.d/";
	const char *below = strstr(path, folder);
	bool named = ends_with(str_c(path), ".apparmor") || ends_with(str_c(path), ".aa") ||
		     (below && (below == path || below[-1] == '/'));
	const struct file_kind *kind = kind_of(text);

	if (named && kind_is_blank(text))
		return kind_apparmor;
	/* A profile of a script may be named as that is. */
	return ends_with(str_c(path), ".sh") && !by_bytes(text) && kind != &apparmor ? &shell :
										       kind;
}
