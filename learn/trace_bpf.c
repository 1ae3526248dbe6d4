/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The eBPF backend's user half: says what to look at, loads, waits. read_bpf.c reads the maps,
 * once, after the last program is detached: so nothing can be read twice or missed.
 */
#include "learn/backend.h"
#include "learn/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
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

#include "compiler/base/clock.h"
#include "learn/watch.h"

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

static int fill_selection(struct watch *w, const struct learn_options *opt, const struct target *t)
{
	struct stat st;

	if (stat("/proc/self/ns/pid", &st))
		return -errno;
	w->skel->rodata->pidns_dev = st.st_dev;
	w->skel->rodata->pidns_ino = st.st_ino;
	if (stat("/proc/self/ns/mnt", &st))
		return -errno;
	w->skel->rodata->mntns_ino = (__u32)st.st_ino;
	w->skel->rodata->border = opt->border;
	w->skel->rodata->pids_nr = (__u32)t->nprocesses;
	for (size_t i = 0; i < t->nprocesses; i++)
		w->skel->rodata->pids[i] = (__u32)t->processes[i].pid;
	w->skel->rodata->cgroups_nr = t->follow ? LEARN_WATCHED : (__u32)w->ncgroups;
	for (size_t i = 0; i < w->ncgroups; i++) {
		int err = watch_take(w, i);

		if (err)
			return err;
	}
	return 0;
}

/* Perf's events, by whatever program. */
static bool is_perfs(enum tier tier)
{
	return tier == TIER_TP || tier == TIER_FENTRY;
}

static bool has_tracepoint(const struct watch *w, const char *name)
{
	bool perfs = is_perfs(w->tier);
	char type[64];

	snprintf(type, sizeof(type), perfs ? "trace_event_raw_%s" : "btf_trace_%s", name);
	return types_id(w->types, type, perfs ? BTF_KIND_STRUCT : BTF_KIND_TYPEDEF);
}

/* Signals are looked at by their siginfo, which perf's event does not carry. */
static bool is_of_tier(const char *program, enum tier tier)
{
	static const char *const suffixes[TIERS] = { "_fentry", "_tp", "_btf", "_raw" };

	return has_suffix(program, suffixes[tier]) ||
	       (is_perfs(tier) &&
		(!strcmp(program, "capable_lsm_raw") || !strcmp(program, "capable_end_raw"))) ||
	       (tier == TIER_TP && !strcmp(program, "signal_raw"));
}

/* Is BPF among the security modules? Its programs load where it is not, and are never asked. */
static bool has_lsm(void)
{
	char text[512] = ",";
	FILE *f = fopen("/sys/kernel/security/lsm", "re");
	size_t n;

	if (!f)
		return false;
	n = fread(text + 1, 1, sizeof(text) - 3, f);
	fclose(f);
	while (n && text[n] == '\n')
		n--;
	text[n + 1] = ',';
	text[n + 2] = 0;
	return strstr(text, ",bpf,") != NULL;
}

/* Of the ways to see capabilities the tracepoint, where it is there. */
static void choose_caps(struct watch *w)
{
	if (has_tracepoint(w, "cap_capable"))
		w->caps_by = CAPS_TRACEPOINT;
	if (w->caps_by == CAPS_LSM && !has_lsm())
		w->caps_by = CAPS_END;
	if (w->caps_by == CAPS_END && !types_id(w->types, "cap_capable", BTF_KIND_FUNC))
		w->caps_by = CAPS_NOT;
}

