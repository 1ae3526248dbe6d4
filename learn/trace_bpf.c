/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The eBPF backend's user half: says what to look at, loads, waits. read_bpf.c reads the maps,
 * once, after the last program is detached: so nothing can be read twice or missed.
 */
#include "learn/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/policy/policy.h"

#if PALE_BPF
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/perf_event.h>

#include "learn/watch.h"

/* How the programs are attached, best first: trace.bpf.c says what each is good for. */
enum tier { TIER_TP, TIER_BTF, TIER_RAW, TIERS };

#define KERNEL_BTF "/sys/kernel/btf/vmlinux"

static int print_nothing(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

static bool has_suffix(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && !strcmp(s + n - m, suffix);
}

/* A fact that a kernel may not offer: the recording says so and goes on without it. */
static bool is_optional(const char *program)
{
	return !strncmp(program, "capable_", 8);
}

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

static int fill_selection(struct watch *w)
{
	char real[PATH_MAX];
	struct stat st;
	unsigned depth = 0;
	int err;

	if (stat("/proc/self/ns/pid", &st))
		return -errno;
	w->skel->rodata->pidns_dev = st.st_dev;
	w->skel->rodata->pidns_ino = st.st_ino;
	if (stat("/proc/self/ns/mnt", &st))
		return -errno;
	w->skel->rodata->mntns_ino = (__u32)st.st_ino;
	if (!w->cgroup)
		return 0;
	if (!realpath(w->cgroup, real) || stat(real, &st))
		return -errno;
	err = cgroup_depth(real, &depth);
	if (err)
		return err;
	w->skel->rodata->cgroup_id = st.st_ino;
	w->skel->rodata->cgroup_level = depth;
	return 0;
}

static bool has_tracepoint(const struct btf *kernel, const char *name, enum tier tier)
{
	char type[64];

	snprintf(type, sizeof(type), tier == TIER_TP ? "trace_event_raw_%s" : "btf_trace_%s", name);
	return btf__find_by_name_kind(kernel, type,
				      tier == TIER_TP ? BTF_KIND_STRUCT : BTF_KIND_TYPEDEF) > 0;
}

/* Signals are looked at by their siginfo, which perf's event does not carry. */
static bool is_of_tier(const char *program, enum tier tier)
{
	static const char *const suffixes[TIERS] = { "_tp", "_btf", "_raw" };

	return has_suffix(program, suffixes[tier]) ||
	       (tier == TIER_TP &&
		(!strcmp(program, "signal_raw") || !strcmp(program, "capable_end_raw")));
}

/* Of the two ways to see capabilities the tracepoint, where it is there. */
static bool is_wanted(const struct watch *w, const struct btf *kernel, const struct bpf_program *p,
		      enum tier tier)
{
	const char *name = bpf_program__name(p);
	bool seen = has_tracepoint(kernel, "cap_capable", tier);

	if (!is_of_tier(name, tier) || !is_optional(name))
		return is_of_tier(name, tier);
	return strncmp(name, "capable_end_", 12) ? seen : !seen && w->wants_end;
}

static void choose_programs(struct watch *w, const struct btf *kernel, enum tier tier)
{
	struct bpf_program *p;

	if (btf__find_by_name_kind(kernel, "cap_capable", BTF_KIND_FUNC) <= 0)
		w->wants_end = false;
	bpf_object__for_each_program(p, w->skel->obj)
		bpf_program__set_autoload(p, is_wanted(w, kernel, p, tier));
}

/*
 * The kernel's types; NULL: *err. What keeps libbpf from reading its file, memory or descriptors
 * for example, is to it as if there were none (-ESRCH): the file itself is then asked why.
 */
static struct btf *load_types(struct watch *w, int *err)
{
	struct btf *kernel = btf__load_vmlinux_btf();

	if (!kernel)
		kernel = btf__parse(KERNEL_BTF, NULL);
	if (!kernel)
		*err = errno ? -errno : -EINVAL;
	w->no_btf = !kernel && *err == -ENOENT;
	return kernel;
}

static int load(struct watch *w, enum tier tier, size_t max_paths)
{
	int err = 0;
	struct btf *kernel = load_types(w, &err);

	if (!kernel)
		return err;
	w->wants_end &= !has_tracepoint(kernel, "cap_capable", tier);
	if (tier == TIER_TP && !has_tracepoint(kernel, "sched_prepare_exec", tier)) {
		btf__free(kernel);
		return -ENOTSUP;
	}
	w->skel = trace_bpf__open();
	if (!w->skel) {
		err = -errno;
		btf__free(kernel);
		return err;
	}
	choose_programs(w, kernel, tier);
	btf__free(kernel);
	bpf_map__set_autocreate(tier == TIER_BTF ? w->skel->maps.marks_by_tid : w->skel->maps.marks,
				false);
	bpf_map__set_max_entries(w->skel->maps.paths, (__u32)(max_paths * 2 + 256));
	bpf_map__set_max_entries(w->skel->maps.pairs, (__u32)(max_paths + 256));
	/* Written once, before load: the kernel sees constants from then on. */
	rules_fill((struct trace_call *)w->skel->rodata->calls,
		   (struct trace_rule *)w->skel->rodata->rules);
	err = fill_selection(w);
	if (!err)
		err = trace_bpf__load(w->skel);
	w->unmapped = !err && !w->skel->bss;
	return w->unmapped ? -ENXIO : err;
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

/* The number of perf's event "GROUP/NAME"; -errno. */
static int event_number(struct watch *w, const char *event)
{
	char path[128], text[32] = "";
	ssize_t n = -1;
	int fd;

	if (w->tracefs < 0)
		w->tracefs = open_tracefs();
	if (w->tracefs < 0)
		return w->tracefs;
	snprintf(path, sizeof(path), "%s/id", event);
	fd = openat(w->tracefs, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 && atoi(text) > 0 ? atoi(text) : -EIO;
}

/* NULL with errno. On whichever CPU the event is opened: its programs run on all of them. */
static struct bpf_link *attach_event(struct watch *w, const struct bpf_program *p)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr) };
	int number = event_number(w, strchr(bpf_program__section_name(p), '/') + 1), fd;
	struct bpf_link *l;

	if (number < 0) {
		errno = -number;
		return NULL;
	}
	attr.config = (__u64)number;
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, (long)PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return NULL;
	l = bpf_program__attach_perf_event(p, fd);
	if (!l)
		close(fd);
	return l;
}

