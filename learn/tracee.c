/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/tracee.h"

#include <stdlib.h>

#include "learn/proc.h"

struct tracee *tracer_find(const struct tracer *t, pid_t tid)
{
	struct tracee *e = t->buckets[(unsigned)tid % TRACEE_BUCKETS];

	while (e && e->tid != tid)
		e = e->next;
	return e;
}

/* A task is met at its first stop: that of its parent's fork may come before or after. */
struct tracee *tracer_get(struct tracer *t, pid_t tid)
{
	struct tracee *e = tracer_find(t, tid);

	if (e)
		return e;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->tid = tid;
	e->pid = proc_own_pid(tid);
	e->parent = proc_own_pid((pid_t)proc_field(tid, "status", "\nPPid:", "%lld"));
	e->leads = proc_field(tid, "status", "\nTgid:", "%lld") == tid;
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
	free(e);
	t->live--;
}

uint64_t tracer_now(const struct tracer *t)
{
	return clock_ns() - t->start_ns;
}
