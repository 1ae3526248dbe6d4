/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hook itself. The runtime waits for it, and the container's first program for the runtime: so
 * what records is a child, and we end as soon as it has said that it sees everything.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/base/clock.h"
#include "compiler/cmd/hook.h"
#include "compiler/cmd/recordings.h"
#include "compiler/output/output.h"

#define HURRY   (-15) /* nice(2) */
#define READY   '\1'  /* what the child says when it records; anything else is why it does not */
#define WAIT_MS 10000 /* then the container starts unrecorded */
#define STATE_MAX                                                                                  \
	(1u << 20) /* bytes; the annotations that it holds are 256 KiB at most under Kubernetes */

/* Written by the handlers; they have no other place to write to. */
static volatile sig_atomic_t stop, snapshots_wanted;

struct recorder {
	const struct hook_args *args;
	const struct hook_state *state;
	const char *path; /* the recording's */
	int heard;        /* who waits for READY; -1: nobody any more */
	int nice;         /* as the runtime had it, */
	bool hurries;     /* which it has not now */
	struct snapshots snapshots;
};

static void on_stop(int sig)
{
	(void)sig;
	if (stop < 2)
		stop = stop + 1;
	alarm(1);
}

static void on_wanted(int sig)
{
	if (sig == SIGUSR1)
		snapshots_wanted = snapshots_wanted + 1;
	alarm(1);
}

static void catch_signals(void)
{
	static const int ends[] = { SIGTERM, SIGINT, SIGHUP };
	struct sigaction sa = { .sa_handler = on_stop };
	sigset_t none;

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		sigaction(ends[i], &sa, NULL);
	sa.sa_handler = on_wanted;
	sigaction(SIGALRM, &sa, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	signal(SIGPIPE, SIG_IGN); /* the runtime may not wait any more */
	sigemptyset(&none);       /* whatever the runtime had blocked */
	sigprocmask(SIG_SETMASK, &none, NULL);
	alarm(1);
}

/* Nothing of the runtime's is kept but the pipe: who reads our output to its end would wait for us. */
static void leave_runtime(struct recorder *r)
{
	int null = open("/dev/null", O_RDWR);

	setsid();
	umask(077);
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 0);
	if (chdir("/"))
		syslog(LOG_WARNING, "cannot change to /: %s", strerror(errno));
	for (int fd = 0; fd < 3 && null >= 0; fd++)
		dup2(null, fd);
	if (r->heard != 3)
		dup2(r->heard, 3);
	r->heard = 3;
	fcntl(3, F_SETFD, FD_CLOEXEC);
	syscall(SYS_close_range, 4u, ~0u, 0u);
}

static void say(struct recorder *r, const void *what, size_t n)
{
	if (r->heard < 0)
		return;
	if (write(r->heard, what, n) < 0)
		syslog(LOG_WARNING, "the runtime does not wait any more: %s", strerror(errno));
	close(r->heard);
	r->heard = -1;
}

/*
 * A container waits for what is done until it is ready, of which most is the kernel's check of the programs, a tenth
 * of a second of a processor: on a busy machine, too, where whoever may do that. See sched(7) for who it is before.
 */
static void hurry(struct recorder *r)
{
	errno = 0;
	r->nice = getpriority(PRIO_PROCESS, 0);
	r->hurries = !errno && r->nice > HURRY && !setpriority(PRIO_PROCESS, 0, HURRY);
}

static void is_ready(void *who)
{
	const struct recorder *r = who;

	if (r->hurries)
		(void)setpriority(PRIO_PROCESS, 0, r->nice);
	say(who, (const char[]){ READY }, 1);
}

/* A week of one name's containers, in the order of their starts: no run takes another's file. */
static const char *recording_path(struct arena *a, const struct hook_args *args,
				  const struct hook_state *state, const char *name)
{
	struct timespec now = { 0 };
	struct tm tm = { 0 };
	char text[32];

	(void)clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(text, sizeof(text), "%Y%m%dT%H%M%S", &tm);
	return arena_printf(a, "%s/%s/%s-%s.%06ldZ", args->call.directory, name, state->id, text,
			    now.tv_nsec / 1000);
}

/* Of a recorder in the background nobody reads the standard error. */
static void tell_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void tell_log(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsyslog(LOG_ERR, fmt, ap);
	va_end(ap);
}

static int keep(const struct recorder *r, const struct recording *rec)
{
	struct recordings *rs = recordings_new(arena_new(NULL));
	struct recordings_clash clash;
	struct recording named = *rec;
	BUF_AUTO text = { 0 };
	struct output_file file = { .path = r->path, .text = &text, .mode = 0600 };

	named.run.name = r->state->name;
	named.run.image = r->state->image;
	recordings_add(rs, &named);
	BUG_ON(recordings_settle(rs, &clash));
	recordings_print(&text, rs);
	return output_write_all(&file, 1, tell_log) ? EXIT_SYSTEM : EXIT_OK;
}

static int keep_snapshot(void *who, const struct recording *rec)
{
	return keep(who, rec);
}

