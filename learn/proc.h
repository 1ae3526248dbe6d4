/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What /proc tells of a task that stands still, or of one that runs: then what is gone by the time it
 * is asked for is not there. tid: as this process counts them.
 */
#include <limits.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "compiler/base/str.h"

/* Where /proc/TID/WHAT leads. */
bool proc_link(pid_t tid, const char *what, char out[PATH_MAX]);
/*
 * Whose process a name leads by, by what that has open or is in, below /proc/PID or /proc/PID/task/TID
 * (fs/proc/base.c, proc_pid_get_link()). last_too: also what is last in it is followed. 0: by none's.
 */
pid_t proc_leads_by(const char *name, bool last_too);
/* Whose link to such a thing it is that has this path, wherever that /proc is mounted; 0: it is none. */
pid_t proc_link_of(const char *path);
/* The number behind a label of /proc/TID/FILE, as `scan` reads it: a literal. -1: not there. */
long long proc_field(pid_t tid, const char *file, const char *label, const char *scan);
/* The number by which the task's process knows itself, in whatever namespace; 0: not to be known. */
unsigned proc_own_pid(pid_t tid);
/*
 * What an open asked for: PERM_*, 0 for nothing that has a rule. asked: the O_* of the call. -1: not
 * to be known, as in a task that is not dumpable, whose /proc files belong to root.
 */
int proc_open_perms(pid_t tid, int fd, uint64_t asked);
/* Length without the mark that the kernel puts behind a name that is gone, or never was (O_TMPFILE). */
size_t proc_bare_length(const char *path, const struct stat *st);
/*
 * Is `path` below /proc/PID of another process than the task's? st: what the task has opened there;
 * on another proc file system the numbers of ours tell nothing.
 */
bool proc_is_peers(pid_t tid, const char *path, const struct stat *st);
/*
 * Is AppArmor asked about the interpreter of a script as about what is executed? Before Linux 5.8 it was
 * (b8bff599261c: security_bprm_creds_for_exec() is called once, for the script).
 */
bool proc_asks_interpreters(void);
/*
 * The label that AppArmor has for the task, as rules name it: without a mode, and "" where there is none to be
 * had, as where AppArmor is off.
 */
void proc_label(pid_t tid, char out[PATH_MAX]);
/* Where the kernel keeps it, as /proc/kallsyms has it; 0: it is not told. */
uint64_t proc_symbol(const char *name);
bool proc_has_apparmor(void);
/* Has it one of these capabilities, bits as in CapEff, in the first user namespace? */
bool proc_is_capable(pid_t tid, uint64_t caps);
/* Its parent; 0: none that can be read. */
pid_t proc_parent(pid_t pid);
/* Is it a child of that one, or of its children? Both may be asked in a signal's handler. */
bool proc_descends(pid_t pid, pid_t from);
/* Does it lead to a namespace? */
bool proc_is_namespace(const char *path);
/* The program that it runs, as we see it; false: it has no path, or it is not to be known. */
bool proc_program(pid_t tid, char out[PATH_MAX]);
/* Is it below another root, or among other mounts, so that its names lead elsewhere than ours? -1: not
 * to be known. */
int proc_elsewhere(pid_t tid);
/*
 * What `name` leads to for who has that root, held by O_PATH; -1: errno. resolve: RESOLVE_* of openat2(2), which is since
 * Linux 5.6; RESOLVE_IN_ROOT for a whole name.
 */
int proc_find(const char *root, const char *name, uint64_t resolve, bool follow);
