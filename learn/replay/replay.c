/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/replay/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "learn/replay/replaying.h"

#define PATHS_MOST 1000000

static const char *const tiers[] = { [REPLAY_STRACE] = "strace",
				     [REPLAY_AUDIT] = "audit",
				     [REPLAY_APPARMOR] = "apparmor",
				     [REPLAY_REPORT] = "report" };

struct replay *replay_new(struct session *s, const struct replay_options *opt,
			  struct recording *out)
{
	struct replay *r = ARENA_NEW(s->arena, struct replay);

	*out = (struct recording){ 0 };
	*r = (struct replay){ .s = s,
			      .opt = *opt,
			      .r = out,
			      .m = model_new(s->arena, out, PATHS_MOST),
			      .id = { HASH_START, ~HASH_START } };
	out->run.backend = tiers[opt->from];
	out->run.kernel = out->run.libc = "unknown";
	out->run.host = opt->arch;
	out->run.no_calls = opt->from == REPLAY_APPARMOR;
	out->run.peers_observed = opt->from == REPLAY_APPARMOR;
	out->run.no_arguments = opt->from == REPLAY_AUDIT || opt->from == REPLAY_APPARMOR;
	out->run.no_files = opt->from == REPLAY_AUDIT || opt->from == REPLAY_REPORT;
	out->run.answered_only = opt->from != REPLAY_STRACE;
	out->run.programs_observed = opt->from == REPLAY_STRACE || opt->from == REPLAY_AUDIT;
	out->run.caps_observed = opt->from == REPLAY_APPARMOR;
	if (opt->from == REPLAY_STRACE)
		r->strace = strace_replay_new(r);
	return r;
}

static bool is_report(const struct replay *r)
{
	return r->opt.from == REPLAY_REPORT;
}

void replay_file(struct replay *r, const char *name)
{
	if (is_report(r))
		report_replay_file(r);
	r->file = str_safe(r->s->arena, name);
	r->files++;
	if (r->strace)
		strace_replay_file(r);
}

/* A run is told by what is known of it: a log that is replayed twice is one run. */
static void add_to_id(struct replay *r, struct str text)
{
	r->id[0] = hash_bytes(r->id[0], text.p, text.n);
	r->id[0] = hash_bytes(r->id[0], "\n", 1);
	r->id[1] = hash_bytes(r->id[1], "\n", 1);
	r->id[1] = hash_bytes(r->id[1], text.p, text.n);
}

void replay_line(struct replay *r, struct str line, bool cut, uint64_t number)
{
	r->number = number;
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	add_to_id(r, line);
	if (is_report(r)) {
		report_replay_line(r, line);
		return;
	}
	if (!r->strace) {
		log_replay_line(r, line, cut);
		return;
	}
	r->line.n = 0;
	buf_add(&r->line, line.p, line.n);
	buf_putc(&r->line, 0);
	if (r->line.failed)
		arena_no_memory(r->s->arena);
	if (memchr(line.p, 0, line.n))
		replay_bad(r, &r->bad, "a NUL byte");
	else
		strace_replay_line(r, r->line.p, cut);
}

/* ---- the end ---- */

static void tell_bad(struct replay *r)
{
	struct diag *d;

	if (!r->bad.lines)
		return;
	r->r->run.losses.unread = count_add(r->r->run.losses.unread, r->bad.lines);
	d = diag_add(r->s->diags, DIAG_PL425, NO_SPAN,
		     "%s, line %llu: %s; %llu line%s could not be read", r->bad.file,
		     (unsigned long long)r->bad.number, r->bad.why,
		     (unsigned long long)r->bad.lines, r->bad.lines == 1 ? "" : "s");
	diag_help(r->s->diags, d,
		  r->strace ?
			  "'strace -f -y -o FILE' keeps what a program writes apart from what "
			  "strace does; the recording says that something was lost" :
			  "'dmesg', 'journalctl -o json' and 'ausearch' show records whole; the "
			  "recording says that something was lost");
}

