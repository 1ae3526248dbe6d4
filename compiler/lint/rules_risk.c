/* SPDX-License-Identifier: Apache-2.0 */
/* SR: what is allowed without a condition and can be used against the machine (risk.def). */
#include "compiler/base/bug.h"
#include "compiler/lint/internal.h"

static const struct {
	enum diag_id id;
	const char *call, *cap;
} risks[] = {
#define RISK(id, call, cap) { DIAG_##id, call, cap },
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

/* Calls allowed whatever their arguments. The default's own openness is SC133's to say. */
static void collect_open(const struct lint *l, enum diag_id id, struct group *g, const char **cap)
{
	*cap = "";
	for (size_t i = 0; i < ARRAY_SIZE(risks); i++) {
		const struct call_state *c;

		if (risks[i].id != id)
			continue;
		c = view_call(l->view, risks[i].call);
		if (!c || !c->open)
			continue;
		if (group_add(g, str_c(risks[i].call), c->span) && !**cap)
			*cap = risks[i].cap;
	}
}

void sr_open_call(struct lint *l, enum diag_id id)
{
	struct group g = GROUP(l);
	const char *cap;
	struct diag *d;
	size_t i = 0;

	if (!l->view || !view_refuses(l->view))
		return;
	collect_open(l, id, &g, &cap);
	if (!g.hits.n)
		return;
	while (texts[i].id != id)
		if (++i == ARRAY_SIZE(texts))
			BUG("a risk without its text");
	d = diag_add(l->ds, id, group_span(&g), "%s %s allowed without a condition: %s",
		     group_list(&g), PLURAL(g, "is", "are"), texts[i].why);
	if (*cap && l->view->json)
		diag_help(l->ds, d, "%s; in a Docker profile: \"includes\": {\"caps\": [\"%s\"]}",
			  texts[i].help, cap);
	else
		diag_help(l->ds, d, "%s", texts[i].help);
	group_labels(l->ds, d, &g);
}

/* Two calls that are harmless alone: anonymous file, then execute it. */
void sr_fileless_exec(struct lint *l, enum diag_id id)
{
	const struct call_state *mem, *exec;
	struct diag *d;

	if (!l->view || !view_refuses(l->view))
		return;
	mem = view_call(l->view, "memfd_create");
	exec = view_call(l->view, "execveat");
	if (!mem || !exec || !(mem->open & exec->open))
		return;
	d = diag_add(l->ds, id, mem->span, "'memfd_create' and 'execveat' are both allowed: a program "
		     "can be executed that never was a file");
	diag_help(l->ds, d, "leave execveat out unless the program calls fexecve()");
	diag_note(l->ds, d, exec->span, "the second half");
}
