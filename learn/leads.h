/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Whose processes a name leads by, looked up as a task that stands still looks it up: through links of
 * /proc/PID to what a process has open or is in, wherever the name begins and by whatever links it goes.
 * At each the kernel asks whether that process may be read (fs/proc/base.c, proc_pid_get_link();
 * fs/proc/namespaces.c).
 */
#include <stdbool.h>
#include <sys/types.h>

enum leads_last {             /* what is last in the name, where it is a link, */
		  LEADS_KEPT, /* is not followed */
		  LEADS_FOLLOWED,
		  LEADS_READ, /* or only read */
};

/* Such a link: whose it is, as numbers are here, or as they are in another /proc. */
struct lead {
	pid_t pid;
	bool theirs; /* that other one */
	bool space;  /* it leads to a namespace */
};
typedef void leads_told(const void *to, const struct lead *lead);

/*
 * dir: a descriptor of the task's from which the name is seen, negative: its working directory. elsewhere: the
 * task may have another root or other mounts than we have.
 */
void leads_find(pid_t tid, int dir, const char *name, enum leads_last last, bool elsewhere,
		leads_told *tell, const void *to);
