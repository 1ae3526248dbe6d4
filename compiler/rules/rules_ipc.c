/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about other processes: signal, ptrace, dbus, mqueue, and userns, io_uring. */
#include <string.h>

#include "compiler/rules/rules_read.h"
#include "compiler/base/bug.h"

/* ---- signals ---- */

enum { SIGNALS_PLAIN = 31, SIGNAL_TSTP = 20, REALTIME_MAX = 32 };

/* Names of AppArmor's own, beside signal(7)'s (signal.cc, signal_map). */
static const struct signal_name {
	const char *name;
	int number;
	enum aa_release since;
} signal_names[] = {
	{ "stp", SIGNAL_TSTP, AA_RELEASE_3_0 },
	{ "tstp", SIGNAL_TSTP, AA_RELEASE_5_0 },
	{ "poll", 29, AA_RELEASE_5_0 },
	{ "emt", AA_SIGNAL_EMT, AA_RELEASE_3_0 },
	{ "exists", AA_SIGNAL_EXISTS, AA_RELEASE_3_0 },
};

/* signal(7)'s name in small letters, without SIG, NUL-terminated. */
static void brief_name(int number, char out[16])
{
	const char *full = constant_name("signal", (uint64_t)number, ARCH_X86_64);
	size_t n;

	BUG_ON(!full || strlen(full) < 4 || strlen(full) > 16);
	for (n = 3; full[n]; n++)
		out[n - 3] = (char)(full[n] >= 'A' && full[n] <= 'Z' ? full[n] | 0x20 : full[n]);
	out[n - 3] = 0;
}

int aa_signal_of(int kernel)
{
	if (!kernel)
		return AA_SIGNAL_EXISTS;
	return kernel <= SIGNALS_PLAIN ? kernel : AA_SIGNAL_RT + kernel - SIGNALS_PLAIN - 1;
}

static const char *own_name(int number)
{
	for (size_t i = 0; i < ARRAY_SIZE(signal_names); i++)
		if (signal_names[i].number == number)
			return signal_names[i].name;
	return NULL;
}

const char *aa_signal_name(struct arena *a, enum aa_release release, int number)
{
	char brief[16];

	/* signal(7)'s own word is the newer one where both are read. */
	if (number == AA_SIGNAL_EMT || number == AA_SIGNAL_EXISTS ||
	    (number == SIGNAL_TSTP && release < AA_RELEASE_5_0))
		return own_name(number);
	if (number >= AA_SIGNAL_RT && number < AA_SIGNAL_NR)
		return arena_printf(a, "rtmin+%d", number - AA_SIGNAL_RT);
	if (number < 1 || number > SIGNALS_PLAIN)
		return NULL;
	brief_name(number, brief);
	return arena_strdup(a, brief);
}

static int plain_signal(struct str name)
{
	char brief[16];

	for (int n = 1; n <= SIGNALS_PLAIN; n++) {
		brief_name(n, brief);
		if (str_is(name, brief))
			return n;
	}
	return -1;
}

/* strtoul() of what stands behind "rtmin+", which the parser asks for nothing but to be small. */
static int realtime_signal(const struct aa_reader *rd, struct str name, struct span sp)
{
	size_t at = strlen("rtmin+"), begin = at;
	unsigned n = 0;

	for (; at < name.n && name.p[at] >= '0' && name.p[at] <= '9' && n <= REALTIME_MAX; at++)
		n = n * 10 + (unsigned)(name.p[at] - '0');
	if (n > REALTIME_MAX || (at < name.n && name.p[at] == '-')) {
		diag_help(rd->diags,
			  aa_say(rd, DIAG_PL136, sp, "no signal is called '%s'", aa_safe(rd, name)),
			  "real-time signals are rtmin+0 to rtmin+%d", REALTIME_MAX);
		return -1;
	}
	if (at == begin || at < name.n)
		diag_help(rd->diags,
			  aa_say(rd, DIAG_PL346, sp, "the parser reads '%s' as rtmin+%u",
				 aa_safe(rd, name), n),
			  "write rtmin+%u, or what was meant", n);
	return AA_SIGNAL_RT + (int)n;
}

