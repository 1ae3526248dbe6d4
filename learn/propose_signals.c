/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals: to and from whom, where that was seen and AppArmor can say it. It knows a process by the label
 * of its profile alone. What was recorded runs under the profile that is proposed, so the workload itself has
 * that name; of a process outside its label then holds.
 */
#include <signal.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "learn/proposal.h"

#define SELF   "@{profile_name}"
#define NUMBER 65 /* of signals, and of EXISTS */

enum { ANY_SIGNAL = -1, EXISTS }; /* beside those of signal(7); kill(2) with 0 asks the latter */

struct seen { /* some of what was seen, as one */
	uint64_t count, first_ns;
	const uint64_t *in;
};

static void see(struct proposal *p, struct seen *all, const struct recorded_signal *s)
{
	all->in = all->count ? recording_join_runs(p->a, p->r, all->in, s->in) : s->in;
	all->first_ns = all->count && all->first_ns < s->first_ns ? all->first_ns : s->first_ns;
	all->count = count_add(all->count, s->count);
}

/* way: "send", "receive"; NULL: both. peer: NULL: any. */
static void add_signal(struct proposal *p, const char *way, int sig, const char *peer,
		       const char *why)
{
	const char *name = !sig    ? "exists" :
			   sig < 0 ? NULL :
				     proposal_short_name(p, "signal", "SIG", (uint64_t)sig);
	struct ast_stmt *st = proposal_add(p, AST_STMT_SIGNAL);

	if (way)
		ast_words_add(p->a, &st->perms, way);
	if (name)
		ast_words_add(p->a, &st->words, name);
	if (peer)
		st->target = *ast_word_new(p->a, peer);
	ast_comment_add(p->a, &st->trailing, "%s%s", why,
			name || sig < 0 ? "" : "; a real-time signal: any, as it has no name here");
}

/* ---- sent, by what calls were told ---- */

static bool is_kill(const struct recorded_call *c)
{
	static const char *const calls[] = { "kill",
					     "tkill",
					     "tgkill",
					     "pidfd_send_signal",
					     "rt_sigqueueinfo",
					     "rt_tgsigqueueinfo" };
	const struct syscall_info *s = syscall_by_nr(c->arch, c->nr);

	for (size_t i = 0; s && i < ARRAY_SIZE(calls); i++)
		if (!strcmp(calls[i], s->name))
			return true;
	return false;
}

/* Were there more signals sent than values are kept? */
static bool sent_unknown(const struct proposal *p)
{
	vec_each(&p->r->calls, c)
		vec_each(&c->args, a)
			if (is_kill(c) && a->unbounded)
				return true;
	return false;
}

/* Signals sent, by kill and its kin: value -> count over all of them. */
uint64_t proposal_sent(const struct proposal *p, int sig)
{
	uint64_t n = 0;

	if (p->r->sent)
		return p->r->sent[sig];
	vec_each(&p->r->calls, c)
		if (is_kill(c))
			vec_each(&c->args, a)
				vec_each(&a->values, v)
					n = count_add(n, v->value == (uint64_t)sig ? v->count : 0);
	return n;
}

/* What calls were told, where who got it was not seen: nobody did, perhaps, and the next time somebody does. */
static void propose_told(struct proposal *p, int sig)
{
	bool known = sig ? p->r->sent_known >> (sig - 1) & 1 : p->r->exists_known;
	uint64_t n = known || recording_signal_seen(p->r, sig) ? 0 : proposal_sent(p, sig);

	if (!n)
		return;
	add_signal(p, "send", sig, NULL,
		   arena_printf(p->a, "%llux%s", (unsigned long long)n,
				sig && p->r->run.peers_observed ?
					", and none was seen to get it: any" :
					""));
	if (sig)
		return;
	/* Who is asked about is under the same profile, perhaps, and has to let itself be asked about. */
	vec_each(&p->r->signals, s)
		if (s->what.signal == EXISTS && !s->what.sent)
			return;
	add_signal(p, "receive", EXISTS, SELF, "where it asked about itself");
}

/* ---- as they were sent and received ---- */

/* A child that changes to another profile is of that one from there on; AppArmor's own log has seen it. */
static bool changes_label(const struct proposal *p)
{
	if (!strcmp(p->r->run.backend, "apparmor"))
		return false;
	vec_each(&p->r->rules, r)
		if (str_starts(r->text, "change_profile"))
			return true;
	return false;
}

/* Is there one of either way, to or from itself? AppArmor asks for both, whichever end was looked at. */
static bool gather_own(struct proposal *p, int sig, struct seen *out)
{
	struct seen ways[2] = { { 0 }, { 0 } };

	vec_each(&p->r->signals, s)
		if (s->what.signal == sig && s->what.peer == SIGNAL_OURS)
			see(p, &ways[s->what.sent], s);
	*out = ways[1].count ? ways[1] : ways[0];
	if (ways[0].count && ways[1].count)
		out->in = recording_join_runs(p->a, p->r, ways[0].in, ways[1].in);
	if (ways[0].count > out->count)
		out->count = ways[0].count;
	return out->count;
}

