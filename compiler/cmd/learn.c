/* SPDX-License-Identifier: Apache-2.0 */
/* pale learn: records a command, or what runs already, and proposes a policy. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/base/clock.h"
#include "compiler/cmd/live.h"
#include "compiler/cmd/recordings.h"
#include "learn/client.h"
#include "learn/container/follow.h"
#include "learn/learn.h"
#include "learn/proc.h"
#include "learn/reunite.h"

struct learn_args {
	const char *output;
	const char *recording; /* file for what was seen */
	const char *report;    /* page of it; NULL: none */
	const char *name;
	bool allow_loss;
	const char *starts; /* --for, as written; NULL: not said */
	const char *margin; /* --margin, likewise */
	bool exact;
	bool phases;
	uint64_t until_s; /* 0: as long as it takes */
	struct learn_options run;
	struct snapshots snapshots; /* what run.snapshots points to */
	sigset_t ignored;           /* what run.ignored points to */
	pid_t pids[LEARN_WATCHED];  /* what run.pids points to */
	struct container_want want; /* what run.containers points to */
	enum live_mode live;
	const char *const *earlier; /* recordings that it looks at, too */
	size_t nearlier;
	struct recording before; /* of those */
	struct live_view view;   /* what run.live points into */
};

/* Written by the handlers below; signal handlers have no other place to write to. */
static volatile sig_atomic_t stop, stop_signal, snapshots_wanted, serving;
static volatile sig_atomic_t ends_s; /* CLOCK_MONOTONIC; 0: never by itself */
static volatile sig_atomic_t ticks, resumed, is_live, is_over;

/*
 * Interrupts the wait that is under way then, once a second; more often where somebody looks on, and
 * no more once there is none.
 */
static void tick(void)
{
	const long us = is_over ? 0 : is_live ? 250000 : 1000000;
	const struct itimerval soon = { .it_value = { us / 1000000, us % 1000000 } };

	(void)setitimer(ITIMER_REAL, &soon, NULL);
}

static int now_s(void)
{
	return (int)(clock_ns() / 1000000000);
}

static void on_stop(int sig, siginfo_t *info, void *context)
{
	int err = errno;
	bool own = info->si_code <= 0 && proc_descends(info->si_pid, getpid());

	(void)context;
	errno = err;
	if (own) /* the workload to its process group, as servers do to end or restart their children: it has got it */
		return;
	/* From the terminal (sent by the kernel) the workload has got it too. */
	stop_signal = info->si_code > 0 ? 0 : sig;
	if (stop < 2)
		stop = stop + 1;
	tick(); /* a wait that began just after this is interrupted all the same */
}

static void on_alarm(int sig)
{
	(void)sig;
	if (ends_s && !stop && now_s() >= ends_s) {
		stop = 1;
		stop_signal = SIGTERM;
	}
	ticks = ticks + 1;
	tick();
}

static void on_resumed(int sig)
{
	(void)sig;
	resumed = resumed + 1;
}

static void on_wanted(int sig)
{
	(void)sig;
	snapshots_wanted = snapshots_wanted + 1;
	tick();
}

static void on_serving(int sig)
{
	(void)sig;
	serving = 1;
	tick();
}

/* Whoever ignores it has it caught here all the same, and ignored in the command. */
static void catch_signal(int sig, const struct sigaction *sa, sigset_t *ignored)
{
	struct sigaction old;

	if (!sigaction(sig, sa, &old) && old.sa_handler == SIG_IGN)
		sigaddset(ignored, sig);
}

static void catch_signals(sigset_t *ignored)
{
	struct sigaction sa = { .sa_sigaction = on_stop, .sa_flags = SA_SIGINFO }, hup;

	sigemptyset(ignored);
	catch_signal(SIGINT, &sa, ignored);
	catch_signal(SIGTERM, &sa, ignored);
	/* A terminal that goes away; under nohup it is ignored and stays so. */
	if (!sigaction(SIGHUP, NULL, &hup) && hup.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &sa, NULL);
	sa = (struct sigaction){ .sa_handler = on_alarm };
	catch_signal(SIGALRM, &sa, ignored);
	sa = (struct sigaction){ .sa_handler = on_wanted };
	catch_signal(SIGUSR1, &sa, ignored);
	sa = (struct sigaction){ .sa_handler = on_serving };
	catch_signal(SIGUSR2, &sa, ignored);
	sa = (struct sigaction){ .sa_handler = on_resumed, .sa_flags = SA_RESTART };
	catch_signal(SIGCONT, &sa, ignored);
}

