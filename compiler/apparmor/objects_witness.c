/* SPDX-License-Identifier: Apache-2.0 */
/* Objects as users ask about them: rules of one access, each value written out. */
#include <string.h>
#include <sys/mount.h>

#include "compiler/apparmor/objects_parts.h"
#include "compiler/base/bug.h"

enum { FIELDS_MAX = 6 };

struct telling {
	struct arena *arena;
	struct buf *out;
	enum aa_class class;
	unsigned char kind, byte; /* of an object that has them, else 0 */
	struct str fields[FIELDS_MAX];
	unsigned perm;
};

/* ---- words ---- */

/*
 * As a word of a rule: nothing in it is a glob, ends it, or is a condition. A backslash at its end
 * would take what stands behind the word into it.
 */
static void put_word(struct telling *t, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool last = c == '\\' && i + 1 == s.n;
		if (last || c <= ' ' || c >= 0x7f || strchr("\"()=#", c))
			buf_printf(t->out, "\\%03o", c);
		else if (strchr("?*[]{}^,\\", c))
			buf_printf(t->out, "\\%c", c);
		else
			buf_putc(t->out, (char)c);
	}
}

static void put_cond(struct telling *t, const char *name, struct str value)
{
	if (!value.n)
		return;
	buf_printf(t->out, " %s=", name);
	put_word(t, value);
}

static void put_type(struct telling *t, unsigned char type)
{
	const char *name = aa_type_name(AA_CLASS_UNIX, type);

	BUG_ON(!name);
	buf_puts(t->out, name);
}

/* ---- by class ---- */

static void tell_network(struct telling *t)
{
	const char *family = aa_family_name(t->arena, t->byte);

	if (t->perm == AA_NET_CREATE)
		buf_puts(t->out, "socket ");
	else
		buf_printf(t->out, "network %s ", aa_perm_name(t->class, t->perm));
	if (family)
		buf_puts(t->out, family);
	else
		buf_printf(t->out, "%u", t->byte);
	buf_putc(t->out, ' ');
	put_type(t, (unsigned char)t->fields[0].p[0]);
}

static void put_address(struct telling *t, struct str address)
{
	bool name = address.n && address.p[0] == '@';

	buf_puts(t->out, "addr=");
	if (name)
		put_word(t, address);
	else
		buf_puts(t->out, address.n && address.p[0] == ADDRESS_AUTO ? "auto" : "none");
}

static void tell_unix(struct telling *t)
{
	buf_printf(t->out, "unix %s type=", aa_perm_name(t->class, t->perm));
	put_type(t, t->byte);
	if (t->kind == OBJECT_UNIX_CREATE)
		return;
	buf_putc(t->out, ' ');
	put_address(t, t->fields[0]);
	if (t->kind == OBJECT_UNIX_OWN)
		return;
	buf_puts(t->out, " peer=(");
	put_address(t, t->fields[1]);
	put_cond(t, "label", t->fields[2]);
	buf_putc(t->out, ')');
}

static void tell_dbus(struct telling *t)
{
	buf_printf(t->out, "dbus %s", aa_perm_name(t->class, t->perm));
	put_cond(t, "bus", t->fields[0]);
	if (t->kind == OBJECT_DBUS_NAME)
		put_cond(t, "name", t->fields[1]);
	if (t->kind != OBJECT_DBUS_MESSAGE)
		return;
	put_cond(t, "path", t->fields[3]);
	put_cond(t, "interface", t->fields[4]);
	put_cond(t, "member", t->fields[5]);
	buf_puts(t->out, " peer=(");
	if (t->fields[1].n) {
		buf_puts(t->out, "name=");
		put_word(t, t->fields[1]);
		buf_putc(t->out, ' ');
	}
	buf_puts(t->out, "label=");
	put_word(t, t->fields[2]);
	buf_putc(t->out, ')');
}

static void tell_queue(struct telling *t)
{
	buf_printf(t->out, "mqueue %s type=%s", aa_perm_name(t->class, t->perm),
		   t->kind == OBJECT_POSIX_QUEUE ? "posix" : "sysv");
	if (t->perm != AA_MQUEUE_CREATE)
		put_cond(t, "label", t->fields[1]);
	buf_putc(t->out, ' ');
	put_word(t, t->fields[0]);
}

static void tell_change(struct telling *t)
{
	buf_puts(t->out, "change_profile ");
	if (t->kind == OBJECT_CHANGE_ONEXEC) {
		aa_access_put_path(t->out, t->fields[0]);
		buf_puts(t->out, " -> ");
	}
	aa_access_put_path(t->out, t->fields[t->kind == OBJECT_CHANGE_ONEXEC]);
}