static bool is_wanted(const struct watch *w, const struct bpf_program *p)
{
	const char *name = bpf_program__name(p);

	if (w->no_exits && !strncmp(name, "exit_", 5))
		return false;
	if (!is_of_tier(name, w->tier) || !is_optional(name))
		return is_of_tier(name, w->tier);
	if (!strncmp(name, "capable_lsm_", 12))
		return w->caps_by == CAPS_LSM;
	if (!strncmp(name, "capable_end_", 12))
		return w->caps_by == CAPS_END;
	return w->caps_by == CAPS_TRACEPOINT;
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

/* Of those that see what calls change by name. */
static bool is_namer(const struct bpf_program *p)
{
	return !strncmp(bpf_program__name(p), "name_", 5);
}

/* The one that sees whom the kernel asks about, before one process looks at another. */
static bool is_asker(const struct bpf_program *p)
{
	return !strncmp(bpf_program__name(p), "asked_", 6);
}

/* Of those that see what rings of io_uring do with sockets; functions that this kernel lacks it asks nothing by. */
static bool is_ringer(const struct bpf_program *p)
{
	return !strncmp(bpf_program__name(p), "ring_", 5);
}

/* Of those that see its requests as they are handed in; without a function to stand at, and by the types of Linux 6.11. */
static bool is_requester(const struct bpf_program *p)
{
	return !strncmp(bpf_program__name(p), "request_", 8);
}

static bool has_function(const struct watch *w, const struct bpf_program *p)
{
	const char *function = strchr(bpf_program__section_name(p), '/') + 1;

	return types_id(w->types, function, BTF_KIND_FUNC);
}

/*
 * Where tasks can be switched out of kernel code, as the kernel says of itself, they can be since
 * Linux 7.0 in the middle of a tracepoint's program too: trace.bpf.c.
 */
static bool can_switch(void)
{
	struct utsname u;

	return uname(&u) || (strstr(u.version, "PREEMPT") && atoi(u.release) >= 7);
}

/* Many kernels refuse a program at a function: the smallest one tells. */
static bool takes_namers(const struct watch *w)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY);
	int fd = -1, link = -1;

	opts.attach_btf_id = types_id(w->types, "security_path_rename", BTF_KIND_FUNC);
	if (!opts.attach_btf_id)
		return false;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, NULL, "GPL", nothing, ARRAY_SIZE(nothing), &opts);
	if (fd >= 0)
		link = bpf_raw_tracepoint_open(NULL, fd);
	if (link >= 0)
		close(link);
	if (fd >= 0)
		close(fd);
	return link >= 0;
}

static bool is_chosen(const struct watch *w, const struct bpf_program *p, bool pick)
{
	if (p == w->skel->progs.find_blobs)
		return w->finds;
	if (is_picker(p))
		return pick && is_pickers_tier(p, w->tier);
	if (is_ringer(p) || is_asker(p))
		return w->sees_names && has_function(w, p);
	if (is_requester(p))
		return w->sees_requests && is_of_tier(bpf_program__name(p), w->tier);
	return is_namer(p) ? w->sees_names : is_wanted(w, p);
}

static void choose_programs(struct watch *w, bool pick)
{
	struct bpf_program *p;

	choose_caps(w);
	w->sees_names = w->sees_names && takes_namers(w);
	w->sees_requests = w->sees_requests && !w->sees_names &&
			   has_tracepoint(w, "io_uring_submit_req") &&
			   types_id(w->types, "io_bind", BTF_KIND_STRUCT);
	w->sees_asked = false;
	bpf_object__for_each_program(p, w->skel->obj)
	{
		bool is = is_chosen(w, p, pick);

		bpf_program__set_autoload(p, is);
		w->sees_asked |= is && is_asker(p);
	}
}

static int open_object(struct watch *w, struct trace_bpf **out)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = types_path(w->types));

	*out = trace_bpf__open_opts(&opts);
	return *out ? 0 : -errno;
}

/* ---- programs, in parts ---- */

/* About half of what there is to prove: what stands at the ends of calls and at rings' requests is in the second. */
static unsigned part_of(const struct bpf_program *p)
{
	return !strncmp(bpf_program__name(p), "exit_", 5) || is_requester(p);
}

/* Is it worth it? A processor must be there for the second, and something in it. */
static bool has_parts(const struct watch *w)
{
	bool is = false;
	struct bpf_program *p;

	bpf_object__for_each_program(p, w->skel->obj)
	{
		is |= bpf_program__autoload(p) && part_of(p);
	}
	return is && sysconf(_SC_NPROCESSORS_ONLN) > 1;
}

static void add_program(struct watch *w, struct bpf_program *p)
{
	if (!bpf_program__autoload(p))
		return;
	BUG_ON(w->nprograms == PROGRAMS);
	w->programs[w->nprograms++] = p;
}

