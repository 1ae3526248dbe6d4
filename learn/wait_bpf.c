/* SPDX-License-Identifier: Apache-2.0 */
/* The eBPF backend waits: for the command and what it left behind, or for cgroups and processes. */
#include "learn/backend.h"

#if PALE_BPF
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compiler/base/clock.h"
#include "learn/held.h"
#include "learn/maker.h"
#include "learn/targets.h"
#include "learn/watch.h"

#define LOOK_MS 200 /* between two looks; also the bound on a signal that came just before a wait */

/* In a child of ours: the programs go on, for their maps are the recorder's. */
static _Noreturn void keep_snapshot(struct watch *w, const struct learn_options *opt,
				    struct model *m)
{
	witness_look(w, model_recording(m));
	watch_read_running(w, m);
	if (watch_read_maps(w, opt, m))
		_exit(EXIT_FAILURE);
	witness_compare(w, model_recording(m));
	snapshot_end(opt->snapshots, m);
}

/* Told that all have started, or it is the time: from here on all serve. */
static void look_at_serving(struct watch *w, const struct learn_options *opt)
{
	uint64_t start = w->skel->bss->start_ns, since = start ? clock_ns() - start : 0;

	if (w->serve_from)
		return;
	w->serve_from = start ? serve_due(&opt->serve, since) : NULL;
	if (!w->serve_from)
		return;
	w->serve_ns = since;
	__atomic_store_n(&w->skel->bss->serve_all, 1, __ATOMIC_RELEASE);
}

/* True: everything that the command started has ended. False: told to finish. */
static bool wait_children(struct watch *w, const struct learn_options *opt, struct target *t,
			  struct model *m)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, 0);

		if (pid < 0 && errno == ECHILD)
			return true;
		look_at_serving(w, opt);
		if (pid > 0)
			snapshot_ended(opt->snapshots, pid, status);
		else if (snapshot_begin(opt->snapshots))
			keep_snapshot(w, opt, m);
		watch_live(w, opt, m);
		if (pid == t->pid) {
			t->ended = true;
			t->wait_status = status;
		}
		if (pid < 0 && target_stop(t, opt))
			return false;
	}
}

/* ---- cgroups ---- */

/* How deep a cgroup lies below the root of the v2 hierarchy: what its ancestor id is asked by. */
static int cgroup_depth(const char *real, unsigned *depth)
{
	char line[PATH_MAX * 2], root[PATH_MAX], mnt[PATH_MAX];
	FILE *f = fopen("/proc/self/mountinfo", "re");
	int found = -ENOTSUP;

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		size_t n;

		if (!strstr(line, " - cgroup2 ") ||
		    sscanf(line, "%*s %*s %*s %4095s %4095s", root, mnt) != 2)
			continue;
		n = strcmp(mnt, "/") ? strlen(mnt) : 0;
		if (strncmp(real, mnt, n) || (real[n] && real[n] != '/'))
			continue;
		*depth = 0;
		for (const char *p = real + n; *p; p++)
			*depth += *p == '/' && p[1];
		for (const char *p = root; *p; p++)
			*depth += *p == '/' && p[1];
		found = 0;
	}
	fclose(f);
	return found;
}

int watch_take(struct watch *w, size_t i)
{
	char real[PATH_MAX];
	unsigned depth = 0;
	struct stat st;
	int err;

	if (!realpath(w->cgroups[i].path, real) || stat(real, &st))
		return -errno;
	err = cgroup_depth(real, &depth);
	if (err)
		return err;
	/* In this order: the programs look at it meanwhile. */
	__atomic_store_n(&w->skel->bss->cgroup_ids[i], 0, __ATOMIC_RELEASE);
	__atomic_store_n(&w->skel->bss->cgroup_levels[i], depth, __ATOMIC_RELEASE);
	__atomic_store_n(&w->skel->bss->cgroup_ids[i], st.st_ino, __ATOMIC_RELEASE);
	if (w->skel->bss->cgroups_used <= i)
		__atomic_store_n(&w->skel->bss->cgroups_used, (__u32)i + 1, __ATOMIC_RELEASE);
	return 0;
}

