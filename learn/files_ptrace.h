/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a call of a stopped task says about files: the ptrace backend's counterpart of paths.bpf.h and the
 * files' part of ends.bpf.h. What cannot be looked up is counted among the losses.
 */
#include "learn/address.h"
#include "learn/tracee.h"

/* Does what the call names belong to whom the task acts as? While it has not begun: e->owned. */
void files_owner(struct tracer *t, struct tracee *e);

/* All of these behind its end, by the rule of the call; fd: what it has opened. */
void files_open(struct tracer *t, struct tracee *e, const struct trace_rule *r, int fd);
/* One that failed for what is opened itself. */
void files_unopened(struct tracer *t, const struct tracee *e, struct trace_rule *r, uint32_t error);
/* What was asked to be executed, and is not; error: why, 0: it was only asked whether it may be. */
void files_tried(struct tracer *t, const struct tracee *e, const struct trace_rule *r,
		 uint32_t error);
model_ref files_fd(struct tracer *t, pid_t tid, int fd, unsigned perms);
/* Its i-th name. */
model_ref files_path(struct tracer *t, const struct tracee *e, const struct trace_rule *r, int i,
		     unsigned perms);
void files_renamed(struct tracer *t, const struct tracee *e, const struct trace_rule *r);
void files_linked(struct tracer *t, const struct tracee *e, const struct trace_rule *r);
void files_pin(struct tracer *t, const struct tracee *e, const struct trace_rule *r);
void files_lock(struct tracer *t, const struct tracee *e, const struct trace_rule *r);
void files_mprotect(struct tracer *t, const struct tracee *e, const struct trace_rule *r);
void files_bind(struct tracer *t, const struct tracee *e, const struct trace_rule *r);
/* A socket's address, if it is a name. */
void files_unix(struct tracer *t, const struct tracee *e, const struct addressed *to,
		unsigned perms, unsigned flags);
