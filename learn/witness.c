/* SPDX-License-Identifier: Apache-2.0 */
/*
 * That nothing was missed, by the word of somebody else: a counting event of perf's counts each call
 * whatever becomes of a program. Where events drive the program (TIER_FENTRY) they themselves are
 * compared with its own count of its runs, kind by kind; elsewhere one more event counts the calls
 * of the workload. That one costs as much again as the program, so it is only there where programs
 * can be skipped, or where a way of attaching was asked for by its name: before Linux 7.0 the
 * kernel's own count of skipped programs (recursion_misses) is all that there is to know.
 */
#include "learn/backend.h"

#if PALE_BPF
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "learn/watch.h"

#define TRIAL 100 /* calls */

/*
 * Signals by user space alone: what a kernel's timer sends comes in an interrupt, and would find
 * the program busy. See is_kernels() of tasks.bpf.h.
 */
static const struct event_spec driving[] = {
	{ .kind = TRACE_EVENT_GONE, .name = "sched/sched_process_exit" },
	{ .kind = TRACE_EVENT_FORK, .name = "sched/sched_process_fork" },
	{ .kind = TRACE_EVENT_PREPARE, .name = "sched/sched_prepare_exec" },
	{ .kind = TRACE_EVENT_EXEC, .name = "sched/sched_process_exec" },
	{ .kind = TRACE_EVENT_SIGNAL,
	  .name = "signal/signal_generate",
	  .filter = "code == 0 || code == -1 || code < -5" },
	{ .kind = TRACE_EVENT_CAPABLE, .name = "capability/cap_capable" },
	{ .kind = TRACE_EVENT_EXIT, .name = "raw_syscalls/sys_exit" },
	{ .kind = TRACE_EVENT_ENTER, .name = "raw_syscalls/sys_enter" },
};

static const struct event_spec calls = { .name = "raw_syscalls/sys_enter" };

/* Is it one that this kernel may lack, and is there another way to what it tells? */
static bool is_spare(const struct event_spec *s)
{
	return s->kind == TRACE_EVENT_CAPABLE;
}

/* Are its runs looked for at all? */
static bool is_driving(const struct watch *w, int kind)
{
	return kind != TRACE_EVENT_EXIT || !w->no_exits;
}

static uint64_t count_runs(struct watch *w, uint32_t kind)
{
	return watch_sum_of(w, bpf_map__fd(w->skel->maps.runs), kind);
}

/* Calls of our own, which the program must have seen: that it is attached does not say that. */
static bool is_driven(struct watch *w)
{
	uint64_t entered = count_runs(w, TRACE_EVENT_ENTER), left = count_runs(w, TRACE_EVENT_EXIT);

	for (int i = 0; i < TRIAL; i++)
		(void)syscall(SYS_getppid);
	return count_runs(w, TRACE_EVENT_ENTER) - entered >= TRIAL &&
	       (!is_driving(w, TRACE_EVENT_EXIT) ||
		count_runs(w, TRACE_EVENT_EXIT) - left >= TRIAL);
}

int witness_drive(struct watch *w)
{
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_SIZE(driving); i++) {
		struct event_spec s = driving[i];

		if (!is_driving(w, s.kind))
			continue;
		s.cookie = w->skel->rodata->cookie;
		s.fields = true;
		err = events_on_cpus(&w->events, &s, w->cpus);
		if (err == -ENOENT && is_spare(&s))
			err = 0;
		else if (!err && s.kind == TRACE_EVENT_CAPABLE)
			w->sees_caps = true;
	}
	if (!err)
		err = events_switch(&w->events, true);
	if (err)
		return err;
	return is_driven(w) ? 0 : -ENODATA;
}

static int count_calls(struct watch *w, const struct learn_options *opt, const struct target *t)
{
	int fd, err;

	if (opt->argv)
		return events_on_task(&w->events, &calls, t->pid);
	fd = open(w->cgroups[0].path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = events_on_cgroup(&w->events, &calls, fd, w->cpus);
	close(fd);
	return err ? err : events_switch(&w->events, true);
}

/* Threads that run already would each need an event, and cgroups may lie in each other. */
static bool is_countable(const struct learn_options *opt)
{
	return opt->argv || (opt->ncgroups == 1 && !opt->npids && !opt->containers);
}

void witness_call(struct watch *w, struct arena *a, const struct learn_options *opt,
		  const struct target *t)
{
	int err;

	if (!is_countable(opt)) {
		w->no_witness = opt->npids ? "perf does not count the calls of processes that run "
					     "already" :
					     "perf does not count the calls of several cgroups";
		return;
	}
	err = count_calls(w, opt, t);
	if (err) {
		events_close(&w->events);
		w->no_witness =
			arena_printf(a, "perf does not count calls here: %s", strerror(-err));
	} else if (!opt->argv && watch_sum(w, TRACE_TASKS) + watch_sum(w, TRACE_LOSS_TASKS)) {
		w->no_witness = "calls were made in the cgroup before perf counted them";
	}
}

void witness_renewed(struct watch *w)
{
	if (w->events.n && w->tier != TIER_FENTRY)
		w->no_witness = "the cgroup was made anew, and perf counted the calls of the one "
				"before alone";
}

/*
 * Each kind by itself: its program ran as often as its event was counted. It runs first, so that
 * what is counted while it goes on has been seen by the time that is asked for.
 */
static void compare_runs(struct watch *w, struct recording *r)
{
	struct event_spec enter = calls;

	enter.kind = TRACE_EVENT_ENTER;
	for (int kind = 0; kind < TRACE_EVENTS; kind++) {
		uint64_t want, got;

		if (events_count(&w->events, kind, &want)) {
			w->unread++;
			continue;
		}
		got = count_runs(w, (uint32_t)kind);
		if (want > got)
			r->run.losses.uncounted += want - got;
	}
	if (events_missing(&w->events, &enter, w->cpus))
		w->no_witness = "a CPU was switched on meanwhile, and what ran there was not seen";
}

void witness_look(struct watch *w, struct recording *r)
{
	if (!w->events.n)
		return;
	if (w->tier == TIER_FENTRY)
		compare_runs(w, r);
	else if (events_count(&w->events, calls.kind, &w->counted))
		w->unread++;
}

void witness_stop(struct watch *w, struct recording *r)
{
	bool lives = w->tier != TIER_FENTRY || is_driven(w);

	if (!w->events.n)
		return;
	if (events_switch(&w->events, false))
		w->unread++;
	w->is_stopped = true;
	witness_look(w, r);
	if (!lives)
		w->no_witness =
			"another program at perf's event of calls keeps them from the counters";
}

/* More was seen than perf counted: why, and what that hides cannot be known. */
static const char *why_fewer(const struct watch *w)
{
	if (w->ncgroups)
		return "calls were made in the cgroup while perf did not count them";
	/* perf drops it where rights change; trace_call_bpf() */
	return "perf counted fewer calls than there were, as where a set-id program is executed, "
	       "or another program has perf's event of calls";
}

void witness_compare(struct watch *w, struct recording *r)
{
	if (w->events.n && w->tier != TIER_FENTRY) {
		if (w->counted > w->calls)
			r->run.losses.uncounted += w->counted - w->calls;
		else if (w->is_stopped && w->counted < w->calls && !w->no_witness)
			w->no_witness = why_fewer(w);
	}
	r->run.losses.unread = w->unread;
	r->run.no_witness = w->no_witness;
}
#endif
