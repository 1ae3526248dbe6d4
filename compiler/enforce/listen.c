/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listener of --verify and --count. The command is a child that loads a listening filter
 * and executes; every refusal then waits here for an answer.
 *
 * How the listener's descriptor reaches us: the child shares our descriptor table
 * (CLONE_FILES), so what seccomp(2) returns there is open here as well; execve gives the child
 * a table of its own and closes its copy. The number comes through shared memory: after the
 * filter the child makes no call but execve, as every other might be refused, or wait for the
 * very listener that we do not know yet. If execve itself is refused, it waits for our answer.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/enforce/confine.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

enum child_state { CHILD_PREPARING, CHILD_FAILED, CHILD_FILTERED, CHILD_NOT_EXECUTED };

struct shared { /* between the child before its execve and us */
	_Atomic int state;
	int listener;
	struct failure failure;
};

struct listener {
	struct arena *arena;
	const struct plan *plan;
	enum enforce_mode mode;
	struct enforce_report *report;
	struct shared *shared;
	int signals; /* signalfd */
	int fd;      /* -1: not yet, or its last user is gone */
	pid_t command;
	bool command_gone;
	bool command_killed; /* by us, for a kill verdict */
	int command_status;
	struct sigaction sigchld; /* as we found it: the command's */
	struct seccomp_notif *request;
	struct seccomp_notif_resp *response;
	struct seccomp_notif_sizes sizes;
};

/* ---- the child ---- */

static int add_filter(const struct plan *plan)
{
	struct plan with = *plan;
	int fd;

	/* Since 5.19: a call that we have received is not interrupted (and counted twice). */
	with.filter_flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
	fd = confine_filter(&with);
	if (fd >= 0 || errno != EINVAL)
		return fd;
	with.filter_flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	return confine_filter(&with);
}

static _Noreturn void leave_child(struct shared *sh, enum child_state state, int status)
{
	atomic_store(&sh->state, (int)state);
	syscall(SYS_exit_group, status);
	for (;;)
		__builtin_trap();
}

static _Noreturn void become_command(const struct listener *l, pid_t parent, const sigset_t *mask)
{
	const struct plan *plan = l->plan;
	struct shared *sh = l->shared;
	int fd;

	/* If we are killed, nobody answers any more: the command goes with us. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		leave_child(sh, CHILD_FAILED, 125);
	sigaction(SIGCHLD, &l->sigchld, NULL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	if (!confine_process(plan, &sh->failure))
		leave_child(sh, CHILD_FAILED, 125);
	fd = add_filter(plan);
	if (fd < 0) {
		sh->failure = (struct failure){ .step = STEP_FILTER, .err = errno };
		leave_child(sh, CHILD_FAILED, 125);
	}
	sh->listener = fd;
	atomic_store(&sh->state, CHILD_FILTERED);
	syscall(SYS_execve, plan->path, plan->argv, environ);
	sh->failure = (struct failure){ .step = STEP_EXEC, .err = errno };
	leave_child(sh, CHILD_NOT_EXECUTED, 126);
}

/* ---- answering ---- */

static struct refusal *find_refusal(struct listener *l, const struct seccomp_data *d,
				    const struct decision_why *why)
{
	vec_each(&l->report->refusals, r)
		if (r->audit_arch == d->arch && r->nr == (uint32_t)d->nr && r->why.by == why->by &&
		    r->why.rule == why->rule)
			return r;
	return NULL;
}

static void count_refusal(struct listener *l, const struct decision_why *why, struct verdict v)
{
	const struct seccomp_data *d = &l->request->data;
	struct refusal *r = find_refusal(l, d, why);
	uint32_t nr = (uint32_t)d->nr;
	int arch = arch_of_call(d->arch, &nr);

	l->report->total++;
	if (r) {
		r->count++;
		return;
	}
	struct refusal new = { .arch = arch < 0 ? ARCH_NR : (enum arch)arch,
			       .audit_arch = d->arch, .nr = (uint32_t)d->nr, .why = *why,
			       .verdict = v, .count = 1, .pid = (int)l->request->pid };
	for (unsigned i = 0; i < 6; i++)
		new.args[i] = d->args[i];
	vec_push(l->arena, &l->report->refusals, new);
}

/* The process a thread belongs to; 0 when it is gone. */
static pid_t process_of(pid_t thread)
{
	char path[64], line[256];
	int tgid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)thread);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Tgid: %d", &tgid) == 1)
			break;
	if (f)
		fclose(f);
	return tgid;
}

