/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/tracee.h"

#include <stdlib.h>

#include "compiler/base/clock.h"
#include "learn/proc.h"

struct tracee *tracer_find(const struct tracer *t, pid_t tid)
{
	struct tracee *e = t->buckets[(unsigned)tid % TRACEE_BUCKETS];

	while (e && e->tid != tid)
		e = e->next;
	return e;
}

struct tracee *tracer_find_process(const struct tracer *t, pid_t leader)
{
	struct tracee *e = tracer_find(t, leader);

	for (size_t i = 0; !e && i < TRACEE_BUCKETS; i++)
		for (e = t->buckets[i]; e && e->leader != leader;)
			e = e->next;
	return e;
}

/* As its process does, and by the program that it runs; a new one as that which made it. */
static void inherit(const struct tracer *t, struct tracee *e, pid_t parent)
{
	const struct tracee *from =
		tracer_find_process(t, e->leader == e->tid ? parent : e->leader);

	if (!from)
		return;
	e->serves = from->serves;
	e->presumed = from->presumed;
	e->by = from->by;
}

void tracer_serves(struct tracer *t, const struct tracee *e, bool serves, bool presumed)
{
	pid_t leader = e->leader;

	for (size_t i = 0; i < TRACEE_BUCKETS; i++)
		for (struct tracee *it = t->buckets[i]; it; it = it->next)
			if (it->leader == leader) {
				it->serves = serves;
				it->presumed = presumed;
			}
}

bool tracer_has_ended(const struct tracer *t, pid_t tid)
{
	for (size_t i = 0; i < TRACER_GONE; i++)
		if (t->gone[i].tid == tid)
			return true;
	return false;
}

/* A task is met at its first stop: that of its parent's fork may come before or after. */
struct tracee *tracer_get(struct tracer *t, pid_t tid)
{
	struct tracee *e = tracer_find(t, tid);
	pid_t parent;

	if (e)
		return e;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->tid = tid;
	e->pid = proc_own_pid(tid);
	parent = (pid_t)proc_field(tid, "status", "\nPPid:", "%lld");
	e->parent = proc_own_pid(parent);
	e->leader = (pid_t)proc_field(tid, "status", "\nTgid:", "%lld");
	inherit(t, e, parent);
	e->next = t->buckets[(unsigned)tid % TRACEE_BUCKETS];
	t->buckets[(unsigned)tid % TRACEE_BUCKETS] = e;
	t->live++;
	t->r->run.processes++;
	return e;
}

void tracer_drop(struct tracer *t, pid_t tid)
{
	struct tracee **p = &t->buckets[(unsigned)tid % TRACEE_BUCKETS], *e;

	while (*p && (*p)->tid != tid)
		p = &(*p)->next;
	e = *p;
	if (!e)
		return;
	*p = e->next;
	ask_drop(e->ask);
	free(e->sending);
	t->gone[t->ngone % TRACER_GONE].tid = tid;
	t->gone[t->ngone++ % TRACER_GONE].leader = e->leader;
	free(e);
	t->live--;
}

uint64_t tracer_now(const struct tracer *t)
{
	return clock_ns() - t->start_ns;
}
