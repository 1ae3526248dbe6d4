/* SPDX-License-Identifier: Apache-2.0 */
/* pale lsp: the language server on standard input and output; it lints as `pale lint` does. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "compiler/cmd/lint_run.h"
#include "compiler/lsp/lsp.h"

enum {
	KEPT_MAX = 64 << 20, /* bytes of what is kept from one linting to the next */
	READ_MAX = 1 << 16,
};

/* What is linted, and what was read for it: renewed when files may have changed, or when it is much. */
struct serving {
	const struct options *options;
	struct session *session; /* the command's */
	struct session all;      /* that of the linting at hand, and of those before it */
	struct lint_run run;
	bool open;
	int status;                     /* of opening it */
	const struct oci_runtime *here; /* the installed one: asked once */
	bool here_asked;
	lsp_findings_fn *put; /* who asked */
	void *to;
};

/* ---- the host ---- */

static void close_run(struct serving *v)
{
	if (!v->open)
		return;
	if (v->run.here_asked && !v->here_asked && v->run.here)
		v->here = arena_dup(v->session->arena, v->run.here, sizeof(*v->run.here));
	v->here_asked |= v->run.here_asked;
	lint_run_end(&v->run);
	session_end(&v->all, EXIT_OK);
	v->open = false;
}

static void forget(void *who)
{
	close_run(who);
}

static void open_run(struct serving *v)
{
	if (v->open && arena_size(v->all.arena) > KEPT_MAX)
		close_run(v);
	if (v->open)
		return;
	session_open(&v->all);
	v->open = true;
	v->run = (struct lint_run){ .here = v->here, .here_asked = v->here_asked };
	v->status = lint_run_open(&v->run, &v->all, v->options);
}

/* The first error in what configures the run or a file, of those that were not told; NULL: none. */
static const char *first_error(const struct session *s)
{
	vec_each(&s->diags->list, d) {
		const struct source *src = source_of(s->sources, (*d)->span);

		if ((*d)->severity != SEVERITY_ERROR)
			continue;
		if (!src)
			return arena_printf(s->arena, "pale: %s", (*d)->text);
		return arena_printf(s->arena, "pale: %s:%u: %s", str_safe(s->arena, src->name),
				    source_place(src, (*d)->span.begin).line, (*d)->text);
	}
	return NULL;
}

static void put_findings(struct lint_run *r, const struct findings *all)
{
	struct serving *v = r->who;

	v->put(v->to, all, r->options->at[OPT_RULE_PAGES].text);
}

static void put_nothing(struct lint_run *r, const struct findings *all)
{
	(void)r;
	(void)all;
}

/* What is wrong with pale.toml is told in the client's log, too: standard error. */
static const char *lint_it(struct serving *v, const struct lsp_file *file)
{
	struct str text = file->text;
	const char *why;

	open_run(v);
	v->run.who = v;
	v->run.text = &text;
	if (!v->status)
		lint_run_file(&v->run, file->path, file->guessed);
	v->run.text = NULL;
	why = first_error(&v->all);
	session_report(&v->all);
	return why;
}

static const char *lint(void *who, const struct lsp_file *file, lsp_findings_fn *put, void *to)
{
	struct serving *v = who;

	open_run(v);
	v->put = put;
	v->to = to;
	v->run.put = put_findings;
	return lint_it(v, file);
}

static void fixes(void *who, const struct lsp_file *file, struct span at, lsp_fix_fn *put, void *to)
{
	struct lint_offer offer = { .begin = at.begin, .end = at.end, .put = put, .to = to };
	struct serving *v = who;

	open_run(v);
	v->run.put = put_nothing;
	v->run.fixing = (struct lint_fixing){ .on = true, .unsafe = true, .offer = &offer };
	lint_it(v, file);
	v->run.fixing = (struct lint_fixing){ 0 };
}

static void fix_all(void *who, const struct lsp_file *file, lsp_text_fn *put, void *to)
{
	struct serving *v = who;

	open_run(v);
	v->run.put = put_nothing;
	v->run.fixing = (struct lint_fixing){ .on = true };
	lint_it(v, file);
	const struct buf *out = &v->run.fixing.out;
	if (out->n && !out->failed && !str_eq((struct str){ out->p, out->n }, file->text))
		put(to, (struct str){ out->p, out->n });
	buf_free(&v->run.fixing.out);
	v->run.fixing = (struct lint_fixing){ 0 };
}

static void context(void *who, const char *path, struct lsp_context *out)
{
	struct serving *v = who;
	struct lint_names names;

	*out = (struct lsp_context){ 0 };
	open_run(v);
	if (v->status || !lint_run_names(&v->run, path, &names))
		return;
	*out = (struct lsp_context){ names.set_dirs, names.library };
}

/* ---- standard input and output ---- */

static bool more_waits(void)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&in, 1, 0) > 0 && (in.revents & POLLIN);
}

/* 0, or -errno, told. */
static int send_out(struct buf *out)
{
	int err = out->n ? write_output(NULL, out, 0) : 0;

	buf_free(out);
	*out = (struct buf){ 0 };
	return err;
}

static int serve(struct lsp *l)
{
	char chunk[READ_MAX];
	BUF_AUTO out = { 0 };
	int status;

	for (;;) {
		ssize_t n = read(STDIN_FILENO, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			tell("pale lsp: cannot read standard input: %s", strerror(errno));
			return EXIT_SYSTEM;
		}
		if (!n) { /* the client is gone, and had not said so */
			lsp_ended(l, &status);
			return status;
		}
		lsp_take(l, (struct str){ chunk, (size_t)n }, &out);
		bool ended = lsp_ended(l, &status);
		if (!ended && !more_waits())
			lsp_settle(l, &out);
		if (send_out(&out))
			return EXIT_SYSTEM;
		if (ended)
			return status;
	}
}

int cmd_lsp(int argc, char **argv)
{
	struct options o = { 0 };
	struct session s;

	session_open(&s);
	int status = options_read(&s, argc, argv, &o);
	if (status < 0 && o.n)
		status = usage_error(o.command, "no operand is taken: a client says what is read");
	if (status < 0) {
		struct serving v = { .options = &o, .session = &s };
		struct lsp_host host = { .who = &v,
					 .arena = s.arena,
					 .telling = s.telling,
					 .lint = lint,
					 .fixes = fixes,
					 .fix_all = fix_all,
					 .context = context,
					 .forget = forget };
		struct lsp *l = lsp_new(&host);

		open_run(&v);
		session_report(&v.all);
		status = v.status ? v.status : serve(l);
		close_run(&v);
		lsp_free(l);
	}
	return session_end(&s, status);
}