static int tell_signal(const struct aa_reader *rd, struct str name, struct span sp)
{
	struct suggest s;
	struct diag *d = aa_say(rd, DIAG_PL136, sp, "no signal is called '%s'", aa_safe(rd, name));
	char brief[16];

	if (!diag_suggest_start(rd->diags, &s, name))
		return -1;
	for (int n = 1; n <= SIGNALS_PLAIN; n++) {
		brief_name(n, brief);
		suggest_offer(&s, str_c(arena_strdup(rd->arena, brief)));
	}
	if (!diag_suggest(rd->diags, d, sp, &s))
		diag_help(
			rd->diags, d,
			"signals are named in small letters and without 'sig': term, usr1, rtmin+3");
	return -1;
}

int aa_signal_number(const struct aa_reader *rd, struct str name, struct span sp)
{
	int n;

	for (size_t i = 0; i < ARRAY_SIZE(signal_names); i++) {
		const struct signal_name *s = &signal_names[i];

		if (str_is(name, s->name))
			return aa_since(rd, sp, name, " as a signal", s->since) ? s->number : -1;
	}
	n = plain_signal(name);
	if (n > 0)
		return n;
	if (str_starts(name, "rtmin+"))
		return realtime_signal(rd, name, sp);
	return tell_signal(rd, name, sp);
}

void aa_read_signal(struct aa_read *r)
{
	struct aa_signal_rule *s = &r->rule->signal;
	struct aa_words_read w;

	if (!aa_read_shape(r, TAKES_PERMS, &w))
		return;
	s->any = true;
	vec_each(&r->rule->conds, c) {
		if (c->id != AA_COND_SET)
			continue;
		s->any = false;
		for (const struct aa_word *v = c->values; v; v = v->next) {
			int n = aa_signal_number(r->rd, aa_plain(r->rd, v), v->span);

			r->failed |= n < 0;
			if (n >= 0)
				s->set[n / 64] |= UINT64_C(1) << n % 64;
		}
	}
	if (!r->rule->perms)
		r->rule->perms = AA_SIGNAL_SEND | AA_SIGNAL_RECEIVE;
}

/* ---- ptrace, userns, io_uring ---- */

void aa_read_ptrace(struct aa_read *r)
{
	struct aa_words_read w;

	if (aa_read_shape(r, TAKES_PERMS, &w) && !r->rule->perms)
		r->rule->perms =
			AA_PTRACE_TRACE | AA_PTRACE_READ | AA_PTRACE_TRACEDBY | AA_PTRACE_READBY;
}

void aa_read_userns(struct aa_read *r)
{
	struct aa_words_read w;

	if (aa_read_shape(r, TAKES_PERMS, &w) && !r->rule->perms)
		r->rule->perms = AA_USERNS_CREATE;
}

void aa_read_io_uring(struct aa_read *r)
{
	struct aa_words_read w;

	if (aa_read_shape(r, TAKES_PERMS | TAKES_GROUP, &w) && !r->rule->perms)
		r->rule->perms = AA_URING_OVERRIDE_CREDS | AA_URING_SQPOLL;
}

/* ---- dbus ---- */

static const struct aa_cond *message_cond(const struct aa_rule *rule)
{
	vec_each(&rule->conds, c)
		if (c->id != AA_COND_BUS && (c->id != AA_COND_NAME || c->peer))
			return c;
	return NULL;
}

/* Two things that one rule cannot say, the second one's place, and why. */
static void tell_dbus(struct aa_read *r, const struct aa_cond *c, const char *why, const char *help)
{
	diag_help(r->rd->diags,
		  aa_fault(r, DIAG_PL339, c->item->span, "'%s'%s %s",
			   aa_safe(r->rd, c->item->word.text), c->peer ? " of the peer" : "", why),
		  "%s", help);
}

/* A rule is about messages, or about owning a name, and its permissions are those of the one. */
static void check_dbus(struct aa_read *r, const struct aa_cond *message, const struct aa_cond *name)
{
	unsigned perms = r->rule->perms;

	if (message && name) {
		struct diag *d =
			aa_fault(r, DIAG_PL339, message->item->span,
				 "'%s'%s is about messages, and 'name' about owning a name",
				 aa_safe(r->rd, message->item->word.text),
				 message->peer ? " of the peer" : "");

		diag_note(r->rd->diags, d, name->item->span, "the name to own");
		diag_help(r->rd->diags, d,
			  "write two rules, or the name of the peer: peer=(name=...)");
	} else if (message && perms & AA_DBUS_BIND) {
		tell_dbus(r, message, "does not go with 'bind'",
			  "bind knows bus and name; write another rule for messages");
	} else if (name && perms & (AA_DBUS_SEND | AA_DBUS_RECEIVE)) {
		tell_dbus(r, name, "goes with 'bind' alone",
			  "the name of whom messages go to stands in peer=(name=...)");
	} else if (perms & AA_DBUS_EAVESDROP && (message || name)) {
		tell_dbus(r, message ? message : name, "does not go with 'eavesdrop'",
			  "eavesdrop knows 'bus' alone");
	}
}

