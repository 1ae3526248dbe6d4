/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pale why: from what the kernel's log (audit type 1326) or a live process shows to the rule
 * that refused, and the line that would allow it.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/base/json_write.h"
#include "compiler/decision/compare.h"
#include "compiler/file/audit.h"
#include "compiler/file/decide.h"
#include "compiler/tell/decided.h"
#include "compiler/cmd/dump.h"
#include "compiler/file/journal.h"
#include "compiler/file/lines.h"
#include "compiler/cmd/options.h"
#include "compiler/cmd/runtime.h"
#include "compiler/tell/loaded.h"

enum { LINE_MAX_BYTES = 1 << 20, EVENTS_MAX = 4096, ANSWERS_MAX = 64 };

struct event {
	struct audit_record r; /* the first of them */
	bool has_args;
	uint64_t args[6];
	uint64_t count;
};

struct why {
	struct session *s;
	const char *file; /* NULL: none */
	struct decide_options opt;
	struct dd *dd;
	struct decide decide;
	const struct options *options;
	const struct container *loaded;      /* of machines[], that of the record at hand */
	struct container *machines[ARCH_NR]; /* --as: the file loaded on each that was asked for */
	dd_node root;                        /* what the file answers */
	VEC(struct event) events;            /* records that say the same, once */
	size_t more;                         /* events past EVENTS_MAX */
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
		vec_push(w->s->arena, &w->events, ((struct event){ .r = *r, .count = 1 }));
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

/* Is it a record? *wrong: what is wrong with it. */
static bool read_line(struct why *w, struct str line, const char **wrong)
{
	struct audit_record r;

	if (!audit_is_record(line))
		return false;
	*wrong = audit_read(line, &r);
	if (!*wrong)
		add_record(w, &r);
	return true;
}

/* One line alone must be a record. */
static void read_word(struct why *w, const char *text)
{
	const struct source *src = source_add(w->s->sources, "<line>", str_c(text));
	struct span sp = { src->id, 0, (uint32_t)src->text.n };
	struct str line = src->text;
	const char *wrong = NULL;

	journal_message(w->s->arena, line, &line);
	if (!read_line(w, line, &wrong))
		wrong = "no line has type=1326 or type=SECCOMP";
	if (wrong)
		bad_line(w, sp, "", wrong);
}

static void tell_cut(struct why *w, const char *where)
{
	struct diag *d = diag_add(w->s->diags, DIAG_PL240, NO_SPAN,
				  "%sit has more than %d bytes, and whether it is a record is not "
				  "known",
				  where, LINE_MAX_BYTES);

	diag_help(w->s->diags, d,
		  "'journalctl -o json --output-fields=MESSAGE' leaves the rest out");
}

static void read_input_line(struct why *w, const struct lines *lines, struct str line, bool cut)
{
	bool journal = line.n && (*line.p == '{' || *line.p == '\x1e');
	char where[64];
	const char *wrong = NULL;

	snprintf(where, sizeof(where),
		 "line %llu of standard input: ", (unsigned long long)lines->number);
	journal = journal || str_starts(line, "data: ");
	if (journal && cut) { /* the message may stand behind */
		tell_cut(w, where);
		return;
	}
	struct arena *a = journal ? arena_scratch(w->s->arena) : NULL;
	if (journal)
		journal_message(a, line, &line);
	if (read_line(w, line, &wrong) && wrong)
		bad_line(w, NO_SPAN, where, wrong);
	arena_free(a);
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
	if (!more && !w->events.n && !w->s->diags->errors)
		bad_line(w, NO_SPAN, "standard input: ", "no line has type=1326 or type=SECCOMP");
	return more;
}

/* ---- the answer ---- */

/* The machine that made the call: one that is named, this one if it can, or the record's own. */
static enum arch host_of(const struct why *w, const struct event *e)
{
	const struct environment *env = &w->opt.resolve.env;
	uint32_t nr = e->r.nr;
	int native = arch_native(), a = arch_of_call(e->r.audit, &nr);

