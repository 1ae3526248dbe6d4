/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What apparmor_parser answers to a profile: its exit status decides, and what it says stands
 * at the file and line that it names. The text reaches it as /proc/self/fd/0, so that it names
 * a file at all: of standard input it gives bare line numbers, also for lines of an include.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/cmd/check.h"
#include "compiler/enforce/enforce.h"

#define FEATURES "/usr/share/apparmor-features/features"
#define SELF     "/proc/self/fd/0"

enum {
	LIMIT_MS = 60000,     /* a hostile profile can keep the parser busy for hours */
	SAID_MAX = 1 << 20,   /* bytes of what it says that are read */
	DESCRIPTORS = 32,     /* includes within includes, each held open */
	TOLD_BEFORE = 64,     /* notices among which one is looked for again */
	ENDED_BY_SIGNAL = 256 /* + the signal: no exit status is that large */
};

struct asking {
	struct session *session;
	const struct parser_question *q;
	bool refused;
};

/* ---- running it ---- */

/* A file without a name that holds text; -errno. */
static int text_fd(struct str text)
{
	int fd = memfd_create("pale-check", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	for (size_t done = 0; done < text.n;) {
		ssize_t n = write(fd, text.p + done, text.n - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int err = -errno;
			close(fd);
			return err;
		}
		done += (size_t)n;
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* Its exit status, ENDED_BY_SIGNAL + n, or -errno; -ETIMEDOUT: it was ended, its jobs with it. */
static int wait_parser(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0), ready = 1, status;

	if (fd >= 0) {
		struct pollfd poller = { .fd = fd, .events = POLLIN };
		do
			ready = poll(&poller, 1, LIMIT_MS);
		while (ready < 0 && errno == EINTR);
		close(fd);
	}
	if (!ready)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (!ready)
		return -ETIMEDOUT;
	return WIFEXITED(status) ? WEXITSTATUS(status) : ENDED_BY_SIGNAL + WTERMSIG(status);
}

static int spawn_parser(const char *const *argv, int in, int out, pid_t *pid)
{
	/* posix_spawn() takes these without const for history's sake, and does not write to them.
	 */
	char *const *args = (char *const *)(uintptr_t)argv;
	char *env[] = { (char[]){ "LC_ALL=C" }, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int err = posix_spawn_file_actions_init(&files);

	if (err)
		return -err;
	err = posix_spawnattr_init(&attr);
	if (!err) {
		err = posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
		err = err ? err : posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
		err = err ? err : posix_spawn_file_actions_adddup2(&files, out, STDERR_FILENO);
		posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP);
		err = err ? err : posix_spawnp(pid, profile_parser(), &files, &attr, args, env);
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&files);
	return -err;
}

static const char *const *arguments(struct arena *a, const char *const *includes)
{
	VEC(const char *) v = { 0 };

	vec_push(a, &v, "apparmor_parser");
	vec_push(a, &v, "-Q");
	vec_push(a, &v, "-K");
	vec_push(a, &v, "--warn=all");
	if (!access(FEATURES, R_OK)) {
		vec_push(a, &v, "-M");
		vec_push(a, &v, FEATURES);
	}
	for (; includes && *includes; includes++) {
		vec_push(a, &v, "-I");
		vec_push(a, &v, *includes);
	}
	vec_push(a, &v, SELF);
	vec_push(a, &v, NULL);
	return v.v;
}

static int read_said(int fd, struct buf *said)
{
	char block[4096];
	ssize_t n = 1;

	lseek(fd, 0, SEEK_SET);
	while (n && said->n < SAID_MAX) {
		n = read(fd, block, sizeof(block));
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			buf_add(said, block, (size_t)n);
	}
	return 0;
}

/* Where they end it says that an include "could not be opened", and nothing of why. */
static int check_descriptors(void)
{
	struct rlimit limit;

	return !getrlimit(RLIMIT_NOFILE, &limit) && limit.rlim_cur < DESCRIPTORS ? -EMFILE : 0;
}

static int run_parser(struct asking *k, struct buf *said)
{
	int status = check_descriptors();
	int in = status ? status : text_fd(k->q->text), out = in < 0 ? in : text_fd(STR(""));
	pid_t pid;

	status = out;
	if (in >= 0 && out >= 0)
		status = spawn_parser(arguments(k->session->arena, k->q->includes), in, out, &pid);
	if (!status || status == out)
		status = out < 0 ? out : wait_parser(pid);
	if (status >= 0) {
		int err = read_said(out, said);
		status = err ? err : status;
	}
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return status;
}

/* ---- what it says ---- */

static struct span line_span(const struct source *src, uint32_t line)
{
	size_t begin = 0;

	for (uint32_t at = 1; at < line; at++) {
		const char *nl = memchr(src->text.p + begin, '\n', src->text.n - begin);
		if (!nl || (size_t)(nl - src->text.p) + 1 >= src->text.n)
			break;
		begin = (size_t)(nl - src->text.p) + 1;
	}
	while (begin < src->text.n && (src->text.p[begin] == ' ' || src->text.p[begin] == '\t'))
		begin++;
	const char *end = memchr(src->text.p + begin, '\n', src->text.n - begin);
	return (struct span){ src->id, (uint32_t)begin,
			      (uint32_t)(end ? (size_t)(end - src->text.p) : src->text.n) };
}

/* " line 12" at a place that ends there: the number; 0: there is none. */
static uint32_t number_at(struct str s)
{
	uint32_t n = 0;

	for (size_t i = 0; i < s.n && s.p[i] >= '0' && s.p[i] <= '9' && n < 100000000; i++)
		n = n * 10 + (uint32_t)(s.p[i] - '0');
	return n;
}

static const char *find(struct str s, const char *what)
{
	return memmem(s.p, s.n, what, strlen(what));
}

static struct str behind(struct str s, const char *p, size_t skip)
{
	size_t at = (size_t)(p - s.p) + skip;

	return (struct str){ s.p + at, s.n - at };
}

struct notice {
	struct str file; /* empty: none is named */
	uint32_t line;
	struct str text;
};

/*
 * The shapes of 3.0 to 4.1 (common_optarg.h, parser_common.c, parser_misc.c):
 *	Warning from FILE (FILE line N): TEXT
 *	AppArmor parser error for FILE in profile FILE at line N: TEXT
 */
static struct notice read_notice(struct str s)
{
	struct notice none = { .text = s }, n = { 0 };
	bool warns = str_starts(s, "Warning from ");
	const char *open = warns ? find(s, " (") : find(s, " in ");
	const char *line = open ? find(behind(s, open, 0), warns ? " line " : " at line ") : NULL;

	if (!line || (!warns && !str_starts(s, "AppArmor parser error")))
		return none;
	struct str rest = behind(s, line, warns ? 6 : 9);
	const char *text = find(rest, ": ");
	n.line = number_at(rest);
	n.file = (struct str){ open + (warns ? 2 : 4), (size_t)(line - open) - (warns ? 2 : 4) };
	if (!warns && str_starts(n.file, "profile "))
		n.file = behind(n.file, n.file.p, 8);
	if (!text || !n.line)
		return none;
	n.text = behind(rest, text, 2);
	return n;
}

/*
 * Of its cache it says each time that it is off; and of every `network unix` rule that it
 * becomes a generic network rule under features without unix mediation, which are our choice.
 */
static bool is_noise(struct str line)
{
	return !line.n || str_starts(line, "Cache read/write disabled") ||
	       find(line, "downgrading extended network unix socket rule to generic");
}

/* Where it is about; of a file that cannot be read here the text says it. */
static struct span place_of(struct asking *k, const struct notice *n)
{
	struct source *src = NULL;

	if (str_is(n->file, SELF))
		return line_span(k->q->source, n->line);
	if (n->file.n &&
	    !source_load_regular(k->session->sources, str_dup(k->session->arena, n->file), &src))
		return line_span(src, n->line);
	return k->q->whole;
}

static bool told_before(const struct diags *ds, enum diag_id id, struct span sp, const char *text)
{
	size_t first = ds->list.n > TOLD_BEFORE ? ds->list.n - TOLD_BEFORE : 0;

	for (size_t i = first; i < ds->list.n; i++) {
		const struct diag *d = ds->list.v[i];
		if (d->id == id && d->span.source == sp.source && d->span.begin == sp.begin &&
		    !strcmp(d->text, text))
			return true;
	}
	return false;
}

static void tell_line(struct asking *k, struct str line, int status)
{
	static const char prefix[] = "apparmor_parser: ";
	struct diags *ds = k->session->diags;
	struct notice n = read_notice(line);
	struct span sp = place_of(k, &n);
	bool error = status && !str_starts(line, "Warning");
	enum diag_id id = error ? DIAG_PL143 : DIAG_PL150;
	BUF_AUTO text = { 0 };

	buf_puts(&text, prefix);
	if (n.file.n && sp.source == k->q->whole.source && !str_is(n.file, SELF)) {
		buf_safe(&text, n.file);
		buf_printf(&text, " line %u: ", n.line);
	}
	buf_safe(&text,
		 str_starts(n.text, prefix) ? behind(n.text, n.text.p, strlen(prefix)) : n.text);
	k->refused |= error;
	if (!told_before(ds, id, sp, text.p))
		diag_add(ds, id, sp, "%s", text.p);
}

static void tell_lines(struct asking *k, const struct buf *said, int status)
{
	for (size_t at = 0; at < said->n;) {
		const char *nl = memchr(said->p + at, '\n', said->n - at);
		struct str line = { said->p + at,
				    nl ? (size_t)(nl - (said->p + at)) : said->n - at };
		at += line.n + 1;
		if (!is_noise(line))
			tell_line(k, line, status);
	}
}

/* Where it can start no process of its own it ends with that errno, and without a word. */
static int as_shortage(int status, const struct buf *said)
{
	bool is_short =
		status == EAGAIN || status == ENOMEM || status == EMFILE || status == ENFILE;

	return is_short && !said->n ? -status : status;
}

enum parser_answer parser_ask(struct session *s, const struct parser_question *q)
{
	struct asking k = { .session = s, .q = q };
	BUF_AUTO said = { 0 };
	int status = as_shortage(run_parser(&k, &said), &said);

	if (status == -ENOENT)
		return PARSER_NOT_THERE;
	if (status == -ETIMEDOUT) {
		diag_add(s->diags, DIAG_PL143, q->whole, "apparmor_parser took more than %d s",
			 LIMIT_MS / 1000);
		return PARSER_REFUSES;
	}
	if (status < 0 || status >= ENDED_BY_SIGNAL) {
		diag_add(s->diags, DIAG_PL020, q->whole, "apparmor_parser could not be asked: %s",
			 status < 0 ? strerror(-status) :
				      arena_printf(s->arena, "signal %d ended it",
						   status - ENDED_BY_SIGNAL));
		return PARSER_SHORT;
	}
	tell_lines(&k, &said, status);
	if (status && !k.refused)
		diag_add(s->diags, DIAG_PL143, q->whole,
			 "apparmor_parser refuses it with status %d and "
			 "does not say why",
			 status);
	return status ? PARSER_REFUSES : PARSER_TAKES;
}
