/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/lint/suppress.h"

#include <string.h>

#include "compiler/lint/internal.h"
#include "compiler/lint/select.h"

/*
 * Each finding is held against each comment: what are more is told and not read. Below a comment so
 * many lines are looked at.
 */
enum { SUPPRESSIONS_MAX = 4096, LINES_MAX = 64 };

static const char mark[] = "pale:", word[] = "ignore";

static struct str trim(struct str s)
{
	while (s.n && strchr(" \t\r\n", s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && strchr(" \t\r\n", s.p[s.n - 1]))
		s.n--;
	return s;
}

/* "pale: ignore RULES REASON" at the start of a text, or behind a blank. */
static bool read_text(struct str text, struct suppression *out)
{
	const char *end = text.p + text.n, *p = text.p;

	for (; text.n; p++) {
		p = memmem(p, (size_t)(end - p), mark, strlen(mark));
		if (!p)
			return false;
		if (p > text.p && p[-1] != ' ' && p[-1] != '\t')
			continue;
		struct str rest =
			trim((struct str){ p + strlen(mark), (size_t)(end - p) - strlen(mark) });
		size_t n = strlen(word);
		if (!str_starts(rest, word) ||
		    (rest.n > n && rest.p[n] != ' ' && rest.p[n] != '\t'))
			continue;
		rest = trim((struct str){ rest.p + n, rest.n - n });
		out->rules = (struct str){ rest.p, 0 };
		while (out->rules.n < rest.n && !strchr(" \t", rest.p[out->rules.n]))
			out->rules.n++;
		out->reason = trim((struct str){ rest.p + out->rules.n, rest.n - out->rules.n });
		return true;
	}
	return false;
}

/* One too many shows that there are more. */
static bool is_full(const suppression_list *list)
{
	return list->n > SUPPRESSIONS_MAX;
}

/* ---- comments of a line ---- */

static uint32_t line_begin(const struct source *src, uint32_t at)
{
	while (at && src->text.p[at - 1] != '\n')
		at--;
	return at;
}

static uint32_t line_end(const struct source *src, uint32_t at)
{
	while (at < src->text.n && src->text.p[at] != '\n')
		at++;
	return at;
}

/* The first byte of the line from `at` that is no blank: its end where there is none. */
static uint32_t first_of(const struct source *src, uint32_t at)
{
	while (at < src->text.n && strchr(" \t\r", src->text.p[at]))
		at++;
	return at;
}

/* The next line below that is no comment and not blank. */
static void find_below(const struct source *src, uint32_t *begin, uint32_t *end)
{
	for (unsigned i = 0; i < LINES_MAX; i++) {
		*begin = *end + (*end < src->text.n);
		*end = line_end(src, *begin);
		uint32_t first = first_of(src, *begin);
		if (first < *end && src->text.p[first] != '#')
			return;
	}
	*end = *begin;
}

/* A command of a shell goes on where its line ends with '\\'. */
static uint32_t command_end(const struct source *src, uint32_t begin, uint32_t end)
{
	for (unsigned i = 0; i < LINES_MAX && end > begin && src->text.p[end - 1] == '\\'; i++)
		end = line_end(src, end + (end < src->text.n));
	return end;
}

void suppress_read_comments(struct arena *a, const struct source *src,
			    const struct comment_list *comments, suppression_list *out)
{
	for (size_t i = 0; i < comments->n && !is_full(out); i++) {
		const struct ast_comment *c = comments->v[i];
		struct suppression s = { .place = c->span };
		uint32_t begin, end;

		if (!read_text(c->text, &s))
			continue;
		begin = line_begin(src, c->span.begin);
		end = line_end(src, c->span.begin);
		if (first_of(src, begin) == c->span.begin) /* it stands alone */
			find_below(src, &begin, &end);
		end = command_end(src, begin, end);
		s.covers = (struct span){ src->id, begin, end };
		vec_push(a, out, s);
	}
}

/* ---- JSON ---- */

/* Elements of arrays alone: what stands beside the whole profile would cover all of it. Nesting is
 * bounded by the parser. */
void suppress_read_json(struct arena *a, const struct json *root, suppression_list *out)
{
	for (const struct json *v = root->first; v && !is_full(out); v = v->next) {
		const struct json *comment = root->kind == JSON_ARRAY && v->kind == JSON_OBJECT ?
						     json_get(v, "comment") :
						     NULL;
		struct suppression s = { .covers = v->span };

		if (comment && comment->kind == JSON_STRING && read_text(comment->text, &s)) {
			s.place = comment->span;
			vec_push(a, out, s);
		}
		if (v->kind == JSON_ARRAY || v->kind == JSON_OBJECT)
			suppress_read_json(a, v, out);
	}
}

/* ---- what they do ---- */

/*
 * One rule of the list; false behind the last. Empty ones ("SR205,,") are skipped.
 */
static bool next_rule(struct str *rules, struct str *rule)
{
	while (rules->n && rules->p[0] == ',') {
		rules->p++;
		rules->n--;
	}
	const char *comma = memchr(rules->p, ',', rules->n);
	*rule = (struct str){ rules->p, comma ? (size_t)(comma - rules->p) : rules->n };
	rules->p += rule->n;
	rules->n -= rule->n;
	return rule->n > 0;
}

static bool names(const struct suppression *s, enum diag_id id)
{
	struct str rules = s->rules, rule;

	while (next_rule(&rules, &rule))
		if (selection_match(rule, id))
			return true;
	return false;
}

static bool covers(const struct suppression *s, struct span place)
{
	return s->covers.source == place.source && s->covers.begin <= place.begin &&
	       place.begin < s->covers.end;
}

static const struct suppression *find(const suppression_list *all, enum diag_id id,
				      struct span place)
{
	vec_each(all, s)
		if (covers(s, place) && names(s, id))
			return s;
	return NULL;
}

/* The one at its main place, where each of its places has one. */
static const struct suppression *find_all(const suppression_list *all, const struct diag *d)
{
	const struct suppression *s = find(all, d->id, d->span);

	vec_each(&d->labels, l)
		if (s && l->again && !find(all, d->id, l->span))
			return NULL;
	return s;
}

RULE_TOLD(
	DS517, "idle-suppression", WARNING, BOTH | APPARMOR,
	"a comment that suppresses nothing, or says no reason",
	"'pale: ignore RULES REASON' in a comment (of a line of a policy or of AppArmor's text, of the "
	"line below where it stands alone, or in the \"comment\" of an entry of JSON) keeps findings "
	"from being told. Where it names no rule that there is, where nothing of the kind is found "
	"there any more, or only with other places that it does not cover, it misleads who reads it; "
	"without a reason nobody can say when it may go. This rule itself cannot be suppressed.\n\n"
	"Way out: remove it, or what it names for nothing; write why behind the rules.")

/* What is said of one rule of a comment; NULL: it suppresses something. */
static const char *idle_because(struct diags *ds, const struct suppression *s, struct str rule,
				struct suggest *near)
{
	const struct diag *elsewhere = NULL;
	struct selection any = { 0 };