	if (env->host_known)
		return env->host;
	if (a < 0 || (native >= 0 && env_runs((enum arch)native, (enum arch)a)))
		return (enum arch)native;
	int family = arch_find(str_c(arch_info((enum arch)a)->family));
	return (enum arch)(family < 0 ? a : family);
}

/* --as: turns to the file as it is loaded on the machine of this record. An exit status. */
static int turn_to(struct why *w, const struct event *e)
{
	const size_t told = w->s->diags->list.n;
	int status = EXIT_OK;

	if (!w->loaded || host_of(w, e) == w->loaded->asked.host)
		return EXIT_OK;
	struct container **l = &w->machines[host_of(w, e)];
	if (!*l) {
		*l = ARENA_NEW(w->s->arena, struct container);
		status = container_on(w->s, w->loaded, host_of(w, e), *l);
	}
	if (status)
		return status;
	w->s->diags->list.n = told; /* as of the file's own notes */
	w->loaded = *l;
	w->dd = (*l)->dd;
	w->root = (*l)->held.root;
	return EXIT_OK;
}

static struct dd_point point_of(const struct why *w, const struct event *e)
{
	struct environment env = w->opt.resolve.env;
	struct call c = { .audit_arch = e->r.audit, .nr = e->r.nr };

	memcpy(c.args, e->args, sizeof(c.args));
	env.kernel = env.kernel_known ? env.kernel : tables_level;
	env.host = host_of(w, e);
	return dd_point_of(&env, &c);
}

static void put_event(struct buf *out, const struct why *w, const struct event *e)
{
	struct dd_point at = point_of(w, e);

	if (e->count > 1)
		buf_printf(out, "%llu times ", (unsigned long long)e->count);
	words_witness(out, &at);
	if (e->r.answered) {
		buf_puts(out, ": ");
		if (e->r.verdict.data)
			verdict_print(out, e->r.verdict);
		else
			buf_puts(out, verdict_kind_name(e->r.verdict.kind));
	}
	if (*e->r.comm)
		buf_printf(out, ", by %s", e->r.comm);
	if (*e->r.pid)
		buf_printf(out, e->count > 1 ? " (first pid %s)" : " (pid %s)", e->r.pid);
	buf_putc(out, '\n');
}

static struct call call_at(const struct dd_point *at)
{
	struct call c = { .audit_arch = (uint32_t)(at->at[DD_CALL] >> 32),
			  .nr = (uint32_t)at->at[DD_CALL] };

