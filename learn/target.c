/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/target.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compiler/base/clock.h"

#define GRACE_NS 5000000000u /* what a workload gets to end after the first signal */

/* execve() makes the default of a handler, and of SIG_IGN nothing else. */
static void ignore_again(const sigset_t *ignored)
{
	for (int sig = 1; ignored && sig < NSIG; sig++)
		if (sigismember(ignored, sig) == 1)
			signal(sig, SIG_IGN);
}

/* From here on the tracer is asked. 0 or -errno. */
static int set_filter(const struct sock_fprog *filter)
{
	if (!filter)
		return 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, filter))
		return -errno;
	return 0;
}

static _Noreturn void run_child(const char *path, char *const *argv,
				const struct sock_fprog *filter, int wait_fd, int failure_fd)
{
	char go;
	ssize_t n;
	int err;

	do
		n = read(wait_fd, &go, 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		_exit(125);
	err = set_filter(filter);
	if (!err) {
		execve(path, argv, environ);
		err = errno;
	}
	if (write(failure_fd, &err, sizeof(err)) != (ssize_t)sizeof(err))
		_exit(125);
	_exit(err == ENOENT ? 127 : 126);
}

int target_start(const char *path, char *const *argv, const sigset_t *ignored,
		 const struct sock_fprog *filter, struct target *t)
{
	int go[2], failure[2], err;

	*t = (struct target){ .release = -1, .failure = -1, .view = VIEW_NONE };
	if (pipe2(go, O_CLOEXEC))
		return -errno;
	if (pipe2(failure, O_CLOEXEC)) {
		err = -errno;
		close(go[0]);
		close(go[1]);
		return err;
	}
	/* Daemons that leave their parents come back to us: their end is the recording's. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	t->pid = fork();
	if (!t->pid) {
		close(go[1]);
		ignore_again(ignored);
		run_child(path, argv, filter, go[0], failure[1]);
	}
	err = t->pid < 0 ? -errno : 0;
	close(go[0]);
	close(failure[1]);
	t->release = go[1];
	t->failure = failure[0];
	if (err) {
		t->pid = 0;
		target_drop(t);
	}
	return err;
}

int target_release(struct target *t)
{
	ssize_t n;

	do
		n = write(t->release, "", 1);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		return -errno;
	close(t->release);
	t->release = -1;
	return 0;
}

void target_drop(struct target *t)
{
	if (t->release >= 0) {
		close(t->release);
		t->release = -1;
		while (t->pid && !t->ended && waitpid(t->pid, &t->wait_status, 0) < 0 &&
		       errno == EINTR)
			;
		t->ended = true;
	}
	if (t->failure >= 0)
		close(t->failure);
	t->failure = -1;
	for (size_t i = 0; i < t->nprocesses; i++)
		process_close(&t->processes[i]);
	t->nprocesses = 0;
	view_close(&t->view);
}

int target_exec_errno(struct target *t)
{
	int err = 0;

	if (t->failure < 0 || !t->ended)
		return 0;
	if (read(t->failure, &err, sizeof(err)) != (ssize_t)sizeof(err))
		return 0;
	return err;
}

int target_status(const struct target *t)
{
	if (WIFSIGNALED(t->wait_status))
		return 128 + WTERMSIG(t->wait_status);
	return WEXITSTATUS(t->wait_status);
}

bool target_gone(struct target *t)
{
	bool gone = true;

	for (size_t i = 0; i < t->nprocesses; i++)
		gone &= process_ended(&t->processes[i]);
	return gone;
}

bool target_lives(struct target *t)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0)
		if (pid == t->pid) {
			t->ended = true;
			t->wait_status = status;
		}
	return !pid;
}

/* The target has gone and left daemons behind: they are our children now. */
static void signal_children(int sig)
{
	char path[64];
	FILE *f;
	int pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	f = fopen(path, "re");
	if (!f)
		return;
	while (fscanf(f, "%d", &pid) == 1)
		kill(pid, sig);
	fclose(f);
}

bool target_stop(struct target *t, const struct learn_options *opt)
{
	int sig = opt->stop_signal ? (int)*opt->stop_signal : 0;

	if (!opt->stop || !*opt->stop)
		return false;
	if (*opt->stop > 1 || !t->pid)
		return true;
	if (!t->asked) {
		t->asked = true;
		t->deadline_ns = clock_ns() + GRACE_NS;
		if (sig && !t->ended)
			kill(t->pid, sig);
		else if (t->ended)
			signal_children(sig ? sig : SIGTERM);
	}
	return clock_ns() >= t->deadline_ns;
}
