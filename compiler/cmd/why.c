/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pale why: from what the kernel's log (audit types 1326 and 1400) or a live process shows to the
 * rule that refused, and the line that would allow it.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "compiler/cmd/dump.h"
#include "compiler/cmd/options.h"
#include "compiler/cmd/runtime.h"
#include "compiler/cmd/why_file.h"
#include "compiler/file/journal.h"
#include "compiler/file/lines.h"

enum { LINE_MAX_BYTES = 1 << 20, EVENTS_MAX = 4096 };

struct why {
	struct session *s;
	const char *file; /* NULL: none */
	const struct options *options;
	struct refusing by;              /* the file */
	VEC(struct refused_call) events; /* records that say the same, once */
	size_t more;                     /* past EVENTS_MAX */
	struct denials denials;          /* AppArmor's */
	struct {
		uint64_t lines; /* that look like records of AppArmor's, and are not the kernel's */
		uint64_t first; /* the number of the first one */
		const char *why;
	} foreign;
	bool says_apparmor; /* a line holds "apparmor=" */
};

/* ---- records ---- */

static void add_record(struct why *w, const struct audit_record *r)
{
	vec_each(&w->events, k)
		if (k->r.audit == r->audit && k->r.nr == r->nr && k->r.answered == r->answered &&
		    verdict_eq(k->r.verdict, r->verdict) && !strcmp(k->r.comm, r->comm)) {
			k->count++;
			return;
		}
	if (w->events.n < EVENTS_MAX)
		vec_push(w->s->arena, &w->events, ((struct refused_call){ .r = *r, .count = 1 }));
	else
		w->more++;
}

/* where: "", or "line 3 of standard input: " */
static void bad_line(struct why *w, struct span sp, const char *where, const char *what)
{
	struct diag *d =
		diag_add(w->s->diags, DIAG_PL283, sp, "%sno seccomp record: %s", where, what);

	diag_help(w->s->diags, d,
		  "a record looks like 'type=1326 audit(...): ... comm=\"x\" sig=31 "
		  "arch=c000003e syscall=101 compat=0 ip=0x... code=0x80000000'; 'dmesg' and "
		  "'ausearch -m SECCOMP' show them");
}

static void bad_denial(struct why *w, struct span sp, const char *where, const char *what)
{
	struct diag *d =
		diag_add(w->s->diags, DIAG_PL416, sp, "%sno AppArmor record: %s", where, what);

	diag_help(w->s->diags, d,
		  "a record looks like 'type=1400 audit(...): apparmor=\"DENIED\" "
		  "operation=\"open\" profile=\"web\" name=\"/etc/shadow\" ... "
		  "denied_mask=\"r\" fsuid=33 ouid=0'; 'dmesg' and 'ausearch -m AVC,USER_AVC' "
		  "show them whole");
}

static void no_record(struct why *w, struct span sp, const char *where)
{
	if (w->says_apparmor)
		bad_denial(w, sp, where,
			   "no line has apparmor=\"DENIED\" or the like, nor type=1326 or "
			   "type=SECCOMP");
	else
		bad_line(
			w, sp, where,
			"no line has type=1326 or type=SECCOMP, nor apparmor=\"DENIED\" or the like");
}

/* Is it a record? What is wrong with it is told. */
static bool read_line(struct why *w, struct str line, struct span sp, const char *where)
{
	struct audit_record r;
	const char *wrong;

	if (audit_is_record(line)) {
		wrong = audit_read(line, &r);
		if (wrong)
			bad_line(w, sp, where, wrong);
		else
			add_record(w, &r);
		return true;
	}
	if (!denied_is_record(line))
		return false;
	wrong = denials_add(&w->denials, line);
	if (wrong)
		bad_denial(w, sp, where, wrong);
	return true;
}

/* Such a text that something else than the kernel or the bus wrote; NULL: it is none. */
static const char *foreign(struct str line, enum journal_origin from)
{
	return denied_is_record(line) && !audit_is_record(line) ? denied_foreign(line, from) : NULL;
}

/* What is no record, may have been meant for one of AppArmor's. */
static void note_apparmor(struct why *w, struct str line)
{
	w->says_apparmor |= memmem(line.p, line.n, "apparmor=", strlen("apparmor=")) != NULL;
}