	memcpy(c.args, at->at, sizeof(c.args));
	return c;
}

/* The entry of JSON that would allow a call. */
static void put_entry(struct buf *out, const char *name)
{
	struct json_writer w = { .out = out };

	json_open(&w, NULL, '{');
	json_open(&w, "names", '[');
	json_text(&w, NULL, name);
	json_close(&w, ']');
	json_text(&w, "action", "SCMP_ACT_ALLOW");
	json_close(&w, '}');
	buf_putc(out, '\n');
}

/* In a container: which of the parts of its runtime must change. */
static void put_loaded_way(struct buf *out, const struct why *w, const struct syscall_info *sys,
			   const struct dd_point *at)
{
	const struct oci_model *m = w->loaded->held.model;
	const struct call c = call_at(at);
	struct oci_why why = oci_model_why(m, &w->loaded->env, &c);
	uint32_t nr = c.nr;
	int a = sys ? arch_of_call(c.audit_arch, &nr) : -1;
	struct str since = a < 0 ? (struct str){ NULL, 0 } : libseccomp_since_on(sys, (enum arch)a);
	bool numbered = a < 0 || libseccomp_numbers(m->runtime.libseccomp, sys, (enum arch)a);

	if (!sys)
		buf_puts(out, "nothing: JSON names calls, and this number has no name\n");
	else if (!numbered && since.n)
		buf_printf(out,
			   "libseccomp " PRISTR
			   " or newer, which knows the name '%s', and an entry for it\n",
			   STRARG(since), sys->name);
	else if (!numbered)
		buf_printf(out,
			   "a libseccomp newer than " LIBSECCOMP_NEWEST
			   " that knows the name '%s', and an entry "
			   "for it\n",
			   sys->name);
	else if (why.by == OCI_BY_ARCH)
		buf_puts(out, "this architecture among those of the profile\n");
	else if (why.by == OCI_BY_ENTRY)
		buf_printf(out, "taking %s out of that entry\n", sys->name);
	else
		put_entry(out, sys->name);
}

/* A line that would allow it, or what must go. */
static void put_way(struct buf *out, const struct why *w, const struct event *e,
		    const struct dd_point *at)
{
	const struct policy *p = w->loaded ? NULL : decide_policy(&w->decide, at);
	uint32_t nr = e->r.nr;
	int a = arch_of_call(e->r.audit, &nr);
	const struct syscall_info *sys = a < 0 ? NULL : syscall_by_nr((enum arch)a, nr);
	const char *name = sys ? sys->name : arena_printf(w->s->arena, "#%u", nr);
	struct decision_why by = { .by = BY_DEFAULT };
	struct environment env;
	struct call c;

	dd_point_tell(at, &env, &c);
	buf_puts(out, "  allowed by: ");
	if (w->loaded) {
		put_loaded_way(out, w, sys, at);
		return;
	}
	if (!p) {
		buf_puts(out, "nothing that can be added to a program; 'pale import' makes a "
			      "policy of it\n");
		return;
	}
	policy_eval_in(p, &env, &c, &by);
	bool json = w->decide.in.format == INPUT_JSON;
	if (by.by == BY_FOREIGN && a >= 0)
		buf_printf(out, json ? "%s among its architectures\n" : "arch %s;\n",
			   json ? arch_info((enum arch)a)->oci : arch_info((enum arch)a)->name);
	else if (by.by == BY_FOREIGN)
		buf_puts(out, "nothing: pale does not know this architecture\n");
	else if (by.by == BY_RULE && by.rule->origin->set)
		buf_printf(out, "use %s except %s;\n", by.rule->origin->set, name);
	else if (by.by == BY_RULE)
		buf_printf(out, "taking %s out of that %s\n", name, json ? "entry" : "rule");
	else if (json && sys)
		put_entry(out, name);
	else if (json)
		buf_puts(out, "nothing: JSON names calls, and this number has no name\n");
	else
		buf_printf(out, "allow %s;%s\n", name,
			   e->has_args ? "" : "  (for any arguments: the record has none)");
}

static bool same_answer(struct verdict x, struct verdict y)
{
	return verdict_eq(x, y);
}

static void put_reason(struct buf *out, const struct why *w, const struct dd_point *at)
{
	const struct call c = call_at(at);

	if (w->loaded)
		put_loaded(out, w->s->sources, w->loaded, &c);
	else
		decide_put_why(out, w->s->sources, &w->decide, at);
}

enum like { LIKE_ALL, LIKE_KIND, LIKE_ANY }; /* answers that are told: how near to the record's */

static bool same_kind(struct verdict x, struct verdict y)
{
	return x.kind == y.kind;
}

/* What the file answers to such calls, of what the record does not say. */
static dd_node answers_to(const struct why *w, const struct event *e)
{
	const struct dd_point at = point_of(w, e);
	dd_node n = w->root;

	n = dd_fix(w->dd, n, DD_CALL, UINT64_MAX, at.at[DD_CALL]);
	n = dd_fix(w->dd, n, DD_CAPS, UINT64_MAX, at.at[DD_CAPS]);
	n = dd_fix(w->dd, n, DD_SYSTEM, UINT64_MAX, at.at[DD_SYSTEM]);
	for (unsigned f = 0; e->has_args && f < 6; f++)
		n = dd_fix(w->dd, n, (enum dd_field)f, UINT64_MAX, e->args[f]);
	return n;
}

/* Where those answers are as near to the record's. */
static dd_node alike(const struct why *w, const struct event *e, dd_node n, enum like like)
{
	if (!e->r.answered || like == LIKE_ANY)
		return DD_TRUE;
	return dd_compare(w->dd, n, dd_terminal(w->dd, e->r.verdict),
			  like == LIKE_ALL && e->r.verdict.data ? same_answer : same_kind);
}

static void put_answer(struct buf *out, const struct why *w, const struct event *e,
		       const struct dd_point *at, bool depends)
{
	struct verdict v = dd_eval_at(w->dd, w->root, at);

	buf_puts(out, "  ");
	verdict_print(out, v);
	buf_puts(out, "  ");
	put_reason(out, w, at);
	if (depends) {
		buf_puts(out, "\n    for example ");
		words_witness(out, at);
	}
	buf_putc(out, '\n');
	if (v.kind < VERDICT_LOG)
		put_way(out, w, e, at);
}

/* One line for each answer that the file gives to such calls; those that agree with the record. */
static unsigned put_answers(struct buf *out, const struct why *w, const struct event *e,
			    enum like like)
{
	dd_node n = answers_to(w, e), todo = alike(w, e, n, like);
	struct dd_point at = point_of(w, e), p;
	bool depends = dd_fields(w->dd, n) != 0;
	unsigned shown = 0;

