/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "learn/proc.h"

#define KERNEL_THREAD  0x00200000u /* PF_KTHREAD, of /proc/PID/stat's flags */
#define ARGUMENTS_MOST 65536       /* bytes of a command line that are recorded */

/* ---- whom it can be ---- */

/* The letter of its state and the kernel's flags; false: it is not there any more. */
static bool read_state(pid_t pid, char *state, unsigned *flags)
{
	char path[64], text[1024];
	const char *behind;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	text[n] = 0;
	behind = strrchr(text, ')'); /* its name may hold anything */
	return behind && sscanf(behind + 1, " %c %*d %*d %*d %*d %*d %u", state, flags) == 2;
}

static bool tell(struct diags *ds, const char *what, const char *help)
{
	diag_help(ds, diag_add(ds, DIAG_PL407, NO_SPAN, "%s", what), "%s", help);
	return false;
}

static const char list_help[] = "'ps -e' lists the processes that there are; nothing was recorded";

/* The kernel gave no descriptor for it. */
static bool tell_unopened(struct arena *a, pid_t pid, int err, struct diags *ds)
{
	long long group = proc_field(pid, "status", "\nTgid:", "%lld");

	if (err == ESRCH)
		return tell(ds, arena_printf(a, "there is no process %d", (int)pid), list_help);
	if ((err == EINVAL || err == ENOENT) && group > 0 && group != pid)
		return tell(ds, arena_printf(a, "%d is a thread of process %lld", (int)pid, group),
			    arena_printf(a, "'--pid %lld' records all threads of it", group));
	if (err == ENOSYS)
		return tell(ds, "this kernel cannot hold a process by a descriptor",
			    "Linux 5.3 and newer can; a command or a cgroup can be recorded");
	return tell(ds,
		    arena_printf(a, "process %d cannot be watched: %s", (int)pid, strerror(err)),
		    list_help);
}

static bool check(struct arena *a, const struct process *p, struct diags *ds)
{
	char state = 0, exe[PATH_MAX];
	unsigned flags = 0;
	long long uid;

	if (p->pid == getpid())
		return tell(ds, "pale would record itself",
			    "name the process of the workload; 'pale learn -- CMD' starts one");
	if (!read_state(p->pid, &state, &flags))
		return tell(ds, arena_printf(a, "process %d has just ended", (int)p->pid),
			    list_help);
	if (flags & KERNEL_THREAD)
		return tell(ds,
			    arena_printf(a, "%d is a thread of the kernel, which makes no calls",
					 (int)p->pid),
			    "name a process of the workload");
	if (state == 'Z' || state == 'X')
		return tell(ds,
			    arena_printf(a, "process %d has ended, and only waits for its parent",
					 (int)p->pid),
			    "name one that runs; nothing was recorded");
	if (proc_link(p->pid, "exe", exe) || (errno != EACCES && errno != EPERM))
		return true;
	uid = proc_field(p->pid, "status", "\nUid:", "%lld");
	return tell(
		ds,
		arena_printf(a, "process %d, of user %lld, may not be looked at by user %u",
			     (int)p->pid, uid, (unsigned)geteuid()),
		"run pale as root, or as that user; what is not dumpable, or has capabilities that "
		"pale lacks, is out of reach");
}

bool process_open(struct arena *a, pid_t pid, struct process *out, struct diags *ds)
{
	*out = (struct process){ .pid = pid };
	out->fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (out->fd < 0)
		return tell_unopened(a, pid, errno, ds);
	if (check(a, out, ds))
		return true;
	process_close(out);
	return false;
}

bool process_ended(struct process *p)
{
	struct pollfd fd = { .fd = p->fd, .events = POLLIN };

	if (!p->ended)
		p->ended = poll(&fd, 1, 0) == 1;
	return p->ended;
}

void process_close(struct process *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

/* ---- what it is ---- */

const char *process_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void put_shell_word(struct buf *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "%+,-./:=@^_";

	if (*word && word[strspn(word, plain)] == 0) {
		buf_puts(out, word);
		return;
	}
	buf_putc(out, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			buf_puts(out, "'\\'");
		buf_putc(out, *word);
	}
	buf_putc(out, '\'');
}

const char *process_command(struct arena *a, const char *const *argv)
{
	BUF_AUTO out = { 0 };

	for (; *argv; argv++) {
		if (out.n)
			buf_putc(&out, ' ');
		put_shell_word(&out, *argv);
	}
	return buf_keep(a, &out);
}

/* Its arguments, NULL-ended; none where it has overwritten or hidden them. */
static const char *const *read_arguments(struct arena *a, pid_t pid)
{
	char path[64], *text = arena_alloc(a, ARGUMENTS_MOST + 1);
	VEC(const char *) words = { 0 };
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, ARGUMENTS_MOST);
		close(fd);
	}
	text[n > 0 ? n : 0] = 0;
	for (const char *w = text; w < text + n; w += strlen(w) + 1)
		vec_push(a, &words, w);
	vec_push(a, &words, NULL);
	return (const char *const *)words.v;
}

void process_describe(struct arena *a, const struct process *p, bool no_arguments,
		      struct recorded_run *run)
{
	const char *const *argv = read_arguments(a, p->pid);
	long long caps = proc_field(p->pid, "status", "\nCapEff:", "%llx");
	char exe[PATH_MAX], proc[64];
	struct stat st;

	snprintf(proc, sizeof(proc), "/proc/%d/exe", (int)p->pid);
	if (proc_link(p->pid, "exe", exe)) {
		if (!stat(proc, &st))
			exe[proc_bare_length(exe, &st)] = 0;
		run->program = arena_strdup(a, exe);
		run->name = arena_strdup(a, process_base(exe));
	}
	if (argv[0] && !no_arguments)
		run->command = process_command(a, argv);
	if (caps >= 0)
		run->caps_held = (uint64_t)caps;
}
