/* SPDX-License-Identifier: Apache-2.0 */
/* Where a container's recording goes, and where the container itself is. */
#include "learn/hook/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "learn/container/container.h"

static int tell_place(struct diags *ds, const char *dir, const char *why)
{
	struct diag *d = diag_add(ds, DIAG_PL424, NO_SPAN, "no recording can be kept in '%s': %s",
				  str_safe(ds->arena, dir), why);

	diag_help(
		ds, d,
		"it takes a directory of root's that nobody else may write to, nor to what is above "
		"it; 'pale hook --install' makes one");
	return -1;
}

/* NULL: root alone decides what is in it. Who runs without being root, for a test, is taken for root. */
static const char *why_not(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return strerror(errno);
	if (st.st_uid && st.st_uid != geteuid())
		return "it is not root's";
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return "others than its owner may write to it";
	return NULL;
}

/*
 * The same of all that is above: who may rename what leads to it decides as well. In a directory with the sticky
 * bit others may not (rename(2)).
 */
static const char *why_not_above(struct arena *a, const char *dir)
{
	char *part = arena_strdup(a, dir);
	const char *why = NULL;
	struct stat st;

	for (char *end; !why && (end = strrchr(part, '/'));) {
		end[end == part] = 0;
		if (stat(part, &st))
			why = strerror(errno);
		else if (st.st_uid && st.st_uid != geteuid())
			why = "is not root's";
		else if ((st.st_mode & (S_IWGRP | S_IWOTH)) && !(st.st_mode & S_ISVTX))
			why = "may be written to by others than its owner";
		if (why)
			return arena_printf(a, "'%s', above it, %s", str_safe(a, part), why);
		if (end == part)
			break;
	}
	return NULL;
}

/* DIR, opened; -1 and *why. As it is called, and where that leads. */
static int open_directory(struct arena *a, const char *dir, const char **why)
{
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char real[PATH_MAX];

	*why = fd < 0 ? strerror(errno) : why_not(fd);
	if (!*why && !realpath(dir, real))
		*why = strerror(errno);
	if (!*why)
		*why = why_not_above(a, dir);
	if (!*why)
		*why = why_not_above(a, real);
	if (*why && fd >= 0)
		close(fd);
	return *why ? -1 : fd;
}

int hook_directory(const char *dir, struct diags *ds)
{
	const char *why = NULL;
	int fd = -1;

	if (mkdir(dir, 0700) && errno != EEXIST)
		why = strerror(errno);
	else
		fd = open_directory(ds->arena, dir, &why);
	if (fd >= 0)
		close(fd);
	return why ? tell_place(ds, dir, why) : 0;
}

int hook_place(const char *dir, const char *name, struct diags *ds)
{
	const char *why;
	int fd = open_directory(ds->arena, dir, &why), below;

	if (fd < 0)
		return tell_place(ds, dir, why);
	if (mkdirat(fd, name, 0700) && errno != EEXIST)
		why = strerror(errno);
	below = why ? -1 : openat(fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (!why)
		why = below < 0 ? strerror(errno) : why_not(below);
	if (below >= 0)
		close(below);
	close(fd);
	return why ? tell_place(ds, dir, why) : 0;
}

const char *hook_cgroup(struct arena *a, int pid, struct diags *ds)
{
	struct containers *cs = containers_new(a, "");
	const char *cgroup = container_cgroup_of_pid(cs, pid);
	struct diag *d;

	if (cgroup)
		return cgroup;
	d = diag_add(ds, DIAG_PL424, NO_SPAN, "the cgroup of process %d is not known: %s", pid,
		     cs->tree ? "it is gone, or in the root of the cgroups with everything else" :
				"no cgroup v2 hierarchy is mounted");
	diag_help(ds, d, "a container is told from the rest of the machine by its cgroup");
	return NULL;
}
