/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program of a command line, along PATH as execvp() does it, but before anything is given
 * up and without execvp's fallback to a shell; and programs that are asked, with an end to it.
 */
#include "compiler/base/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	CANNOT_EXECUTE = 126,
	NOT_FOUND = 127,
	TICK_MS = 20 /* how often it is looked whether it ended, where no pidfd is to be had */
};

/* 0, or errno: why the kernel would not run it. */
static int check_executable(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return errno;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS))
		return errno;
	return 0;
}

static bool is_absent(int err)
{
	return err == ENOENT || err == ENOTDIR || err == ENAMETOOLONG;
}

static int search_path(struct arena *a, const char *name, const char **path)
{
	const char *dir = getenv("PATH");
	int seen = ENOENT;

	for (dir = dir ? dir : "/usr/bin:/bin"; dir;) {
		const char *end = strchrnul(dir, ':');
		const char *file =
			end == dir ? name : arena_printf(a, "%.*s/%s", (int)(end - dir), dir, name);
		int err = check_executable(file);

		if (!err) {
			*path = file;
			return 0;
		}
		if (!is_absent(err) && is_absent(seen))
			seen = err; /* one that is there but cannot be run says more */
		dir = *end ? end + 1 : NULL;
	}
	return seen;
}

int program_find(struct arena *a, const char *name, const char **path, struct diags *ds)
{
	int err;

	if (!*name) {
		err = ENOENT;
	} else if (strchr(name, '/')) {
		*path = name;
		err = check_executable(name);
	} else {
		err = search_path(a, name, path);
	}
	if (!err)
		return 0;
	if (is_absent(err)) {
		struct diag *d =
			diag_add(ds, DIAG_PL301, NO_SPAN, "there is no program '%s'", name);

		diag_help(ds, d,
			  strchr(name, '/') ? "give the path of a file that exists" :
					      "it is in no directory of PATH; give its path");
		return NOT_FOUND;
	}
	struct diag *d = diag_add(ds, DIAG_PL302, NO_SPAN, "'%s' cannot be executed: %s", name,
				  strerror(err));
	diag_help(ds, d, "a program file with its x permission is wanted");
	return CANNOT_EXECUTE;
}

/* ---- asking ---- */

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* posix_spawn() takes arguments without const for history's sake, and does not write to them. */
static char *const *arguments(const char *const *argv)
{
	return (char *const *)(uintptr_t)argv;
}

static int add_files(posix_spawn_file_actions_t *files, const struct program_question *q, int out)
{
	int err = q->in < 0 ? posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null",
							       O_RDONLY, 0) :
			      posix_spawn_file_actions_adddup2(files, q->in, STDIN_FILENO);

	err = err ? err : posix_spawn_file_actions_adddup2(files, out, STDOUT_FILENO);
	if (err || q->hear_errors)
		return err ? err : posix_spawn_file_actions_adddup2(files, out, STDERR_FILENO);
	return posix_spawn_file_actions_addopen(files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
}

static int start(const struct program_question *q, int out, pid_t *pid)
{
	static const char *const env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int err = posix_spawn_file_actions_init(&files);

	if (err)
		return -err;
	err = posix_spawnattr_init(&attr);
	if (!err) {
		err = add_files(&files, q, out);
		posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP);
		err = err ? err :
			    posix_spawn(pid, q->path, &files, &attr, arguments(q->argv),
					arguments(env));
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&files);
	return -err;
}

/* What lies in the pipe: 1; 0: it is at its end; -EAGAIN: nothing now; another -errno. */
static int hear(const struct program_question *q, int fd, struct buf *said)
{
	char block[4096];
	ssize_t n = read(fd, block, sizeof(block));

	if (n <= 0)
		return n && errno == EINTR ? 1 : n ? -errno : 0;
	size_t room = q->most - said->n;
	if ((size_t)n > room && !q->cut)
		return -E2BIG;
	buf_add(said, block, (size_t)n > room ? room : (size_t)n);
	return 1;
}

static bool has_ended(pid_t pid)
{
	siginfo_t info = { 0 };

	return !waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid == pid;
}

/* 0: it has ended, and was heard to its end; else why it was not. */
static int listen_to(const struct program_question *q, pid_t pid, int pidfd, int out,
		     struct buf *said)
{
	long end = now_ms() + q->limit_ms;
	struct pollfd on[] = { { .fd = pidfd, .events = POLLIN }, { .fd = out, .events = POLLIN } };
	bool ended = false;
	int heard = 1;

	while (!ended || heard > 0) {
		long left = end - now_ms();
		if (left <= 0)
			return -ETIMEDOUT;
		if (!ended && poll(on, 2, pidfd < 0 && left > TICK_MS ? TICK_MS : (int)left) < 0 &&
		    errno != EINTR)
			return -errno;
		ended = ended || has_ended(pid);
		if (on[1].fd >= 0)
			heard = hear(q, out, said);
		if (heard < 0 && heard != -EAGAIN)
			return heard;
		on[1].fd = heard ? out : -1;
	}
	return 0;
}

static int ask(const struct program_question *q, int fds[2], struct buf *said)
{
	int status, err;
	pid_t pid;

	err = fcntl(fds[0], F_SETFL, O_NONBLOCK) ? -errno : start(q, fds[1], &pid);
	close(fds[1]);
	if (err)
		return err;
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	err = listen_to(q, pid, pidfd, fds[0], said);
	if (pidfd >= 0)
		close(pidfd);
	kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (err)
		return err;
	return WIFEXITED(status) ? WEXITSTATUS(status) : PROGRAM_SIGNAL + WTERMSIG(status);
}

int program_ask(const struct program_question *q, struct buf *said)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	int status = ask(q, fds, said);
	close(fds[0]);
	return status;
}
