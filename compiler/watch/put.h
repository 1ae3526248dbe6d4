/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What is watched, as text or as JSON (watch.schema.json): a line each. */
#include "compiler/watch/tally.h"

/* At first sight. `why`: what the policies say, a line each as `pale why` has them; n 0: nothing. */
void watch_put_refusal(struct buf *out, bool json, const struct watch_record *r,
		       const struct tally_entry *e, struct str why);
/* So many more since it was told. */
void watch_put_more(struct buf *out, bool json, const struct tally_entry *e);
/* The kernel has dropped so many since it was told; n.times: and did not say how many. */
void watch_put_dropped(struct buf *out, bool json, const struct watch_dropped *n, uint64_t now_ns);

struct watch_sums {
	uint64_t lines, refused; /* of these records of refusals */
	uint64_t kinds;          /* told apart */
	uint64_t twice;          /* of two sources */
	uint64_t elsewhere;      /* of other containers than those that are asked for */
	uint64_t nowhere;        /* of processes that had ended: whose is not known */
	uint64_t foreign, bad, passed;
	uint64_t folded_kinds, folded;
	uint64_t overflow; /* kinds that count as "other" */
	struct watch_dropped dropped;
	uint64_t unread; /* sources of which not all was read that was there */
};

/* JSON alone: the last line. */
void watch_put_end(struct buf *out, const struct watch_sums *s, uint64_t now_ns);
