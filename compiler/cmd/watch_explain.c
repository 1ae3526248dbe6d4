/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/cmd/watch_explain.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXPLAINED_MAX = 16384, EXPLAIN_MS = 5000 };

/* ---- the files ---- */

static int load_one(struct explain *e, const struct options *o, const char *path)
{
	struct explained_file *f = ARENA_NEW(e->s->arena, struct explained_file);
	int status;

	*f = (struct explained_file){ .by.s = e->s,
				      .denials = { .s = e->s, .options = o },
				      .shown = str_safe(e->s->arena, path) };
	f->apparmor = apparmor_asked(e->s, o, path);
	if (environment_options(o, &f->by.opt.resolve))
		return EXIT_USAGE;
	if (f->apparmor) {
		status = denials_open(&f->denials, path);
	} else {
		f->by.dd = dd_new(e->s->arena, DECIDE_BUDGET);
		status = why_file_load(e->s, o, path, &f->by);
	}
	if (status) {
		session_report(e->s);
		return status;
	}
	e->s->diags->list.n = 0; /* notes about the file are not what was asked for */
	if (!f->apparmor)
		(void)why_file_policy(&f->by, &f->denials);
	vec_push(e->s->arena, &e->files, f);
	return EXIT_OK;
}

int explain_load(struct explain *e, const struct options *o)
{
	int status = EXIT_OK;

	for (int i = 0; !status && i < o->n; i++)
		status = load_one(e, o, o->operands[i]);
	return status;
}

/* ---- in the child ---- */

static void put_file(struct explained_file *f, const struct watch_record *r, struct buf *out)
{
	struct refused_call call = { .r = r->call, .count = 1 };

	if (!r->apparmor && !f->apparmor) {
		refused_put_file(out, &f->by, &call);
	} else if (r->apparmor && (f->apparmor || f->denials.policy)) {
		if (!denials_add(&f->denials, r->line))
			denials_put(&f->denials, out);
	}
}

/* The answers stand behind two blanks; what does not is about whom was asked. */
static void put_answers(struct buf *out, struct str text, const char *of)
{
	bool begun = false;

	while (text.n) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t n = end ? (size_t)(end - text.p) : text.n;

		if (n > 2 && !memcmp(text.p, "  ", 2)) {
			if (of && !begun)
				buf_printf(out, "of %s:\n", of);
			begun = true;
			buf_add(out, text.p + 2, n - 2);
			buf_putc(out, '\n');
		}
		text = (struct str){ text.p + n + (end != NULL), text.n - n - (end != NULL) };
	}
}

static _Noreturn void answer(const struct explain *e, const struct watch_record *r, int to)
{
	BUF_AUTO all = { 0 };

	vec_each(&e->files, f) {
		BUF_AUTO text = { 0 };
		put_file(*f, r, &text);
		put_answers(&all, (struct str){ text.p, text.n },
			    e->files.n > 1 ? (*f)->shown : NULL);
	}
	if (!all.n)
		buf_puts(&all, "no file given speaks of it\n");
	for (size_t at = 0; at < all.n && at < EXPLAINED_MAX;) {
		ssize_t n = write(to, all.p + at, all.n - at);
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	_exit(0);
}

/* ---- outside ---- */

static bool read_answer(int from, struct buf *out)
{
	char text[4096];

	while (out->n < EXPLAINED_MAX) {
		struct pollfd p = { .fd = from, .events = POLLIN };
		int ready = poll(&p, 1, EXPLAIN_MS);
		ssize_t n = ready > 0 ? read(from, text, sizeof(text)) : ready;

		if (n < 0 && errno == EINTR)
			continue;
		if (!ready || n <= 0)
			return ready && !n;
		buf_add(out, text, (size_t)n);
	}
	return true;
}

bool explain_put(const struct explain *e, const struct watch_record *r, struct buf *out)
{
	int ends[2], status = 0;

	if (!e->files.n)
		return true;
	if (pipe2(ends, O_CLOEXEC))
		return false;
	pid_t child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		answer(e, r, ends[1]);
	}
	close(ends[1]);
	bool whole = child > 0 && read_answer(ends[0], out);
	close(ends[0]);
	if (child > 0) {
		if (!whole)
			kill(child, SIGKILL);
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
	}
	return whole && WIFEXITED(status) && !WEXITSTATUS(status);
}