/* The kernel sends these in the task's own name, asking nobody: ptrace and strace cannot tell. */
static const char *doubt(const struct proposal *p, int sig, bool sent)
{
	if (!strstr(p->r->run.backend, "trace") || sent || proposal_sent(p, sig))
		return "";
	return sig == SIGPIPE ? "; take it out if this was only a pipe without readers" :
	       sig == SIGXFSZ ? "; take it out if this was only the limit of a file's size" :
				"";
}

static void propose_own(struct proposal *p, int sig)
{
	bool moves = changes_label(p);
	struct seen all;

	if (!gather_own(p, sig, &all))
		return;
	add_signal(p, NULL, sig, moves ? NULL : SELF,
		   arena_printf(p->a, "%s, to itself%s%s",
				proposal_evidence(p, all.count, all.first_ns, all.in),
				moves ? ", which changes its profile: any" : "",
				doubt(p, sig, false)));
}

/*
 * Labels that a rule can be for: of several at once, as stacks have them, the kernel asks one by one; one of a
 * namespace of AppArmor's is another's there, and "---" is what a log says of what nobody may see (label.c).
 */
static bool is_said(const struct recorded_signal *s)
{
	struct str who = s->what.who;

	return s->what.peer == SIGNAL_LABEL && !memmem(who.p, who.n, "//&", 3) && *who.p != ':' &&
	       !str_is(who, "---");
}

struct outside { /* of one signal one way: those that no rule can name, as one */
	struct seen seen;
	size_t labels;
	const struct recorded_signal *first; /* with a name, as an example */
	size_t named;
};

static void gather_outside(struct proposal *p, int sig, bool sent, struct outside *out)
{
	*out = (struct outside){ 0 };
	vec_each(&p->r->signals, s)
		out->labels += s->what.signal == sig && s->what.sent == sent && is_said(s);
	vec_each(&p->r->signals, s) {
		if (s->what.signal != sig || s->what.sent != sent || s->what.peer == SIGNAL_OURS ||
		    (is_said(s) && out->labels <= RECORDING_VALUES_MAX))
			continue;
		see(p, &out->seen, s);
		if (s->what.who.n && !out->named++)
			out->first = s;
	}
}

/* "from /usr/bin/kill and 2 more, whose label was not seen: any" */
static const char *unnamed_why(struct proposal *p, const struct outside *o, bool sent)
{
	const char *to = sent ? "to" : "from";
	BUF_AUTO out = { 0 };

	if (o->labels > RECORDING_VALUES_MAX) {
		buf_printf(&out, ", %s more than %d different labels: any", to,
			   RECORDING_VALUES_MAX);
	} else if (o->first) {
		buf_printf(&out, ", %s ", to);
		buf_safe(&out, o->first->what.who);
		if (o->named > 1)
			buf_printf(&out, " and %zu more", o->named - 1);
		buf_puts(&out, o->first->what.peer == SIGNAL_LABEL ?
				       ", which no rule can name: any" :
				       ", whose label was not seen: any");
	} else if (p->r->run.peers_observed) {
		buf_printf(&out, ", %s whom was not seen: any", to);
	}
	return buf_keep(p->a, &out);
}

static void propose_outside(struct proposal *p, int sig, bool sent)
{
	const char *way = sent ? "send" : "receive";
	struct outside o;

	gather_outside(p, sig, sent, &o);
	if (o.seen.count)
		add_signal(
			p, way, sig, NULL,
			arena_printf(p->a, "%s%s%s",
				     proposal_evidence(p, o.seen.count, o.seen.first_ns, o.seen.in),
				     unnamed_why(p, &o, sent), doubt(p, sig, sent)));
	if (o.labels > RECORDING_VALUES_MAX)
		return;
	vec_each(&p->r->signals, s)
		if (s->what.signal == sig && s->what.sent == sent && is_said(s))
			add_signal(p, way, sig, generalize_escape(p->a, s->what.who),
				   proposal_evidence(p, s->count, s->first_ns, s->in));
}

void propose_signals(struct proposal *p)
{
	p->group = "signals, to and from whom: the workload itself has the profile's name";
	for (int sig = EXISTS; sig < NUMBER; sig++)
		propose_own(p, sig);
	for (int sig = EXISTS; sig < NUMBER; sig++)
		propose_outside(p, sig, false);
	for (int sig = EXISTS; sig < NUMBER; sig++) {
		propose_outside(p, sig, true);
		propose_told(p, sig);
	}
	if (sent_unknown(p))
		add_signal(p, "send", ANY_SIGNAL, NULL,
			   "more different signals than are kept: any");
	p->group = NULL;
}
