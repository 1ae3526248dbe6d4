/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/events.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compiler/base/bug.h"

void events_init(struct events *e)
{
	*e = (struct events){ .tracefs = -1 };
}

/* A directory descriptor; -errno. Where it is not mounted, a mount that nobody else sees does. */
static int open_tracefs(void)
{
	static const char *const mounts[] = { "/sys/kernel/tracing/events",
					      "/sys/kernel/debug/tracing/events" };
	int fd, fs, err;

	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		fd = open(mounts[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0)
			return fd;
	}
	fs = fsopen("tracefs", FSOPEN_CLOEXEC);
	if (fs < 0)
		return -errno;
	err = fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) ? -errno : 0;
	fd = err ? err : fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	if (!err && fd < 0)
		err = -errno;
	close(fs);
	if (err)
		return err;
	fs = openat(fd, "events", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = fs < 0 ? -errno : fs;
	close(fd);
	return err;
}

int events_number(struct events *e, const char *name)
{
	char path[128], text[32] = "";
	ssize_t n = -1;
	int fd;

	if (e->tracefs < 0)
		e->tracefs = open_tracefs();
	if (e->tracefs < 0)
		return e->tracefs;
	snprintf(path, sizeof(path), "%s/id", name);
	fd = openat(e->tracefs, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 && atoi(text) > 0 ? atoi(text) : -EIO;
}

/* Machines of many CPUs need more descriptors than a process has by default. The command was
 * started before, and keeps its own limit. */
static bool raise_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) || l.rlim_cur >= l.rlim_max)
		return false;
	l.rlim_cur = l.rlim_max;
	return !setrlimit(RLIMIT_NOFILE, &l);
}

static int perf_open(struct perf_event_attr *attr, pid_t pid, int cpu, unsigned long flags)
{
	flags |= PERF_FLAG_FD_CLOEXEC;
	int fd = (int)syscall(SYS_perf_event_open, attr, pid, cpu, -1, flags);

	if (fd < 0 && errno == EMFILE && raise_limit())
		fd = (int)syscall(SYS_perf_event_open, attr, pid, cpu, -1, flags);
	return fd < 0 ? -errno : fd;
}

static int keep(struct events *e, int fd, int kind)
{
	if (e->n == e->cap) {
		size_t cap = e->cap ? e->cap * 2 : 16;
		struct event *v = realloc(e->v, cap * sizeof(*v));

		if (!v) {
			close(fd);
			return -ENOMEM;
		}
		e->v = v;
		e->cap = cap;
	}
	e->v[e->n++] = (struct event){ fd, kind };
	return 0;
}

static int describe(struct events *e, const struct event_spec *s, struct perf_event_attr *attr)
{
	int number = events_number(e, s->name);

	if (number < 0)
		return number;
	*attr = (struct perf_event_attr){
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(*attr),
		.config = (__u64)number,
		.config1 = (__u64)s->kind,
		.config2 = s->cookie,
		.sample_type = s->fields ? PERF_SAMPLE_RAW : 0,
		.disabled = 1,
	};
	return 0;
}

/* pid: -1, or a cgroup with the flag that says so. */
static int open_each(struct events *e, const struct event_spec *s, int pid, int cpus,
		     unsigned long flags)
{
	struct perf_event_attr attr;
	int err = describe(e, s, &attr);

	for (int cpu = 0; !err && cpu < cpus; cpu++) {
		int fd = perf_open(&attr, pid, cpu, flags);

		if (fd == -ENODEV) /* not switched on */
			continue;
		if (fd >= 0 && s->filter && ioctl(fd, PERF_EVENT_IOC_SET_FILTER, s->filter)) {
			err = -errno;
			close(fd);
		} else {
			err = fd < 0 ? fd : keep(e, fd, s->kind);
		}
	}
	return err;
}

int events_on_cpus(struct events *e, const struct event_spec *s, int cpus)
{
	return open_each(e, s, -1, cpus, 0);
}

int events_on_cgroup(struct events *e, const struct event_spec *s, int cgroup, int cpus)
{
	return open_each(e, s, cgroup, cpus, PERF_FLAG_PID_CGROUP);
}

int events_on_task(struct events *e, const struct event_spec *s, pid_t pid)
{
	struct perf_event_attr attr;
	int err = describe(e, s, &attr), fd;

	if (err)
		return err;
	attr.inherit = 1;
	attr.enable_on_exec = 1;
	fd = perf_open(&attr, pid, -1, 0);
	return fd < 0 ? fd : keep(e, fd, s->kind);
}

int events_missing(struct events *e, const struct event_spec *s, int cpus)
{
	struct perf_event_attr attr;
	int have = 0, there = 0;

	for (size_t i = 0; i < e->n; i++)
		have += e->v[i].kind == s->kind;
	if (describe(e, s, &attr))
		return 0;
	for (int cpu = 0; cpu < cpus; cpu++) {
		int fd = perf_open(&attr, -1, cpu, 0);

		if (fd >= 0)
			close(fd);
		there += fd >= 0;
	}
	return there > have ? there - have : 0;
}

int events_switch(const struct events *e, bool on)
{
	int err = 0;

	for (size_t i = 0; i < e->n; i++)
		if (ioctl(e->v[i].fd, on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0))
			err = -errno;
	return err;
}

int events_count(const struct events *e, int kind, uint64_t *sum)
{
	*sum = 0;
	for (size_t i = 0; i < e->n; i++) {
		uint64_t n = 0;

		if (e->v[i].kind != kind)
			continue;
		if (read(e->v[i].fd, &n, sizeof(n)) != sizeof(n))
			return errno ? -errno : -EIO;
		*sum += n;
	}
	return 0;
}

void events_close(struct events *e)
{
	for (size_t i = 0; i < e->n; i++)
		close(e->v[i].fd);
	free(e->v);
	if (e->tracefs >= 0)
		close(e->tracefs);
	events_init(e);
}
