/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a confined program might do, as users write it: "open /etc/passwd r", "exec /bin/sh",
 * "link /new /old", "cap chown", "socket inet stream", "mount fstype=tmpfs tmpfs -> /mnt/",
 * "unix connect type=stream peer=(addr=@x label=p)", "change_profile p". The first word says what
 * it is; `owner` or `other` behind it says whose the file is. Where it is no file, the rest reads
 * as a rule of AppArmor's does, with one value in each place.
 */
#include "compiler/apparmor/apparmor.h"
#include "compiler/apparmor/mounts.h"
#include "compiler/rules/rules.h"

enum aa_access_kind {
	AA_ACCESS_OPEN,
	AA_ACCESS_EXEC,
	AA_ACCESS_LINK,
	AA_ACCESS_RULE, /* what a rule of its class would have to allow */
	AA_ACCESS_NR
};

/* Permissions of an access whose rules have none. */
enum { AA_ACCESS_MOUNT = 1 << 0, AA_ACCESS_UMOUNT = 1 << 1 };
enum { AA_ACCESS_PIVOT = 1 << 0 };
enum {
	AA_ACCESS_CHANGE = 1 << 0,
	AA_ACCESS_HAT = 1 << 1,
	AA_ACCESS_UNSAFE = 1 << 2, /* of an object, beside CHANGE: with the environment */
};

/* One end of a unix socket: NONE it has no name, AUTO the kernel gives it one, GLOB this one. */
struct aa_unix_end {
	enum aa_unix_addr addr;
	struct str name; /* with its '@' */
};

struct aa_access {
	const struct source *source; /* its text */
	enum aa_access_kind kind;
	enum aa_class class;        /* of RULE */
	enum file_who who;          /* FILE_WHO_NR: not said, both */
	struct str path, target;    /* target of link: what exists already */
	unsigned perms;             /* PERM_*; of RULE: of its class, one bit */
	const struct aa_rule *rule; /* of RULE: one capability, family and type, signal */
	struct str peer;            /* the label of whom it is done to; "" where none is said */
	bool peer_said;
	union {                        /* of RULE, by class */
		struct aa_mount mount; /* of umount: point */
		struct {
			struct str root, old;
		} pivot;
		struct {
			int type; /* SOCK_* as x86 numbers them */
			struct aa_unix_end own, other;
		} unix_;
		struct {
			struct str bus, name, path, interface, member;
		} dbus;
		struct {
			bool posix;
			struct str name;
		} mqueue;
		struct {
			struct str
				target; /* a label, behind '&' where it is stacked; of a hat: its name */
			struct str exec; /* at whose execution; "": at once */
		} change;
	};
};

/*
 * Is this, asked of a policy, an access and no call? Its first word is an access's and a blank
 * follows, but no '('; a word alone that is both is a call.
 */
bool aa_access_is(struct str text);

/* The source is of ds. False: what is wrong was told. Owner: the arena. */
bool aa_access_read(struct arena *a, const struct source *src, struct aa_access *out,
		    struct diags *ds);

/* Is this a path that is asked about alone: bare, or in quotes? */
bool aa_access_is_path(struct str text);

/* Such a path: opened with every permission. */
bool aa_access_path(struct arena *a, const struct source *src, struct aa_access *out,
		    struct diags *ds);

/*
 * A path as a word of an access: in quotes where it needs them, and whatever a terminal does not show
 * as it is, or is no UTF-8, in octal. aa_access_read() reads it back.
 */
void aa_access_put_path(struct buf *out, struct str path);

/*
 * An access that was read, as it is written, but that what a terminal does not show, or is no UTF-8,
 * stands in octal, in quotes where it needs them: it reads back as the same one.
 */
void aa_access_put(struct buf *out, const struct aa_access *access);

/* A path for a text of UTF-8: itself, or where it is none as aa_access_put_path() has it. In the arena. */
const char *aa_access_json_path(struct arena *a, struct str path);

/* Why the kernel asks about no such path, a clause; NULL: it may. */
const char *aa_path_fault(struct str path);
unsigned aa_open_letter(char c); /* PERM_* of what a file is opened for; 0: none */