static void tell_uring(struct telling *t)
{
	buf_printf(t->out, "io_uring %s", aa_perm_name(t->class, t->perm));
	if (t->kind == OBJECT_CREDENTIALS)
		put_cond(t, "label", t->fields[0]);
}

static void tell_process(struct telling *t)
{
	const char *signal = t->class == AA_CLASS_SIGNAL ?
				     aa_signal_name(t->arena, AA_RELEASE_5_0, t->byte) :
				     NULL;

	buf_printf(t->out, "%s %s%s%s", aa_class_name(t->class), aa_perm_name(t->class, t->perm),
		   signal ? " " : "", signal ? signal : "");
	put_cond(t, "peer", t->fields[0]);
}

static void tell_pivot(struct telling *t)
{
	buf_puts(t->out, "pivot_root");
	put_cond(t, "oldroot", t->fields[1]);
	buf_putc(t->out, ' ');
	put_word(t, t->fields[0]);
}

/* ---- mounts ---- */

/* What is set with what it goes down to has one word: rbind, rslave. */
static void put_options(struct telling *t)
{
	struct str flags = t->fields[3];
	const char *between = "";
	bool rec = false;

	for (size_t i = 0; i < flags.n; i++)
		rec |= 1u << (flags.p[i] - 1) == MS_REC;
	for (size_t i = 0; i < flags.n; i++) {
		unsigned bit = 1u << (flags.p[i] - 1);
		const char *word = rec ? aa_mount_option(bit | MS_REC) : NULL;
		if (bit == MS_REC || (bit == MS_REMOUNT && t->kind == OBJECT_REMOUNT))
			continue;
		word = word ? word : aa_mount_option(bit);
		BUG_ON(!word);
		buf_printf(t->out, "%s%s", *between ? between : " options=(", word);
		between = ",";
	}
	buf_puts(t->out, *between ? ")" : "");
}

static void tell_mount(struct telling *t)
{
	if (t->kind == OBJECT_UMOUNT) {
		buf_puts(t->out, "umount ");
		put_word(t, t->fields[0]);
		return;
	}
	buf_puts(t->out, t->kind == OBJECT_REMOUNT ? "remount" : "mount");
	put_cond(t, "fstype", t->fields[2]);
	put_options(t);
	if (t->kind == OBJECT_MOVE && !t->fields[1].n)
		buf_puts(t->out, " detached");
	else if (t->fields[1].n)
		buf_putc(t->out, ' ');
	put_word(t, t->fields[1]);
	buf_puts(t->out, t->kind == OBJECT_REMOUNT ? " " : " -> ");
	put_word(t, t->fields[0]);
}

/* ---- fields ---- */

static bool has_kind(enum aa_class class)
{
	return class == AA_CLASS_MOUNT || class == AA_CLASS_UNIX || class == AA_CLASS_DBUS ||
	       class == AA_CLASS_MQUEUE || class == AA_CLASS_IO_URING ||
	       class == AA_CLASS_CHANGE_PROFILE;
}

static bool has_byte(enum aa_class class)
{
	return class == AA_CLASS_UNIX || class == AA_CLASS_SIGNAL || class == AA_CLASS_NETWORK;
}

static void split(struct telling *t, struct str object)
{
	size_t at = 0;

	if (has_kind(t->class))
		t->kind = (unsigned char)object.p[at++];
	if (has_byte(t->class))
		t->byte = (unsigned char)object.p[at++];
	for (unsigned i = 0; i < FIELDS_MAX; i++) {
		size_t from = at;
		while (at < object.n && object.p[at])
			at++;
		t->fields[i] = (struct str){ object.p + from, at - from };
		at += at < object.n;
	}
}

const char *aa_objects_witness(struct arena *a, enum aa_class class, struct str object,
			       unsigned perm)
{
	BUF_AUTO out = { 0 };
	struct telling t = { .arena = a, .out = &out, .class = class, .perm = perm };

	split(&t, object);
	switch (class) {
	case AA_CLASS_NETWORK: tell_network(&t); break;
	case AA_CLASS_UNIX: tell_unix(&t); break;
	case AA_CLASS_MOUNT: tell_mount(&t); break;
	case AA_CLASS_PIVOT_ROOT: tell_pivot(&t); break;
	case AA_CLASS_DBUS: tell_dbus(&t); break;
	case AA_CLASS_MQUEUE: tell_queue(&t); break;
	case AA_CLASS_USERNS: buf_puts(&out, "userns"); break;
	case AA_CLASS_IO_URING: tell_uring(&t); break;
	case AA_CLASS_CHANGE_PROFILE: tell_change(&t); break;
	default: tell_process(&t); break;
	}
	return buf_keep(a, &out);
}
