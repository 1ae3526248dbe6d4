/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * FACT: one thing that a run did, without how often and when: the part of a recording's line before
 * the runs. Two runs did the same if their facts are equal, and then so are their texts:
 * fact_read(fact_print(f)) gives f, and fact_print(fact_read(t)) gives t.
 */
#include "compiler/tables/tables.h"
#include "learn/record/address.h"
#include "learn/record/line.h"
#include "learn/record/signal.h"

enum fact_kind {
#define FACT(kind, word) FACT_##kind,
#include "learn/record/facts.def"
#undef FACT
	FACT_NR
};

enum { /* what is known of a file beside its rights */
       FILE_OWNED = 1,
       FILE_ELSEWHERE = 2,
       FILE_PEERS = 4,
       FILE_GONE = 8,
       FILE_SETID = 16,
       FILE_OURS = 32,
       FILE_SOCKET = 64,
       FILE_NUMBERED = 128,
       FILE_POWERS = 256,
};

struct fact {
	enum fact_kind kind;
	enum arch arch; /* of the call, as is nr; of all but files, signals and rules */
	uint32_t nr;
	unsigned index; /* of an argument; the number of a capability or a signal; enum lost_why */
	enum signal_peer peer; /* of a signal; who: the path */
	uint64_t words[3]; /* a value; ones and zeros; the three of a tuple; a number of names */
	bool unbounded;    /* ones and zeros: there were more values than are kept */
	bool held;    /* call, tuple, file: there when the recording began, and not used since */
	bool runtime; /* call, capability: of the container's runtime, outside the workload */
	bool serve; /* call, by and arguments, capability: of those, what processes did that served */
	bool assumed; /* call: held, as it were: nobody looked whether it is made */
	/*
	 * Of a file, of a directory with other names; what is known of a lost one; a rule; a signal's peer; of a call
	 * by a program: whose, NULL by others. NUL-terminated.
	 */
	struct str path;
	struct address address;
	unsigned perms; /* PERM_* */
	unsigned flags; /* FILE_* */
};

/* Words of address.h's numbers; a type that is not known is "-". */
extern const char *const address_ops[], *const address_families[], *const address_types[],
									   *const address_places[];

void fact_print(struct buf *out, const struct fact *f);
/* The whole of w->rest is one; false: w->why. */
bool fact_read(struct line *w, struct fact *f);
