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

/* Of such a link: whose it is, as numbers are here; theirs: as they are in another /proc. */
typedef void leads_told(void *to, pid_t pid, bool theirs);

/*
 * dir: a descriptor of the task's from which the name is seen, negative: its working directory. elsewhere: the
 * task may have another root or other mounts than we have.
 */
void leads_find(pid_t tid, int dir, const char *name, enum leads_last last, bool elsewhere,
		leads_told *tell, void *to);
