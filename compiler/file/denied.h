/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * AppArmor's records of the kernel's log, type 1400 (security/apparmor/audit.c, and the callbacks
 * of each class beside it), as the log, journald, auditd and ausearch write them, and what the
 * message bus writes of itself (type 1107). Kernels differ in the fields: `class=` since 6.2,
 * `requested=` in the place of `requested_mask=` for some classes, `trans=`, `execpath=`.
 */
#include <stdbool.h>

#include "compiler/base/arena.h"
#include "compiler/base/str.h"
#include "compiler/file/journal.h"

enum denied_status {
	DENIED_DENIED,  /* refused */
	DENIED_ALLOWED, /* complain mode: would have been */
	DENIED_KILLED,  /* refused, and its process was killed */
	DENIED_AUDIT,   /* allowed by a rule with `audit` */
	DENIED_OTHER,   /* STATUS, HINT, ERROR: it asks nothing */
};

/* Texts without their quotes and hex; an absent one has p == NULL. They live in the arena or the line. */
struct denied {
	enum denied_status status;
	struct str operation; /* open, exec, capable, create, mount, ... */
	struct str class;     /* file, cap, net, ...: of the record, or what its operation tells */
	struct str profile;   /* that decided; of a stack the one that refused */
	struct str ns;        /* the profile's namespace, "root//n"; absent in the first one */
	struct str name;      /* of the object: a path, a mount point, a profile */
	struct str requested, denied; /* letters or words, as the class writes them */
	struct str target;            /* link's second path, or the profile of a transition */
	struct str peer, info, comm, pid;
	struct str family, type, protocol; /* sockets */
	struct str address, peer_address;  /* of unix sockets, with their '@' */
	struct str capability, signal;
	struct str source, fstype, flags;        /* mounts */
	struct str limit, value;                 /* setrlimit */
	struct str bus, path, interface, member; /* the message bus */
	bool whose;                              /* files: it says whose the file is */
	bool owned; /* the asking process' user owns it (fsuid == ouid) */
};

/* Is it such a record? What has the word, and no status of AppArmor's behind it, is none. */
bool denied_is_record(struct str line);
/*
 * Did the kernel write it, or the bus, of what it refuses itself? By its form (origin.h) and, of a line
 * of the journal's JSON, by who logged it; any program can log such a text. NULL, or why not.
 */
const char *denied_foreign(struct str line, enum journal_origin from);
/* NULL, or what is wrong with it: "it has no operation=". A text in the arena. */
const char *denied_read(struct arena *a, struct str line, struct denied *out);

/* Of what was asked and what became of it, whoever asked, and when. */
uint64_t denied_hash(const struct denied *d);
bool denied_same(const struct denied *x, const struct denied *y);