/* One line alone must be a record; who hands over the text of one, without its head, knows whose it is. */
static void read_word(struct why *w, const char *text)
{
	const struct source *src = source_add(w->s->sources, "<line>", str_c(text));
	struct span sp = { src->id, 0, (uint32_t)src->text.n };
	enum journal_origin from = JOURNAL_UNTOLD;
	struct str line = src->text;
	const char *why;

	journal_message(w->s->arena, line, &line, &from);
	note_apparmor(w, line);
	why = from == JOURNAL_UNTOLD && str_starts(line, "apparmor=") ? NULL : foreign(line, from);
	if (why)
		bad_denial(w, sp, "", why);
	else if (!read_line(w, line, sp, ""))
		no_record(w, sp, "");
	else if (w->denials.nothing)
		bad_denial(w, sp, "", "it tells what became of policy, and asks nothing");
}

static void tell_cut(struct why *w, const char *where)
{
	struct diag *d = diag_add(w->s->diags, DIAG_PL240, NO_SPAN,
				  "%sit has more than %d bytes, and whether it is a record is not "
				  "known",
				  where, LINE_MAX_BYTES);

	diag_help(w->s->diags, d,
		  "'journalctl -o json --output-fields=MESSAGE,_TRANSPORT' leaves the rest out");
}

static void read_input_line(struct why *w, const struct lines *lines, struct str line, bool cut)
{
	bool journal = journal_is(line);
	char where[64];

	snprintf(where, sizeof(where),
		 "line %llu of standard input: ", (unsigned long long)lines->number);
	if (journal && cut) { /* the message may stand behind */
		tell_cut(w, where);
		return;
	}
	struct arena *a = journal ? arena_scratch(w->s->arena) : NULL;
	enum journal_origin from = JOURNAL_UNTOLD;
	if (journal)
		journal_message(a, line, &line, &from);
	note_apparmor(w, line);
	const char *why = foreign(line, from);
	if (why && !w->foreign.lines++) {
		w->foreign.first = lines->number;
		w->foreign.why = why;
	}
	if (!why)
		read_line(w, line, NO_SPAN, where);
	arena_free(a);
}

/* Nobody is to be told to allow what a program made up. */
static void tell_foreign(struct why *w)
{
	struct diag *d;

	if (!w->foreign.lines)
		return;
	d = diag_add(w->s->diags, DIAG_PL419, NO_SPAN,
		     "standard input: %llu line%s like AppArmor's records and %s not the kernel's; "
		     "line %llu: %s",
		     (unsigned long long)w->foreign.lines,
		     w->foreign.lines == 1 ? " looks" : "s look",
		     w->foreign.lines == 1 ? "is" : "are", (unsigned long long)w->foreign.first,
		     w->foreign.why);
	diag_help(
		w->s->diags, d,
		"the kernel's begin 'type=1400 audit(...): apparmor=' or 'type=AVC "
		"msg=audit(...): apparmor=', and in the journal's JSON their _TRANSPORT is kernel "
		"or audit");
}

/* Of many lines what is no record is passed over. 0, or -errno of read(2). */
static int read_input(struct why *w)
{
	struct lines lines;
	struct str line;
	bool cut;
	int more;

	lines_open(&lines, w->s->arena, STDIN_FILENO, LINE_MAX_BYTES);
	while ((more = lines_next(&lines, &line, &cut)) > 0)
		read_input_line(w, &lines, line, cut);
	tell_foreign(w);
	if (!more && !w->events.n && !w->denials.kinds.n && !w->s->diags->errors)
		no_record(w, NO_SPAN, "standard input: ");
	return more;
}

/* ---- a process ---- */

static int why_process(struct why *w, pid_t pid, struct buf *out)
{
	struct held_call call;
	struct held h;
	struct refused_call e = { .has_args = true, .count = 1 };
	int err = held_call(pid, &call);

	if (err == -ESRCH || err == -ENOENT) {
		tell("pale why: there is no process %d", (int)pid);
		return EXIT_SYSTEM;
	}
	if (err) {
		tell("pale why: cannot read /proc/%d/syscall: %s; it needs CAP_SYS_PTRACE",
		     (int)pid, strerror(-err));
		return EXIT_SYSTEM;
	}
	int status = dump_read(w->s, "why", pid, &h);
	if (status)
		return status;
	if (call.state != HELD_IN_CALL) {
		buf_printf(out,
			   "process %d (%s) is in no call now: %s; it has %zu filter%s ('pale dump "
			   "--pid %d')\n",
			   (int)pid, str_safe(w->s->arena, h.name),
			   call.state == HELD_RUNNING ? "it runs" : "it is stopped outside of one",
			   h.filters.n, h.filters.n == 1 ? "" : "s", (int)pid);
		return EXIT_OK;
	}
	if (!h.audit) { /* the same number is another call to another architecture */
		tell("pale why: this kernel does not tell which architecture's call process %d is "
		     "in; 5.3 and newer do",
		     (int)pid);
		return EXIT_SYSTEM;
	}
	e.r.audit = h.audit;
	e.r.nr = call.nr;
	memcpy(e.args, call.args, sizeof(e.args));
	audit_keep_word(e.r.comm, str_c(h.name));
	snprintf(e.r.pid, sizeof(e.r.pid), "%d", (int)pid);
	buf_puts(out, "in the call ");
	refused_put_call(out, &w->by, &e);
	refused_put_filters(out, &h, &e);
	if (w->file)
		refused_put_file(out, &w->by, &e);
	return EXIT_OK;
}

