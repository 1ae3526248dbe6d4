/* SPDX-License-Identifier: Apache-2.0 */
/* pale learn: records a command or a cgroup and proposes a policy. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/cmd/options.h"
#include "grammar/print.h"
#include "learn/client.h"
#include "learn/learn.h"

struct learn_args {
	const char *output;
	const char *recording; /* file for the bare facts */
	const char *name;
	bool allow_loss;
	const char *starts; /* --for, as written; NULL: not said */
	struct learn_options run;
	sigset_t ignored; /* what run.ignored points to */
};

/* Written by the handlers below; signal handlers have no other place to write to. */
static volatile sig_atomic_t stop, stop_signal;

static void on_stop(int sig, siginfo_t *info, void *context)
{
	(void)context;
	/* From the terminal (sent by the kernel) the workload has got it too. */
	stop_signal = info->si_code > 0 ? 0 : sig;
	if (stop < 2)
		stop = stop + 1;
	alarm(1); /* a wait that began just after this is interrupted all the same */
}

static void on_alarm(int sig)
{
	(void)sig;
	alarm(1);
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
}

/* -1: go on; else the exit status. */
static int read_options(const struct options *o, struct learn_args *a)
{
	const struct option_value *backend = &o->at[OPT_BACKEND];

	a->output = o->at[OPT_OUTPUT].text;
	a->recording = o->at[OPT_RECORDING].text;
	a->name = o->at[OPT_NAME].text;
	a->allow_loss = o->at[OPT_ALLOW_LOSS].given;
	a->starts = o->at[OPT_FOR].text;
	a->run.backend = backend->given ? backend->text : "auto";
	a->run.cgroup = o->at[OPT_CGROUP].text;
	a->run.max_paths = (size_t)o->at[OPT_MAX_PATHS].number;
	a->run.argv = o->n ? o->operands : NULL;
	if (!a->run.argv == !a->run.cgroup)
		return usage_error(o->command, "give a command or --cgroup DIR");
	if (a->output && a->recording && !strcmp(a->output, a->recording) && strcmp(a->output, "-"))
		return usage_error(o->command, "-o and --recording name the same file");
	return -1;
}

static int write_recording(const struct learn_args *a, const struct recording *r)
{
	BUF_AUTO out = { 0 };

	recording_print(&out, r);
	return write_output(a->recording, &out, 0644) ? EXIT_PALE : 0;
}

static const char *command_line(struct arena *a, char *const *argv)
{
	BUF_AUTO out = { 0 };

	for (; argv && *argv; argv++) {
		if (out.n)
			buf_putc(&out, ' ');
		buf_puts(&out, *argv);
	}
	return out.n ? buf_keep(a, &out) : NULL;
}

/* As it was called: a link's own name says more than what it leads to. */
static const char *base_name(char *const *argv)
{
	const char *slash = argv ? strrchr(argv[0], '/') : NULL;

	return slash ? slash + 1 : argv ? argv[0] : NULL;
}

/* "run,runc" becomes the sets start-run and start-runc. */
static const char *const *start_sets(struct arena *a, const char *list)
{
	VEC(const char *) sets = { 0 };

	while (*list) {
		size_t n = strcspn(list, ", ");
		if (n)
			vec_push(a, &sets, arena_printf(a, "start-%.*s", (int)n, list));
		list += n + strspn(list + n, ", ");
	}
	vec_push(a, &sets, NULL);
	return (const char *const *)sets.v;
}

/* Asked before anything runs: a set that is not there is no surprise for the end. */
static int check_starts(struct session *s, const char *const *starts)
{
	const char *const *dirs = set_directories(s->arena, NULL);

	for (; *starts; starts++) {
		bool found = false;
		for (size_t i = 0; dirs[i] && !found; i++)
			found = !access(arena_printf(s->arena, "%s/%s.pale", dirs[i], *starts),
					R_OK);
		if (!found)
			return usage_error(command_find("learn"), "--for: there is no set '%s'",
					   *starts);
	}
	return 0;
}