static void tell_values(struct replay *r)
{
	struct diag *d;

	if (!r->value.lines)
		return;
	r->r->run.losses.values_full = count_add(r->r->run.losses.values_full, r->value.lines);
	d = diag_add(r->s->diags, DIAG_PL426, NO_SPAN, "%s, line %llu: %s; so in %llu call%s",
		     r->value.file, (unsigned long long)r->value.number, r->value.why,
		     (unsigned long long)r->value.lines, r->value.lines == 1 ? "" : "s");
	diag_help(r->s->diags, d,
		  "'strace -X verbose' writes numbers beside the names; the recording says that "
		  "something was lost");
}

static int tell_nothing(struct replay *r)
{
	static const char *const whats[] = { [REPLAY_STRACE] = "call of strace's",
					     [REPLAY_AUDIT] =
						     "record of seccomp's (type=1326, SECCOMP)",
					     [REPLAY_APPARMOR] =
						     "record of AppArmor's (type=1400, AVC)",
					     [REPLAY_REPORT] = "refusal in a report" };
	struct diag *d =
		diag_add(r->s->diags, DIAG_PL411, NO_SPAN, "nothing was recorded: there is no %s%s",
			 whats[r->opt.from], r->other ? " of what was asked for" : "");

	if (!r->other)
		diag_help(r->s->diags, d,
			  r->strace ? "'strace -f -y -o FILE CMD' writes them" :
				      "seccomp logs what `log` and refusals say, AppArmor what it "
				      "refuses and what complain mode lets pass");
	else
		diag_help(r->s->diags, d, "%llu are of others", (unsigned long long)r->other);
	return -1;
}

static bool is_chosen(const struct replay *r)
{
	return r->opt.comm || r->opt.exe || r->opt.profile || r->opt.pid;
}

/* A policy is for one program: which, the user says. */
static int tell_several(struct replay *r)
{
	bool profiles = r->opt.from == REPLAY_APPARMOR;
	BUF_AUTO list = { 0 };
	struct diag *d;

	vec_each(&r->names, name)
		buf_printf(&list, "%s%s", name == r->names.v ? "" : ", ", *name);
	d = diag_add(r->s->diags, DIAG_PL427, NO_SPAN, "the log has records of several %s: %s%s",
		     profiles ? "profiles" : "programs", list.p ? list.p : "",
		     r->more_names ? ", ..." : "");
	diag_help(r->s->diags, d,
		  profiles ? "say which: --profile NAME, or --comm NAME, --pid P" :
			     "say which: --exe PATH, --comm NAME or --pid P");
	return -1;
}

static void put_number(unsigned char *to, uint64_t n)
{
	for (int i = 0; i < 8; i++)
		to[i] = (unsigned char)(n >> (8 * i));
}

static void draw_id(struct replay *r)
{
	char chosen[64];

	add_to_id(r, str_c(r->opt.comm));
	add_to_id(r, str_c(r->opt.exe));
	add_to_id(r, str_c(r->opt.profile));
	snprintf(chosen, sizeof(chosen), "%d %d %llu", (int)r->opt.from, (int)r->opt.arch,
		 (unsigned long long)r->opt.pid);
	add_to_id(r, str_c(chosen));
	put_number(r->r->run.id, r->id[0]);
	put_number(r->r->run.id + 8, r->id[1]);
}

int replay_end(struct replay *r)
{
	if (is_report(r))
		report_replay_file(r);
	buf_free(&r->report);
	if (r->strace)
		strace_replay_end(r);
	buf_free(&r->line);
	tell_bad(r);
	tell_values(r);
	if (!r->taken)
		return tell_nothing(r);
	if (!r->strace && !is_chosen(r) && r->names.n > 1)
		return tell_several(r);
	draw_id(r);
	if (r->begin_ns && !r->strace) {
		r->r->run.started_ns = r->begin_ns;
		r->r->run.duration_ns = replay_since(r, r->end_ns);
	}
	if (!r->strace)
		r->r->run.processes = r->pids.n;
	model_finish_apart(r->m);
	if (r->r->run.no_files) {
		r->r->files.n = 0;
		r->r->run.disconnected = r->r->run.elsewhere = r->r->run.unread = 0;
		r->r->run.unseen_exec = r->r->run.memory_programs = 0;
		r->r->run.losses.paths_full = r->r->run.losses.paths_unresolved = 0;
	}
	return 0;
}
