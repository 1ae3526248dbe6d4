/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ptrace backend: two stops a call, so slow, but it needs no privilege and sees what seccomp
 * hides from tracepoints (calls that the workload's own filter refuses). It follows the same
 * rules as the eBPF backend and resolves paths while the task stands still.
 */
#include "learn/tracee.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "compiler/base/clock.h"
#include "learn/live.h"
#include "learn/proc.h"
#include "learn/signal_ptrace.h"
#include "learn/stopped.h"

#define OPTIONS                                                                                    \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |  \
	 PTRACE_O_TRACEEXEC)
#define DETACH_NS  5000000000u
#define STOPS_MANY 8192 /* of a task that lasts */

/* 0, or -errno. What runs already outlives us; a command does not, lest it run on unseen. */
static int seize(pid_t tid, uintptr_t options)
{
	return ptrace(PTRACE_SEIZE, tid, NULL, (void *)options) ? -errno : 0;
}

/*
 * All threads of a process. One that was made by a thread that is not traced yet is met when they are
 * looked at once more: until no new one is found. 0 or -errno.
 */
static int seize_threads(pid_t pid)
{
	const struct dirent *entry;
	bool found = true;
	char path[64];
	int err = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	while (found && !err) {
		DIR *d = opendir(path);

		found = false;
		if (!d)
			return -errno;
		while (!err && (entry = readdir(d))) {
			pid_t tid = (pid_t)atoi(entry->d_name);

			if (tid <= 0 ||
			    proc_field(tid, "status", "\nTracerPid:", "%lld") == getpid())
				continue;
			err = seize(tid, OPTIONS);
			found |= !err;
			if (err == -ESRCH)
				err = 0; /* it has ended */
		}
		closedir(d);
	}
	return err;
}

const char *trace_ptrace_attach(struct arena *a, const struct learn_options *opt,
				const struct target *t)
{
	uintptr_t more = PTRACE_O_EXITKILL | (by_seccomp(opt) ? PTRACE_O_TRACESECCOMP : 0u);
	int err = t->pid ? seize(t->pid, OPTIONS | more) : 0;
	pid_t pid = t->pid;

	for (size_t i = 0; !err && i < t->nprocesses; i++) {
		long long tracer;

		pid = t->processes[i].pid;
		tracer = proc_field(pid, "status", "\nTracerPid:", "%lld");
		if (tracer > 0 && tracer != getpid())
			return arena_printf(a, "process %lld traces process %d already", tracer,
					    (int)pid);
		err = seize_threads(pid);
	}
	if (!err)
		return NULL;
	return arena_printf(a, "attaching to process %d failed: %s", (int)pid, strerror(-err));
}

/* ---- stops ---- */

/* A thread that execs takes its leader's number. */
static void on_exec(struct tracer *t, pid_t tid)
{
	unsigned long old = 0;
	struct tracee *e;

	if (!t->started && tid == t->target->pid) {
		t->started = true;
		t->start_ns = clock_ns();
	}
	if (!ptrace(PTRACE_GETEVENTMSG, tid, NULL, &old) && (pid_t)old != tid && old)
		tracer_drop(t, (pid_t)old);
	e = tracer_find(t, tid);
	if (e && e->presumed) /* another program, which starts */
		tracer_serves(t, e, false, false);
	tracee_executed(t, tid);
}

/* Sent by a process, which AppArmor mediates; codes above 0 are the kernel's. */
static void on_signal(struct tracer *t, const struct tracee *e)
{
	siginfo_t info;

	if (!t->started)
		return;
	if (ptrace(PTRACE_GETSIGINFO, e->tid, NULL, &info))
		t->r->run.losses.unread += errno != ESRCH;
	else if (info.si_code >= SI_QUEUE ? info.si_code <= SI_USER : info.si_code <= SI_TKILL)
		signal_received(t, e, &info);
}

static void resume(struct tracer *t, const struct tracee *e, int sig)
{
	bool stops = by_seccomp(t->opt) ? e->stops : t->started;

	/* Until the target's exec nothing is of interest. ESRCH: it has died, wait will tell. */
	ptrace(stops ? PTRACE_SYSCALL : PTRACE_CONT, e->tid, NULL, (void *)(intptr_t)sig);
}

