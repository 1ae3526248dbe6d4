/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/file/denied.h"

#include <stddef.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/base/table.h"
#include "compiler/file/audit.h"
#include "compiler/file/origin.h"
#include "compiler/tables/tables.h"

static const struct {
	const char *word;
	enum denied_status status;
} statuses[] = {
	{ "DENIED", DENIED_DENIED }, { "ALLOWED", DENIED_ALLOWED }, { "KILLED", DENIED_KILLED },
	{ "AUDIT", DENIED_AUDIT },   { "STATUS", DENIED_OTHER },    { "HINT", DENIED_OTHER },
	{ "ERROR", DENIED_OTHER },
};

static bool read_status(struct str line, struct str *word, enum denied_status *out)
{
	if (!audit_field(line, "apparmor", word))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		if (str_is(*word, statuses[i].word)) {
			*out = statuses[i].status;
			return true;
		}
	return false;
}

bool denied_is_record(struct str line)
{
	enum denied_status status;
	struct str word;

	return read_status(line, &word, &status);
}

/* Records of the bus, which writes them itself: as audit's or as its own messages. */
static bool is_bus(struct str line)
{
	struct str operation;

	return audit_field(line, "operation", &operation) && str_starts(operation, "dbus_");
}

const char *denied_foreign(struct str line, enum journal_origin from)
{
	static const char kernels[] = "apparmor=", programs[] = "msg='apparmor=";
	struct str type = { "", 0 }, tag;
	bool head, bus = is_bus(line);
	size_t body = 0;

	if (from == JOURNAL_PROGRAM || (from == JOURNAL_BUS && !bus))
		return "a program logged it, not the kernel";
	head = audit_head(line, &type, &body);
	struct str text = { line.p + body, line.n - body };
	if (head && (str_is(type, "1400") || str_is(type, "AVC")))
		return str_starts(text, kernels) ?
			       NULL :
			       "apparmor= is not what it begins with, as the kernel's do";
	if (head && bus && (str_is(type, "1107") || str_is(type, "USER_AVC")))
		return memmem(text.p, text.n, programs, sizeof(programs) - 1) ?
			       NULL :
			       "apparmor= is not its message";
	if (head)
		return "it is a record of another type, and what programs say in it";
	if (bus && syslog_tag(line, &tag, &body) && str_starts(tag, "dbus-"))
		return NULL;
	if (bus && str_starts(line, kernels))
		return NULL;
	return "what stands in front of apparmor= is not how the kernel's begin";
}