static int attach(struct watch *w)
{
	struct bpf_program *p;

	bpf_object__for_each_program(p, w->skel->obj)
	{
		struct bpf_link *l;

		if (!bpf_program__autoload(p))
			continue;
		l = has_suffix(bpf_program__name(p), "_tp") ? attach_event(w, p) :
							      bpf_program__attach(p);
		if (!l)
			return -errno;
		BUG_ON(w->nlinks == PROGRAMS);
		w->links[w->nlinks++] = l;
		w->sees_caps |= is_optional(bpf_program__name(p));
	}
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

static int is_inhabited(const char *cgroup, bool *is)
{
	int fd = open_events(cgroup), n;

	if (fd < 0)
		return fd;
	n = populated(fd);
	close(fd);
	*is = n == 1;
	return n < 0 ? n : 0;
}

/* wants_end: with a program at the end of a function, which many machines refuse. */
static int open_programs(struct watch *w, const struct learn_options *opt, const struct target *t,
			 enum tier tier, bool wants_end)
{
	int err;

	trace_bpf_close(w);
	w->wants_end = wants_end;
	err = load(w, tier, opt->max_paths);
	if (err)
		return err;
	if (w->cgroup) {
		w->skel->bss->start_ns = clock_ns();
		err = is_inhabited(w->cgroup, &w->midway);
	} else {
		w->skel->bss->target = (__u32)t->pid;
	}
	return err ? err : attach(w);
}

static int open_tier(struct watch *w, const struct learn_options *opt, const struct target *t,
		     enum tier tier)
{
	int err = open_programs(w, opt, t, tier, true);

	return err && w->wants_end ? open_programs(w, opt, t, tier, false) : err;
}

/*
 * bpf_find_vma() is handed a function, and before Linux 5.13 (69c087ba6225, with the first helper
 * that takes one) a program that holds such a function is none: 5.10 answers EINVAL.
 */
static bool lacks_callbacks(void)
{
	return !libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT, BPF_FUNC_for_each_map_elem,
					NULL);
}

static const char *open_failure(struct arena *a, const struct watch *w, int err)
{
	if (w->no_btf)
		return "this kernel has no BTF (" KERNEL_BTF ")";
	if (err == -ENOMEM)
		return "out of memory";
	if (w->unmapped)
		return "this kernel does not map BPF arrays (5.5 and newer do)";
	if (err == -EPERM)
		return "not permitted: it needs root or CAP_BPF and CAP_PERFMON";
	if (err == -EACCES) /* what the verifier answers, not what a lack of privilege does */
		return "this kernel's verifier refused its programs";
	if (err == -ENOTSUP && w->cgroup)
		return arena_printf(a, "'%s' is below no mounted cgroup v2 hierarchy", w->cgroup);
	if (err == -ENODEV && w->cgroup)
		return arena_printf(a, "'%s' is gone", w->cgroup);
	if (err == -EINVAL && lacks_callbacks())
		return "this kernel's BPF has no callbacks (Linux 5.13 and newer have)";
	return arena_printf(a, "loading its programs failed: %s", strerror(-err));
}

/*
 * The ways to try, as bits. Perf's events cost twice as much as the others, and only where tasks
 * can be switched out of kernel code do they miss less: such a kernel says so of itself.
 */
