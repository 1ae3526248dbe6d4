/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals under a listener. What is sent to us is meant for the command, as without a listener
 * it would be here in our place: it is passed on. The exceptions: SIGKILL and SIGSTOP, which
 * nobody can pass on; those that tell a process of its own faults; and SIGCHLD.
 *
 * A command that a terminal's ^Z, or anybody's SIGTSTP, has stopped: we stop with it, so that
 * the shell that waits for us sees its job stopped, and pass the SIGCONT on that ends this. A
 * SIGSTOP to the command alone is another matter (a debugger's, say): we go on answering.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/enforce/listener.h"

bool signals_open(struct listener *l)
{
	static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS };
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t set, now;

	sigfillset(&set);
	sigemptyset(&now);
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		sigdelset(&set, own[i]);
	sigaction(SIGCHLD, &dfl, &l->sigchld); /* ignored, it would reap behind our back */
	sigprocmask(SIG_BLOCK, &set, &l->mask);
	sigprocmask(SIG_BLOCK, NULL, &now);
	if (!sigismember(&now, SIGCHLD))
		return listener_fail(l, STEP_FAKED, 0, "sigprocmask(2)");
	l->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (l->signals < 0)
		return listener_fail(l, STEP_START, errno, NULL);
	if (l->signals > STDERR_FILENO)
		return true;
	l->signals = -1; /* the standard streams are never free (main()) */
	return listener_fail(l, STEP_FAKED, 0, "signalfd(2)");
}

void signals_close(struct listener *l)
{
	struct signalfd_siginfo s;

	while (l->signals >= 0 && read(l->signals, &s, sizeof(s)) == sizeof(s))
		;
	if (l->signals >= 0)
		close(l->signals);
	sigaction(SIGCHLD, &l->sigchld, NULL);
	sigprocmask(SIG_SETMASK, &l->mask, NULL);
}

/* ---- passing on ---- */

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

static void signal_command(const struct listener *l, const struct signalfd_siginfo *s)
{
	siginfo_t info = { .si_signo = (int)s->ssi_signo, .si_code = SI_QUEUE };

	if (s->ssi_code != SI_QUEUE) {
		kill(l->command, (int)s->ssi_signo);
		return;
	}
	info.si_pid = (pid_t)s->ssi_pid;
	info.si_uid = s->ssi_uid;
	info.si_value.sival_ptr = (void *)(uintptr_t)s->ssi_ptr;
	syscall(SYS_rt_sigqueueinfo, l->command, info.si_signo, &info);
}

/*
 * Sent by the kernel, and the command has it already or it is about us. From a terminal: the
 * whole foreground group gets it; but a hangup is told to the leader of the session alone. A
 * timer of ours (alarm(2) goes through execve) was meant for the command.
 */
static bool is_ours(const struct signalfd_siginfo *s)
{
	if (s->ssi_code != SI_KERNEL)
		return (pid_t)s->ssi_pid == getpid() && s->ssi_code <= 0;
	switch (s->ssi_signo) {
	case SIGHUP:
	case SIGCONT: return getsid(0) != getpid();
	case SIGINT:
	case SIGQUIT:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
	case SIGWINCH:
	case SIGXCPU:
	case SIGXFSZ:
	case SIGPIPE: return true;
	default: return false;
	}
}

/* ---- stopping with the command ---- */

static bool is_job_control(int sig)
{
	return sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

/*
 * With the same signal: what we inherited for it decides, and a process group that no shell
 * looks after is not stopped, as for the command itself. A SIGCONT that came meanwhile would be
 * thrown away by our own stop signal, and that one by a SIGCONT that is still to come
 * (signal(7)): so it is sent first, and taken back if the command goes on already.
 */
static void stop_with_command(const struct listener *l, int sig)
{
	siginfo_t info = { 0 };
	sigset_t one;

	raise(sig);
	if (!l->command_gone &&
	    (waitid(P_PID, (id_t)l->command, &info, WCONTINUED | WNOHANG | WNOWAIT) || info.si_pid))
		return; /* signals_serve() reads it and knows it for ours */
	sigemptyset(&one);
	sigaddset(&one, sig);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	sigprocmask(SIG_BLOCK, &one, NULL);
}

/* ---- ends ---- */

/*
 * A child that asked to be traced (PTRACE_TRACEME) has made its parent the tracer and stops at
 * each signal until we let it go. False: it is not one of these.
 */
static bool let_go(pid_t pid, int sig)
{
	/* ptrace() takes the signal in place of an address; SIGTRAP is about the tracing itself. */
	void *with = (void *)(intptr_t)(sig == SIGTRAP ? 0 : sig);

	return ptrace(PTRACE_DETACH, pid, NULL, with) == 0;
}

/* The command's children become ours when it ends (subreaper). False: nobody is left. */
static bool reap_children(struct listener *l)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED | __WALL)) != 0) {
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			return false;
		if ((WIFSTOPPED(status) && let_go(pid, WSTOPSIG(status))) || pid != l->command)
			continue;
		if (WIFSTOPPED(status) && is_job_control(WSTOPSIG(status)))
			stop_with_command(l, WSTOPSIG(status));
		if (!(WIFEXITED(status) || WIFSIGNALED(status)))
			continue;
		l->command_gone = true;
		l->command_status = status;
	}
	return true;
}

bool signals_serve(struct listener *l)
{
	struct signalfd_siginfo s;
	bool left = true;

	while (read(l->signals, &s, sizeof(s)) == sizeof(s)) {
		int sig = (int)s.ssi_signo;

		if (sig == SIGCHLD)
			left = reap_children(l);
		else if (!is_ours(&s) && l->command_gone)
			signal_children(sig);
		else if (!is_ours(&s))
			signal_command(l, &s);
		/* The command's own stopping is seen when it stops. */
		if (l->command_gone && is_job_control(sig) && (pid_t)s.ssi_pid != getpid())
			stop_with_command(l, sig);
	}
	return left;
}