/* 1, 0; -ENODEV: the cgroup is gone; another -errno: it cannot be known. */
static int populated(int fd)
{
	char text[256];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return n ? -errno : -EIO;
	text[n] = 0;
	return strstr(text, "populated 1") != NULL;
}

/* The descriptor, or -errno; -ENODEV: the cgroup is gone. */
static int open_events(const char *cgroup)
{
	char path[PATH_MAX + 16];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.events", cgroup);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	return errno == ENOENT ? -ENODEV : -errno;
}

int watch_cgroups(struct watch *w)
{
	for (size_t i = 0; i < w->ncgroups; i++) {
		int fd = open_events(w->cgroups[i].path), n = fd < 0 ? fd : populated(fd);

		if (fd >= 0)
			w->cgroups[i].events = fd;
		if (n < 0)
			return n;
		w->cgroups[i].is_inhabited = n;
		/* Of containers only those inside count, whom who looks at what they hold has met. */
		w->midway |= n && !w->skel->rodata->border;
	}
	return 0;
}

/*
 * The cgroup of that path is watched from now on, in place of what was. Whoever is in it before that
 * is met midway; of a container, whoever is inside: what executes its program later is seen to.
 */
static bool meet(struct watch *w, size_t i, struct model *m)
{
	bool border = w->skel->rodata->border;
	int fd = open_events(w->cgroups[i].path);
	size_t before;

	if (fd < 0)
		return false;
	before = held_count(w->cgroups[i].path, border);
	if (watch_take(w, i)) {
		close(fd);
		return false;
	}
	w->cgroups[i].events = fd;
	if (before) {
		model_recording(m)->run.midway = true;
		held_cgroup(m, w->cgroups[i].path, border);
	}
	return true;
}

/* One of that name was made anew, by a service that was started again, say: it is another one. */
static void meet_again(struct watch *w, size_t i, struct model *m)
{
	if (meet(w, i, m))
		witness_renewed(w);
}

/* Where a container's cgroup is to be kept; LEARN_WATCHED: it is watched already, or there is no room. */
static size_t place_for(struct watch *w, const char *cgroup, struct model *m)
{
	size_t to = w->ncgroups;

	for (size_t i = 0; i < w->ncgroups; i++) {
		bool is_it = !strcmp(w->cgroups[i].path, cgroup);

		if (is_it && w->cgroups[i].events >= 0) {
			if (populated(w->cgroups[i].events) != -ENODEV)
				return LEARN_WATCHED;
			close(w->cgroups[i].events); /* another, made in the place of this one */
			w->cgroups[i].events = -1;
		}
		if (w->cgroups[i].events < 0 && (is_it || w->cgroups[i].is_containers))
			to = i;
		if (is_it)
			break;
	}
	if (to == LEARN_WATCHED)
		model_recording(m)->run.losses.untraced++;
	return to;
}

/* Those that have come since. */
static void meet_containers(struct watch *w, struct target *t, struct model *m)
{
	const struct container *c;

	while (t->follow && (c = follow_next(t->follow))) {
		size_t i = place_for(w, c->cgroup, m);

		targets_describe(t->follow, &model_recording(m)->run);
		if (i == LEARN_WATCHED)
			continue;
		w->cgroups[i].path = c->cgroup;
		w->cgroups[i].is_containers = true;
		w->cgroups[i].events = -1;
		if (!meet(w, i, m))
			model_recording(m)->run.losses.containers++;
		else if (i == w->ncgroups)
			w->ncgroups++;
	}
}

/* May anything still be recorded in it? 1, 0 or -errno. */
static int look_at_cgroup(struct watch *w, size_t i, const struct learn_options *opt,
			  struct model *m)
{
	int is;

