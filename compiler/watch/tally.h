/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Refusals that are the same, counted: the same call or access, refused in the same way at the same
 * place. In bounded memory: where there is no room, what was met longest ago is folded into a total.
 */
#include "compiler/watch/site.h"
#include "compiler/watch/record.h"

enum { TALLY_MAX = 4096, TALLY_LABEL = 240 };

struct tally_entry {
	uint64_t hash;
	bool apparmor;
	char label[TALLY_LABEL]; /* "x86_64 mount(): ERRNO", may be printed */
	struct site site;
	unsigned series;
	uint64_t count, told; /* told: of these, so many */
	uint64_t first_ns, last_ns;
	uint32_t next;         /* of the same bucket; TALLY_MAX: none */
	uint32_t newer, older; /* by when it was met last */
};

struct tally {
	struct tally_entry *entries;
	uint32_t *buckets;
	uint32_t n, newest, oldest;
	uint64_t folded_kinds, folded; /* and how often those were refused, of what was not told */
};

void tally_new(struct arena *a, struct tally *t);
/* Counts it; *fresh: it is the first one, and the caller fills in `series`. */
struct tally_entry *tally_add(struct tally *t, const struct watch_record *r, const struct site *p,
			      bool *fresh);
/* The next that has not been told whole, from *at on, which begins as 0; NULL: no more. */
struct tally_entry *tally_untold(struct tally *t, uint32_t *at);
/* What a record is called, without who asked: as tally_entry's label. */
void tally_label(struct buf *out, const struct watch_record *r);