/* 0; EXIT_PALE where it could not be written. */
static int write_proposal(struct session *s, const struct learn_args *a, const struct recording *r,
			  const char *client)
{
	struct propose_options opt = {
		.name = a->name ? a->name : base_name(a->run.argv),
		.set_dirs = set_directories(s->arena, NULL),
		.starts = start_sets(s->arena, a->starts ? a->starts : "run"),
		.starts_asked = a->starts,
		.cmdline = command_line(s->arena, a->run.argv),
		.client = client,
	};
	BUF_AUTO out = { 0 };

	ast_print(&out, propose(s->arena, r, &opt, s->diags));
	if (out.failed) {
		tell("pale learn: out of memory");
		return EXIT_PALE;
	}
	if (out.n > SOURCE_MAX)
		diag_help(
			s->diags,
			diag_add(s->diags, DIAG_PL412, NO_SPAN,
				 "the proposal has %zu bytes, and no "
				 "command reads more than 16 MiB; its %zu files cost most",
				 out.n, r->files.n),
			"write globs for the directories that hold most of them, or record with a "
			"smaller --max-paths");
	if (!write_output(a->output, &out, 0644))
		return 0;
	if (a->output && strcmp(a->output, "-") != 0) {
		tell("pale learn: the run cannot be had again, so the proposal goes to standard "
		     "output");
		(void)write_output(NULL, &out, 0);
	}
	return EXIT_PALE;
}

static void tell_client(struct session *s, const char *client)
{
	struct diag *d = diag_add(s->diags, DIAG_PL415, NO_SPAN,
				  "'%s' has the work done in another "
				  "process tree: what is recorded is the client",
				  client);

	diag_help(s->diags, d,
		  "record the program itself, or the cgroup that the work runs in: "
		  "'pale learn --cgroup DIR'; /proc/PID/cgroup shows which that is");
}

/* kernel/trace/bpf_trace.c, __bpf_trace_run(): one program, one CPU, one at a time. */
static const char missed_help[] =
	"; the kernel skips a program that its CPU is in already, as where a task was switched out "
	"of it, which Linux 7 allows: '--backend ptrace' is slower and misses nothing";

/* What the proposal lacks, or should not be taken for; true: something. */
static bool tell_incomplete(struct session *s, const struct learn_args *a,
			    const struct recording *r, const char *client)
{
	bool lacks = client || recording_lossy(r);
	BUF_AUTO losses = { 0 };
	struct diag *d;

	vec_each(&s->diags->list, it)
		lacks |= (*it)->id == DIAG_PL414;
	if (r->midway)
		diag_add(s->diags, DIAG_PL406, NO_SPAN,
			 "'%s' had processes before the recording began: "
			 "how they start is not in the proposal",
			 a->run.cgroup);
	if (!recording_lossy(r))
		return lacks;
	recording_losses_print(&losses, r);
	d = diag_add(s->diags, DIAG_PL404, NO_SPAN, "the recording is incomplete: %s",
		     losses.p ? losses.p : "");
	diag_help(s->diags, d, "--allow-loss keeps the command's exit status%s%s",
		  r->losses.tracing ? "; eBPF records programs that trace others" : "",
		  r->losses.ring_dropped ? missed_help : "");
	return true;
}

static int record(struct session *s, const struct learn_args *a)
{
	const char *client = a->run.argv ? client_of_command(s->arena, a->run.argv) : NULL;
	struct recording r;
	int status, err;

	if (check_writable(a->output) || check_writable(a->recording))
		return EXIT_PALE;
	if (client) {
		tell_client(s, client);
		session_report(s);
	}
	if (learn_run(s->arena, &a->run, &r, &status, s->diags)) {
		session_report(s);
		return status;
	}
	/* Both are tried: a disk that is full for one may have room for the other. */
	err = a->recording ? write_recording(a, &r) : 0;
	err |= write_proposal(s, a, &r, client);
	if (tell_incomplete(s, a, &r, client) && !a->allow_loss)
		status = EXIT_FOUND;
	if (session_report(s))
		status = EXIT_FOUND;
	return err ? EXIT_PALE : status;
}

static int learn(struct session *s, struct learn_args *a)
{
	catch_signals(&a->ignored);
	a->run.ignored = &a->ignored;
	if (a->starts && check_starts(s, start_sets(s->arena, a->starts)))
		return EXIT_PALE;
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
		status = learn(&s, &a);
	else if (status) /* wrong usage has a status that the command's own is never taken for */
		status = EXIT_PALE;
	return session_end(&s, status);
}