/* In the child, until the container has ended. */
static int record(struct session *s, struct recorder *r, const char *cgroup)
{
	struct learn_options opt = { .cgroups = &cgroup,
				     .ncgroups = 1,
				     .backend = "ebpf",
				     .stop = &stop,
				     .border = true,
				     .no_files = r->args->call.no_files,
				     .snapshots = &r->snapshots,
				     .ready = is_ready,
				     .ready_who = r };
	struct recording rec;
	BUF_AUTO why = { 0 };
	int status;

	hurry(r);
	leave_runtime(r);
	hook_open_log();
	catch_signals();
	r->snapshots = (struct snapshots){ .keep = keep_snapshot,
					   .who = r,
					   .wanted = &snapshots_wanted,
					   .every_ns = r->args->every_s * 1000000000u };
	status = learn_run(s->arena, &opt, &rec, &status, s->diags);
	vec_each(&s->diags->list, d)
		if ((*d)->severity == SEVERITY_ERROR && !why.n)
			buf_puts(&why, (*d)->text);
	if (!why.n)
		buf_puts(&why, "nothing is known");
	say(r, why.p, why.n);
	if (!status) {
		recording_runtime(s, &rec.run);
		status = keep(r, &rec);
	}
	hook_tell_all(s, r->state->id);
	if (status)
		syslog(LOG_ERR, "container %s: there is no recording of the whole run",
		       r->state->id);
	return status;
}

/* 0: it records. Else what came of it is in the session. */
static int wait_ready(struct session *s, int fd, pid_t pid)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char text[512];
	ssize_t n = 0;
	int is;

	do
		is = poll(&p, 1, WAIT_MS);
	while (is < 0 && errno == EINTR);
	if (is > 0)
		n = read(fd, text, sizeof(text) - 1);
	if (n > 0 && text[0] == READY)
		return 0;
	if (n > 0)
		diag_add(s->diags, DIAG_PL424, NO_SPAN, "the container is not recorded: %s",
			 str_safe_of(s->arena, (struct str){ text, (size_t)n }));
	else
		diag_add(s->diags, DIAG_PL424, NO_SPAN, "the container is not recorded: %s",
			 is ? "the recorder ended" : "the recorder was not ready within 10 s");
	kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return -1;
}

static int start(struct session *s, struct recorder *r)
{
	const char *cgroup;
	int fds[2], err;
	pid_t pid;

	if (hook_place(r->args->call.directory, r->state->name, s->diags))
		return -1;
	cgroup = hook_cgroup(s->arena, r->state->pid, s->diags);
	if (!cgroup)
		return -1;
	if (pipe2(fds, O_CLOEXEC)) {
		diag_add(s->diags, DIAG_PL424, NO_SPAN, "no recorder can be started: %s",
			 strerror(errno));
		return -1;
	}
	pid = fork();
	if (!pid) {
		r->heard = fds[1];
		_exit(record(s, r, cgroup));
	}
	close(fds[1]);
	if (pid < 0)
		diag_add(s->diags, DIAG_PL424, NO_SPAN, "no recorder can be started: %s",
			 strerror(errno));
	err = pid < 0 ? -1 : wait_ready(s, fds[0], pid);
	close(fds[0]);
	return err;
}

/* Of a runtime that does not close it all would wait for us, without an end. 0 or -errno. */
static int read_state(struct session *s, struct source **src)
{
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
	uint64_t end = clock_ns() + WAIT_MS * UINT64_C(1000000), now;
	BUF_AUTO text = { 0 };
	char part[4096];

	for (;;) {
		ssize_t n;
		int is;

		now = clock_ns();
		is = now < end ? poll(&p, 1, (int)((end - now) / 1000000) + 1) : 0;
		if (!is)
			return -ETIMEDOUT;
		n = is < 0 ? -1 : read(STDIN_FILENO, part, sizeof(part));
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			buf_add(&text, part, (size_t)n);
		if (text.failed || text.n > STATE_MAX)
			return text.failed ? -ENOMEM : -EFBIG;
		if (!n)
			break;
	}
	*src = source_add(s->sources, "<stdin>", (struct str){ buf_keep(s->arena, &text), text.n });
	return 0;
}

int hook_record(struct session *s, const struct hook_args *a)
{
	struct hook_state state = { 0 };
	struct recorder r = { .args = a, .state = &state, .heard = -1 };
	struct source *src;
	int err;

	if (isatty(STDIN_FILENO)) {
		tell("pale hook: a runtime calls this, and gives a container's state on standard "
		     "input; to set that up: 'pale hook --install ENGINE --dry-run'");
		return EXIT_PALE;
	}
	err = read_state(s, &src);
	if (err) {
		diag_add(s->diags, DIAG_PL424, NO_SPAN, "the container's state cannot be read: %s",
			 err == -ETIMEDOUT ? "it did not end within 10 s" : strerror(-err));
	} else if (hook_state_read(s->arena, src, &state, s->diags)) {
		if (!state.name && !a->call.always)
			return EXIT_OK;
		if (!state.name)
			state.name = arena_printf(s->arena, "%.12s", state.id);
		r.path = recording_path(s->arena, a, &state, state.name);
		if (!start(s, &r))
			return EXIT_OK;
	}
	hook_tell_all(s, state.id ? state.id : "unknown");
	return hook_failed(a);
}
