/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy being proposed: what was seen, statements with their evidence, values as policies
 * write them.
 */
#include <string.h>
#include <time.h>

#include "compiler/base/bug.h"
#include "compiler/policy/spell.h"
#include "learn/proposal.h"

const struct recorded_call *proposal_call(const struct proposal *p, enum arch a, const char *name)
{
	const struct syscall_info *s = syscall_by_name(str_c(name));

	if (!proposal_numbers(s, a))
		return NULL;
	return recording_call(p->r, a, (uint32_t)s->nr[a]);
}

bool proposal_saw(const struct proposal *p, const char *name)
{
	for (enum arch a = 0; a < ARCH_NR; a++)
		if (proposal_call(p, a, name))
			return true;
	return false;
}

bool proposal_on_apparmor(const struct proposal *p)
{
	return !p->r->run.no_files && p->opt->part != PROPOSE_SERVE;
}

/* ---- statements with evidence ---- */

struct ast_stmt *proposal_add(struct proposal *p, enum ast_stmt_kind kind)
{
	struct ast_stmt *s = ast_add(p->body, kind);

	s->verdict.action = AST_ACTION_ALLOW;
	if (p->group && *p->group) {
		ast_comment_add(p->a, &s->leading, "%s", p->group);
		s->leading->blank_before = true;
	} else if (p->group) {
		s->blank_before = true;
	}
	p->group = NULL;
	return s;
}

struct ast_stmt *proposal_header(struct proposal *p, enum ast_header h)
{
	struct ast_stmt *s = proposal_add(p, AST_STMT_HEADER);

	s->header = h;
	return s;
}

const char *proposal_time(struct arena *a, uint64_t ns)
{
	BUF_AUTO out = { 0 };

	run_time_print(&out, ns);
	return buf_keep(a, &out);
}

/* The day, in UTC. */
static const char *put_day(char out[32], uint64_t ns)
{
	time_t t = (time_t)(ns / 1000000000u);
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(out, 32, "%Y-%m-%d", &tm))
		strcpy(out, "?");
	return out;
}

/* Of a file: by runs that looked at files, where one of them has it. */
static bool is_of_those_with_files(const struct recording_runs *runs, const uint64_t *in)
{
	bool any = false;

	for (size_t i = 0; runs->without_files && i < (runs->n + 63) / 64; i++)
		any |= (in[i] & runs->with_files[i]) != 0;
	return any;
}

/* " in 3 of 5 runs on 2 of 2 hosts, 2026-11-20 to 2026-11-27" */
static void put_runs(struct proposal *p, struct buf *out, const uint64_t *in, bool of_file)
{
	const struct recording_runs *runs = p->r->runs;
	bool some = of_file && is_of_those_with_files(runs, in);
	bool *hosts = ARENA_ARRAY(p->a, bool, runs->hosts);
	bool *images = ARENA_ARRAY(p->a, bool, runs->images);
	uint64_t first = UINT64_MAX, last = 0;
	size_t nruns = 0, nhosts = 0, nimages = 0;
	char day[32], end[32];

	for (size_t i = 0; i < runs->n; i++) {
		if (!(in[i / 64] >> i % 64 & 1) ||
		    (some && !(runs->with_files[i / 64] >> i % 64 & 1)))
			continue;
		nruns++;
		nhosts += !hosts[runs->host[i]];
		nimages += !images[runs->image[i]];
		hosts[runs->host[i]] = images[runs->image[i]] = true;
		if (runs->started_ns[i] && runs->started_ns[i] < first)
			first = runs->started_ns[i];
		last = runs->started_ns[i] > last ? runs->started_ns[i] : last;
	}
	buf_printf(out, " in %zu of %zu runs%s", nruns, runs->n - (some ? runs->without_files : 0),
		   some ? " with files" : "");
	if (runs->hosts > 1)
		buf_printf(out, " on %zu of %u hosts", nhosts, runs->hosts);
	if (runs->images > 1)
		buf_printf(out, " of %zu of %u images", nimages, runs->images);
	if (!last)
		return; /* none says when */
	buf_printf(out, ", %s", put_day(day, first));
	if (strcmp(day, put_day(end, last)) != 0)
		buf_printf(out, " to %s", end);
}