	if (!selection_add(&any, rule, false, near))
		return "is no rule";
	vec_each(&ds->list, it) {
		const struct diag *d = *it;
		bool here = covers(s, d->span);

		vec_each(&d->labels, l)
			here |= l->again && covers(s, l->span);
		if (!here || !selection_match(rule, d->id))
			continue;
		if (d->suppressed)
			return NULL;
		elsewhere = d;
	}
	return elsewhere ? "is also found at places that no comment covers" : "is not found here";
}

static void tell_idle(struct diags *ds, const struct suppression *s)
{
	struct str rules = s->rules, rule;
	struct diag *d;

	if (!s->reason.n || !s->rules.n) {
		d = diag_add(ds, DIAG_DS517, s->place, "%s",
			     s->rules.n ?
				     "no reason is given for what is ignored here" :
				     "no rule and no reason is given for what is ignored here");
		diag_help(ds, d, "'pale: ignore RULES REASON'");
	}
	while (next_rule(&rules, &rule)) {
		struct suggest near;
		BUF_AUTO safe = { 0 };
		const char *why = idle_because(ds, s, rule, &near);

		if (!why)
			continue;
		buf_safe(&safe, rule);
		d = diag_add(ds, DIAG_DS517, s->place, "'%s', which is ignored here, %s",
			     safe.p ? safe.p : "", why);
		if (near.best.p && near.distance)
			diag_help(ds, d, "did you mean '" PRISTR "'?", STRARG(near.best));
		else
			diag_help(ds, d, "remove it");
	}
}

static void tell_rest(struct diags *ds, suppression_list *all)
{
	if (!is_full(all))
		return;
	diag_add(ds, DIAG_DS517, all->v[SUPPRESSIONS_MAX].place,
		 "%d comments before this one ignore findings; no more are read", SUPPRESSIONS_MAX);
	all->n = SUPPRESSIONS_MAX;
}

void suppress_apply(struct diags *ds, suppression_list *all)
{
	bool whole = true;

	if (!all->n)
		return;
	tell_rest(ds, all);
	vec_each(&ds->list, it)
		whole &= !selection_stays(*it);
	vec_each(&ds->list, it) {
		const struct suppression *s = selection_stays(*it) ? NULL : find_all(all, *it);

		if (s)
			(*it)->suppressed = str_dup(ds->arena, s->reason);
	}
	for (size_t i = 0; i < all->n && whole; i++)
		tell_idle(ds, &all->v[i]);
}
