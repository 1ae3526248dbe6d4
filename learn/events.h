/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Counting events of perf's on tracepoints: perf_event_open(2). They have no ring and wake nobody.
 * A program is driven by them, or they count what it should have seen.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct events {
	struct event {
		int fd;
		int kind; /* the caller's */
	} * v;
	size_t n, cap;
	int tracefs; /* where they have their numbers; -1: not open */
};

/* What to count, and who is to be told. */
struct event_spec {
	const char *name;   /* "GROUP/NAME" as below tracefs's events */
	const char *filter; /* in the kernel's words (Documentation/trace/events.rst); NULL */
	int kind;
	uint64_t cookie; /* stands in attr.config2 as the kind does in config1, which no tracepoint
			  * has a use for: a program knows its events by it */
	bool fields;     /* the event's record is handed on: attr.sample_type has PERF_SAMPLE_RAW */
};

void events_init(struct events *e);
/* The number that perf knows the event by; -errno. */
int events_number(struct events *e, const char *name);
/* Switched off, one for each of `cpus` CPUs that is there, whatever task runs. 0 or -errno. */
int events_on_cpus(struct events *e, const struct event_spec *s, int cpus);
/* The same for the tasks in and below a cgroup, of which `cgroup` is a descriptor. */
int events_on_cgroup(struct events *e, const struct event_spec *s, int cgroup, int cpus);
/* For a task and whatever it starts from then on; switched on by its next exec. 0 or -errno. */
int events_on_task(struct events *e, const struct event_spec *s, pid_t pid);
/* How many CPUs have none of this kind and yet are there now: they came later. */
int events_missing(struct events *e, const struct event_spec *s, int cpus);
/* All of them, on or off: counts stand still after it. 0 or -errno. */
int events_switch(const struct events *e, bool on);
/* What those of one kind have counted. 0 or -errno. */
int events_count(const struct events *e, int kind, uint64_t *sum);
void events_close(struct events *e);