/* -1: go on; else the exit status. */
static int read_containers(const struct options *o, struct learn_args *a)
{
	const struct option_value *names = &o->at[OPT_CONTAINER], *labels = &o->at[OPT_LABEL];

	if (names->list.n > FOLLOW_NAMES || labels->list.n > FOLLOW_NAMES)
		return usage_error(o->command, "at most %d times '--container', and '--label'",
				   FOLLOW_NAMES);
	for (size_t i = 0; i < labels->list.n; i++)
		if (!*labels->list.v[i] || *labels->list.v[i] == '=')
			return usage_error(o->command, "'--label' takes K=V, or K for any value");
	for (size_t i = 0; i < names->list.n; i++)
		if (!*names->list.v[i])
			return usage_error(o->command, "'--container' takes a name or an id");
	a->want = (struct container_want){ .names = names->list.v,
					   .nnames = names->list.n,
					   .labels = labels->list.v,
					   .nlabels = labels->list.n,
					   .wait = o->at[OPT_WAIT].given };
	if (a->want.nnames + a->want.nlabels)
		a->run.containers = &a->want;
	else if (a->want.wait)
		return usage_error(o->command, "'--wait' waits for a --container or --label");
	return -1;
}

/* What runs already: -1: go on; else the exit status. */
static int read_watched(const struct options *o, struct learn_args *a)
{
	const struct option_value *cgroups = &o->at[OPT_CGROUP], *pids = &o->at[OPT_PIDS];

	if (cgroups->list.n > LEARN_WATCHED || pids->list.n > LEARN_WATCHED)
		return usage_error(o->command, "at most %d times '--cgroup', and '--pid'",
				   LEARN_WATCHED);
	a->run.cgroups = cgroups->list.v;
	a->run.ncgroups = cgroups->list.n;
	for (size_t i = 0; i < pids->list.n; i++) {
		uint64_t pid;

		if (str_u64(str_c(pids->list.v[i]), &pid) || !pid || pid > INT32_MAX)
			return usage_error(o->command, "'--pid' takes a process' number, not '%s'",
					   pids->list.v[i]);
		a->pids[i] = (pid_t)pid;
	}
	a->run.border = o->at[OPT_BORDER].given || a->run.containers;
	if (o->at[OPT_BORDER].given && (!a->run.ncgroups || pids->list.n))
		return usage_error(o->command,
				   "--border is of cgroups: give --cgroup DIR, and no --pid");
	a->run.pids = a->pids;
	a->run.npids = pids->list.n;
	if (!a->run.argv == !(a->run.ncgroups + a->run.npids + (a->run.containers != NULL)))
		return usage_error(o->command,
				   "give a command, or --container NAME, --cgroup DIR or --pid P");
	return -1;
}

/* Where processes have started: -1: go on; else the exit status. */
static int read_serve(const struct options *o, struct learn_args *a)
{
	struct learn_serve *serve = &a->run.serve;
	const char *text = o->at[OPT_SERVE_FROM].text;

	serve->wanted = &serving;
	serve->call = text;
	if (!text || !strcmp(text, "auto"))
		serve->by = SERVE_BY_WAIT;
	else if (!strcmp(text, "READY=1"))
		serve->by = SERVE_BY_READY;
	else if (!strcmp(text, "SIGUSR2"))
		serve->by = SERVE_BY_SIGNAL;
	else if (!strncmp(text, "after=", 6) && option_seconds(text + 6, &serve->after_s))
		serve->by = SERVE_BY_TIME;
	else if (syscall_by_name(str_c(text)))
		serve->by = SERVE_BY_CALL;
	else
		return usage_error(
			o->command,
			"'--serve-from' takes auto, READY=1, SIGUSR2, after=TIME such as "
			"after=30s, or a call such as accept4, not '%s'",
			text);
	if (serve->by == SERVE_BY_CALL && !strcmp(a->run.backend, "seccomp") &&
	    learn_assumes(text, a->run.no_files))
		return usage_error(o->command,
				   "'--backend seccomp' lets %s through without a look, so "
				   "'--serve-from' cannot be told by it",
				   text);
	return -1;
}

/* -1: go on; else the exit status. */
static int read_live(const struct options *o, struct learn_args *a)
{
	const struct option_value *earlier = &o->at[OPT_EARLIER];

	a->live = live_choose(&o->at[OPT_LIVE], a->run.argv != NULL);
	a->earlier = earlier->list.v;
	a->nearlier = earlier->list.n;
	if (a->nearlier && a->live == LIVE_OFF)
		return usage_error(o->command, "--earlier is looked at by --live");
	return -1;
}

