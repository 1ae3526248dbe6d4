/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What of a stopped task's call shows that its process has started: the counterpart of phases.bpf.h. */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct serve_stopped {
	pid_t pid, tid; /* of its process, of the task */
	const uint64_t *args;
	bool compat; /* made with structures of 32 bits */
};

/* by: enum trace_serves of the call that begins. */
bool serve_shows(const struct serve_stopped *s, unsigned by);
