/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processors: those this process may be put on (sched_setaffinity(2)), and of their time what its
 * cgroups give it, each of those above it, too: cpu.max (Documentation/admin-guide/cgroup-v2.rst),
 * cpu.cfs_quota_us and cpu.cfs_period_us (Documentation/scheduler/sched-bwc.rst).
 */
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/cmd/jobs.h"

enum { PLACE_MAX = 2 * PATH_MAX };

/* So much of each period's time on processors; less than 0: all there is. */
struct quota {
	long long time, period;
};

static bool read_quota_of_1(const char *dir, struct quota *out)
{
	static const char *const names[] = { "cpu.cfs_quota_us", "cpu.cfs_period_us" };
	long long *const to[] = { &out->time, &out->period };
	char path[PLACE_MAX + 32];
	bool read = true;

	for (size_t i = 0; i < 2 && read; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		FILE *f = fopen(path, "re");
		read = f && fscanf(f, "%lld", to[i]) == 1;
		if (f)
			fclose(f);
	}
	return read;
}

/* "max" is no number: nothing is held back. */
static bool read_quota_of_2(const char *dir, struct quota *out)
{
	char path[PLACE_MAX + 32];

	snprintf(path, sizeof(path), "%s/cpu.max", dir);
	FILE *f = fopen(path, "re");
	bool read = f && fscanf(f, "%lld %lld", &out->time, &out->period) == 2;
	if (f)
		fclose(f);
	return read;
}

/* From a cgroup up to where its hierarchy is mounted. */
static unsigned least_of(char *dir, size_t top, bool version2, unsigned most)
{
	for (;;) {
		struct quota q;
		bool read = version2 ? read_quota_of_2(dir, &q) : read_quota_of_1(dir, &q);

		if (read && q.time > 0 && q.period > 0) {
			long long n = q.time / q.period + (q.time % q.period != 0);
			most = n < most ? (unsigned)n : most;
		}
		char *slash = strrchr(dir, '/');
		if (!slash || (size_t)(slash - dir) < top)
			return most;
		*slash = '\0';
	}
}

/* Is it one of the words between the commas? */
static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (;; list++) {
		if (!strncmp(list, word, n) && (!list[n] || list[n] == ','))
			return true;
		list = strchr(list, ',');
		if (!list)
			return false;
	}
}

/* Where the hierarchy with the cgroup is mounted (proc_pid_mountinfo(5)), and how much of `cgroup`
 * that mount begins with. "\040" for a space: such a place is not looked at. */
static bool find_mount(bool version2, const char *cgroup, char *place, size_t *below)
{
	char *line = NULL, root[PATH_MAX];
	size_t size = 0;
	bool found = false;
	FILE *f = fopen("/proc/self/mountinfo", "re");

	while (f && !found && getline(&line, &size, f) > 0) {
		const char *kind = strstr(line, " - ");
		char options[256];

		if (!kind || sscanf(line, "%*s %*s %*s %4095s %4095s", root, place) != 2)
			continue;
		if (version2 ? strncmp(kind, " - cgroup2 ", 11) != 0 :
			       sscanf(kind, " - cgroup %*s %255s", options) != 1 ||
				       !has_word(options, "cpu"))
			continue;
		*below = strcmp(root, "/") ? strlen(root) : 0;
		found = !strncmp(cgroup, root, *below) &&
			(!cgroup[*below] || cgroup[*below] == '/');
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

/* Of "ID:CONTROLLERS:CGROUP" (cgroups(7)). */
static unsigned least_of_line(char *line, unsigned most)
{
	char dir[PLACE_MAX], place[PATH_MAX];
	char *controllers = strchr(line, ':');
	char *cgroup = controllers ? strchr(controllers + 1, ':') : NULL;
	bool version2 = !strncmp(line, "0::", 3);
	size_t below;

	if (!cgroup)
		return most;
	*cgroup++ = '\0';
	cgroup[strcspn(cgroup, "\n")] = '\0';
	if ((!version2 && !has_word(controllers + 1, "cpu")) ||
	    !find_mount(version2, cgroup, place, &below))
		return most;
	const char *rest = strcmp(cgroup + below, "/") ? cgroup + below : "";
	if (snprintf(dir, sizeof(dir), "%s%s", place, rest) >= (int)sizeof(dir))
		return most;
	return least_of(dir, strlen(place), version2, most);
}

unsigned jobs_processors(void)
{
	unsigned most = 1;
	char *line = NULL;
	size_t size = 0;
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return most;
	most = (unsigned)CPU_COUNT(&set);
	FILE *f = fopen("/proc/self/cgroup", "re");
	while (f && getline(&line, &size, f) > 0)
		most = least_of_line(line, most);
	free(line);
	if (f)
		fclose(f);
	return most;
}
