/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/cmd/sim_accesses.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "compiler/apparmor/access_raw.h"
#include "compiler/cmd/cmd.h"
#include "compiler/file/lines.h"

enum { RAW_FLUSH = 1 << 16, RAW_KEPT = 64 }; /* lines whose memory is kept at a time */

struct raw {
	struct session *session;
	struct aa_asking q; /* its arena is scratch */
	const struct source *nowhere;
	struct arena *scratch;
	unsigned kept;
	struct buf out;
	char room[AA_RAW_MAX];
};

static int bad_line(struct raw *r, uint64_t line, const char *why)
{
	struct diag *d = diag_add(r->session->diags, DIAG_PL372, NO_SPAN,
				  "line %llu of standard input: %s", (unsigned long long)line, why);

	diag_help(r->session->diags, d,
		  "such as, with a TAB between two words: open /etc/passwd r");
	return EXIT_FOUND;
}

static int not_answered(struct raw *r, uint64_t line)
{
	diag_add(r->session->diags, DIAG_PL374, NO_SPAN,
		 "line %llu of standard input is not answered", (unsigned long long)line);
	return EXIT_FOUND;
}

/* What is no file reads as it does in a command, blanks and TABs alike. */
static int other_line(struct raw *r, struct str text, uint64_t line)
{
	struct sources *sources = sources_new(r->scratch);
	struct diags *ds = diags_new(r->scratch, sources);
	struct str kept = { str_dup(r->scratch, text), text.n };
	struct aa_access access;
	bool read = aa_access_read(r->scratch, source_add(sources, "<access>", kept), &access, ds);

	if (read && aa_can_ask(&r->q, &access, ds)) {
		access_put_brief(&r->q, &access, &r->out);
		return EXIT_OK;
	}
	struct source *src = source_add(r->session->sources, "<access>",
					(struct str){ str_dup(r->session->arena, kept), kept.n });
	bad_line(r, line, "it is no access that is answered");
	if (aa_access_read(r->session->arena, src, &access, r->session->diags))
		aa_can_ask(&r->q, &access, r->session->diags);
	return EXIT_FOUND;
}

static int raw_line(struct raw *r, struct str text, uint64_t line)
{
	struct aa_access access;
	const char *why;

	if (!aa_raw_is_file(text))
		return other_line(r, text, line);
	why = aa_raw_read(text, r->room, &access);
	if (why)
		return bad_line(r, line, why);
	access.source = r->nowhere;
	if (!aa_can_ask(&r->q, &access, r->session->diags))
		return not_answered(r, line);
	access_put_brief(&r->q, &access, &r->out);
	return EXIT_OK;
}

static int raw_flush(struct raw *r)
{
	bool ok = fwrite(r->out.p ? r->out.p : "", 1, r->out.n, stdout) == r->out.n;

	r->out.n = 0;
	return ok ? EXIT_OK : EXIT_SYSTEM;
}

/* What lines took is given back from time to time; the answers of paths take nothing. */
static void renew(struct raw *r)
{
	if (++r->kept < RAW_KEPT)
		return;
	arena_free(r->scratch);
	r->scratch = arena_scratch(r->session->arena);
	r->q.arena = r->scratch;
	r->kept = 0;
}

int accesses_raw(struct session *s, const struct aa_asking *q)
{
	struct raw *r = ARENA_NEW(s->arena, struct raw);
	int status = EXIT_OK, more = 0;
	struct lines lines;
	struct str line;
	bool cut;

	r->session = s;
	r->q = *q;
	r->scratch = r->q.arena = arena_scratch(s->arena);
	r->nowhere = source_add(s->sources, "<standard input>", str_c(""));
	lines_open(&lines, s->arena, STDIN_FILENO, AA_RAW_MAX);
	while (!status && (more = lines_next(&lines, &line, &cut)) > 0) {
		status = cut ? bad_line(r, lines.number, "it is longer than 8192 bytes") :
			       raw_line(r, line, lines.number);
		if (!status)
			buf_putc(&r->out, '\n');
		if (!status && r->out.n >= RAW_FLUSH)
			status = raw_flush(r);
		renew(r);
	}
	if (more < 0) {
		tell("pale sim: standard input: %s", strerror(-more));
		status = EXIT_SYSTEM;
	}
	if (raw_flush(r) || fflush(stdout)) {
		tell("pale sim: cannot write: %s", strerror(errno));
		status = EXIT_SYSTEM;
	}
	buf_free(&r->out);
	return status;
}
