/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/file/denied.h"

#include "compiler/base/bug.h"
#include "compiler/file/audit.h"

bool denied_is_record(struct str line)
{
	struct str v;

	return audit_field(line, "apparmor", &v);
}

static enum denied_status read_status(struct str s)
{
	static const struct {
		const char *word;
		enum denied_status status;
	} words[] = {
		{ "DENIED", DENIED_DENIED },
		{ "ALLOWED", DENIED_ALLOWED },
		{ "KILLED", DENIED_KILLED },
		{ "AUDIT", DENIED_AUDIT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_is(s, words[i].word))
			return words[i].status;
	return DENIED_OTHER;
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

/*
 * One fact under the names that kernels, classes and the bus have for it: the first that is there.
 * `hex`: the kernel writes it so where it holds a blank or a quote; others never are, and a pid
 * of four digits would look it.
 */
struct field {
	struct str *to;
	bool hex;
	const char *keys[4];
};

static void read_field(struct arena *a, struct str line, const struct field *f)
{
	for (const char *const *key = f->keys; *key; key++) {
		if (!audit_field(line, *key, f->to))
			continue;
		if (f->hex)
			*f->to = audit_text(a, *f->to);
		return;
	}
}

static void read_fields(struct arena *a, struct str line, struct denied *out)
{
	const struct field fields[] = {
		{ &out->profile, true, { "profile", "label" } },
		{ &out->name, true, { "name" } },
		{ &out->requested, false, { "requested_mask", "requested", "mask" } },
		{ &out->denied, false, { "denied_mask", "denied" } },
		{ &out->target, true, { "target", "trans" } },
		{ &out->peer, true, { "peer", "peer_label", "tcontext" } },
		{ &out->info, false, { "info" } },
		{ &out->comm, true, { "comm" } },
		{ &out->pid, false, { "pid" } },
		{ &out->family, false, { "family" } },
		{ &out->type, false, { "sock_type" } },
		{ &out->protocol, false, { "protocol" } },
		{ &out->address, true, { "addr" } },
		{ &out->peer_address, true, { "peer_addr" } },
		{ &out->capability, false, { "capname" } },
		{ &out->signal, false, { "signal" } },
		{ &out->source, true, { "srcname", "path" } },
		{ &out->fstype, true, { "fstype" } },
		{ &out->flags, false, { "flags" } },
	};
	struct str fsuid, ouid;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		read_field(a, line, &fields[i]);
	out->owned = audit_field(line, "fsuid", &fsuid) && audit_field(line, "ouid", &ouid) &&
		     str_eq(fsuid, ouid);
}

const char *denied_read(struct arena *a, struct str line, struct denied *out)
{
	struct str v;

	*out = (struct denied){ 0 };
	if (!audit_field(line, "apparmor", &v))
		return "it has no apparmor=";
	out->status = read_status(v);
	if (!audit_field(line, "operation", &out->operation) || !out->operation.n)
		return "it has no operation=";
	read_fields(a, line, out);
	if (!audit_field(line, "class", &out->class))
		out->class = str_c(class_of(out->operation));
	if (out->status != DENIED_OTHER && !out->profile.n)
		return "it has no profile=";
	return NULL;
}