/* The filter's own stop, once for each call. */
static void on_filtered(struct tracer *t, struct tracee *e)
{
	if (!t->started)
		return;
	tracee_called(t, e);
	e->stops = tracee_awaits(t, e);
}

/* At the start or the end of a call. */
static void on_call(struct tracer *t, struct tracee *e)
{
	e->stops = false;
	tracee_called(t, e);
}

/* It runs on without us, unless it cannot: its filter would refuse it nearly every call. */
static void let_go(const struct tracer *t, pid_t tid, int sig)
{
	if (by_seccomp(t->opt))
		kill(tid, SIGKILL);
	else
		ptrace(PTRACE_DETACH, tid, NULL, (void *)(intptr_t)sig);
}

/*
 * Its parent may look at it before it stops for the first time. If it has ended nothing is told of it any more,
 * and its number will be another's, if at all: that one is met when it stops.
 */
static void meet_child(struct tracer *t, pid_t parent)
{
	unsigned long child;

	if (!t->detaching && !ptrace(PTRACE_GETEVENTMSG, parent, NULL, &child) &&
	    !tracer_has_ended(t, (pid_t)child))
		(void)tracer_get(t, (pid_t)child);
}

static void on_stop(struct tracer *t, pid_t tid, int status)
{
	int sig = WSTOPSIG(status), event = status >> 16, deliver = 0;
	struct tracee *e = tracer_get(t, tid);

	if (!e) { /* out of memory: let it run unseen */
		t->r->run.losses.untraced++;
		let_go(t, tid, 0);
		return;
	}
	t->await.is_lasting = ++e->nstops > STOPS_MANY;
	if (sig == (SIGTRAP | 0x80)) {
		if (!t->detaching)
			on_call(t, e);
	} else if (event == PTRACE_EVENT_SECCOMP) {
		on_filtered(t, e);
	} else if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
		   event == PTRACE_EVENT_CLONE) {
		e->forking = false;
		meet_child(t, tid);
	} else if (event == PTRACE_EVENT_EXEC) {
		if (!t->detaching)
			on_exec(t, tid);
	} else if (event == PTRACE_EVENT_STOP && stopped_by(sig) && !t->detaching) {
		ptrace(PTRACE_LISTEN, tid, NULL, NULL); /* a group stop: stay stopped */
		return;
	} else if (!event) {
		on_signal(t, e);
		deliver = sig;
	}
	if (t->detaching) {
		let_go(t, tid, deliver);
		tracer_drop(t, tid);
		return;
	}
	resume(t, e, deliver);
}

static void start_detaching(struct tracer *t)
{
	t->detaching = true;
	t->target->deadline_ns = clock_ns() + DETACH_NS;
	for (size_t i = 0; i < TRACEE_BUCKETS; i++)
		for (struct tracee *e = t->buckets[i]; e; e = e->next)
			if (by_seccomp(t->opt))
				let_go(t, e->tid, 0);
			else
				ptrace(PTRACE_INTERRUPT, e->tid, NULL, NULL);
}

/* What nobody looked at can have been made while serving, too. */
static void end_serving(struct tracer *t)
{
	struct recorded_run *run = &t->r->run;

	if (!run->serve_from)
		run->serve_from = t->r->serve_calls.n ? "midway" : RUN_NEVER;
	model_phase(t->model, PHASE_APART);
	if (by_seccomp(t->opt) && strcmp(run->serve_from, RUN_NEVER))
		trace_seccomp_assume(t->model, t->opt);
	model_phase(t->model, PHASE_ANY);
}

/* In a child of ours, which traces nobody. */
static _Noreturn void keep_snapshot(struct tracer *t)
{
	t->r->run.duration_ns = t->started ? tracer_now(t) : 0;
	end_serving(t);
	snapshot_end(t->opt->snapshots, t->model);
}

static void on_end(struct tracer *t, pid_t tid, int status)
{
	struct tracee *e = tracer_find(t, tid);

	if (e && e->sending && t->started) /* by a call that it did not come back from */
		signal_end(t, e);
	if (e && e->leader == tid && t->started && WIFSIGNALED(status) &&
	    WTERMSIG(status) == SIGKILL)
		signal_killed(t, e);
	t->r->run.core_dumps +=
		e && e->leader == tid && t->started && WIFSIGNALED(status) && WCOREDUMP(status);
	tracer_drop(t, tid);
	if (tid == t->target->pid) {
		t->target->ended = true;
		t->target->wait_status = status;
	}
	/* Its threads have ended before it, and been waited for. */
	for (size_t i = 0; i < t->target->nprocesses; i++)
		t->target->processes[i].ended |= t->target->processes[i].pid == tid;
}

