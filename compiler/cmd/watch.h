/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of `pale watch` share: its state, its sources, what it tells. */
#include "compiler/base/suggest.h"
#include "compiler/cmd/watch_explain.h"
#include "compiler/watch/comings.h"
#include "compiler/watch/http.h"
#include "compiler/watch/put.h"
#include "compiler/watch/series.h"
#include "compiler/watch/whose.h"

enum {
	WATCH_SOURCES = 8,
	WATCH_SEEN =
		4096, /* records that are remembered, for those that come twice; a power of two */
};

struct watched_source {
	struct watch_source source;
	bool losses_only; /* beside a better one: only what the kernel says it dropped */
	bool ours;        /* its processes are this machine's */
	uint64_t rotated; /* told of these */
	bool has_more;    /* than was read of it in this round */
};

struct watch {
	struct session *s;
	struct arena *line; /* of one line */
	struct explain explain;
	bool json;
	const struct option_value *containers;
	struct watch_wanted { /* of each of these the first that was called so, and whether another was told of */
		struct site first;
		bool told;
		struct suggest
			near; /* until all that runs was looked at: what is called almost so, */
		char nearest[sizeof(((struct site *)NULL)->name)]; /* and that word */
	} * wanted;
	bool looked; /* at all that runs */
	struct watched_source sources[WATCH_SOURCES];
	unsigned nsources;
	struct whose *whose;
	struct comings *comings; /* NULL: no source is this machine's */
	struct tally tally;
	struct series *series;
	struct {
		uint64_t serial, hash;
		unsigned source;
	} seen[WATCH_SEEN];
	/* what is told */
	struct watch_sums sums;
	uint64_t lost_suppressed, lost_base, lost_counter, lost_times;
	bool lost_known; /* the counter, which audit was asked for or has said */
	struct watch_dropped told_dropped;
	unsigned first; /* refusals shown at first sight in this period */
	struct buf out;
	bool broken; /* nobody reads it any more */
	bool failed; /* a source that was to be read cannot be, or has ended by itself */
	/* Prometheus */
	const char *textfile; /* NULL: none */
	bool textfile_failed;
	struct http http; /* listening -1: none */
	/* times */
	uint64_t now_ns;          /* CLOCK_REALTIME */
	uint64_t tick_ns, end_ns; /* CLOCK_MONOTONIC; end_ns 0: none */
};

/* watch_sources.c: EXIT_OK, or the exit status after saying why. */
int watch_sources_open(struct watch *w, const struct options *o);
/* Which they are, in words. */
void watch_sources_put(struct buf *out, const struct watch *w);

/* watch_take.c: a line of the source `which`. */
void watch_take_line(struct watch *w, unsigned which, const struct watch_line *line);
/* watch_wanted.c: is it one of --container's? What a name says of two is told, once. */
bool watch_is_wanted(struct watch *w, const struct site *p);
/* The same of one that was met without a refusal: comings_met. */
void watch_meet(void *who, const struct site *p);
/* All that runs has been met: which of --container's was not. */
void watch_tell_missing(struct watch *w);
/* What has come together since: every so often, and at the end (all of it). */
void watch_tell_totals(struct watch *w, bool all);
/* What the kernel dropped, of all sources. */
struct watch_dropped watch_dropped_all(const struct watch *w);
