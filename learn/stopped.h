/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * STOPPED: what is read of a task that a tracer holds: its memory (process_vm_readv(2)), and names that
 * mean something to it alone.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "learn/trace.h"

/* A NUL-terminated text of at most `max` bytes; its length, or -1. */
ssize_t stopped_text(pid_t tid, uint64_t addr, char out[TRACE_PATH + 1], size_t max);
/* False: not all of the n bytes are there. */
bool stopped_memory(pid_t tid, uint64_t addr, void *out, size_t n);
/* The descriptor that "/proc/self/fd/7" or "/dev/fd/7" names; -1: none. */
int stopped_self_fd(const char *text);
/* A name as it looks from here: what it calls "/proc/self/" is "/proc/TID/" then, in `out`. */
const char *stopped_theirs(pid_t tid, const char *text, char out[TRACE_PATH + 32]);
/* Where the name that execve was given stands in the new program's memory (AT_EXECFN); 0: not known. */
uint64_t stopped_execfn(pid_t tid);
/* Does the name that was executed lead to the program that runs? */
bool stopped_is_program(pid_t tid, const char *text);
/*
 * Executed by that descriptor: was it a script? One that is closed by now was none: the kernel refuses
 * those, as their interpreter would not find them. -1: not to be known.
 */
int stopped_is_script_fd(pid_t tid, int fd);
/*
 * Is the task that `tid` calls `other` ours to trace, or nobody's? In another namespace its number tells
 * nothing.
 */
bool stopped_may_trace(pid_t tid, pid_t other);
/* Is it a signal that stops a process? */
bool stopped_by(int sig);