static unsigned tiers_of(const char *backend)
{
	struct utsname u;

	if (!strcmp(backend, "ebpf-tp"))
		return 1u << TIER_TP;
	if (!strcmp(backend, "ebpf-btf"))
		return 1u << TIER_BTF;
	if (!strcmp(backend, "ebpf-raw"))
		return 1u << TIER_RAW;
	if (!uname(&u) && !strstr(u.version, "PREEMPT"))
		return 1u << TIER_BTF | 1u << TIER_RAW;
	return 1u << TIER_TP | 1u << TIER_BTF | 1u << TIER_RAW;
}

struct watch *trace_bpf_open(struct arena *a, const struct learn_options *opt,
			     const struct target *t, const char **why, bool *is_short)
{
	struct watch *w = ARENA_NEW(a, struct watch);
	unsigned tiers = tiers_of(opt->backend);
	libbpf_print_fn_t old = libbpf_set_print(print_nothing);
	int err = -ENOTSUP;

	*is_short = false;
	w->cgroup = opt->cgroup;
	w->tracefs = -1;
	w->cpus = libbpf_num_possible_cpus();
	if (w->cpus < 0)
		err = w->cpus;
	for (enum tier tier = 0; err && !diag_is_shortage(err) && w->cpus > 0 && tier < TIERS;
	     tier++)
		if (tiers >> tier & 1)
			err = open_tier(w, opt, t, tier);
	if (w->tracefs >= 0)
		close(w->tracefs);
	libbpf_set_print(old);
	if (!err)
		return w;
	trace_bpf_close(w);
	*why = open_failure(a, w, err);
	*is_short = diag_is_shortage(err);
	return NULL;
}

void trace_bpf_close(struct watch *w)
{
	while (w->nlinks)
		bpf_link__destroy(w->links[--w->nlinks]);
	trace_bpf__destroy(w->skel);
	w->skel = NULL;
}

/* In a child of ours: the programs go on, for their maps are the recorder's. */
static _Noreturn void keep_snapshot(struct watch *w, const struct learn_options *opt,
				    struct model *m)
{
	model_recording(m)->run.midway = w->midway;
	watch_read_running(w, m);
	if (watch_read_maps(w, opt, m))
		_exit(EXIT_FAILURE);
	snapshot_end(opt->snapshots, m);
}

/* ---- waiting ---- */

/* True: everything that the command started has ended. False: told to finish. */
static bool wait_children(struct watch *w, const struct learn_options *opt, struct target *t,
			  struct model *m)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, 0);

		if (pid < 0 && errno == ECHILD)
			return true;
		if (pid > 0)
			snapshot_ended(opt->snapshots, pid, status);
		else if (snapshot_begin(opt->snapshots))
			keep_snapshot(w, opt, m);
		if (pid == t->pid) {
			t->ended = true;
			t->wait_status = status;
		}
		if (pid < 0 && target_stop(t, opt))
			return false;
	}
}

/* Until tasks have been seen in the cgroup and it is empty or gone, or a signal. 0 or -errno. */
static int wait_cgroup(struct watch *w, const struct learn_options *opt, struct target *t,
		       struct model *m)
{
	int fd = open_events(w->cgroup), is = fd;

	while (fd >= 0) {
		struct pollfd p = { .fd = fd, .events = POLLPRI };

		is = populated(fd);
		/* A task may come and go between two looks: what the programs saw counts. */
		if (is < 0 || (!is && !opt->lasts && watch_sum(w, TRACE_TASKS)) ||
		    target_stop(t, opt))
			break;
		if (snapshot_begin(opt->snapshots))
			keep_snapshot(w, opt, m);
		poll(&p, 1, 200); /* also the bound on a signal that came just before */
	}
	if (fd >= 0)
		close(fd);
	return is < 0 && is != -ENODEV ? is : 0;
}

int trace_bpf_record(struct watch *w, const struct learn_options *opt, struct target *t,
		     struct model *m)
{
	struct recording *r = model_recording(m);
	int err;

	r->run.midway = w->midway;
	if (w->cgroup) {
		err = wait_cgroup(w, opt, t, m);
		r->run.interrupted = opt->stop && *opt->stop;
	} else {
		err = target_release(t);
		if (!err)
			r->run.interrupted = !wait_children(w, opt, t, m);
	}
	watch_read_running(w, m);
	while (w->nlinks)
		bpf_link__destroy(w->links[--w->nlinks]);
	return err ? err : watch_read_maps(w, opt, m);
}

#else /* built without clang or bpftool */

struct watch *trace_bpf_open(struct arena *a, const struct learn_options *opt,
			     const struct target *t, const char **why, bool *is_short)
{
	*is_short = false;
	(void)a;
	(void)opt;
	(void)t;
	*why = "this pale was built without it (clang and bpftool were missing)";
	return NULL;
}

int trace_bpf_record(struct watch *w, const struct learn_options *opt, struct target *t,
		     struct model *m)
{
	(void)w;
	(void)opt;
	(void)t;
	(void)m;
	return -ENOTSUP;
}

void trace_bpf_close(struct watch *w)
{
	(void)w;
}

#endif
