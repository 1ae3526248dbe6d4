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

static int fill_selection(struct watch *w, const struct target *t)
{
	struct stat st;

	if (stat("/proc/self/ns/pid", &st))
		return -errno;
	w->skel->rodata->pidns_dev = st.st_dev;
	w->skel->rodata->pidns_ino = st.st_ino;
	if (stat("/proc/self/ns/mnt", &st))
		return -errno;
	w->skel->rodata->mntns_ino = (__u32)st.st_ino;
	w->skel->rodata->pids_nr = (__u32)t->nprocesses;
	for (size_t i = 0; i < t->nprocesses; i++)
		w->skel->rodata->pids[i] = (__u32)t->processes[i].pid;
	w->skel->rodata->cgroups_nr = (__u32)w->ncgroups;
	for (size_t i = 0; i < w->ncgroups; i++) {
		unsigned depth = 0;
		uint64_t id;
		int err = watch_place(w->cgroups[i].path, &id, &depth);

		if (err)
			return err;
		w->skel->bss->cgroup_ids[i] = id;
		w->skel->rodata->cgroup_levels[i] = depth;
	}
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

/* Of those that look at what runs already; the events of perf's keep marks as raw_tp does. */
static bool is_picker(const struct bpf_program *p)
{
	return !strncmp(bpf_program__name(p), "pick_", 5);
}

static bool is_pickers_tier(const struct bpf_program *p, enum tier tier)
{
	return has_suffix(bpf_program__name(p), tier == TIER_BTF ? "_btf" : "_raw");
}

static void choose_programs(struct watch *w, const struct btf *kernel, enum tier tier, bool pick)
{
	struct bpf_program *p;

	if (btf__find_by_name_kind(kernel, "cap_capable", BTF_KIND_FUNC) <= 0)
		w->wants_end = false;
	bpf_object__for_each_program(p, w->skel->obj) bpf_program__set_autoload(
		p, is_picker(p) ? pick && is_pickers_tier(p, tier) : is_wanted(w, kernel, p, tier));
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

static int load(struct watch *w, enum tier tier, const struct target *t, size_t max_paths)
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
	choose_programs(w, kernel, tier, t->nprocesses > 0);
	btf__free(kernel);
	bpf_map__set_autocreate(tier == TIER_BTF ? w->skel->maps.marks_by_tid : w->skel->maps.marks,
				false);
	bpf_map__set_max_entries(w->skel->maps.paths, (__u32)(max_paths * 2 + 256));
	bpf_map__set_max_entries(w->skel->maps.pairs, (__u32)(max_paths + 256));
	/* Written once, before load: the kernel sees constants from then on. */
	rules_fill((struct trace_call *)w->skel->rodata->calls,
		   (struct trace_rule *)w->skel->rodata->rules);
	err = fill_selection(w, t);
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

		if (!bpf_program__autoload(p) || is_picker(p))
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

/*
 * Marks the tasks of the named processes. A task that was made by one without a mark, while another
 * was looked at, is met when they are looked at once more: until no new one is found.
 */
static int pick_tasks(struct watch *w)
{
	struct bpf_program *p;
	uint64_t before;
	char text[64];
	int err = 0;

	bpf_object__for_each_program(p, w->skel->obj)
	{
		struct bpf_link *l;

		if (!bpf_program__autoload(p) || !is_picker(p))
			continue;
		l = bpf_program__attach_iter(p, NULL);
		if (!l)
			return -errno;
		do {
			int fd = bpf_iter_create(bpf_link__fd(l));
			ssize_t n = 0;

			before = w->skel->bss->picked;
			err = fd < 0 ? -errno : 0;
			while (!err && (n = read(fd, text, sizeof(text))) > 0)
				;
			if (n < 0 && errno != EINTR && errno != EAGAIN)
				err = -errno;
			if (fd >= 0)
				close(fd);
		} while (!err && w->skel->bss->picked != before);
		bpf_link__destroy(l);
	}
	return err;
}

/* wants_end: with a program at the end of a function, which many machines refuse. */
static int open_programs(struct watch *w, const struct learn_options *opt, const struct target *t,
			 enum tier tier, bool wants_end)
{
	int err;

	trace_bpf_close(w);
	w->wants_end = wants_end;
	err = load(w, tier, t, opt->max_paths);
	if (!err)
		err = watch_cgroups(w);
	if (err)
		return err;
	if (opt->argv)
		w->skel->bss->target = (__u32)t->pid;
	else
		w->skel->bss->start_ns = clock_ns();
	err = attach(w);
	return err || !t->nprocesses ? err : pick_tasks(w);
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
	if (err == -ENOTSUP && w->ncgroups)
		return "a cgroup is below no mounted cgroup v2 hierarchy";
	if (err == -ENODEV && w->ncgroups)
		return "a cgroup is gone";
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
	w->ncgroups = opt->ncgroups;
	for (size_t i = 0; i < w->ncgroups; i++) {
		w->cgroups[i].path = opt->cgroups[i];
		w->cgroups[i].events = -1;
	}
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
	for (size_t i = 0; i < w->ncgroups; i++)
		if (w->cgroups[i].events >= 0) {
			close(w->cgroups[i].events);
			w->cgroups[i].events = -1;
		}
}

int trace_bpf_record(struct watch *w, const struct learn_options *opt, struct target *t,
		     struct model *m)
{
	int err;

	model_recording(m)->run.midway |= w->midway;
	err = watch_wait(w, opt, t, m);
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
