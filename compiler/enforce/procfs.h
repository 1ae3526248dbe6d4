/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What /proc says about a process. It may not be there (a chroot, hidepid), and whoever asks
 * then does without: nothing here is told.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PROC_STATUS_MAX = 8192 }; /* room for all of /proc/PID/status that is asked for */

/* Reads /proc/TID/name (tid 0: self) into text, NUL-ended. Its length, or -errno (-ESRCH: there
 * is no such process). */
ssize_t proc_read(pid_t tid, const char *name, char *text, size_t size);

/* The number in the line "name:" of a status file, in this base (proc(5)). False: no such line. */
bool proc_status_number(const char *text, const char *name, int base, uint64_t *out);