/* What kernels before 6.2 leave to the operation's name (security/apparmor/include/audit.h, OP_*). */
static const char *class_of(struct str operation)
{
	static const struct {
		const char *begins, *class;
	} rows[] = {
		{ "capable", "cap" },       { "create", "net" },          { "ptrace", "ptrace" },
		{ "signal", "signal" },     { "mount", "mount" },         { "umount", "mount" },
		{ "pivotroot", "mount" },   { "userns_", "namespace" },   { "uring_", "io_uring" },
		{ "setrlimit", "rlimits" }, { "change_", "label" },       { "stack", "label" },
		{ "dbus_", "dbus" },        { "profile_", "policy" },     { "post_create", "net" },
		{ "bind", "net" },          { "connect", "net" },         { "listen", "net" },
		{ "accept", "net" },        { "sendmsg", "net" },         { "recvmsg", "net" },
		{ "getsockname", "net" },   { "getpeername", "net" },     { "getsockopt", "net" },
		{ "setsockopt", "net" },    { "socket_shutdown", "net" }, { "file_perm", "file" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (str_starts(operation, rows[i].begins))
			return rows[i].class;
	return "file";
}

/* ---- fields ---- */

/*
 * One fact has other names in other kernels, classes and on the bus: the first that is there
 * counts. `hex`: the kernel writes it so where it holds a blank or a quote; others never are, and
 * a pid of four digits would look it.
 */
static const struct field {
	const char *key;
	size_t at; /* in struct denied */
	bool hex;
} fields[] = {
#define FIELD(key, member, hex)                                                                    \
	{                                                                                          \
		key, offsetof(struct denied, member), hex                                          \
	}
	FIELD("operation", operation, false),
	FIELD("class", class, false),
	FIELD("profile", profile, true),
	FIELD("label", profile, true),
	FIELD("namespace", ns, true),
	FIELD("name", name, true),
	FIELD("requested_mask", requested, false),
	FIELD("requested", requested, false),
	FIELD("mask", requested, false),
	FIELD("denied_mask", denied, false),
	FIELD("denied", denied, false),
	FIELD("target", target, true),
	FIELD("trans", target, true),
	FIELD("peer", peer, true),
	FIELD("peer_label", peer, true),
	FIELD("peer_profile", peer, true),
	FIELD("tcontext", peer, true),
	FIELD("info", info, false),
	FIELD("comm", comm, true),
	FIELD("pid", pid, false),
	FIELD("family", family, false),
	FIELD("sock_type", type, false),
	FIELD("protocol", protocol, false),
	FIELD("addr", address, true),
	FIELD("peer_addr", peer_address, true),
	FIELD("capname", capability, false),
	FIELD("signal", signal, false),
	FIELD("srcname", source, true),
	FIELD("fstype", fstype, true),
	FIELD("flags", flags, false),
	FIELD("rlimit", limit, false),
	FIELD("value", value, false),
	FIELD("bus", bus, false),
	FIELD("path", path, false),
	FIELD("interface", interface, false),
	FIELD("member", member, false),
#undef FIELD
};

struct reading {
	struct arena *arena;
	struct str line;
	size_t at;
	bool plain;   /* ausearch -i: no quotes, no hex, and blanks in values */
	bool wrapped; /* in the single quotes of a program's message */
	uint64_t seen;
	struct str capability, fsuid, ouid; /* that struct denied has otherwise */
};

struct token {
	struct str key, value;
	bool quoted, cut;
};

static bool is_key(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static size_t key_len(struct str s)
{
	size_t n = 0;

	while (n < s.n && is_key(s.p[n]))
		n++;
	return n < s.n && s.p[n] == '=' ? n : 0;
}

static bool ends_value(const struct reading *r, char c)
{
	return (c >= 0 && c <= ' ') || (r->wrapped && c == '\'');
}

/* For people a value ends where the next key begins. */
static size_t plain_len(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\x1d' ||
		    (s.p[i] == ' ' && key_len((struct str){ s.p + i + 1, s.n - i - 1 })))
			return i;
	while (s.n && s.p[s.n - 1] == ' ')
		s.n--;
	return s.n;
}

static void read_value(struct reading *r, struct token *t)
{
	struct str rest = { r->line.p + r->at, r->line.n - r->at };
	size_t n = 0;

	t->quoted = rest.n && *rest.p == '"';
	if (t->quoted) {
		const char *end = memchr(rest.p + 1, '"', rest.n - 1);
		t->cut = !end;
		n = end ? (size_t)(end - rest.p) + 1 : rest.n;
		t->value = (struct str){ rest.p + 1, n - 1 - (end ? 1 : 0) };
	} else {
		if (r->plain)
			n = plain_len(rest);
		while (!r->plain && n < rest.n && !ends_value(r, rest.p[n]))
			n++;
		t->value = (struct str){ rest.p, n };
	}
	r->at += n;
}

/* The next "key=value"; what is none is passed over. */
static bool next_token(struct reading *r, struct token *t)
{
	while (r->at < r->line.n) {
		struct str rest = { r->line.p + r->at, r->line.n - r->at };
		size_t n = key_len(rest);
		if (r->wrapped && *rest.p == '\'')
			return false;
		if (n) {
			t->key = (struct str){ rest.p, n };
			r->at += n + 1;
			read_value(r, t);
			return true;
		}
		while (r->at < r->line.n && !ends_value(r, r->line.p[r->at]))
			r->at++;
		if (r->at < r->line.n && !(r->wrapped && r->line.p[r->at] == '\''))
			r->at++;
	}
	return false;
}

static const char *wrong(const struct reading *r, struct str key, const char *what)
{
	return arena_printf(r->arena, "its " PRISTR "= %s", STRARG(key), what);
}

static bool is_half_hex(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'A' && s.p[i] <= 'F')))
			return false;
	return s.n % 2;
}