	while (todo != DD_NONE && shown < ANSWERS_MAX && dd_witness(w->dd, todo, &p)) {
		memcpy(at.at, p.at, 6 * sizeof(p.at[0]));
		at.at[DD_IP] = p.at[DD_IP];
		dd_node same = dd_terminal(w->dd, dd_eval_at(w->dd, n, &at));
		todo = dd_and(w->dd, todo, dd_not(w->dd, dd_compare(w->dd, n, same, same_answer)));
		put_answer(out, w, e, &at, depends);
		shown++;
	}
	if (todo == DD_NONE)
		buf_printf(out,
			   "  what else the file answers needs more than %d decision nodes; "
			   "'pale sim' tells of a single call\n",
			   DECIDE_BUDGET);
	else if (shown == ANSWERS_MAX && dd_witness(w->dd, todo, &p))
		buf_printf(out,
			   "  and other answers: %d are told; 'pale explain' tells of every "
			   "rule\n",
			   ANSWERS_MAX);
	if (depends && !e->has_args)
		buf_puts(out, "  the file decides by arguments, which the record does not have\n");
	return shown + (todo == DD_NONE);
}

/*
 * A name that the profile lists and an older libseccomp does not know is left out by it, and
 * the default answers: is that what the record shows?
 */
static bool put_unknown_name(struct buf *out, const struct why *w, const struct event *e)
{
	uint32_t nr = e->r.nr;
	int a = arch_of_call(e->r.audit, &nr);
	const struct syscall_info *sys = a < 0 ? NULL : syscall_by_nr((enum arch)a, nr);
	struct dd_point at = point_of(w, e);
	const struct policy *p = w->loaded || w->decide.in.format != INPUT_JSON ?
					 NULL :
					 decide_policy(&w->decide, &at);
	unsigned library = w->opt.runtime ? w->opt.runtime->libseccomp : 0;
	size_t first, end;

	if (!p || !sys || libseccomp_numbers(library, sys, (enum arch)a) ||
	    !(p->arches & ARCH_BIT(a)))
		return false;
	policy_calls_of(p, (enum arch)a, e->r.nr, &first, &end);
	if (first == end ||
	    (e->r.verdict.kind != p->dflt[a].kind && e->r.verdict.kind != VERDICT_ERRNO))
		return false;
	buf_puts(out, "  listed at ");
	put_place(out, w->s->sources, p->calls.v[first].origin->span);
	buf_puts(out, ", but ");
	put_unknowing(out, sys, (enum arch)a);
	buf_puts(out, ", and then ");
	verdict_print(out, p->dflt[a]);
	buf_puts(out, " answers, the default, or ENOSYS by runc where no higher number is named\n"
		      "  allowed by: a newer libseccomp where the container runs ('--as "
		      "docker:runc --runtime' asks "
		      "as one named would)\n");
	return true;
}

static void put_file(struct buf *out, const struct why *w, const struct event *e)
{
	const struct call c = { .audit_arch = e->r.audit, .nr = e->r.nr };

	if (w->loaded && container_check(w->s, w->loaded, &c, false))
		return;
	if (put_answers(out, w, e, LIKE_ALL) ||
	    (e->r.verdict.data && put_answers(out, w, e, LIKE_KIND)) ||
	    (e->r.answered && put_unknown_name(out, w, e)))
		return;
	if (e->r.answered && e->r.verdict.kind == VERDICT_LOG)
		buf_printf(out,
			   "  it passed under a filter that only logs ('--log-only', or another "
			   "one); '%s' "
			   "answers\n",
			   w->decide.shown);
	else
		buf_printf(out,
			   "  '%s' never answers so to this call: another filter did, or an older "
			   "one; "
			   "it answers\n",
			   w->decide.shown);
	put_answers(out, w, e, LIKE_ANY);
}

static void put_alone(struct buf *out, const struct event *e)
{
	uint32_t nr = e->r.nr;
	int a = arch_of_call(e->r.audit, &nr);
	const struct syscall_info *sys = a < 0 ? NULL : syscall_by_nr((enum arch)a, nr);

	if (sys)
		buf_printf(out,
			   "  allowed by: allow %s;  (in a pale policy; 'pale show %s' tells what "
			   "it is)\n",
			   sys->name, sys->name);
	else if (a >= 0)
		buf_printf(out, "  no call of %s that pale knows has this number\n",
			   arch_info((enum arch)a)->name);
	if (!e->has_args)
		buf_puts(out,
			 "  which rule refused it: name the FILE that was in force, or 'pale dump "
			 "--pid' the process\n");
}

/* ---- a process ---- */

static void put_filters(struct buf *out, const struct held *h, const struct event *e)
{
	struct call c = { .audit_arch = e->r.audit, .nr = e->r.nr };

	memcpy(c.args, e->args, sizeof(c.args));
	for (size_t i = 0; i < h->filters.n; i++) {
		size_t last = 0;
		uint32_t ret = cbpf_run_to(&h->filters.v[i], &c, &last);
		buf_printf(out, "  filter %zu of %zu: ", i + 1, h->filters.n);
		verdict_print(out, verdict_from_ret(ret));
		buf_printf(out, "  (instruction %zu of %zu%s)\n", last, h->filters.v[i].n,
			   h->logs.v[i] && verdict_refuses(verdict_from_ret(ret)) ? ", logged" :
										    "");
	}
}

static int why_process(struct why *w, pid_t pid, struct buf *out)
{
	struct held_call call;
	struct held h;
	struct event e = { .has_args = true, .count = 1 };
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
		     "in; "
		     "5.3 and newer do",
		     (int)pid);
		return EXIT_SYSTEM;
	}
	e.r.audit = h.audit;
	e.r.nr = call.nr;
	memcpy(e.args, call.args, sizeof(e.args));
	audit_keep_word(e.r.comm, str_c(h.name));
	snprintf(e.r.pid, sizeof(e.r.pid), "%d", (int)pid);
	buf_puts(out, "in the call ");
	put_event(out, w, &e);
	put_filters(out, &h, &e);
	if (w->file)
		put_file(out, w, &e);
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
		if (turn_to(w, e))
			break; /* reported below */
		put_event(out, w, e);
		if (w->file)
			put_file(out, w, e);
		else
			put_alone(out, e);
	}
	if (w->more)
		buf_printf(out,
			   "and %zu records more, of other calls: %d kinds are told apart; 'grep' "
			   "for a "
			   "comm= or a syscall= leaves fewer\n",
			   w->more, EVENTS_MAX);
	return session_report(w->s) ? EXIT_FOUND : EXIT_OK;
}

