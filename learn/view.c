/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/view.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/base/bug.h"

bool view_hold(struct view *v, pid_t pid, uint32_t number)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	v->ns = open(path, O_RDONLY | O_CLOEXEC);
	v->home = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	v->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	v->where = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (v->ns >= 0 && v->home >= 0 && v->root >= 0 && v->where >= 0 && !fstat(v->ns, &st) &&
	    st.st_ino == number)
		return true;
	view_close(v);
	return false;
}

bool view_enter(const struct view *v)
{
	return !v || (v->ns >= 0 && !setns(v->ns, CLONE_NEWNS));
}

void view_leave(const struct view *v)
{
	if (!v || v->ns < 0)
		return;
	/* What pale writes must not go to the container: there is no way on. */
	if (setns(v->home, CLONE_NEWNS) || fchdir(v->root) || chroot(".") || fchdir(v->where))
		BUG("pale's own mount namespace is entered again");
}

void view_close(struct view *v)
{
	int *const fds[] = { &v->ns, &v->home, &v->root, &v->where };

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}
