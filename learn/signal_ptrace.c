/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/signal_ptrace.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "learn/proc.h"

#define TARGETS 8 /* different ones that one call has; beyond, it is not known whom else */

struct sending {
	size_t n;
	struct signalled to[TARGETS];
	char who[TARGETS][PATH_MAX];
};

/* ---- who it is ---- */

/* Do its numbers of processes mean the same here? */
static bool is_near(const struct tracee *e)
{
	return e->pid == (unsigned)e->leader;
}

/* By the number that it has in another namespace, in which `by` is. */
static struct tracee *find_there(const struct tracer *t, const struct tracee *by, unsigned pid)
{
	for (size_t i = 0; i < TRACEE_BUCKETS; i++)
		for (struct tracee *e = t->buckets[i]; e; e = e->next)
			if (e->pid == pid && is_near(e) == is_near(by))
				return e;
	return NULL;
}

static bool has_ended(const struct tracer *t, pid_t pid)
{
	for (size_t i = 0; i < TRACER_GONE; i++)
		if (t->gone[i].leader == pid)
			return true;
	return false;
}

/* Of a process outside. */
static void name_outside(pid_t pid, struct signalled *out, char who[PATH_MAX])
{
	proc_label(pid, who);
	out->peer = SIGNAL_LABEL;
	if (!*who) {
		out->peer = SIGNAL_PROGRAM;
		if (!proc_link(pid, "exe", who))
			out->peer = SIGNAL_UNKNOWN;
	}
	out->who = str_c(out->peer ? who : NULL);
}

/* ---- sent ---- */

/* Where there are too many it is not known whom else, which the last one says. */
static void add(struct sending *s, const struct signalled *one)
{
	struct signalled *last = &s->to[TARGETS - 1];

	for (size_t i = 0; i < s->n; i++)
		if (!signalled_cmp(&s->to[i], one))
			return;
	if (s->n == TARGETS) {
		*last = (struct signalled){ .signal = one->signal, .sent = true };
		return;
	}
	s->to[s->n] = *one;
	if (one->who.n) {
		memcpy(s->who[s->n], one->who.p, one->who.n + 1);
		s->to[s->n].who.p = s->who[s->n];
	}
	s->n++;
}

static void add_process(const struct tracer *t, struct sending *s, int sig, pid_t pid)
{
	struct signalled one = { .signal = sig, .sent = true, .peer = SIGNAL_OURS };
	struct tracee *ours = tracer_find_process(t, pid);
	char who[PATH_MAX];

	if (ours && sig == SIGKILL)
		ours->doomed = true;
	if (!ours && !has_ended(t, pid))
		name_outside(pid, &one, who);
	add(s, &one);
}

static void add_unknown(struct sending *s, int sig)
{
	add(s, &(struct signalled){ .signal = sig, .sent = true });
}

static void add_group(const struct tracer *t, struct sending *s, int sig, pid_t group)
{
	DIR *d = opendir("/proc");
	const struct dirent *entry;

	if (!d) {
		add_unknown(s, sig);
		return;
	}
	while ((entry = readdir(d))) {
		pid_t pid = (pid_t)atoi(entry->d_name);

		if (pid > 0 && getpgid(pid) == group)
			add_process(t, s, sig, pid);
	}
	closedir(d);
}

/* All that it may signal but itself: who of those outside they are is not looked up. */
static void add_everybody(const struct tracer *t, const struct tracee *e, struct sending *s,
			  int sig)
{
	for (size_t i = 0; i < TRACEE_BUCKETS; i++)
		for (const struct tracee *it = t->buckets[i]; it; it = it->next)
			if (it->leader != e->leader)
				add_process(t, s, sig, it->leader);
	add_unknown(s, sig);
}

