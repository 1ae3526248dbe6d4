/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/learn.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/base/program.h"
#include "learn/backend.h"
#include "learn/client.h"
#include "learn/held.h"
#include "learn/targets.h"

#ifndef CAP_CHECKPOINT_RESTORE
#define CAP_CHECKPOINT_RESTORE 40
#endif

#define PATHS_DEFAULT 16384
#define PATHS_MOST    1000000

static const char *safe_name(struct arena *a, const char *name)
{
	BUF_AUTO safe = { 0 };

	buf_safe(&safe, str_c(name));
	return arena_strdup(a, safe.p ? safe.p : "");
}

static const char *kernel_release(struct arena *a)
{
	struct utsname u;

	return uname(&u) ? "unknown" : arena_strdup(a, u.release);
}

/* The file that will be executed: when the recording ends it may be gone. */
static const char *resolve_program(struct arena *a, const char *path)
{
	char *real = realpath(path, NULL);
	const char *out = real ? arena_strdup(a, real) : NULL;

	free(real);
	return out;
}

/* 16 bytes are had whole, or not at all (getrandom(2)). 0 or -errno. */
static int draw_id(unsigned char id[RUN_ID])
{
	ssize_t n;

	do
		n = getrandom(id, RUN_ID, 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* All that is known of a run before it begins. */
static void begin_run(struct arena *a, const struct learn_options *opt, struct recorded_run *run)
{
	struct timespec now = { 0 };
	struct utsname u = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &now);
	run->started_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	run->kernel = kernel_release(a);
	if (!uname(&u) && *u.nodename)
		run->hostname = arena_strdup(a, u.nodename);
	run->host = (enum arch)arch_native();
	if (!opt->argv)
		return;
	run->name = process_base(opt->argv[0]);
	run->client = client_of_command(a, opt->argv);
	if (!opt->no_arguments)
		run->command = process_command(a, (const char *const *)opt->argv);
}

/* What the command starts with: what we have. 0 or -errno. */
static int held_capabilities(uint64_t *caps)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		return -errno;
	*caps = (uint64_t)data[1].effective << 32 | data[0].effective;
	return 0;
}

/* ---- the cgroup ---- */

/* Is our own cgroup this one, or below it? Its mount begins where the device does. */
static bool holds_pale(const char *real)
{
	char line[PATH_MAX + 16], top[PATH_MAX], up[PATH_MAX + 4];
	FILE *f = fopen("/proc/self/cgroup", "re");
	struct stat here, above;
	bool holds = false;
	const char *rest;

	if (!f)
		return false;
	strcpy(top, real);
	while (!stat(top, &here) && snprintf(up, sizeof(up), "%s/..", top) > 0 &&
	       !stat(up, &above) && here.st_dev == above.st_dev && strrchr(top, '/') > top)
		*strrchr(top, '/') = 0;
	rest = real + strlen(top);
	while (fgets(line, sizeof(line), f)) {
		size_t n = strlen(rest);

		if (!strncmp(line, "0::", 3) && !strncmp(line + 3, rest, n))
			holds = !n || line[3 + n] == '/' || line[3 + n] == '\n';
	}
	fclose(f);
	return holds;
}

