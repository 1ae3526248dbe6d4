/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running under a listener (--verify, --count). The command is a child that loads a listening
 * filter and executes; every refusal then waits here for an answer.
 *
 * How the listener's descriptor reaches us: the child shares our descriptor table
 * (CLONE_FILES), so what seccomp(2) returns there is open here as well; execve gives the child
 * a table of its own and closes its copy. The number comes through shared memory: after the
 * filter the child makes no call but execve, as every other might be refused, or wait for the
 * very listener that we do not know yet. That execve waits at the listener, so that nothing of
 * the command runs before we hold what holds it. If it then fails, its end waits for our answer.
 *
 * The command has our user id. Without a listener there is nobody else of it to turn to; here
 * there are we, without a filter, and with its listener in our hands. So nobody without
 * CAP_SYS_PTRACE may look into us: PR_SET_DUMPABLE (prctl(2), ptrace(2)), before the child is
 * there. It gets its own flag back at once and anyway from execve.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/enforce/listener.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

/* ---- the child ---- */

static int add_filter(const struct plan *plan, struct failure *f)
{
	struct plan with = *plan;
	int fd;

	/* Since 5.19: a call that we have received is not interrupted (and counted twice). */
	with.filter_flags =
		SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	fd = confine_filter(&with, f);
	if (fd >= 0 || f->step != STEP_FILTER || f->err != EINVAL)
		return fd;
	with.filter_flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	return confine_filter(&with, f);
}

static _Noreturn void leave_child(struct shared *sh, enum child_state state, int status)
{
	atomic_store(&sh->state, (int)state);
	syscall(SYS_exit_group, status);
	for (;;)
		__builtin_trap();
}

/* If we are killed, nobody answers any more: the command goes with us. */
static bool end_with_parent(pid_t parent, struct failure *f)
{
	int sig = 0;

	*f = (struct failure){ .step = STEP_START, .err = ESRCH };
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || prctl(PR_GET_PDEATHSIG, &sig) || sig != SIGKILL)
		*f = (struct failure){ .step = STEP_FAKED, .detail = "PR_SET_PDEATHSIG" };
	else if (getppid() == parent)
		return true;
	return false;
}

static _Noreturn void become_command(const struct listener *l, pid_t parent, bool dumpable)
{
	const struct plan *plan = l->plan;
	struct shared *sh = l->shared;
	int fd;

	if (dumpable)
		prctl(PR_SET_DUMPABLE, 1);
	if (!end_with_parent(parent, &sh->failure))
		leave_child(sh, CHILD_FAILED, 125);
	sigaction(SIGCHLD, &l->sigchld, NULL);
	sigprocmask(SIG_SETMASK, &l->mask, NULL);
	if (!confine_process(plan, &sh->failure))
		leave_child(sh, CHILD_FAILED, 125);
	fd = add_filter(plan, &sh->failure);
	if (fd < 0)
		leave_child(sh, CHILD_FAILED, 125);
	sh->listener = fd;
	atomic_store(&sh->state, CHILD_FILTERED);
	syscall(SYS_execve, plan->path, plan->argv, environ);
	sh->failure = (struct failure){ .step = STEP_EXEC, .err = errno };
	leave_child(sh, CHILD_NOT_EXECUTED, 126);
}

/* ---- waiting ---- */

/*
 * Nobody has the filter any more, so nothing can come. Children that were ours before we were
 * pale (a shell's, that executed us) are none of our business and may live on.
 */
static bool is_over(const struct listener *l)
{
	return l->failed || (l->command_gone && l->fd < 0 && l->shared->listener < 0);
}

/* What is not POLLIN at the listener: POLLHUP, no task has the filter any more; POLLERR, the
 * kernel could not look just now, as a signal came (seccomp_notify_poll()): it will next time. */
static void serve_listener(struct listener *l, short events)
{
	if (events & POLLIN) {
		listener_answer(l);
	} else if (events & (POLLHUP | POLLNVAL)) {
		close(l->fd);
		l->fd = -1;
	}
}

/*
 * Waits for the filter, then for the last of its users. Until the filter stands there is
 * nothing to wait on, so look again every millisecond: that takes a few. The end is told by
 * the listener (since Linux 5.9) or by there being no children left.
 */
static void serve(struct listener *l)
{
	for (bool left = true; left && !is_over(l);) {
		struct pollfd p[2] = { { .fd = l->signals, .events = POLLIN },
				       { .fd = l->fd, .events = POLLIN } };
		bool started = atomic_load(&l->shared->state) != CHILD_PREPARING;

		if (started && l->fd < 0 && l->shared->listener >= 0) {
			listener_take(l);
			continue;
		}
		int timeout = started || l->command_gone ? -1 : 1;
		int n = poll(p, 2, timeout);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || (n == 0 && timeout < 0)) {
			listener_fail(l, STEP_LISTENER, n ? errno : EIO, "waiting");
			continue;
		}
		serve_listener(l, p[1].revents);
		if (p[0].revents & POLLIN)
			left = signals_serve(l);
		else if (p[0].revents)
			listener_fail(l, STEP_LISTENER, EIO, "waiting for signals");
	}
}

