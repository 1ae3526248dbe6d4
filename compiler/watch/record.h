/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A line of a source as what was refused, by the readers that `pale why` has. */
#include "compiler/file/audit.h"
#include "compiler/tell/denial.h"
#include "compiler/watch/source.h"

struct watch_record {
	bool apparmor;
	struct str line;          /* as it was read, without the journal's object */
	uint64_t ns, serial;      /* of audit(); 0: not told */
	uint64_t pid;             /* 0: not told */
	uint64_t hash;            /* of what was refused, whoever asked, and when */
	struct audit_record call; /* seccomp */
	struct denial denial;     /* AppArmor */
};

enum watch_read {
	WATCH_NOTHING, /* another line */
	WATCH_REFUSED,
	WATCH_PASSED,  /* AppArmor's of what passed (AUDIT), or of policy (STATUS) */
	WATCH_FOREIGN, /* it looks like a record, and a program wrote it */
	WATCH_BAD,     /* it claims to be one, and is not understood */
	WATCH_LOSS,    /* the kernel says that it dropped records: *lost */
};

/* What the kernel says of records that it dropped. */
struct watch_lost {
	uint64_t suppressed; /* "audit: N callbacks suppressed", journald's "Missed N" */
	bool limit;          /* it had no room: "audit: backlog limit exceeded" */
	uint64_t counter;    /* so many since the machine started: "audit_lost=N"; 0: not said */
};

/* Did it pass all the same: a filter that logs, a profile that complains? */
bool watch_passed(const struct watch_record *r);
/* Texts are in the arena or in the line. */
enum watch_read watch_read(struct arena *a, const struct watch_line *line, struct watch_record *r,
			   struct watch_lost *lost);