static void add_number(const struct tracer *t, const struct tracee *e, struct sending *s, int sig,
		       int number)
{
	struct tracee *there;

	if (number == -1) {
		add_everybody(t, e, s, sig);
	} else if (number == 0) {
		add_group(t, s, sig, getpgid(e->tid));
	} else if (is_near(e) && number > 0) {
		add_process(t, s, sig, number);
	} else if (is_near(e)) {
		add_group(t, s, sig, -number);
	} else {
		there = number > 0 ? find_there(t, e, (unsigned)number) : NULL;
		if (there)
			add_process(t, s, sig, there->leader);
		else
			add_unknown(s, sig);
	}
}

/* A directory of /proc, which pidfd_send_signal(2) takes, too; 0: it is none. */
static int directory_of(const struct tracee *e, int fd)
{
	char link[32], path[PATH_MAX];
	int number = 0, end = 0;

	snprintf(link, sizeof(link), "fd/%d", fd);
	if (!proc_link(e->tid, link, path) || sscanf(path, "/proc/%d%n", &number, &end) != 1 ||
	    path[end])
		return 0;
	return number;
}

static void add_held(const struct tracer *t, const struct tracee *e, struct sending *s, int sig,
		     int fd)
{
	char file[32];
	long long pid;

	snprintf(file, sizeof(file), "fdinfo/%d", fd);
	pid = proc_field(e->tid, file, "\nPid:", "%lld"); /* as it is called here */
	if (pid > 0)
		add_process(t, s, sig, (pid_t)pid);
	else if ((pid = directory_of(e, fd)) > 0)
		add_number(t, e, s, sig, (int)pid);
	else
		add_unknown(s, sig);
}

void signal_begin(const struct tracer *t, struct tracee *e)
{
	const struct trace_rule *r = &t->rules[e->rule];
	uint32_t sig = (uint32_t)e->args[r->at];
	int whom = (int)e->args[r->fd[0]];

	free(e->sending);
	e->sending = sig < 65 ? calloc(1, sizeof(*e->sending)) : NULL;
	if (!e->sending)
		return;
	if (r->op == TRACE_OP_HELD)
		add_held(t, e, e->sending, (int)sig, whom);
	else
		add_number(t, e, e->sending, (int)sig, whom);
}

void signal_end(struct tracer *t, struct tracee *e)
{
	for (size_t i = 0; e->sending && i < e->sending->n; i++)
		model_signal(t->model, &e->sending->to[i], 1, tracer_now(t));
	free(e->sending);
	e->sending = NULL;
}

void signal_at_death(const struct tracer *t, struct tracee *e)
{
	pid_t parent = (pid_t)proc_field(e->tid, "status", "\nPPid:", "%lld");

	e->dies_with =
		e->args[1] == SIGKILL && parent > 0 && tracer_find_process(t, parent) ? parent : 0;
}

/* ---- received ---- */

void signal_received(struct tracer *t, const struct tracee *e, const siginfo_t *info)
{
	struct signalled one = { .signal = info->si_signo, .peer = SIGNAL_OURS };
	char who[PATH_MAX];
	bool ours;

	if (is_near(e))
		ours = tracer_find_process(t, info->si_pid) || has_ended(t, info->si_pid);
	else
		ours = info->si_pid > 0 && find_there(t, e, (unsigned)info->si_pid);
	if (!ours && is_near(e) && info->si_pid > 0)
		name_outside(info->si_pid, &one, who);
	else if (!ours)
		one.peer = SIGNAL_UNKNOWN;
	model_signal(t->model, &one, 1, tracer_now(t));
}

/* The kernel sends it for want of memory alone; of a process that has ended no program is told. */
void signal_killed(struct tracer *t, const struct tracee *e)
{
	struct signalled one = { .signal = SIGKILL };
	char text[PATH_MAX];

	if (e->doomed || (e->dies_with && !proc_link(e->dies_with, "exe", text)))
		one.peer = SIGNAL_OURS;
	model_signal(t->model, &one, 1, tracer_now(t));
}