/* The directory that a name may have been meant for; NULL: none. */
static const char *likely_cgroup(struct arena *a, const char *name)
{
	static const char *const tops[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

	for (size_t i = 0; i < ARRAY_SIZE(tops); i++) {
		const char *path = arena_printf(a, "%s/%s", tops[i], name);
		struct stat st;

		if (*name && !stat(path, &st) && S_ISDIR(st.st_mode))
			return path;
	}
	return NULL;
}

/* Found out before anything is loaded: false after a diagnostic. */
static bool check_cgroup(struct arena *a, const char *cgroup, struct diags *ds)
{
	const char *likely = likely_cgroup(a, cgroup);
	char real[PATH_MAX];
	struct statfs fs;
	struct stat st;
	struct diag *d;

	if (!realpath(cgroup, real) || stat(real, &st) || statfs(real, &fs)) {
		if (errno == ENOENT || errno == ENOTDIR)
			d = diag_add(ds, DIAG_PL410, NO_SPAN, "no directory '%s'",
				     safe_name(a, cgroup));
		else
			d = diag_add(ds, DIAG_PL410, NO_SPAN, "'%s' cannot be looked at: %s",
				     safe_name(a, cgroup), strerror(errno));
	} else if (!S_ISDIR(st.st_mode)) {
		d = diag_add(ds, DIAG_PL410, NO_SPAN, "'%s' is no directory", safe_name(a, cgroup));
	} else if (fs.f_type != CGROUP2_SUPER_MAGIC) {
		d = diag_add(ds, DIAG_PL410, NO_SPAN, "'%s' is not in a cgroup v2 hierarchy",
			     safe_name(a, cgroup));
	} else if (holds_pale(real)) {
		d = diag_add(ds, DIAG_PL410, NO_SPAN,
			     "pale itself is in '%s' and would be recorded", safe_name(a, cgroup));
		diag_help(ds, d,
			  "name the cgroup of the workload alone, or run pale from another one");
		return false;
	} else {
		return true;
	}
	if (likely)
		diag_help(ds, d, "did you mean '%s'?", safe_name(a, likely));
	else
		diag_help(ds, d,
			  "where cgroup2 is mounted, /sys/fs/cgroup as a rule, and behind it what "
			  "/proc/PID/cgroup shows of a process of the workload");
	return false;
}

/* why: as trace_bpf_open() has it. */
static void tell_refused(const char *why, struct diags *ds)
{
	struct diag *d;

	if (!why)
		return;
	d = diag_add(ds, DIAG_PL409, NO_SPAN,
		     "this kernel may skip eBPF programs where its CPUs are busy, and the way that "
		     "is never skipped does not work here: %s",
		     why);
	diag_help(ds, d,
		  "what was missed is told in the end; '--backend ptrace' is slower and "
		  "misses nothing");
}

static bool by_cgroup(const struct learn_options *opt)
{
	return opt->ncgroups || opt->containers;
}

static const char *without_ebpf(const struct learn_options *opt)
{
	if (opt->containers)
		return "only eBPF can watch a container: be root, who finds those of all users, too; or "
		       "'--pid P' records its process with ptrace";
	return by_cgroup(opt) ? "only eBPF can watch a cgroup" :
				"'--backend ptrace' needs no privilege";
}

/* Opens the eBPF backend where it was asked for or can be had; false after a diagnostic. */
static bool choose_backend(struct arena *a, const struct learn_options *opt, const struct target *t,
			   struct watch **w, struct recording *r, struct diags *ds)
{
	bool is_auto = !strcmp(opt->backend, "auto");
	const char *no_bpf = "not asked for", *no_ptrace;
	bool is_short = false;
	struct diag *d;

	*w = NULL;
	if (strcmp(opt->backend, "ptrace") && !by_seccomp(opt))
		*w = trace_bpf_open(a, opt, t, &no_bpf, &is_short);
	if (*w) {
		r->run.backend = "ebpf";
		tell_refused(no_bpf, ds);
		return true;
	}
	if (is_short) { /* not the weaker way instead: eBPF may well work here */
		d = diag_add(ds, DIAG_PL020, NO_SPAN, "the eBPF backend cannot be started: %s",
			     no_bpf);
		diag_help(ds, d, "it needs more than a limit here allows ('ulimit -a')");
		return false;
	}
	if (by_seccomp(opt) && !opt->argv) {
		d = diag_add(ds, DIAG_PL401, NO_SPAN,
			     "the seccomp backend records commands, not what runs already");
		diag_help(ds, d,
			  "its filter must be there before the program starts; '--backend ptrace' "
			  "watches a process");
		return false;
	}
	if (by_cgroup(opt) || (!is_auto && strcmp(opt->backend, "ptrace") && !by_seccomp(opt))) {
		d = diag_add(ds, DIAG_PL401, NO_SPAN, "the eBPF backend does not work here: %s",
			     no_bpf);
		diag_help(ds, d, "%s", without_ebpf(opt));
		return false;
	}
	no_ptrace = trace_ptrace_attach(a, opt, t);
	if (!no_ptrace) {
		r->run.backend = by_seccomp(opt) ? "seccomp" : "ptrace";
		if (is_auto) {
			d = diag_add(ds, DIAG_PL403, NO_SPAN,
				     "recording with ptrace, as eBPF does not work here: %s",
				     no_bpf);
			diag_help(
				ds, d,
				opt->argv ?
					"it is slower, capabilities are not observed, and should "
					"pale be killed the command is, too" :
					"it is slower, capabilities are not observed, and a call that "
					"the process sleeps in can fail once with EINTR");
		}
		return true;
	}
	d = diag_add(ds, DIAG_PL401, NO_SPAN, "the %s backend does not work here: %s",
		     by_seccomp(opt) ? "seccomp" : "ptrace", no_ptrace);
	diag_help(
		ds, d,
		"nothing was %s; kernel.yama.ptrace_scope, a seccomp filter or another tracer may "
		"forbid it",
		opt->argv ? "executed" : "recorded");
	return false;
}

/* The file is there and may be executed, and yet the kernel does not. */
static int tell_not_executed(const struct learn_options *opt, int err, struct diags *ds,
			     int *status)
{
	struct diag *d = diag_add(ds, DIAG_PL400, NO_SPAN, "cannot execute '%s': %s",
				  safe_name(ds->arena, opt->argv[0]), strerror(err));

	if (err == ENOEXEC)
		diag_help(ds, d,
			  "it is no program of this machine's, and no script without a first "
			  "line such as '#!/bin/sh'; nothing was recorded");
	else
		diag_help(ds, d, "nothing was recorded");
	*status = err == ENOENT ? 127 : 126;
	return -1;
}

/* "the cgroup '/x'", "process 7", and how many more. */
static const char *watched_name(struct arena *a, const struct learn_options *opt)
{
	size_t more = opt->ncgroups + opt->npids - 1;
	const char *first;

	if (opt->containers)
		return targets_name(a, opt->containers);
	first = opt->ncgroups ? arena_printf(a, "the cgroup '%s'", safe_name(a, opt->cgroups[0])) :
				arena_printf(a, "process %d", (int)opt->pids[0]);
	return more ? arena_printf(a, "%s and %zu more", first, more) : first;
}

/* What was watched made no call. */
static const char *why_nothing(struct arena *a, const struct learn_options *opt,
			       const struct recording *r)
{
	const char *what = watched_name(a, opt);

	if (r->runtime_calls.n)
		return arena_printf(a,
				    "of %s nothing was seen inside a container: all was in the "
				    "host's mount namespace, or the host's program",
				    what);
	if (r->run.interrupted)
		return arena_printf(a, "%s made no call before the signal, or the time was over",
				    what);
	if (opt->containers || !opt->ncgroups)
		return arena_printf(a, "%s ended before a call was seen", what);
	if (opt->ncgroups == 1 && access(opt->cgroups[0], F_OK))
		return arena_printf(a, "%s is gone, and no process ran in it before that", what);
	return arena_printf(a, "%s emptied before a call was seen", what);
}

static int tell_nothing(const struct learn_options *opt, const struct recording *r,
			struct diags *ds, int *status)
{
	BUF_AUTO losses = { 0 };
	struct diag *d;

	run_losses_print(&losses, &r->run);
	d = diag_add(ds, DIAG_PL411, NO_SPAN, "nothing was recorded: %s",
		     opt->argv ?
			     arena_printf(ds->arena, "'%s' ended before its first call was seen",
					  safe_name(ds->arena, opt->argv[0])) :
			     why_nothing(ds->arena, opt, r));
	diag_help(ds, d, "so nothing is proposed; %slosses: %s",
		  r->runtime_calls.n ? "without --border all of it is; " : "",
		  losses.p ? losses.p : "");
	*status = 1;
	return -1;
}

/* Told to end while everything was prepared: the command need not run for that. */
static int tell_not_started(const struct learn_options *opt, struct diags *ds, int *status)
{
	diag_help(ds,
		  diag_add(ds, DIAG_PL411, NO_SPAN,
			   "nothing was recorded: the signal came before '%s' was started",
			   safe_name(ds->arena, opt->argv[0])),
		  "so it was not executed, and nothing is proposed");
	*status = 1;
	return -1;
}

static void tell_left_running(const struct learn_options *opt, const struct target *t,
			      struct diags *ds)
{
	struct diag *d;

	if (!opt->argv) {
		d = diag_add(ds, DIAG_PL413, NO_SPAN,
			     "processes that %s started still run, unrecorded from here on",
			     watched_name(ds->arena, opt));
		diag_help(ds, d, "name them with '--pid', or record their cgroup");
		return;
	}
	if (t->ended)
		d = diag_add(
			ds, DIAG_PL413, NO_SPAN,
			"processes that the command started still run, unrecorded from here on");
	else
		d = diag_add(ds, DIAG_PL413, NO_SPAN,
			     "the command still runs as process %d, unrecorded from here on",
			     (int)t->pid);
	diag_help(ds, d,
		  "it did not end within 5 s of the signal, or a second one came; end it with "
		  "'kill'");
}

static int failed(struct diags *ds, const char *what, int err)
{
	diag_add(ds, DIAG_PL402, NO_SPAN, "%s: %s", what, strerror(-err));
	return -1;
}

/*
 * criu asks for numbers of its tasks (clone3's set_tid), which takes CAP_CHECKPOINT_RESTORE since Linux 5.9
 * (kernel/pid.c); a runtime that makes a container asks for none.
 */
bool learn_restored(const struct recording *r)
{
	const struct syscall_info *clone3 = syscall_by_name(STR("clone3"));

	vec_each(&r->runtime_caps, c)
		if (c->cap == CAP_CHECKPOINT_RESTORE && syscall_by_nr(c->arch, c->nr) == clone3)
			return true;
	return false;
}

static int finish(const struct learn_options *opt, struct target *t, struct model *m, int *status,
		  struct diags *ds)
{
	struct recording *r = model_recording(m);
	int err = target_exec_errno(t);

	if (err < 0)
		return failed(ds, "the command cannot be given the filter that it is watched by",
			      err);
	if (err)
		return tell_not_executed(opt, err, ds, status);
	model_finish(m);
	r->run.midway |= learn_restored(r);
	if (r->run.no_witness)
		diag_add(ds, DIAG_PL408, NO_SPAN, "that no call was missed is not proved: %s",
			 r->run.no_witness);
	if (r->run.left_running)
		tell_left_running(opt, t, ds);
	if (!recording_saw_call(r))
		return tell_nothing(opt, r, ds, status);
	if (t->ended)
		*status = target_status(t);
	else if (r->run.interrupted && opt->stop_signal && *opt->stop_signal)
		*status = !opt->argv ? 0 : 128 + (int)*opt->stop_signal;
	else
		*status = 0;
	return 0;
}

/* Cgroups of the containers that run are watched as if they had been named. 0, or -1 after a diagnostic. */
static int find_containers(struct arena *a, struct learn_options *opt, struct target *t,
			   struct diags *ds)
{
	VEC(const char *) all = { 0 };

	t->follow = targets_find(a, opt, ds);
	if (!t->follow)
		return -1;
	for (size_t i = 0; i < opt->ncgroups; i++)
		vec_push(a, &all, opt->cgroups[i]);
	vec_each(&t->follow->met, c)
		vec_push(a, &all, (*c)->cgroup);
	if (all.n > LEARN_WATCHED)
		return failed(ds, "the containers cannot be watched beside so many cgroups",
			      -E2BIG);
	opt->cgroups = all.v;
	opt->ncgroups = all.n;
	return 0;
}

/* What runs already, and can be watched: 0, or -1 after a diagnostic. */
static int prepare_watched(struct arena *a, struct learn_options *opt, struct target *t,
			   struct recording *r, struct diags *ds)
{
	if (opt->containers && find_containers(a, opt, t, ds))
		return -1;
	for (size_t i = 0; i < opt->ncgroups; i++)
		if (!check_cgroup(a, opt->cgroups[i], ds))
			return -1;
	for (size_t i = 0; i < opt->npids; i++) {
		if (!process_open(a, opt->pids[i], &t->processes[i], ds))
			return -1;
		t->nprocesses++;
	}
	/* One process has a name and a program; of several things each has its own. */
	if (opt->npids == 1 && !opt->ncgroups)
		process_describe(a, &t->processes[0], opt->no_arguments, &r->run);
	return 0;
}

/* Everything about the command that can be known before it starts. */
static int prepare(struct arena *a, struct learn_options *opt, struct target *t,
		   struct recording *r, int *status, struct diags *ds)
{
	const char *path;
	int err;

	if (!opt->argv)
		return prepare_watched(a, opt, t, r, ds);
	err = held_capabilities(&r->run.caps_held);
	if (err)
		return failed(ds, "the capabilities that the command will have cannot be read",
			      err);
	err = program_find(a, opt->argv[0], &path, ds);
	if (err) {
		*status = err;
		return -1;
	}
	r->run.program = resolve_program(a, path);
	if (!r->run.program)
		return failed(ds, "the program's path cannot be resolved", -errno);
	err = target_start(path, opt->argv, opt->ignored,
			   by_seccomp(opt) ? trace_seccomp_filter(a, opt) : NULL, t);
	return err ? failed(ds, "the command cannot be started", err) : 0;
}

/* Once they are watched: whoever opens something from now on is seen to. */
static void look_at_held(const struct learn_options *opt, struct target *t, struct model *m)
{
	size_t inside = 0;

	for (size_t i = 0; i < opt->ncgroups; i++)
		inside += held_cgroup(m, opt->cgroups[i], opt->border);
	for (size_t i = 0; i < t->nprocesses; i++)
		held_process(m, t->processes[i].pid);
	model_recording(m)->run.midway |= t->nprocesses > 0 || (opt->border && inside);
}

static int record(struct arena *a, const struct learn_options *opt, struct target *t,
		  struct model *m, int *status, struct diags *ds)
{
	struct recording *r = model_recording(m);
	struct watch *w;
	int err;

	if (!choose_backend(a, opt, t, &w, r, ds))
		return -1;
	if (opt->argv && opt->stop && *opt->stop) {
		if (w)
			trace_bpf_close(w);
		return tell_not_started(opt, ds, status);
	}
	if (t->follow)
		targets_describe(t->follow, &r->run);
	look_at_held(opt, t, m);
	if (opt->ready)
		opt->ready(opt->ready_who);
	err = w ? trace_bpf_record(w, opt, t, m) : trace_ptrace_record(opt, t, m);
	if (w)
		trace_bpf_close(w);
	snapshot_wait(opt->snapshots);
	/* The whole is later than every part of it. */
	r->run.snapshot = opt->snapshots && opt->snapshots->taken ? opt->snapshots->taken + 1 : 0;
	if (r->run.interrupted && opt->argv)
		r->run.left_running = target_lives(t);
	return err ? failed(ds, "the recording failed", err) : finish(opt, t, m, status, ds);
}

int learn_run(struct arena *a, const struct learn_options *options, struct recording *out,
	      int *status, struct diags *ds)
{
	struct target t = { .release = -1, .failure = -1, .view = VIEW_NONE };
	struct learn_options opt = *options;
	struct model *m;
	int err;

	BUG_ON(!opt.argv == !(opt.ncgroups + opt.npids + (opt.containers != NULL)));
	BUG_ON(opt.ncgroups > LEARN_WATCHED || opt.npids > LEARN_WATCHED);
	if (!opt.max_paths)
		opt.max_paths = PATHS_DEFAULT;
	if (opt.max_paths > PATHS_MOST)
		opt.max_paths = PATHS_MOST;
	*out = (struct recording){ 0 };
	begin_run(a, &opt, &out->run);
	out->run.no_files = opt.no_files;
	*status = 125;
	m = model_new(a, out, opt.max_paths);
	err = draw_id(out->run.id);
	if (err)
		return failed(ds, "there is no random number to tell the run by", err);
	err = prepare(a, &opt, &t, out, status, ds);
	if (!err)
		err = record(a, &opt, &t, m, status, ds);
	target_drop(&t);
	follow_close(t.follow);
	return err;
}

/* A child that never runs anything is enough to see whether a backend works. */
static const char *probe(struct arena *a, const char *backend)
{
	static char *const argv[] = { (char *)"true", NULL };
	struct learn_options opt = { .argv = argv, .backend = backend, .max_paths = 16 };
	struct watch *w = NULL;
	struct target t;
	const char *why = NULL;
	bool is_short;

	if (target_start(argv[0], argv, NULL, NULL, &t))
		return "no process can be started";
	if (!strcmp(backend, "ebpf")) {
		w = trace_bpf_open(a, &opt, &t, &why, &is_short);
		if (w)
			trace_bpf_close(w);
	} else {
		why = trace_ptrace_attach(a, &opt, &t);
	}
	target_drop(&t);
	return why;
}

const char *learn_probe_ebpf(struct arena *a)
{
	return probe(a, "ebpf");
}

const char *learn_probe_ptrace(struct arena *a)
{
	return probe(a, "ptrace");
}