/* The chosen programs to their parts, or all of them to the object that has the maps. */
static int open_parts(struct watch *w)
{
	struct bpf_program *p, *at[WATCH_PARTS] = { NULL };
	bool apart = has_parts(w);

	for (unsigned i = 0; apart && i < WATCH_PARTS; i++) {
		int err = open_object(w, &w->parts[i]);
		if (err)
			return err;
	}
	bpf_object__for_each_program(p, w->skel->obj)
	{
		for (unsigned i = 0; apart && i < WATCH_PARTS; i++) {
			at[i] = bpf_object__next_program(w->parts[i]->obj, at[i]);
			bpf_program__set_autoload(at[i],
						  bpf_program__autoload(p) && part_of(p) == i);
			add_program(w, at[i]);
		}
		if (apart)
			bpf_program__set_autoload(p, false);
		else
			add_program(w, p);
	}
	return 0;
}

/* All of them have one object's maps. */
static int share_maps(struct watch *w, struct trace_bpf *part)
{
	struct bpf_map *m, *to = NULL;

	bpf_object__for_each_map(m, w->skel->obj)
	{
		int err;

		to = bpf_object__next_map(part->obj, to);
		err = bpf_map__autocreate(m) ? bpf_map__reuse_fd(to, bpf_map__fd(m)) :
					       bpf_map__set_autocreate(to, false);
		if (err)
			return err;
	}
	return 0;
}

struct part_load {
	struct trace_bpf *part;
	int err;
};

static void *load_part(void *arg)
{
	struct part_load *l = arg;

	l->err = trace_bpf__load(l->part);
	return NULL;
}

/* Side by side, where a thread can be had. Signals are held back here: a verifier that meets one gives up. */
static int load_parts(struct watch *w)
{
	struct part_load loads[WATCH_PARTS];
	bool threaded[WATCH_PARTS] = { false };
	pthread_t threads[WATCH_PARTS];
	int err = 0;

	for (unsigned i = 0; i < WATCH_PARTS && w->parts[i] && !err; i++)
		err = share_maps(w, w->parts[i]);
	if (err || !w->parts[0])
		return err;
	for (unsigned i = WATCH_PARTS; i--;) {
		loads[i].part = w->parts[i];
		threaded[i] = i && !pthread_create(&threads[i], NULL, load_part, &loads[i]);
		if (!threaded[i])
			load_part(&loads[i]);
	}
	for (unsigned i = 0; i < WATCH_PARTS; i++) {
		if (threaded[i])
			pthread_join(threads[i], NULL);
		err = err ? err : loads[i].err;
	}
	return err;
}

/* What the kernel is seen to ask need not be guessed by calls and names, which costs each of them. */
static void drop_guesses(struct watch *w)
{
	struct trace_call *calls = (struct trace_call *)w->skel->rodata->calls;
	const struct trace_rule *rules = (const struct trace_rule *)w->skel->rodata->rules;

	for (unsigned i = 0; i < TRACE_CALLS; i++) {
		__u8 op = rules[calls[i].rule].op;

		calls[i].names = 0;
		if (op == TRACE_OP_LOOK || op == TRACE_OP_PIDFD || op == TRACE_OP_PEER)
			calls[i].rule = 0;
	}
}

static void fill_looks(struct watch *w, bool no_files)
{
	const struct trace_call *calls = (const struct trace_call *)w->skel->rodata->calls;
	__u8 *returns = (__u8 *)w->skel->rodata->returns;

	for (unsigned i = 0; i < TRACE_CALLS; i++)
		if ((calls[i].rule || calls[i].tuple & (TRACE_PACKED_ARGS | TRACE_PACKED_ALL)) &&
		    !no_files)
			returns[i % TRACE_NRS] = 1;
	for (unsigned i = 0; i < TRACE_SELECTORS; i++)
		w->skel->rodata->selected[i] = (__u16)rules_selected(i);
	for (unsigned i = 0; i < TRACE_CALLS; i++) {
		bool looks = calls[i].args || calls[i].tuple || calls[i].address ||
			     returns[i % TRACE_NRS] || (no_files && calls[i].rule);

		w->skel->rodata->looks[i] =
			(__u8)((looks ? TRACE_LOOKS : 0) |
			       (calls[i].names && !no_files ? TRACE_LOOKS_NAME : 0) |
			       (calls[i].serves ? TRACE_LOOKS_SERVES : 0) |
			       (calls[i].address == TRACE_SENDMMSG ||
						calls[i].tuple & TRACE_PACKED_ARGS ?
					TRACE_LOOKS_MANY :
					0));
	}
}

