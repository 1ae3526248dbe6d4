/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Refusals as counters for Prometheus (its text format, version 0.0.4). So many series as there is
 * room for; what comes after counts as "other" of its kind.
 */
#include <stdint.h>

#include "compiler/watch/site.h"
#include "compiler/watch/record.h"

enum { SERIES_MAX = 1000, SERIES_OTHERS = 2 };

struct series_key {
	bool apparmor;
	bool passed; /* only logged: the filter or the profile does not enforce */
	char container[96], profile[64];
	char what[40]; /* the call; AppArmor's class */
	char path[48]; /* of files the first two names of it: "/etc", "/var/log" */
};

struct series;

struct series *series_new(struct arena *a);
/* Of this kind of refusal: which counter. The first SERIES_OTHERS are the overflow's. */
unsigned series_of(struct series *s, const struct series_key *key);
void series_count(struct series *s, unsigned which);
/* How many kinds had no room. */
uint64_t series_overflow(const struct series *s);
/* What its record says of it. */
void series_key_of(struct series_key *key, const struct watch_record *r, const struct site *p);
/* All of them, and what the kernel dropped. */
void series_print(struct buf *out, const struct series *s, const struct watch_dropped *dropped);