/* -1: go on; else the exit status. */
static int read_options(const struct options *o, struct learn_args *a)
{
	const struct option_value *backend = &o->at[OPT_BACKEND];

	a->output = o->at[OPT_OUTPUT].text;
	a->recording = o->at[OPT_RECORDING].text;
	a->report = o->at[OPT_REPORT].text;
	a->name = o->at[OPT_NAME].text;
	a->allow_loss = o->at[OPT_ALLOW_LOSS].given;
	a->starts = o->at[OPT_FOR].text;
	a->margin = o->at[OPT_MARGIN].text;
	a->exact = o->at[OPT_EXACT].given;
	a->phases = o->at[OPT_PHASES].given;
	a->run.backend = backend->given ? backend->text : "auto";
	a->run.no_arguments = o->at[OPT_NO_ARGUMENTS].given;
	a->run.no_files = o->at[OPT_NO_FILES].given;
	a->run.max_paths = (size_t)o->at[OPT_MAX_PATHS].number;
	a->run.argv = o->n ? o->operands : NULL;
	a->snapshots.every_ns = o->at[OPT_EVERY].number * 1000000000u;
	a->until_s = o->at[OPT_UNTIL].number;
	a->run.lasts = a->until_s;
	if (a->snapshots.every_ns && (!a->recording || !strcmp(a->recording, "-")))
		return usage_error(o->command, "--every takes -r FILE, which is what it writes");
	if (a->report && !strcmp(a->report, "-"))
		return usage_error(o->command, "--report takes a file");
	if (a->recording && !strcmp(a->recording, "-") && (!a->output || !strcmp(a->output, "-")))
		return usage_error(o->command,
				   "the recording and the proposal would both go to standard "
				   "output: give -o a file, or -r");
	int status = read_serve(o, a);
	if (status < 0)
		status = read_containers(o, a);
	if (status < 0)
		status = read_watched(o, a);
	return status < 0 ? read_live(o, a) : status;
}

/* What the proposal lacks, or should not be taken for; true: something. */
static bool tell_lacks(struct session *s, const struct learn_args *a, const struct recording *r)
{
	if (r->run.midway)
		diag_add(
			s->diags, DIAG_PL406, NO_SPAN,
			learn_restored(r) ?
				"begun midway: the container was restored from a checkpoint: what it did before, "
				"and what it holds, is not in the proposal; the last calls by which criu puts it "
				"back are" :
			a->run.containers ?
				"begun midway: how the container started is not in the proposal, "
				"but for what it still holds" :
			a->run.npids ?
				"begun midway: how the process started is not in the "
				"proposal, but for what it still holds" :
				"the cgroup had processes before the recording began: how they "
				"started is not in the proposal, but for what they still hold");
	return tell_incomplete(s, r, "--allow-loss keeps the command's exit status");
}

/* In a child, of what there is by then: the run goes on. */
static int keep_snapshot(void *who, const struct recording *r)
{
	const struct learn_args *a = who;
	struct recordings *rs = recordings_new(arena_new(NULL));
	struct recordings_clash clash;

	recordings_add(rs, r);
	BUG_ON(recordings_settle(rs, &clash));
	return recordings_write(rs, a->recording);
}

/* All is seen from here on, and the time of --until begins: what loading took is none of it. */
static void begin_time(void *who)
{
	const struct learn_args *a = who;

	ends_s = now_s() + (int)a->until_s + 1; /* seconds are cut off */
	tick();
}

/* From here on signals end it, and ask for snapshots. */
static void begin(struct learn_args *a)
{
	catch_signals(&a->ignored);
	a->run.ignored = &a->ignored;
	a->run.snapshots = &a->snapshots;
	a->snapshots.wanted = &snapshots_wanted;
	a->snapshots.who = a;
	if (a->recording && strcmp(a->recording, "-") != 0)
		a->snapshots.keep = keep_snapshot;
	if (a->until_s)
		a->run.ready = begin_time;
	a->run.ready_who = a;
	if (a->snapshots.every_ns || a->run.serve.after_s)
		tick();
}

/* written: the recording was, at the run's end. */
static void tell_snapshots(struct session *s, const struct learn_args *a, bool written)
{
	const struct snapshots *n = &a->snapshots;
	struct diag *d;

	if (!written && n->taken > n->failed) {
		d = diag_add(
			s->diags, DIAG_PL420, NO_SPAN,
			"the recording of the whole run could not be written%s: '%s' holds the "
			"last snapshot that was",
			n->failed ? arena_printf(s->arena, ", nor %llu of %llu snapshots",
						 (unsigned long long)n->failed,
						 (unsigned long long)n->taken) :
				    "",
			str_safe(s->arena, a->recording));
		diag_help(s->diags, d,
			  "it says that it is one; what the run did after it is in the "
			  "proposal alone");
		return;
	}
	if (!n->failed)
		return;
	d = diag_add(s->diags, DIAG_PL420, NO_SPAN, "%llu of %llu snapshots could not be written",
		     (unsigned long long)n->failed, (unsigned long long)n->taken);
	diag_help(s->diags, d,
		  written ? "what the run did is in the recording that was written at its end" :
			    "nor could the recording at its end: what the run did is in the "
			    "proposal alone");
}