static struct bpf_program *finder(const struct watch *w)
{
	return (w->parts[0] ? w->parts[0] : w->skel)->progs.find_blobs;
}

/* In the kernel, of which the place of a process' label is read; else no label is seen. */
static int find_blobs(struct watch *w)
{
	LIBBPF_OPTS(bpf_test_run_opts, run);

	if (w->finds)
		return bpf_prog_test_run_opts(bpf_program__fd(finder(w)), &run);
	if (proc_has_apparmor())
		w->skel->bss->blob_sizes = proc_symbol("apparmor_blob_sizes");
	return 0;
}

static int load(struct watch *w, const struct learn_options *opt, const struct target *t)
{
	int err = open_object(w, &w->skel);

	if (!err)
		err = types_cut(w->types, w->skel->obj);
	if (err)
		return err;
	if (is_perfs(w->tier) && !has_tracepoint(w, "sched_prepare_exec"))
		return -ENOTSUP;
	choose_programs(w, t->nprocesses > 0);
	err = open_parts(w);
	if (err)
		return err;
	bpf_map__set_autocreate(
		w->tier == TIER_BTF ? w->skel->maps.marks_by_tid : w->skel->maps.marks, false);
	bpf_map__set_max_entries(w->skel->maps.paths, watch_keys(w, opt->max_paths));
	bpf_map__set_max_entries(w->skel->maps.again,
				 watch_keys(w, opt->max_paths) + TRACE_VALUES_ALL + TRACE_TUPLES);
	bpf_map__set_max_entries(w->skel->maps.pairs, (__u32)(opt->max_paths + 256));
	if (!opt->border)
		bpf_map__set_max_entries(w->skel->maps.runtime_calls, 1);
	/* Written once, before load: the kernel sees constants from then on. */
	w->skel->rodata->marks_by_task = w->tier == TIER_BTF;
	w->skel->rodata->is_steady = !can_switch();
	w->casts = w->tier == TIER_BTF && !w->no_casts &&
		   types_casts(w->types, (uint32_t *)w->skel->rodata->cast_types);
	w->skel->rodata->casts = w->casts;
	rules_fill((struct trace_call *)w->skel->rodata->calls,
		   (struct trace_rule *)w->skel->rodata->rules);
	serve_fill((struct trace_call *)w->skel->rodata->calls, &opt->serve);
	w->skel->rodata->o_direct = O_DIRECT;
	w->skel->rodata->no_files = opt->no_files;
	w->skel->rodata->ring_serves = opt->serve.by == SERVE_BY_WAIT;
	w->skel->rodata->sees_asked = w->sees_asked;
	if (w->sees_asked)
		drop_guesses(w);
	fill_looks(w, opt->no_files);
	if (getrandom((void *)&w->skel->rodata->cookie, sizeof(w->skel->rodata->cookie), 0) < 0)
		err = -errno;
	if (!err)
		err = fill_selection(w, opt, t);
	if (!err)
		err = trace_bpf__load(w->skel);
	w->unmapped = !err && !w->skel->bss;
	if (w->unmapped)
		return -ENXIO;
	if (!err)
		err = load_parts(w);
	return err ? err : find_blobs(w);
}

/* NULL with errno. On whichever CPU the event is opened: its programs run on all of them. */
static struct bpf_link *attach_event(struct watch *w, const struct bpf_program *p)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr) };
	int number = events_number(&w->events, strchr(bpf_program__section_name(p), '/') + 1), fd;
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

static struct bpf_link *attach_one(struct watch *w, const struct bpf_program *p)
{
	enum bpf_prog_type type = bpf_program__type(p);

	if (has_suffix(bpf_program__name(p), "_tp"))
		return attach_event(w, p);
	/* By the number of what they are attached to, whatever libbpf knew of it (types.h). */
	if (type == BPF_PROG_TYPE_TRACING || type == BPF_PROG_TYPE_LSM)
		return bpf_program__attach_trace(p);
	return bpf_program__attach(p);
}

