/* SPDX-License-Identifier: Apache-2.0 */
/* SR: what passes and can be used against the machine (risk.def says what, and when). */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/lint/facts.h"
#include "compiler/lint/internal.h"

static const struct risk {
	enum diag_id id;
	const char *call, *gates, *kernel, *danger;
} risks[] = {
#define RISK(id, call, gates, kernel, danger) { DIAG_##id, call, gates, kernel, danger },
#include "compiler/lint/risk.def"
#undef RISK
};

static const struct { /* what follows the list of names */
	enum diag_id id;
	const char *why, *help;
} texts[] = {
#define RISK_TEXT(id, why, help) { DIAG_##id, why, help },
#include "compiler/lint/risk_text.def"
#undef RISK_TEXT
};

/* Calls of one rule that pass, in all environments or with capabilities alone. */
struct open_calls {
	struct group calls;
	bool always;         /* each of them whatever its arguments */
	const char *witness; /* of the first that a condition is asked of, or that has conditions */
	const char *gate;    /* the capability that a Docker profile gates one with; "" */
};

static const char *question_of(struct lint *l, const struct risk *r)
{
	return *r->danger ? arena_printf(l->arena, "%s(%s)", r->call, r->danger) : r->call;
}

/* The default's own openness is SC133's to say. */
static void add_open(struct lint *l, struct open_calls *o, const struct risk *r,
		     const struct fact_answer *w)
{
	bool always = w->always & w->some;

	if (!group_add(&o->calls, str_c(r->call), facts_span(l->facts, r->call)))
		return;
	o->always &= always;
	if (!o->witness && (*r->danger || !always || w->with_caps))
		o->witness = facts_witness(l->facts, w);
	if (!*o->gate)
		o->gate = arena_printf(l->arena, "%.*s", (int)strcspn(r->gates, "|"), r->gates);
}

static void collect_open(struct lint *l, enum diag_id id, struct open_calls *plain,
			 struct open_calls *gated)
{
	for (size_t i = 0; i < ARRAY_SIZE(risks); i++) {
		const struct risk *r = &risks[i];
		if (r->id != id || !facts_named(l->facts, r->call))
			continue;
		struct fact_answer w = facts_ask(l->facts, question_of(l, r), r->gates);
		if (w.some)
			add_open(l, w.with_caps ? gated : plain, r, &w);
	}
}

/* "; the kernel asks for CAP_SYS_ADMIN": for all of the calls, or for which. */
static const char *kernel_asks(struct lint *l, enum diag_id id, const struct group *calls)
{
	const char *out = "", *last = NULL;
	struct group with = { .arena = l->arena };
	bool same = true;

	for (size_t i = 0; i < ARRAY_SIZE(risks); i++) {
		const struct risk *r = &risks[i];
		if (r->id != id || !group_has(calls, str_c(r->call)))
			continue;
		same &= !last || !strcmp(last, r->kernel);
		last = r->kernel;
		if (*r->kernel)
			group_add(&with, str_c(arena_printf(l->arena, "%s for %s", r->kernel, r->call)),
				  NO_SPAN);
	}
	if (same && last && *last)
		return arena_printf(l->arena, "; the kernel asks for %s", last);
	for (size_t i = 0; i < with.hits.n; i++)
		out = arena_printf(l->arena, "%s%s" PRISTR, out, i ? ", " : "; the kernel asks for ",
				   STRARG(with.hits.v[i].text));
	return out;
}

static size_t text_of(enum diag_id id)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i].id == id)
			return i;
	BUG("a risk without its text");
}

static void tell_open(struct lint *l, enum diag_id id, const struct open_calls *o, bool gated)
{
	size_t t = text_of(id);
	const char *how = "allowed without a condition";

	if (!o->calls.hits.n)
		return;
	if (gated)
		how = arena_printf(l->arena, "allowed in some environments, as in %s", o->witness);
	else if (!o->always)
		how = arena_printf(l->arena, "allowed under conditions that let %s through", o->witness);
	else if (o->witness)
		how = arena_printf(l->arena, "%s, %s too", how, o->witness);
	struct diag *d = diag_add(l->ds, id, group_span(&o->calls), "%s %s %s: %s%s",
				  group_list(&o->calls), PLURAL(o->calls, "is", "are"), how,
				  texts[t].why, kernel_asks(l, id, &o->calls));
	if (gated && diag_info(id)->severity < SEVERITY_INFO)
		diag_severity(l->ds, d, (enum severity)(diag_info(id)->severity + 1));
	if (*o->gate && l->facts->json)
		diag_help(l->ds, d, "%s; in a Docker profile: \"includes\": {\"caps\": [\"%s\"]}",
			  texts[t].help, o->gate);
	else
		diag_help(l->ds, d, "%s", texts[t].help);
	group_labels(l->ds, d, &o->calls);
}

void sr_open_call(struct lint *l, enum diag_id id)
{
	struct open_calls plain = { .calls = GROUP(l), .always = true, .gate = "" }, gated = plain;

	if (!l->facts || !facts_refuses(l->facts))
		return;
	collect_open(l, id, &plain, &gated);
	tell_open(l, id, &plain, false);
	tell_open(l, id, &gated, true);
}

/* Two calls that are harmless alone: anonymous file, then execute it. */
void sr_fileless_exec(struct lint *l, enum diag_id id)
{
	struct diag *d;

	if (!l->facts || !facts_refuses(l->facts) ||
	    !(facts_some(l->facts, "memfd_create") & facts_some(l->facts, "execveat")))
		return;
	d = diag_add(l->ds, id, facts_span(l->facts, "memfd_create"), "'memfd_create' and 'execveat' "
		     "are both allowed: a program can be executed that never was a file");
	diag_help(l->ds, d, "leave execveat out unless the program calls fexecve()");
	diag_note(l->ds, d, facts_span(l->facts, "execveat"), "the second half");
}
