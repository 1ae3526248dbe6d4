/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* How recordings.c keeps runs and facts, for read.c, which fills them. */
#include "compiler/base/table.h"
#include "learn/record/recordings.h"

#define RECORDINGS_FIRST "pale recording 1\n"
#define CHUNK_FIRST      16
#define CHUNK_BYTES      112
#define ARRIVAL_NONE     UINT32_MAX

struct chunk {
	struct chunk *next;
	uint16_t n, size;
	unsigned char bytes[];
};

struct stored { /* a fact, and its columns by arrival */
	struct str key;
	struct chunk *first, *last;
	uint32_t next; /* behind the last arrival that has it */
};

struct arrival { /* a run as it came; some come twice, some in snapshots */
	struct recorded_run run;
	size_t file;
	uint32_t same;   /* the first arrival of the same run and snapshot */
	uint32_t output; /* its place among the runs that count; ARRIVAL_NONE */
	/* of the first one of them: */
	uint32_t copies;
	uint32_t met; /* of the copies, those that have `fact` */
	const struct stored *fact;
	struct column column; /* of it */
};

struct recordings {
	struct arena *arena;
	VEC(struct arrival) arrived;
	VEC(struct stored *) facts;
	struct table by_key;
	VEC(uint32_t) runs; /* arrivals that count, by id */
	bool settled;
};

struct stored *store_find(const struct recordings *rs, struct str key); /* NULL: not there */
struct stored *store_key(struct recordings *rs, struct str key);
/* Its run is an arrival, later than all that the fact has. */
void store_column(struct recordings *rs, struct stored *s, const struct column *c);