static bool still_waits(const struct listener *l)
{
	return ioctl(l->fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &l->request->id) == 0;
}

/*
 * SIGKILL through a descriptor that was opened while the call was known to wait: never another
 * process that got the same number. Where there is no /proc, or no descriptor to be had, the
 * thread's own number does: kill(2) takes it for its process, which waits for us and ends only
 * if somebody else kills it just now.
 */
static bool kill_caller(struct listener *l)
{
	pid_t thread = (pid_t)l->request->pid, process = process_of(thread);
	int fd = process ? (int)syscall(SYS_pidfd_open, process, 0) : -1;
	bool done;

	if (fd < 0)
		done = still_waits(l) && thread > 0 && kill(thread, SIGKILL) == 0;
	else
		done = still_waits(l) && syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0;
	if (fd >= 0)
		close(fd);
	if (done && (process ? process : thread) == l->command)
		l->command_killed = true;
	return done;
}

static bool trap_caller(struct listener *l)
{
	pid_t thread = (pid_t)l->request->pid;

	return thread > 0 && still_waits(l) && syscall(SYS_tkill, thread, SIGSYS) == 0;
}

static bool send_answer(struct listener *l, int error, bool go_on)
{
	struct seccomp_notif_resp *resp = l->response;

	memset(resp, 0, l->sizes.seccomp_notif_resp);
	resp->id = l->request->id;
	resp->error = -error;
	resp->flags = go_on ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
	return ioctl(l->fd, SECCOMP_IOCTL_NOTIF_SEND, resp) == 0;
}

static bool answer_as_policy(struct listener *l, struct verdict v)
{
	switch (v.kind) {
	case VERDICT_KILL_PROCESS:
	case VERDICT_KILL_THREAD:
		/* One that cannot be killed (another user's) still does not get its call. */
		return kill_caller(l) || send_answer(l, ENOSYS, false);
	case VERDICT_TRAP:
		(void)trap_caller(l);
		return send_answer(l, ENOSYS, false);
	case VERDICT_ERRNO:
		return send_answer(l, v.data, false);
	case VERDICT_NOTIFY:
		return send_answer(l, ENOSYS, false);
	case VERDICT_TRACE:
	case VERDICT_LOG:
	case VERDICT_ALLOW:
	case VERDICT_NR:
		break;
	}
	BUG("a notification for a call that the policy does not refuse");
}

static void serve_request(struct listener *l)
{
	struct decision_why why = { 0 };
	struct verdict v;
	struct call c;

	memset(l->request, 0, l->sizes.seccomp_notif);
	if (ioctl(l->fd, SECCOMP_IOCTL_NOTIF_RECV, l->request)) {
		if (errno == ENOENT) /* interrupted or killed before we could look */
			l->report->lost++;
		return;
	}
	c.audit_arch = l->request->data.arch;
	c.nr = (uint32_t)l->request->data.nr;
	for (unsigned i = 0; i < 6; i++)
		c.args[i] = l->request->data.args[i];
	v = policy_eval(l->plan->policy, &c, &why);
	if (l->mode == ENFORCE_VERIFY ? send_answer(l, 0, true) : answer_as_policy(l, v))
		count_refusal(l, &why, v);
	else
		l->report->lost++;
}

/* ---- signals and ends ---- */