/*
 * With the last of the processes that were named the recording ends, whatever they have started:
 * also what is first heard of behind their end.
 */
static void end_with_them(struct tracer *t)
{
	bool all = t->target->nprocesses;

	for (size_t i = 0; i < t->target->nprocesses; i++)
		all &= t->target->processes[i].ended;
	if (!all || t->detaching || !t->live)
		return;
	t->r->run.left_running = true;
	start_detaching(t);
}

/* Told that all have started, or it is the time: from here on all serve. */
static void look_at_serving(struct tracer *t)
{
	const char *from = NULL;

	if (t->started && !t->serve_all)
		from = serve_due(&t->opt->serve, tracer_now(t));
	if (!from)
		return;
	t->serve_all = true;
	model_serves(t->model, from, tracer_now(t));
}

static void trace_loop(struct tracer *t)
{
	while (!t->detaching || t->live) {
		int status;
		pid_t tid = await_stop(&t->await, &status);

		look_at_serving(t);
		if (tid < 0 && errno == ECHILD)
			return;
		if (live_due(t->opt))
			live_model(t->opt->live, t->model, t->started ? tracer_now(t) : 0);
		if (tid <= 0) {
			if (t->detaching && clock_ns() > t->target->deadline_ns)
				return; /* those that cannot be stopped: see seize() */
			if (!t->detaching && target_stop(t->target, t->opt)) {
				t->r->run.interrupted = true;
				start_detaching(t);
			} else if (snapshot_begin(t->opt->snapshots)) {
				keep_snapshot(t);
			}
			continue;
		}
		if (snapshot_ended(t->opt->snapshots, tid, status))
			continue;
		if (WIFSTOPPED(status))
			on_stop(t, tid, status);
		else
			on_end(t, tid, status);
		end_with_them(t);
	}
}

/* All of them were seized and run on; each is stopped once, and traced from there. */
static int begin_midway(struct tracer *t)
{
	const struct dirent *entry;
	char path[64];

	t->started = true;
	t->start_ns = clock_ns();
	for (size_t i = 0; i < t->target->nprocesses; i++) {
		DIR *d;

		snprintf(path, sizeof(path), "/proc/%d/task", (int)t->target->processes[i].pid);
		d = opendir(path);
		while (d && (entry = readdir(d))) {
			pid_t tid = (pid_t)atoi(entry->d_name);
			struct tracee *e;

			if (tid <= 0 || ptrace(PTRACE_INTERRUPT, tid, NULL, NULL))
				continue;
			e = tracer_get(t, tid);
			if (!e) {
				closedir(d);
				return -ENOMEM;
			}
			/* Whether it still starts cannot be known. */
			e->serves = e->presumed = true;
		}
		if (d)
			closedir(d);
	}
	return 0;
}

int trace_ptrace_record(const struct learn_options *opt, struct target *target, struct model *m)
{
	struct tracer *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	t->opt = opt;
	t->target = target;
	t->model = m;
	t->r = model_recording(m);
	t->r->run.programs_observed = true;
	t->r->run.programs_by_phase = true;
	t->r->run.peers_observed = !opt->no_files;
	/* What the filter lets pass may lead anywhere. */
	t->r->run.looks_observed = !opt->no_files && !by_seccomp(opt);
	rules_fill(t->calls, t->rules);
	serve_fill(t->calls, &opt->serve);
	if (by_seccomp(opt))
		trace_seccomp_assume(m, opt);
	if (opt->argv)
		err = target_release(target);
	else
		err = begin_midway(t);
	if (!err)
		trace_loop(t);
	t->r->run.duration_ns = t->started ? tracer_now(t) : 0;
	end_serving(t);
	for (size_t i = 0; i < TRACEE_BUCKETS; i++)
		while (t->buckets[i])
			tracer_drop(t, t->buckets[i]->tid);
	free(t);
	return err;
}