	if (w->cgroups[i].events < 0 && opt->lasts)
		meet_again(w, i, m);
	if (w->cgroups[i].events < 0)
		return opt->lasts;
	is = populated(w->cgroups[i].events);
	if (is == -ENODEV) {
		close(w->cgroups[i].events);
		w->cgroups[i].events = -1;
		if (opt->lasts) /* it may be there anew already */
			meet_again(w, i, m);
		return opt->lasts;
	}
	/* A task may come and go between two looks: what the programs saw counts. */
	if (is)
		return is;
	return opt->lasts || !w->skel->bss->cgroup_seen[i];
}

/* Until a change in one of the cgroups, the end of a process, a signal, or a while. */
static void wait_change(struct watch *w, const struct target *t)
{
	struct pollfd fds[2 * LEARN_WATCHED + 1];
	nfds_t n = 0;

	if (t->follow && t->follow->fd >= 0)
		fds[n++] = (struct pollfd){ .fd = t->follow->fd, .events = POLLIN };

	for (size_t i = 0; i < w->ncgroups; i++)
		if (w->cgroups[i].events >= 0)
			fds[n++] = (struct pollfd){ .fd = w->cgroups[i].events, .events = POLLPRI };
	for (size_t i = 0; i < t->nprocesses; i++)
		if (!t->processes[i].ended)
			fds[n++] = (struct pollfd){ .fd = t->processes[i].fd, .events = POLLIN };
	if (w->met)
		fds[n++] = (struct pollfd){ .fd = ring_buffer__epoll_fd(w->met), .events = POLLIN };
	poll(fds, n, LOOK_MS);
}

/*
 * The mounts of whoever comes near are held at once, for it may end soon; in the end those of the
 * first one inside. A number that the programs have changed meanwhile is looked at again.
 */
static void hold_view(struct watch *w, struct target *t)
{
	uint32_t home = w->skel->bss->home_mntns, near = w->skel->bss->near_mntns;

	if (w->met)
		ring_buffer__consume(w->met);
	if (!near || w->held_ns == near || (home && w->held_ns == home))
		return;
	if (!*w->maker)
		maker_find((pid_t)w->skel->bss->near_pid, w->maker);
	view_close(&t->view);
	w->held_ns = view_hold(&t->view, (pid_t)w->skel->bss->near_pid, near) ? near : 0;
}

void watch_view(struct watch *w, struct target *t)
{
	hold_view(w, t);
	if (w->held_ns != w->skel->bss->home_mntns)
		view_close(&t->view);
}

/* Until nothing more can come of any of them, or a signal. 0 or -errno. */
static int wait_watched(struct watch *w, const struct learn_options *opt, struct target *t,
			struct model *m)
{
	for (;;) {
		bool goes_on = !target_gone(t);

		look_at_serving(w, opt);
		hold_view(w, t);
		meet_containers(w, t, m);
		goes_on |= t->follow && (opt->lasts || follow_waits(t->follow));
		for (size_t i = 0; i < w->ncgroups; i++) {
			int is = look_at_cgroup(w, i, opt, m);

			if (is < 0)
				return is;
			goes_on |= is;
		}
		if (!goes_on || target_stop(t, opt))
			return 0;
		if (snapshot_begin(opt->snapshots))
			keep_snapshot(w, opt, m);
		watch_live(w, opt, m);
		wait_change(w, t);
	}
}

int watch_wait(struct watch *w, const struct learn_options *opt, struct target *t, struct model *m)
{
	struct recorded_run *run = &model_recording(m)->run;
	int err;

	if (!opt->argv) {
		err = wait_watched(w, opt, t, m);
		run->interrupted = opt->stop && *opt->stop;
		return err;
	}
	err = target_release(t);
	if (!err)
		run->interrupted = !wait_children(w, opt, t, m);
	return err;
}

#endif