/* What it started and left to us, where the command itself is gone. */
static void signal_children(int sig)
{
	char path[64];
	int pid;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	f = fopen(path, "re");
	while (f && fscanf(f, "%d", &pid) == 1)
		kill(pid, sig);
	if (f)
		fclose(f);
}

/* The command's children become ours when it ends (subreaper). False: nobody is left. */
static bool reap_children(struct listener *l)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) != 0) {
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			return false;
		if (pid != l->command || !(WIFEXITED(status) || WIFSIGNALED(status)))
			continue;
		l->command_gone = true;
		l->command_status = status;
	}
	return true;
}

/* False: everything has ended. */
static bool serve_signals(struct listener *l)
{
	struct signalfd_siginfo s;
	bool left = true;

	while (read(l->signals, &s, sizeof(s)) == sizeof(s)) {
		if (s.ssi_signo == SIGCHLD) {
			left = reap_children(l);
			continue;
		}
		/* From the terminal: the whole foreground group, the command too, has it already. */
		if (s.ssi_code == SI_KERNEL)
			continue;
		if (l->command_gone)
			signal_children((int)s.ssi_signo);
		else
			kill(l->command, (int)s.ssi_signo);
	}
	return left;
}

/*
 * Nobody has the filter any more, so nothing can come. Children that were ours before we were
 * pale (a shell's, that executed us) are none of our business and may live on.
 */
static bool is_over(const struct listener *l)
{
	return l->command_gone && l->fd < 0 && l->shared->listener < 0;
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
			l->fd = l->shared->listener;
			l->shared->listener = -1;
			continue;
		}
		if (poll(p, 2, started || l->command_gone ? -1 : 1) < 0)
			continue;
		if (p[1].revents & POLLIN) {
			serve_request(l);
		} else if (p[1].revents) { /* POLLHUP: no task has the filter any more */
			close(l->fd);
			l->fd = -1;
		}
		if (p[0].revents)
			left = serve_signals(l);
	}
	if (l->fd >= 0)
		close(l->fd);
}

static int exit_status(const struct listener *l)
{
	if (l->command_killed && WIFSIGNALED(l->command_status))
		return 128 + SIGSYS; /* as the kernel would have ended it */
	if (WIFSIGNALED(l->command_status))
		return 128 + WTERMSIG(l->command_status);
	return WEXITSTATUS(l->command_status);
}

/* ---- setting up ---- */

static bool open_signals(struct listener *l, sigset_t *old)
{
	static const int passed[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH };
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (size_t i = 0; i < ARRAY_SIZE(passed); i++)
		sigaddset(&set, passed[i]);
	sigaction(SIGCHLD, &dfl, &l->sigchld); /* ignored, it would reap behind our back */
	sigprocmask(SIG_BLOCK, &set, old);
	l->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return l->signals >= 0;
}

static bool open_buffers(struct listener *l)
{
	void *map = mmap(NULL, sizeof(*l->shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED || syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &l->sizes))
		return false;
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

int listen_run(struct arena *a, const struct enforce_options *opt, const struct plan *plan,
	       struct enforce_report *report, int *status, struct failure *f)
{
	struct listener l = { .arena = a, .plan = plan, .mode = opt->mode, .report = report,
			      .fd = -1 };
	pid_t parent = getpid();
	sigset_t mask;

	*f = (struct failure){ .step = STEP_FILTER };
	if (!open_buffers(&l) || !open_signals(&l, &mask) || prctl(PR_SET_CHILD_SUBREAPER, 1)) {
		f->err = errno;
		return -1;
	}
	l.command = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
	if (l.command == 0)
		become_command(&l, parent, &mask);
	if (l.command < 0) {
		f->err = errno;
		return -1;
	}
	serve(&l);
	close(l.signals);
	*f = l.shared->failure;
	*status = exit_status(&l);
	if (atomic_load(&l.shared->state) != CHILD_FILTERED && f->err)
		return -1;
	return 0;
}