static int load_file(struct why *w)
{
	static const struct oci_asked_calls none; /* what is wrong with the file is not asked */
	const struct input_options input = { .resolve = w->opt.resolve, .asked = &none };
	const struct option_value *as = &w->options->at[OPT_LOADED_AS];
	struct oci_runtime rt;

	w->decide.shown = str_safe(w->s->arena, w->file);
	if (!as->given) {
		int status = decide_load(w->s, w->dd, w->file, &w->opt, &w->decide);
		w->root = w->decide.root;
		return status;
	}
	struct container *l = ARENA_NEW(w->s->arena, struct container);
	int status = runtime_loader(w->s, w->options, as->word ? OCI_CRUN : OCI_RUNC, &rt);
	if (status < 0)
		status = container_load(w->s, w->file, &input, w->opt.policy, &rt, l);
	session_report(w->s);
	if (status)
		return status;
	w->loaded = w->machines[l->asked.host] = l;
	w->dd = l->dd;
	w->root = l->held.root;
	return EXIT_OK;
}

static int why(struct why *w, pid_t pid, char **argv, int n)
{
	BUF_AUTO out = { 0 };
	int status = EXIT_OK;

	w->file = argv[pid ? 0 : 1];
	if (n < (pid ? 1 : 2))
		w->file = NULL;
	w->dd = dd_new(w->s->arena, DECIDE_BUDGET);
	if (w->file)
		status = load_file(w);
	if (status)
		return status;
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

	w->opt.policy = o->at[OPT_POLICY].text;
	if (environment_options(o, &w->opt.resolve))
		return EXIT_USAGE;
	if ((as || o->at[OPT_RUNTIME].given) && o->n < (pid ? 1 : 2))
		return usage_error(o->command, "--%s is about a FILE", as ? "as" : "runtime");
	if (pid && o->n > 1)
		return usage_error(o->command, "one FILE at most");
	if (!pid && (o->n < 1 || o->n > 2))
		return usage_error(o->command,
				   "an audit line ('-': standard input) and perhaps a FILE");
	return as ? -1 : runtime_given(w->s, o, &w->opt.runtime);
}

int cmd_why(int argc, char **argv)
{
	struct options o = { 0 };
	struct session s;

	session_open(&s);
	struct why *w = ARENA_NEW(s.arena, struct why);
	*w = (struct why){ .s = &s, .options = &o };
	int status = options_read(&s, argc, argv, &o);
	if (status < 0)
		status = read_options(w);
	if (status < 0)
		status = why(w, (pid_t)o.at[OPT_PID].number, o.operands, o.n);
	return session_end(&s, status);
}