/* ---- the command ---- */

static int why_lines(struct why *w, const char *line, struct buf *out)
{
	int err = 0;

	if (strcmp(line, "-") != 0)
		read_word(w, line);
	else
		err = read_input(w);
	if (err) {
		tell("pale why: standard input: %s", strerror(-err));
		return EXIT_SYSTEM;
	}
	vec_each(&w->events, e) {
		if (refusing_turn(&w->by, e))
			break; /* reported below */
		refused_put_call(out, &w->by, e);
		if (w->file && !w->denials.shown)
			refused_put_file(out, &w->by, e);
		else
			refused_put_alone(out, e);
	}
	if (w->more)
		buf_printf(out,
			   "and %zu records more, of other calls: %d kinds are told apart; 'grep' "
			   "for a comm= or a syscall= leaves fewer\n",
			   w->more, EVENTS_MAX);
	denials_put(&w->denials, out);
	return session_report(w->s) ? EXIT_FOUND : EXIT_OK;
}

static int why(struct why *w, pid_t pid, char **argv, int n)
{
	BUF_AUTO out = { 0 };
	int status = EXIT_OK;

	w->file = argv[pid ? 0 : 1];
	if (n < (pid ? 1 : 2))
		w->file = NULL;
	w->by.dd = dd_new(w->s->arena, DECIDE_BUDGET);
	bool apparmor = w->file && apparmor_asked(w->s, w->options, w->file);
	if (!w->file && apparmor_options_given(w->options))
		return usage_error(w->options->command, "--%s is about a FILE",
				   apparmor_options_given(w->options));
	if (!apparmor_options_fit(w->options, apparmor ? ASKS_APPARMOR : ASKS_POLICY))
		return EXIT_USAGE;
	if (apparmor && pid)
		return usage_error(w->options->command,
				   "--pid looks at a call, and AppArmor decides none");
	if (w->file)
		status = apparmor ? denials_open(&w->denials, w->file) :
				    why_file_load(w->s, w->options, w->file, &w->by);
	if (!status && w->file && !apparmor && !why_file_policy(&w->by, &w->denials) &&
	    !apparmor_options_fit(w->options, ASKS_CALLS))
		return EXIT_USAGE;
	if (status) {
		session_report(w->s);
		return status;
	}
	w->s->diags->list.n = 0; /* notes about the file are not what was asked for */
	status = pid ? why_process(w, pid, &out) : why_lines(w, argv[0], &out);
	if (out.n && write_output(NULL, &out, 0))
		return EXIT_SYSTEM;
	return status;
}

/* -1: go on; else the exit status. */
static int read_options(struct why *w)
{
	const struct options *o = w->options;
	bool pid = o->at[OPT_PID].given, as = o->at[OPT_LOADED_AS].given;

	w->by.opt.policy = o->at[OPT_POLICY].text;
	if (environment_options(o, &w->by.opt.resolve))
		return EXIT_USAGE;
	if ((as || o->at[OPT_RUNTIME].given) && o->n < (pid ? 1 : 2))
		return usage_error(o->command, "--%s is about a FILE", as ? "as" : "runtime");
	if (pid && o->n > 1)
		return usage_error(o->command, "one FILE at most");
	if (!pid && (o->n < 1 || o->n > 2))
		return usage_error(o->command,
				   "an audit line ('-': standard input) and perhaps a FILE");
	return as ? -1 : runtime_given(w->s, o, &w->by.opt.runtime);
}

int cmd_why(int argc, char **argv)
{
	struct options o = { 0 };
	struct session s;

	session_open(&s);
	struct why *w = ARENA_NEW(s.arena, struct why);
	*w = (struct why){
		.s = &s, .options = &o, .by.s = &s, .denials = { .s = &s, .options = &o }
	};
	int status = options_read(&s, argc, argv, &o);
	if (status < 0)
		status = read_options(w);
	if (status < 0)
		status = why(w, (pid_t)o.at[OPT_PID].number, o.operands, o.n);
	return session_end(&s, status);
}