static int attach(struct watch *w)
{
	for (unsigned i = 0; i < w->nprograms; i++) {
		struct bpf_program *p = w->programs[i];
		struct bpf_link *l;

		if (is_picker(p) || p == finder(w))
			continue;
		l = attach_one(w, p);
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
	uint64_t before;
	char text[64];
	int err = 0;

	for (unsigned i = 0; i < w->nprograms; i++) {
		struct bpf_program *p = w->programs[i];
		struct bpf_link *l;

		if (!is_picker(p))
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

static int open_programs(struct watch *w, const struct learn_options *opt, const struct target *t,
			 enum tier tier, enum caps_by caps_by)
{
	int err;

	trace_bpf_close(w);
	w->tier = tier;
	w->caps_by = caps_by;
	w->sees_caps = false;
	w->step = "the kernel takes no program at perf_swevent_event";
	err = load(w, opt, t);
	if (!err)
		err = watch_cgroups(w);
	if (err)
		return err;
	if (opt->argv)
		w->skel->bss->target = (__u32)t->pid;
	else if (!opt->border) /* else it begins with the workload */
		w->skel->bss->start_ns = clock_ns();
	err = attach(w);
	if (!err && tier == TIER_FENTRY) {
		w->step = "perf's events are refused";
		err = witness_drive(w);
	}
	if (err || !t->nprocesses)
		return err;
	w->step = "what runs already cannot be looked through";
	return pick_tasks(w); /* last: whom they make meanwhile is followed by then */
}

/* With the best way to see capabilities that works. */
static int open_caps(struct watch *w, const struct learn_options *opt, const struct target *t,
		     enum tier tier)
{
	int err = open_programs(w, opt, t, tier, CAPS_LSM);

	while (err && !diag_is_shortage(err) && w->caps_by < CAPS_NOT)
		err = open_programs(w, opt, t, tier, w->caps_by + 1);
	return err;
}

static int open_most(struct watch *w, const struct learn_options *opt, const struct target *t,
		     enum tier tier)
{
	int err;

	/* They can be switched out, and those that work with them must not be (paths.bpf.h). */
	w->sees_names = !opt->no_files && (tier == TIER_FENTRY || tier == TIER_TP || !can_switch());
	w->sees_requests = !opt->no_files;
	err = open_caps(w, opt, t, tier);
	if (!err || diag_is_shortage(err))
		return err;
	if (w->sees_names) {
		w->sees_names = false;
		w->sees_requests = true;
		err = open_caps(w, opt, t, tier);
	}
	if (!err || diag_is_shortage(err) || !w->sees_requests)
		return err;
	w->sees_requests = false;
	return open_caps(w, opt, t, tier);
}

static int open_tier(struct watch *w, const struct learn_options *opt, const struct target *t,
		     enum tier tier)
{
	int err = open_most(w, opt, t, tier);

	if (!err || diag_is_shortage(err) || !w->casts)
		return err;
	w->no_casts = true;
	return open_most(w, opt, t, tier);
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

/* What is read before anything is loaded, and is not there; NULL. */
static const char *lacking_file(void)
{
	static const char *const files[] = { "/proc/self/ns/pid",
					     "/sys/devices/system/cpu/possible" };

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		if (access(files[i], F_OK))
			return files[i];
	return NULL;
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
	if (err == -ENOENT && lacking_file())
		return arena_printf(a, "'%s' is not there: it needs /proc and /sys",
				    lacking_file());
	if (err == -EFBIG)
		return "files may not be large enough here for the types that it loads ('ulimit -f')";
	return arena_printf(a, "loading its programs failed: %s", strerror(-err));
}

/* The ways to try, as bits. Perf's events cost twice as much as the others. */
static unsigned tiers_of(const char *backend)
{
	static const char *const names[TIERS] = { "ebpf-fentry", "ebpf-tp", "ebpf-btf",
						  "ebpf-raw" };

	for (enum tier tier = 0; tier < TIERS; tier++)
		if (!strcmp(backend, names[tier]))
			return 1u << tier;
	if (!can_switch())
		return 1u << TIER_BTF | 1u << TIER_RAW;
	return (1u << TIERS) - 1;
}

/* The first of them that works. 0 or -errno; a better one that does not is remembered. */
static int open_best(struct watch *w, struct arena *a, const struct learn_options *opt,
		     const struct target *t)
{
	unsigned tiers = tiers_of(opt->backend);
	int err = -ENOTSUP;

	for (enum tier tier = 0; err && !diag_is_shortage(err) && tier < TIERS; tier++) {
		if (!(tiers >> tier & 1))
			continue;
		err = open_tier(w, opt, t, tier);
		if (err && tier == TIER_FENTRY)
			w->refused = err == -ENODATA ?
					     "calls of pale's own did not reach its program" :
					     arena_printf(a, "%s: %s", w->step, strerror(-err));
	}
	return err;
}

static int open_with_types(struct watch *w, struct arena *a, const struct learn_options *opt,
			   const struct target *t)
{
	int err;

	w->types = types_open(a, &err);
	w->no_btf = err == -ENOENT;
	if (!err)
		err = types_bind(w->types);
	if (!err)
		err = open_best(w, a, opt, t);
	types_unbind(w->types);
	types_close(w->types);
	w->types = NULL;
	return err;
}

/* witness.c; perf counts no call at which a program of its events was skipped. */
static bool wants_witness(const struct watch *w, const char *backend)
{
	bool is_named = !strncmp(backend, "ebpf-", 5);

	return (w->tier == TIER_BTF || w->tier == TIER_RAW) && (is_named || can_switch());
}

struct watch *trace_bpf_open(struct arena *a, const struct learn_options *opt,
			     const struct target *t, const char **why, bool *is_short)
{
	struct watch *w = ARENA_NEW(a, struct watch);
	libbpf_print_fn_t old = libbpf_set_print(print_nothing);
	sigset_t all, before;
	int err;

	*is_short = false;
	w->ncgroups = opt->ncgroups;
	for (size_t i = 0; i < w->ncgroups; i++) {
		w->cgroups[i].path = opt->cgroups[i];
		w->cgroups[i].events = -1;
	}
	/* Before Linux 5.15 the call that a task is in is forgotten at its end: tells_call(). */
	w->no_exits = opt->no_files && libbpf_probe_bpf_helper(BPF_PROG_TYPE_RAW_TRACEPOINT,
							       BPF_FUNC_task_pt_regs, NULL) == 1;
	w->finds = proc_has_apparmor() &&
		   libbpf_probe_bpf_helper(BPF_PROG_TYPE_SYSCALL, BPF_FUNC_kallsyms_lookup_name,
					   NULL) == 1;
	events_init(&w->events);
	w->cpus = libbpf_num_possible_cpus();
	/* The verifier gives up where a signal waits (EAGAIN), and libbpf after five times of it. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	err = w->cpus > 0 ? open_with_types(w, a, opt, t) : w->cpus;
	sigprocmask(SIG_SETMASK, &before, NULL);
	libbpf_set_print(old);
	if (!err) {
		*why = w->refused;
		if (wants_witness(w, opt->backend))
			witness_call(w, a, opt, t);
		return w;
	}
	trace_bpf_close(w);
	*why = open_failure(a, w, err);
	*is_short = diag_is_shortage(err);
	return NULL;
}

void trace_bpf_close(struct watch *w)
{
	while (w->nlinks)
		bpf_link__destroy(w->links[--w->nlinks]);
	events_close(&w->events);
	ring_buffer__free(w->met);
	w->met = NULL;
	for (unsigned i = 0; i < WATCH_PARTS; i++) {
		trace_bpf__destroy(w->parts[i]);
		w->parts[i] = NULL;
	}
	w->nprograms = 0;
	trace_bpf__destroy(w->skel);
	w->skel = NULL;
	for (size_t i = 0; i < w->ncgroups; i++)
		if (w->cgroups[i].events >= 0) {
			close(w->cgroups[i].events);
			w->cgroups[i].events = -1;
		}
}

/* What is said stands in memory that the programs share. */
static int ignore_met(void *ctx, void *data, size_t size)
{
	(void)ctx;
	(void)data;
	(void)size;
	return 0;
}

int trace_bpf_record(struct watch *w, const struct learn_options *opt, struct target *t,
		     struct model *m)
{
	struct recording *r = model_recording(m);
	int err;

	r->run.midway |= w->midway;
	if (opt->border) {
		model_view(m, &t->view);
		w->met = ring_buffer__new(bpf_map__fd(w->skel->maps.mntns_met), ignore_met, NULL,
					  NULL);
	}
	err = watch_wait(w, opt, t, m);
	watch_live_end(opt->live);
	if (opt->border)
		watch_view(w, t);
	witness_stop(w, r);
	watch_read_running(w, m);
	while (w->nlinks)
		bpf_link__destroy(w->links[--w->nlinks]);
	if (!err)
		err = watch_read_maps(w, opt, m);
	witness_compare(w, r);
	return err;
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
