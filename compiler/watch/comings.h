/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Containers as they come, so that whose a refusal was is still known when they have ended: a container's
 * cgroup is made before anything of it runs, and its processes are looked at while they do. No engine is
 * asked to tell, so none has to go on running.
 */
#include "compiler/watch/whose.h"

struct comings;

/* Each process' container, each time that it is looked at. */
typedef void comings_met(void *who, const struct site *p);
/* What is there counts as coming. Without cgroups of version 2 there is nothing to see. met: NULL is fine. */
struct comings *comings_new(struct arena *a, const char *root, struct whose *w, comings_met *met,
			    void *who);
void comings_end(struct comings *c);        /* NULL is fine */
bool comings_sees(const struct comings *c); /* are there such cgroups? */
int comings_fd(const struct comings *c);    /* for POLLIN; -1: none */
/* How long one may wait at most: shortly where one has just come. */
int comings_wait_ms(const struct comings *c);
/* now_ns: CLOCK_MONOTONIC; real_ns: since 1970. */
void comings_step(struct comings *c, uint64_t now_ns, uint64_t real_ns);
