/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of objects share: objects*.c; nobody else includes it. */
#include "compiler/apparmor/objects.h"

/*
 * An object's text begins, where its class has several, with a byte for its kind; then its fields.
 * NUL stands behind each but the last one, and but those of one byte.
 */
enum object_kind {
	OBJECT_NEW_MOUNT =
		1, /* mount point, source, type, flags: their numbers from 1, ascending */
	OBJECT_REMOUNT,
	OBJECT_BIND,
	OBJECT_MAKE, /* another propagation */
	OBJECT_MOVE,
	OBJECT_UMOUNT, /* mount point */

	OBJECT_UNIX_CREATE = 1, /* type */
	OBJECT_UNIX_OWN,        /* type, address */
	OBJECT_UNIX_PEER,       /* type, both addresses, label */

	OBJECT_DBUS_EAVESDROP = 1, /* bus */
	OBJECT_DBUS_NAME,          /* bus, name */
	OBJECT_DBUS_MESSAGE,       /* bus, name, label, path, interface, member */

	OBJECT_POSIX_QUEUE = 1, /* name, label */
	OBJECT_SYSV_QUEUE,      /* number, label */

	OBJECT_SQPOLL = 1,
	OBJECT_CREDENTIALS, /* label */

	OBJECT_CHANGE_NOW = 1, /* label */
	OBJECT_CHANGE_ONEXEC,  /* program, label */
};

/* An address of a socket of unix: one of these two, or an abstract name with its '@'. */
enum { ADDRESS_NONE = 'n', ADDRESS_AUTO = 'a' };

/*
 * What the kernel looks up to answer for one object, where that is several things: all of them must
 * be allowed. Bits beside the permissions.
 */
enum {
	PART_FIRST = 1u << 24,
	PART_LABEL = PART_FIRST, /* change_profile at an execution: the label alone, */
	PART_PROGRAM = 1u << 25, /* the program alone, */
	PART_PAIR = 1u << 26,    /* both; */
	PART_WAY = 1u << 27,     /* that, of a rule that names a program: how it is executed, */
	PART_UNSAFE = 1u << 28,  /* and this is the way */
};

/* Of a rule that is put into texts. */
struct object_texts {
	struct aa_objects_pool *pool;
	struct machine_pool *machines;
	const struct aa_rule *rule;
	enum aa_class class;
	enum aa_release release;
	unsigned exact; /* permissions that the rule says of one text alone: object_end() */
	size_t steps;
	bool failed; /* the steps ended */
	VEC(machine_texts) out;
};

/* ---- objects_pool.c ---- */
struct machine_pool *object_machines(const struct aa_objects_pool *p);
struct arena *object_arena(const struct object_texts *t);
/* The rule says it of these permissions: what ends here. */
machine_texts object_end(struct object_texts *t, unsigned perms);
/* How these are logged where it is among those that decide; it says no more of them. */
machine_texts object_logs(struct object_texts *t, unsigned perms);
/* `**`: any text, the empty one too. */
const struct glob *object_any(const struct object_texts *t);

/* ---- objects_texts.c, objects_mount.c ---- */
void object_rule(struct object_texts *t); /* of any class but mount */
void object_mount_rule(struct object_texts *t);
void object_add(struct object_texts *t, machine_texts texts);
machine_texts object_byte(struct object_texts *t, unsigned char c, machine_texts then);
/* What a word or condition of the rule matches, any where it has none; then `then`. */
machine_texts object_word(struct object_texts *t, const struct aa_text *w, machine_texts then);

/* ---- objects_shape.c ---- */
struct object_shape {
	struct machine_shape shape;
	enum aa_class class;
};
struct object_shape object_shape(enum aa_class class);
