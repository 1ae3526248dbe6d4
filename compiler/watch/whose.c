/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/watch/whose.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "compiler/enforce/procfs.h"

#define SECOND UINT64_C(1000000000)

enum {
	KEPT = 8192,  /* processes; a power of two */
	FRESH_S = 2,  /* so long a process is not looked at again */
	KNOWN_S = 60, /* and so long one that has ended since is still known */
	STAT_MAX = 1024,
	CGROUP_MAX = 8192,
	START_FIELD = 22, /* of /proc/PID/stat (proc(5)) */
	SLACK_MS = 1000,  /* clock ticks, and the boot's time by two clocks */
};

struct kept {
	uint64_t pid, asked_ns;
	uint64_t began_ns; /* since 1970 */
	struct site site;
};

struct whose {
	struct site_names *names;
	struct kept kept[KEPT];
};

/* The kernel's own number of the first namespace (include/linux/proc_ns.h, PROC_PID_INIT_INO). */
bool whose_here(void)
{
	struct stat st;

	return !stat("/proc/self/ns/pid", &st) && st.st_ino == 0xEFFFFFFC;
}

struct whose *whose_new(struct arena *a, const char *root)
{
	struct whose *w = ARENA_NEW(a, struct whose);

	w->names = site_names_new(a, root);
	return w;
}

void whose_end(struct whose *w)
{
	site_names_end(w->names);
}

/* When the machine started, since 1970, as now. */
static uint64_t boot_ns(void)
{
	struct timespec real = { 0 }, boot = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &real);
	(void)clock_gettime(CLOCK_BOOTTIME, &boot);
	return (uint64_t)(real.tv_sec - boot.tv_sec) * SECOND + (uint64_t)real.tv_nsec -
	       (uint64_t)boot.tv_nsec;
}

/* When a process began, since 1970; 0: it is not there. */
static uint64_t began(pid_t pid)
{
	char text[STAT_MAX];
	ssize_t n = proc_read(pid, "stat", text, sizeof(text));
	const char *p = n > 0 ? strrchr(text, ')') : NULL; /* behind its name */
	long hz = sysconf(_SC_CLK_TCK);

	for (int field = 2; p && field < START_FIELD; field++)
		p = strchr(p + 1, ' ');
	if (!p || hz <= 0)
		return 0;
	return boot_ns() + strtoull(p, NULL, 10) * (SECOND / (uint64_t)hz);
}

/*
 * The line that says most: of cgroup v2 "0::/path"; where controllers are still v1's, a line of
 * those may be the only one that names the container.
 */
static bool read_cgroups(struct whose *w, pid_t pid, uint64_t now_ns, struct site *out)
{
	const char *own = NULL;
	char text[CGROUP_MAX];
	ssize_t n = proc_read(pid, "cgroup", text, sizeof(text));
	char *rest = text;

	if (n <= 0)
		return false;
	*out = (struct site){ .state = SITE_HOST };
	for (char *line; (line = strsep(&rest, "\n")) && out->state != SITE_CONTAINER;) {
		struct site p;
		char *path = strchr(line, ':');

		path = path ? strchr(path + 1, ':') : NULL;
		if (!path)
			continue;
		site_of_cgroup(path + 1, &p);
		if (p.state == SITE_CONTAINER || !strncmp(line, "0::", 3))
			*out = p;
		if (!strncmp(line, "0::", 3))
			own = path + 1;
	}
	if (out->state == SITE_HOST && own)
		(void)site_place(w->names, own, now_ns, out);
	return true;
}

/* Is what is kept of this number still of the process that was refused? */
static bool is_known(const struct kept *k, uint64_t pid, uint64_t now_ns, uint64_t seconds)
{
	return k->pid == pid && now_ns - k->asked_ns < seconds * SECOND;
}

static void ask(struct whose *w, struct kept *k, uint64_t pid, uint64_t now_ns)
{
	const struct kept old = *k;

	*k = (struct kept){ .pid = pid, .asked_ns = now_ns };
	k->began_ns = began((pid_t)pid);
	if (!k->began_ns || !read_cgroups(w, (pid_t)pid, now_ns, &k->site)) {
		/* Another's that is still of use stays: this one has nothing to be kept. */
		if (is_known(&old, old.pid, now_ns, KNOWN_S)) {
			*k = old;
			return;
		}
		k->site = (struct site){ .state = SITE_GONE };
		return;
	}
	if (old.pid == pid && site_same(&old.site, &k->site))
		k->site = old.site; /* with its names */
	else
		site_names(w->names, &k->site);
}

void whose_look(struct whose *w, uint64_t now_ns)
{
	(void)site_look(w->names, now_ns);
}

bool whose_around(const struct whose *w, const char *path)
{
	return site_around(w->names, path);
}

const struct site *whose_meet(struct whose *w, uint64_t pid, uint64_t now_ns)
{
	struct kept *k = &w->kept[pid % KEPT];

	if (!pid || pid > INT32_MAX)
		return NULL;
	if (k->site.state != SITE_CONTAINER || !is_known(k, pid, now_ns, KNOWN_S / 2))
		ask(w, k, pid, now_ns);
	return k->pid == pid && k->site.state == SITE_CONTAINER ? &k->site : NULL;
}

void whose_find(struct whose *w, uint64_t pid, uint64_t record_ns, uint64_t now_ns,
		struct site *out)
{
	struct kept *k = &w->kept[pid % KEPT];

	*out = (struct site){ .state = SITE_UNASKED };
	if (!pid || pid > INT32_MAX)
		return;
	if (!is_known(k, pid, now_ns, FRESH_S))
		ask(w, k, pid, now_ns);
	*out = k->pid == pid ? k->site : (struct site){ .state = SITE_GONE };
	if (record_ns && k->began_ns > record_ns + SLACK_MS * (SECOND / 1000))
		*out = (struct site){ .state = SITE_GONE };
}
