/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Signals of the ptrace backend: whom a task that stands still is about to signal, and who has signalled it,
 * by /proc as it is at that moment.
 */
#include <signal.h>

#include "learn/tracee.h"

/* The call that the task is about to make signals somebody: e->sending. */
void signal_begin(const struct tracer *t, struct tracee *e);
/* It has: into the recording. */
void signal_end(struct tracer *t, struct tracee *e);
/* It asks for a signal at the death of its parent (prctl(2)). */
void signal_at_death(const struct tracer *t, struct tracee *e);
/* The task is to get a signal that a process sent. */
void signal_received(struct tracer *t, const struct tracee *e, const siginfo_t *info);
/* A process was killed, which stops nobody on its way. */
void signal_killed(struct tracer *t, const struct tracee *e);