/* What is recorded, as it was asked for: the first of it, and how many more. */
static const char *asked_for(struct session *s, const struct learn_args *a)
{
	const struct learn_options *run = &a->run;
	size_t more = run->ncgroups + run->npids + a->want.nnames + a->want.nlabels;
	const char *first =
		run->argv       ? run->argv[0] :
		a->want.nnames  ? arena_printf(s->arena, "the container '%s'", a->want.names[0]) :
		a->want.nlabels ? arena_printf(s->arena, "containers of '%s'", a->want.labels[0]) :
		run->ncgroups   ? arena_printf(s->arena, "the cgroup '%s'", run->cgroups[0]) :
				  arena_printf(s->arena, "process %d", (int)run->pids[0]);

	return more > 1 ? arena_printf(s->arena, "%s and %zu more", first, more - 1) : first;
}

static void begin_view(struct session *s, struct learn_args *a)
{
	if (a->live == LIVE_OFF)
		return;
	live_open(&a->view, a->live, asked_for(s, a), a->before.calls.n ? &a->before : NULL);
	a->view.resumed = &resumed;
	a->view.live.ticks = &ticks;
	a->run.live = &a->view.live;
	is_live = true;
	tick();
}

static int record(struct session *s, struct learn_args *a)
{
	const char *client = a->run.argv ? client_of_command(s->arena, a->run.argv) : NULL;
	struct proposal_args proposal = { .output = a->output,
					  .report = a->report,
					  .name = a->name,
					  .starts = a->starts,
					  .margin = a->margin,
					  .exact = a->exact,
					  .phases = a->phases,
					  .once = true };
	struct recordings *rs = recordings_new(s->arena);
	struct recordings_clash clash;
	struct recording r, united;
	int status, err;

	if (check_writable(a->output) || check_writable(a->recording) || check_writable(a->report))
		return EXIT_PALE;
	if (client) {
		tell_client(s, client);
		session_report(s);
	}
	begin_view(s, a);
	err = learn_run(s->arena, &a->run, &r, &status, s->diags);
	is_over = true;
	tick();
	live_close(&a->view, err ? NULL : &r);
	if (err) {
		session_report(s);
		return status;
	}
	recording_runtime(s, &r.run);
	recordings_add(rs, &r);
	BUG_ON(recordings_settle(rs, &clash));
	/* As `pale propose` makes it of the file. */
	recordings_unite(s->arena, rs, &united);
	/* Both are tried: a disk that is full for one may have room for the other. */
	err = a->recording ? recordings_write(rs, a->recording) : 0;
	tell_snapshots(s, a, !err);
	err |= proposal_write(s, &proposal, rs, &united);
	if (tell_lacks(s, a, &united) && !a->allow_loss)
		status = EXIT_FOUND;
	if (session_report(s))
		status = EXIT_FOUND;
	return err ? EXIT_PALE : status;
}

/* EXIT_OK, or EXIT_PALE after a diagnostic. */
static int load_earlier(struct session *s, struct learn_args *a)
{
	struct recordings *rs = recordings_new(s->arena);

	if (recordings_load(s, "learn", a->earlier, a->nearlier, rs) != EXIT_OK) {
		session_report(s);
		return EXIT_PALE;
	}
	recordings_unite(s->arena, rs, &a->before);
	return EXIT_OK;
}

static int learn(struct session *s, struct learn_args *a)
{
	begin(a);
	if (a->starts && start_sets_check(s, "learn", start_sets(s->arena, a->starts)))
		return EXIT_PALE;
	if (a->nearlier) {
		int status = load_earlier(s, a);
		if (status != EXIT_OK)
			return status;
	}
	return record(s, a);
}

int cmd_learn(int argc, char **argv)
{
	struct options o = { .end = OPTIONS_TO_OPERAND };
	struct learn_args a = { .run = { .stop = &stop, .stop_signal = &stop_signal } };
	struct session s;

	session_open_run(&s);
	int status = options_read(&s, argc, argv, &o);
	if (status < 0)
		status = read_options(&o, &a);
	if (status < 0)
		status = phases_check(&s, &o) ? EXIT_PALE : learn(&s, &a);
	else if (status) /* wrong usage has a status that the command's own is never taken for */
		status = EXIT_PALE;
	return session_end(&s, status);
}
