/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Where the processes that are recorded are taken to have started, and to serve from then on. By itself
 * each does where it begins to wait for others (serves.def), with what it starts since; what is said of
 * all of them at once, holds for all.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct trace_call;

enum serve_by {
	SERVE_BY_WAIT,   /* a call of serves.def shows it, or READY=1 is said */
	SERVE_BY_CALL,   /* the first of these calls, of each process */
	SERVE_BY_READY,  /* READY=1 alone */
	SERVE_BY_SIGNAL, /* none but what follows, which holds beside any */
	SERVE_BY_TIME,
};

struct learn_serve {
	enum serve_by by;
	const char *call;                    /* SERVE_BY_CALL */
	uint64_t after_s;                    /* SERVE_BY_TIME: since the target's exec */
	const volatile sig_atomic_t *wanted; /* counted up by SIGUSR2; NULL */
};

/* Is it such a call of which some show it? */
bool serve_looks_at(const struct learn_serve *s, const char *call);
/* The calls to look at for it. */
void serve_fill(struct trace_call *calls, const struct learn_serve *s);
/* Do all of them serve by now, as the user said? By what, for struct recorded_run; NULL: not yet. */
const char *serve_due(const struct learn_serve *s, uint64_t since_start_ns);