static const char *evidence(struct proposal *p, uint64_t count, uint64_t first_ns,
			    const uint64_t *in, bool of_file)
{
	BUF_AUTO out = { 0 };

	buf_printf(&out, "%llux", (unsigned long long)count);
	if (in)
		put_runs(p, &out, in, of_file);
	if (first_ns || p->r->run.duration_ns) /* else its times are not known */
		buf_printf(&out, ", first at %s", proposal_time(p->a, first_ns));
	return buf_keep(p->a, &out);
}

const char *proposal_evidence(struct proposal *p, uint64_t count, uint64_t first_ns,
			      const uint64_t *in)
{
	return evidence(p, count, first_ns, in, false);
}

const char *proposal_file_evidence(struct proposal *p, uint64_t count, uint64_t first_ns,
				   const uint64_t *in)
{
	return evidence(p, count, first_ns, in, true);
}

const char *proposal_held(struct proposal *p, const uint64_t *in)
{
	BUF_AUTO out = { 0 };

	buf_puts(&out, "held when the recording began");
	if (in)
		put_runs(p, &out, in, false);
	return buf_keep(p->a, &out);
}

struct ast_stmt *proposal_add_call(struct proposal *p, struct ast_verdict v, const char *name,
				   struct ast_cond *cond)
{
	struct ast_stmt *s = proposal_add(p, AST_STMT_CALLS);

	s->verdict = v;
	s->calls = ast_call_new(p->a, name, cond);
	return s;
}

struct ast_verdict proposal_allow(struct proposal *p)
{
	return ast_verdict_of(p->a, (struct verdict){ VERDICT_ALLOW, 0 });
}

struct ast_verdict proposal_nosys(struct proposal *p)
{
	return ast_verdict_of(p->a, (struct verdict){ VERDICT_ERRNO, 38 });
}

/* ---- values to text ---- */

struct ast_value *proposal_value(struct proposal *p, uint64_t v, const struct arg_info *arg,
				 enum arch a)
{
	struct spell_as as = spell_argument(arg, a);
	struct spelling text;

	spell(&as, v, &text);
	return spell_tree(p->a, &text);
}

struct ast_value *proposal_flags(struct proposal *p, uint64_t v, const struct arg_info *arg,
				 enum arch a)
{
	struct spell_as as = spell_argument(arg, a);
	struct spelling text;

	spell_bits(&as, v, &text);
	return spell_tree(p->a, &text);
}

/* "AF_INET" -> "inet"; NULL without a name. */
const char *proposal_short_name(struct proposal *p, const char *domain, const char *prefix,
				uint64_t v)
{
	const char *name = constant_name(domain, v, p->r->run.host);
	char *out;

	if (!name || !str_starts(str_c(name), prefix))
		return NULL;
	out = arena_strdup(p->a, name + strlen(prefix));
	for (char *c = out; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + 'a' - 'A');
	return out;
}

void proposal_list(struct proposal *p, struct ast_comment **to, const struct buf *list)
{
	const char *at = list->p;
	size_t left = list->n;

	while (left) {
		size_t n = left;

		if (n > 88)
			for (n = 88; n > 1 && !(at[n - 1] == ',' && at[n] == ' ');)
				n--;
		ast_comment_add(p->a, to, "  %.*s", (int)n, at);
		for (left -= n, at += n; left && *at == ' '; left--)
			at++;
	}
}

bool proposal_replayed(const struct recording *r)
{
	static const char *const tiers[] = { "strace", "audit", "apparmor", "report" };

	for (size_t i = 0; i < ARRAY_SIZE(tiers); i++)
		if (strstr(r->run.backend, tiers[i])) /* of several runs, any */
			return true;
	return false;
}