void aa_read_dbus(struct aa_read *r)
{
	struct aa_words_read w;
	const struct aa_cond *message, *name;

	if (!aa_read_shape(r, TAKES_PERMS | TAKES_GROUP, &w))
		return;
	message = message_cond(r->rule);
	name = aa_rule_cond(r->rule, AA_COND_NAME, false);
	check_dbus(r, message, name);
	if (r->rule->perms)
		return;
	r->rule->perms = message ? AA_DBUS_SEND | AA_DBUS_RECEIVE :
			 name    ? AA_DBUS_BIND :
				   AA_DBUS_SEND | AA_DBUS_RECEIVE | AA_DBUS_BIND | AA_DBUS_EAVESDROP;
}

/* ---- mqueue ---- */

static bool mqueue_type(struct aa_read *r, const struct aa_cond *c, enum aa_mqueue_type *out)
{
	struct str type = aa_plain(r->rd, c->values);

	if (str_is(type, "posix"))
		*out = AA_MQUEUE_POSIX;
	else if (str_is(type, "sysv"))
		*out = AA_MQUEUE_SYSV;
	else
		diag_help(r->rd->diags,
			  aa_fault(r, DIAG_PL333, c->values->span,
				   "no message queue is of type '%s'", aa_safe(r->rd, type)),
			  "types are posix and sysv");
	return !r->failed;
}

static bool all_digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

static void mqueue_name(struct aa_read *r, const struct aa_word *w)
{
	struct aa_mqueue_rule *m = &r->rule->mqueue;
	struct str name = aa_plain(r->rd, w);
	bool path = name.n && name.p[0] == '/', number = all_digits(name);
	const char *text = aa_safe(r->rd, name);

	if (!path && !number)
		diag_help(r->rd->diags,
			  aa_fault(r, DIAG_PL333, w->span, "'%s' is no message queue", text),
			  "posix ones begin with '/', sysv ones are numbers");
	else if (path && m->type == AA_MQUEUE_SYSV)
		diag_help(r->rd->diags,
			  aa_fault(r, DIAG_PL339, w->span,
				   "'%s' is a posix queue, and the type is sysv", text),
			  "leave 'type' out: the name says it");
	else if (number && m->type == AA_MQUEUE_POSIX)
		diag_help(r->rd->diags,
			  aa_fault(r, DIAG_PL339, w->span,
				   "'%s' is a sysv queue, and the type is posix", text),
			  "leave 'type' out: the name says it");
	m->type = path ? AA_MQUEUE_POSIX : AA_MQUEUE_SYSV;
	if (!r->failed && path)
		aa_glob(r, w, GLOB_NAME, &m->name);
	m->name.word = w;
}

void aa_read_mqueue(struct aa_read *r)
{
	struct aa_mqueue_rule *m = &r->rule->mqueue;
	struct aa_words_read w;
	bool first = true;

	if (!aa_read_shape(r, TAKES_PERMS | TAKES_NAME, &w))
		return;
	vec_each(&r->rule->conds, c) {
		enum aa_mqueue_type type = AA_MQUEUE_ANY;

		if (c->id != AA_COND_TYPE || !mqueue_type(r, c, &type))
			continue;
		if (!first)
			diag_help(r->rd->diags,
				  aa_misread(r, c->item->span,
					     "the parser passes over a second 'type'"),
				  "keep one");
		if (first)
			m->type = type;
		first = false;
	}
	if (w.name && !r->failed)
		mqueue_name(r, &w.name->word);
	if (!r->rule->perms)
		r->rule->perms = AA_MQUEUE_READ | AA_MQUEUE_WRITE | AA_MQUEUE_CREATE |
				 AA_MQUEUE_DELETE | AA_MQUEUE_OPEN | AA_MQUEUE_GETATTR |
				 AA_MQUEUE_SETATTR;
}