/* ---- the end ---- */

/* A command that nobody answers any more is not left alone with that. */
static void end_command(struct listener *l)
{
	if (l->command_gone)
		return;
	kill(l->command, SIGKILL);
	while (waitpid(l->command, &l->command_status, __WALL) < 0 && errno == EINTR)
		;
	l->command_gone = true;
}

static int exit_status(const struct listener *l)
{
	if (l->command_killed && WIFSIGNALED(l->command_status))
		return 128 + SIGSYS; /* as the kernel would have ended it */
	if (WIFSIGNALED(l->command_status))
		return 128 + WTERMSIG(l->command_status);
	return WEXITSTATUS(l->command_status);
}

/* 0, or -1 with *f. */
static int finish(struct listener *l, int *status, struct failure *f)
{
	int state = atomic_load(&l->shared->state);

	if (l->failed)
		end_command(l); /* before its calls find nobody at the listener */
	if (l->fd >= 0)
		close(l->fd);
	signals_close(l);
	*status = exit_status(l);
	*f = l->failed ? l->failure : l->shared->failure;
	if (l->failed || state == CHILD_FAILED || state == CHILD_NOT_EXECUTED)
		return -1;
	if (l->released)
		return 0;
	*f = (struct failure){ .step = STEP_ENDED, .err = *status - 128 };
	return -1;
}

/* ---- setting up ---- */

static bool open_buffers(struct listener *l)
{
	void *map = mmap(NULL, sizeof(*l->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED || syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &l->sizes))
		return listener_fail(l, STEP_FILTER, errno, NULL);
	l->shared = map;
	l->shared->listener = -1;
	/* A newer kernel's records may be longer than the ones we were built with. */
	if (l->sizes.seccomp_notif < sizeof(*l->request))
		l->sizes.seccomp_notif = sizeof(*l->request);
	if (l->sizes.seccomp_notif_resp < sizeof(*l->response))
		l->sizes.seccomp_notif_resp = sizeof(*l->response);
	l->request = arena_alloc(l->arena, l->sizes.seccomp_notif);
	l->response = arena_alloc(l->arena, l->sizes.seccomp_notif_resp);
	return true;
}

/* Out of the command's reach, and the one that its children are left to. */
static bool prepare_process(struct listener *l)
{
	int reaps = 0;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1) || prctl(PR_GET_CHILD_SUBREAPER, &reaps))
		return listener_fail(l, STEP_START, errno, NULL);
	if (!reaps)
		return listener_fail(l, STEP_FAKED, 0, "PR_SET_CHILD_SUBREAPER");
	if (prctl(PR_SET_DUMPABLE, 0))
		return listener_fail(l, STEP_START, errno, NULL);
	/* 0 is also what a filter above could answer, so ask for what the kernel refuses as well. */
	if (prctl(PR_GET_DUMPABLE) != 0 || prctl(PR_SET_DUMPABLE, UINT32_MAX) >= 0)
		return listener_fail(l, STEP_FAKED, 0, "PR_SET_DUMPABLE");
	return true;
}

static bool start_command(struct listener *l, pid_t parent, bool dumpable)
{
	l->command = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
	if (l->command == 0 && getpid() == parent)
		return listener_fail(l, STEP_FAKED, 0, "clone(2)");
	if (l->command == 0)
		become_command(l, parent, dumpable);
	return l->command > 0 ? true : listener_fail(l, STEP_START, errno, NULL);
}

int listen_run(struct arena *a, const struct enforce_options *opt, const struct plan *plan,
	       struct enforce_report *report, int *status, struct failure *f)
{
	struct listener l = { .arena = a,
			      .plan = plan,
			      .mode = opt->mode,
			      .report = report,
			      .fd = -1,
			      .signals = -1 };
	bool dumpable = prctl(PR_GET_DUMPABLE) == 1;
	pid_t self = getpid();

	if (self <= 0) /* what start_command() tells the child by */
		listener_fail(&l, STEP_FAKED, 0, "getpid(2)");
	if (l.failed || !open_buffers(&l) || !prepare_process(&l)) {
		*f = l.failure;
		return -1;
	}
	if (signals_open(&l) && start_command(&l, self, dumpable))
		serve(&l);
	if (l.command > 0)
		return finish(&l, status, f);
	signals_close(&l);
	*f = l.failure;
	return -1;
}
