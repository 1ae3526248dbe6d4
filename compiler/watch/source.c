/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/watch/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compiler/watch/kernel.h"

const char *watch_word(enum watch_kind kind)
{
	static const char *const words[WATCH_KIND_NR] = { [WATCH_INPUT] = "-",
							  [WATCH_KMSG] = "kmsg",
							  [WATCH_AUDIT] = "audit",
							  [WATCH_JOURNAL] = "journald" };

	return words[kind];
}

/* ---- text ---- */

static void open_lines(struct arena *a, struct watch_source *s, int fd)
{
	lines_open(&s->lines, a, fd, WATCH_LINE_MAX);
	s->lines.follows = true;
}

static int text_next(struct watch_source *s, struct watch_line *line)
{
	int more;

	line->from = JOURNAL_UNTOLD;
	more = lines_next(&s->lines, &line->text, &line->cut);
	if (more == -EAGAIN || more == -EINTR)
		return 0;
	if (!more)
		s->ended = true;
	return more;
}

/* ---- a log that is rotated ---- */

/* Its directory tells of a new one under its name, and of what is written to this one. */
static void notice(struct arena *a, struct watch_source *s)
{
	char *dir = arena_strdup(a, s->path), *slash = strrchr(dir, '/');

	if (slash)
		slash[slash == dir] = '\0';
	s->fd = s->notices = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (s->notices >= 0)
		(void)inotify_add_watch(s->notices, slash ? dir : ".",
					IN_MODIFY | IN_CREATE | IN_MOVED_TO);
}

static int log_open(struct arena *a, struct watch_source *s)
{
	struct stat st;
	int fd = open(s->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

	open_lines(a, s, fd);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode)) { /* a pipe with a name */
		s->fd = fd;
		s->notices = -1;
		return 0;
	}
	s->lines.grows = true;
	s->device = st.st_dev;
	s->inode = st.st_ino;
	notice(a, s);
	return lseek(fd, 0, SEEK_END) < 0 ? -errno : 0;
}

/* What is written from now on is another file's. */
static bool take_new(struct watch_source *s)
{
	struct stat st;
	int fd = open(s->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return false; /* not there yet, or not for us: asked again */
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return false;
	}
	close(s->lines.fd);
	s->lines.fd = fd;
	s->lines.at = s->lines.n; /* half a line, whose end never came */
	s->lines.dropping = false;
	s->device = st.st_dev;
	s->inode = st.st_ino;
	s->rotated++;
	return true;
}

/* At the end of what there is: was it renamed, or cut off and begun anew? */
static bool rotate(struct watch_source *s)
{
	struct stat named, own;

	if (!stat(s->path, &named) && (named.st_dev != s->device || named.st_ino != s->inode))
		return take_new(s);
	if (fstat(s->lines.fd, &own) || own.st_size >= lseek(s->lines.fd, 0, SEEK_CUR))
		return false;
	(void)lseek(s->lines.fd, 0, SEEK_SET);
	s->lines.at = s->lines.n;
	s->lines.dropping = false;
	s->rotated++;
	return true;
}

static void forget_notices(const struct watch_source *s)
{
	char events[4096];

	while (s->notices >= 0 && read(s->notices, events, sizeof(events)) > 0)
		;
}

static int log_next(struct watch_source *s, struct watch_line *line)
{
	int more = text_next(s, line);

	if (more || !s->lines.grows)
		return more;
	forget_notices(s); /* before it is looked at: what comes after is noticed again */
	more = text_next(s, line);
	while (!more && rotate(s))
		more = text_next(s, line);
	return more;
}

/* ---- the journal ---- */

/* systemd-journald.service(8): a directory for each machine, and in it system.journal. */
static bool has_journal(const char *base)
{
	char path[320];
	DIR *dir = opendir(base);
	bool found = false;

	for (struct dirent *e; dir && !found && (e = readdir(dir));) {
		snprintf(path, sizeof(path), "%s/%s/system.journal", base, e->d_name);
		found = *e->d_name != '.' && !access(path, R_OK);
	}
	if (dir)
		closedir(dir);
	return found;
}

bool watch_journal_readable(void)
{
	return has_journal("/var/log/journal") || has_journal("/run/log/journal");
}

static const char *journalctl(void)
{
	static const char *const paths[] = { "/usr/bin/journalctl", "/bin/journalctl",
					     "/usr/local/bin/journalctl" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		if (!access(paths[i], X_OK))
			return paths[i];
	return NULL;
}

static _Noreturn void run_journalctl(const char *path, int out, int null)
{
	static const char fields[] =
		"--output-fields=MESSAGE,_TRANSPORT,_AUDIT_ID,SYSLOG_FACILITY,SYSLOG_IDENTIFIER,_COMM";
	/* Terms of one field are "or", as what stands on both sides of "+" (journalctl(1)). */
	const char *argv[] = { path,
			       "-f",
			       "-n",
			       "0",
			       "-o",
			       "json",
			       "--no-pager",
			       fields,
			       "_TRANSPORT=audit",
			       "_TRANSPORT=kernel",
			       "+",
			       "_COMM=dbus-daemon",
			       NULL };
	char *envp[] = { (char[]){ "LC_ALL=C" }, NULL };
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(null, 0) >= 0 && dup2(out, 1) >= 0 && dup2(null, 2) >= 0)
		execve(path, (char *const *)argv, envp);
	_exit(127);
}

static int journal_open(struct arena *a, struct watch_source *s)
{
	const char *path = journalctl();
	int ends[2], null;

	if (!path)
		return -ENOENT;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return -errno;
	if (pipe2(ends, O_CLOEXEC)) {
		close(null);
		return -errno;
	}
	s->reader = fork();
	if (!s->reader)
		run_journalctl(path, ends[1], null);
	close(null);
	close(ends[1]);
	s->fd = ends[0];
	open_lines(a, s, s->fd);
	return s->reader < 0 ? -EAGAIN : 0;
}

/* ---- all ---- */

int watch_open(struct arena *a, enum watch_kind kind, const char *path, struct watch_source *s)
{
	*s = (struct watch_source){ .kind = kind, .fd = -1, .lines.fd = -1, .notices = -1 };
	s->path = path;
	s->name = path ? str_safe(a, path) : watch_word(kind);
	switch (kind) {
	case WATCH_FILE: return log_open(a, s);
	case WATCH_KMSG: return kmsg_open(a, s);
	case WATCH_AUDIT: return audit_open(a, s);
	case WATCH_JOURNAL: return journal_open(a, s);
	default:
		s->name = "standard input";
		s->fd = STDIN_FILENO;
		open_lines(a, s, s->fd);
		return 0;
	}
}

int watch_next(struct watch_source *s, struct watch_line *line)
{
	if (s->ended)
		return 0;
	if (s->kind == WATCH_KMSG)
		return kmsg_next(s, line);
	if (s->kind == WATCH_AUDIT)
		return audit_next(s, line);
	return s->kind == WATCH_FILE ? log_next(s, line) : text_next(s, line);
}

void watch_close(struct watch_source *s)
{
	if (s->reader > 0) {
		kill(s->reader, SIGKILL);
		(void)waitpid(s->reader, NULL, 0);
	}
	if (s->lines.fd >= 0 && s->lines.fd != s->fd)
		close(s->lines.fd);
	if (s->fd > STDIN_FILENO)
		close(s->fd);
	s->fd = s->lines.fd = -1;
}