/* NULL, or what is wrong with it. */
static const char *take_field(struct reading *r, const struct token *t, struct denied *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct field *f = &fields[i];
		struct str *to = (struct str *)((char *)out + f->at);
		if (!str_is(t->key, f->key))
			continue;
		if (r->seen >> i & 1)
			return wrong(r, t->key, "stands there twice");
		r->seen |= UINT64_C(1) << i;
		bool hex = f->hex && !t->quoted && !r->plain;
		if (t->cut || (hex && is_half_hex(t->value)))
			return wrong(r, t->key, "is cut off");
		if (to->p)
			return NULL;
		*to = hex ? audit_text(r->arena, t->value) : t->value;
		if (memchr(to->p, 0, to->n) && to != &out->address && to != &out->peer_address)
			return wrong(r, t->key, "holds a zero byte");
		return NULL;
	}
	return NULL;
}

static const char *take(struct reading *r, const struct token *t, struct denied *out)
{
	if (str_is(t->key, "capability"))
		r->capability = t->value;
	else if (str_is(t->key, "fsuid"))
		r->fsuid = t->value;
	else if (str_is(t->key, "ouid"))
		r->ouid = t->value;
	else
		return take_field(r, t, out);
	return NULL;
}

/*
 * A user by number, which ends with its digits (the byte that parts auditd's own fields may have got
 * lost), or by the name that ausearch -i gives.
 */
static struct str user_of(struct str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n ? (struct str){ s.p, n } : s;
}

/* What stands there in another way than others have it. */
static void complete(const struct reading *r, struct denied *out)
{
	struct str fsuid = user_of(r->fsuid), ouid = user_of(r->ouid);
	uint64_t cap;

	if (!out->class.p)
		out->class = str_c(class_of(out->operation));
	out->whose = fsuid.n && ouid.n;
	out->owned = out->whose && str_eq(fsuid, ouid);
	if (!out->capability.p && r->capability.p && !str_u64(r->capability, &cap) && cap < 64 &&
	    capability_name((unsigned)cap))
		out->capability = str_c(capability_name((unsigned)cap));
}

const char *denied_read(struct arena *a, struct str line, struct denied *out)
{
	struct token t = { .cut = false };
	struct reading r = { .arena = a, .line = line };
	const char *what = NULL;
	struct str word;

	*out = (struct denied){ .status = DENIED_OTHER };
	if (!read_status(line, &word, &out->status))
		return "it has no apparmor=";
	/* What stands before it is of the log and, in a program's message, of another process. */
	r.plain = word.p[-1] != '"';
	r.at = (size_t)(word.p - line.p) + word.n + !r.plain;
	size_t before = (size_t)(word.p - line.p) - !r.plain - sizeof("apparmor=") + 1;
	r.wrapped = before && line.p[before - 1] == '\'';
	while (!what && next_token(&r, &t))
		what = take(&r, &t, out);
	if (what)
		return what;
	complete(&r, out);
	if (out->status == DENIED_OTHER)
		return NULL;
	if (!out->operation.n)
		return "it has no operation=";
	if (!out->profile.n)
		return "it has no profile=";
	return NULL;
}

/* ---- equal ones ---- */

static const struct str *member(const struct denied *d, const struct field *f)
{
	return (const struct str *)((const char *)d + f->at);
}

static bool is_question(const struct field *f)
{
	return f->at != offsetof(struct denied, comm) && f->at != offsetof(struct denied, pid) &&
	       f->at != offsetof(struct denied, protocol);
}

uint64_t denied_hash(const struct denied *d)
{
	const unsigned rest[] = { d->status, d->whose, d->owned };
	uint64_t h = hash_bytes(HASH_START, rest, sizeof(rest));

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (is_question(&fields[i]))
			h = hash_bytes(h, member(d, &fields[i])->p, member(d, &fields[i])->n);
	return h;
}

bool denied_same(const struct denied *x, const struct denied *y)
{
	bool same = x->status == y->status && x->whose == y->whose && x->owned == y->owned;

	for (size_t i = 0; same && i < ARRAY_SIZE(fields); i++)
		same = !is_question(&fields[i]) ||
		       str_eq(*member(x, &fields[i]), *member(y, &fields[i]));
	return same;
}
