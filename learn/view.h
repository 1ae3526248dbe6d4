/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * VIEW: the mount namespace in which a recording's names are looked up, where that is not pale's own:
 * a container's. It lives as long as it is held, also when all who were in it have ended.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct view {
	int ns;                /* -1: it was never held, and nothing can be looked up */
	int home, root, where; /* pale's own mount namespace, root and working directory */
};

#define VIEW_NONE ((struct view){ -1, -1, -1, -1 })

/* The namespace of this number, by a process that is in it. False: that has ended, or left it. */
bool view_hold(struct view *v, pid_t pid, uint32_t number);
/*
 * From here on all names are those of the view, whose root no link leads out of. False: it is not
 * held, or may not be entered; nothing has changed then. NULL: pale's own, which is always entered.
 * The process must have one thread.
 */
bool view_enter(const struct view *v);
void view_leave(const struct view *v);
void view_close(struct view *v);
