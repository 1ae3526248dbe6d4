/* SPDX-License-Identifier: Apache-2.0 */
/* SC: entries of a profile whose action, or whose environment, is not what it seems to be. */
#include "compiler/base/bug.h"
#include "compiler/lint/internal.h"
#include "compiler/oci/fix.h"
#include "grammar/json_cut.h"

RULE(SC135, "trace-without-tracer", WARNING, JSON, sc_trace_without_tracer,
     "an entry hands calls to a tracer",
     "SCMP_ACT_TRACE asks the tracer of the process. Containers have none: the call then fails with ENOSYS, "
     "whatever errnoRet says, and a program that stands by PTRACE_O_TRACESECCOMP decides in its place. A "
     "default that traces is SC134. Evidence: Linux, Documentation/userspace-api/seccomp_filter.rst, "
     "SECCOMP_RET_TRACE.\n\n"
     "Way out: SCMP_ACT_ERRNO with the errno that is meant, or SCMP_ACT_LOG to see the calls.")

void sc_trace_without_tracer(struct lint *l, enum diag_id id)
{
	struct group g = GROUP(l);

	if (!l->profile || l->profile->dflt.kind == VERDICT_TRACE)
		return;
	vec_each(&l->profile->entries, e)
		if (e->readable && e->verdict.kind == VERDICT_TRACE)
			vec_each(&e->names, n)
				group_add(&g, n->text, n->span);
	if (!g.hits.n)
		return;
	struct diag *d = diag_add(
		l->ds, id, group_span(&g), "%s %s handed to a tracer; without one %s with ENOSYS",
		group_list(&g), PLURAL(g, "is", "are"), PLURAL(g, "it fails", "they fail"));
	diag_help(l->ds, d, "SCMP_ACT_ERRNO with an errno, or SCMP_ACT_LOG to see the calls");
	group_labels(l->ds, d, &g);
}

RULE(SC136, "kill-thread", WARNING, JSON, sc_kill_thread, "an action kills one thread alone",
     "SCMP_ACT_KILL, which is SCMP_ACT_KILL_THREAD, ends the thread that made the call, without a signal that "
     "anything could see. The others of the program go on, and what waits for that thread, or for a lock that "
     "it held, waits for ever; an init whose one thread dies so leaves a container that does nothing. "
     "SCMP_ACT_KILL_PROCESS ends all of them (Linux 4.14).\n\n"
     "Way out: SCMP_ACT_KILL_PROCESS; or SCMP_ACT_ERRNO, of which programs can tell.")

static void add_kill(struct lint *l, struct diag **d, enum diag_id id, struct span at)
{
	static const char *const words[] = { "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL" };

	if (!*d) {
		*d = diag_add(
			l->ds, id, at,
			"this kills the thread that makes the call, and no other: the rest of "
			"the program goes on without it, and may wait for it for ever");
		diag_help(l->ds, *d, "SCMP_ACT_KILL_PROCESS, or an errno");
		diag_fix_means(*d, FIX_UNSAFE, FIX_TIGHTER);
	} else {
		diag_again(l->ds, *d, at);
	}
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		diag_fix_word(l->ds, *d, at, str_c(words[i]), STR("SCMP_ACT_KILL_PROCESS"));
}

void sc_kill_thread(struct lint *l, enum diag_id id)
{
	struct diag *d = NULL;

	if (!l->profile)
		return;
	if (l->profile->has_default && l->profile->dflt.kind == VERDICT_KILL_THREAD)
		add_kill(l, &d, id, l->profile->dflt_span);
	vec_each(&l->profile->entries, e)
		if (e->readable && e->names.n && e->verdict.kind == VERDICT_KILL_THREAD)
			add_kill(l, &d, id, e->action_span);
}

RULE(SC150, "dead-condition", WARNING, JSON, sc_dead_condition,
     "an entry whose includes and excludes leave no environment",
     "What includes asks of the environment excludes rules out: a capability in both, the same machines, a "
     "kernel that is at least what it must be less than. The engine never hands the entry over, so what it "
     "allows stays refused, and what it refuses stays allowed.\n\n"
     "Way out: take what is meant out of the other, or take the entry out.")

/* A word that never matches (SJ019, SJ020) is told by itself. */
static const char *closed_by(const struct oci_gate *g)
{
	if (g->never)
		return NULL;
	if (g->caps & g->no_caps)
		return "a capability";
	if (g->hosts && !(g->hosts & ~g->no_hosts))
		return "every machine";
	if (g->min_kernel && g->max_kernel && g->min_kernel >= g->max_kernel)
		return "every kernel";
	return NULL;
}

void sc_dead_condition(struct lint *l, enum diag_id id)
{
	if (!l->profile || l->profile->in_config)
		return;
	vec_each(&l->profile->entries, e) {
		const char *what = closed_by(e->gate);
		if (!what || !e->readable)
			continue;
		struct diag *d =
			diag_add(l->ds, id, e->json->span,
				 "excludes rules out %s that includes asks for: this entry "
				 "is never in force",
				 what);
		diag_help(l->ds, d, "take it out of one of them, or take the entry out");
		oci_fix_cut_at(l->profile, l->ds, d, e->json->span);
		diag_fix_means(d, FIX_SAFE, FIX_SAME);
	}
}

RULE(SJ025, "empty-member", INFO, JSON, sj_empty_member, "members of entries that say nothing",
     "An entry has '\"args\": []', '\"comment\": \"\"', or 'includes' or 'excludes' with nothing in it: what is not there means the same to "
     "every runtime. Tools write them; who reads the profile reads past them. One finding for all of a file.\n\n"
     "Way out: leave them out.")

/* "args" without a condition and the like. */
static bool is_empty_member(const struct json *m)
{
	static const char *const keys[] = { "args", "comment", "excludes", "includes" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (str_is(m->key, keys[i]))
			return !m->duplicate && ((m->kind == JSON_STRING && i == 1 && !m->text.n) ||
						 (m->kind == JSON_ARRAY && i == 0 && !m->count) ||
						 (m->kind == JSON_OBJECT && i > 1 && !m->count));
	return false;
}

void sj_empty_member(struct lint *l, enum diag_id id)
{
	enum { PLACES_MAX = 1000 }; /* GitHub takes no more of SARIF */
	struct diag *d = NULL;
	size_t n = 0;

	if (!l->profile)
		return;
	vec_each(&l->profile->entries, e) {
		json_list cut = { 0 };

		for (const struct json *m = e->json->first; m; m = m->next) {
			if (e->json->kind != JSON_OBJECT || !is_empty_member(m) ||
			    n++ >= PLACES_MAX)
				continue;
			if (!d) {
				d = diag_add(l->ds, id, m->key_span,
					     "an empty '" PRISTR "' says nothing", STRARG(m->key));
				diag_help(l->ds, d, "leave it out");
				diag_fix_means(d, FIX_SAFE, FIX_SAME);
			} else {
				diag_again(l->ds, d, m->key_span);
			}
			vec_push(l->arena, &cut, m);
		}
		if (cut.n)
			json_fix_cut(l->ds, d, e->json, &cut);
	}
}
