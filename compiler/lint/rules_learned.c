/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DS of policies that `pale learn` has proposed: what its comments say of a rule's evidence
 * (learn/propose.c, learn/proposal.c). Who takes the comments out has read them: nothing is told.
 */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/lint/internal.h"

static bool contains(struct str text, const char *part)
{
	return text.n && memmem(text.p, text.n, part, strlen(part));
}

/* What stands behind the word in the comments above the policy; p NULL: it is not there. */
static struct str told(const struct lint *l, const char *word)
{
	const struct ast_stmt *policy = l->policy ? l->policy->stmt : NULL;
	size_t n = strlen(word);

	if (policy && policy->kind == AST_STMT_POLICY)
		for (const struct ast_comment *c = policy->leading; c; c = c->next)
			if (str_starts(c->text, word))
				return (struct str){ c->text.p + n, c->text.n - n };
	return (struct str){ NULL, 0 };
}

static bool is_learned(const struct lint *l)
{
	return told(l, "Proposed by pale learn").p != NULL;
}

/* "144x, first at 9.1 ms": how often; 0: no evidence. */
static unsigned long long times(const struct ast_stmt *s)
{
	unsigned long long n = 0;
	size_t i = 0;

	if (!s->trailing || !contains(s->trailing->text, "first at "))
		return 0;
	for (; i < s->trailing->text.n && i < 18; i++) {
		char c = s->trailing->text.p[i];
		if (c < '0' || c > '9')
			break;
		n = n * 10 + (unsigned)(c - '0');
	}
	return i < s->trailing->text.n && s->trailing->text.p[i] == 'x' ? n : 0;
}

static struct str name_of(const struct ast_stmt *s)
{
	if (s->kind == AST_STMT_CALLS && s->calls)
		return s->calls->name.text;
	if (s->kind == AST_STMT_FILE && s->paths)
		return s->paths->text;
	return (struct str){ NULL, 0 };
}

typedef bool learned_fn(const struct lint *l, const struct ast_stmt *s);

/* Nesting is bounded by the parser. */
static void collect(const struct lint *l, const struct ast_stmt *s, learned_fn *fn,
		    struct group *out)
{
	for (; s; s = s->next) {
		struct str name = name_of(s);

		if (name.p && times(s) && fn(l, s))
			group_add(out, str_c(str_safe_of(out->arena, name)), s->keyword);
		if (s->kind == AST_STMT_WHEN)
			collect(l, s->body, fn, out);
	}
}

/* All of them in one finding: what is to be said of one, and of several. */
static void tell(struct lint *l, enum diag_id id, learned_fn *fn, const char *one, const char *many,
		 const char *help)
{
	struct group g = GROUP(l);
	struct diag *d;

	if (!is_learned(l))
		return;
	collect(l, l->policy->stmt->body, fn, &g);
	if (!g.hits.n)
		return;
	d = diag_add(l->ds, id, group_span(&g), "%s %s", group_list(&g), PLURAL(g, one, many));
	group_rest(l->ds, d, &g);
	for (size_t i = 1; i < g.hits.n; i++)
		diag_again(l->ds, d, g.hits.v[i].span);
	diag_help(l->ds, d, "%s", help);
}

static bool was_seen_once(const struct lint *l, const struct ast_stmt *s)
{
	(void)l;
	return times(s) == 1;
}

RULE(DS511, "learned-once", INFO, PALE, ds_learned_once,
     "rules that 'pale learn' proposes for what it saw once",
     "A rule whose evidence is '1x': one call, or one open, in the whole run. Often that is the "
     "start of the program, and right; it may as well be a fault, a probe, or what somebody did to the "
     "program while it was watched. One finding for all of them, with their places; `learn`'s comment "
     "behind each says when it was.\n\n"
     "Way out: read them; take the comments out of those that are meant. A second run of the same "
     "workload shows what belongs to it.")
void ds_learned_once(struct lint *l, enum diag_id id)
{
	tell(l, id, was_seen_once, "is allowed, and was seen once",
	     "are allowed, and each was seen once",
	     "read what may be an accident, and take the comments out of what is meant");
}

/* "first at 9.1 ms: a library's version" */
static bool is_widened(const struct lint *l, const struct ast_stmt *s)
{
	(void)l;
	return s->kind == AST_STMT_FILE && !contains(s->trailing->text, "a library's version") &&
	       (contains(s->trailing->text, "s: a ") || contains(s->trailing->text, " files: a "));
}

RULE(DS512, "learned-wide", INFO, PALE, ds_learned_wide,
     "patterns that 'pale learn' made wider than what it saw",
     "Names that are made anew each time (of mktemp, process ids) stand as "
     "patterns in a proposal, which let pass what was never seen. The comment behind the rule says why (a library's version is not told); "
     "the paths that are seen alone would be refused at the next run.\n\n"
     "Way out: read them; where the name is fixed write it out, and take the comment out.")
void ds_learned_wide(struct lint *l, enum diag_id id)
{
	tell(l, id, is_widened, "lets more pass than was seen", "let more pass than was seen",
	     "read why behind the rule, and write out what is fixed");
}

static size_t digits_at(struct str s, size_t at)
{
	size_t n = 0;

	while (at + n < s.n && s.p[at + n] >= '0' && s.p[at + n] <= '9')
		n++;
	return n;
}

/* "bound: 80 (any) 1x, 443 (any) 1x" */
static bool names_port(struct str comment, struct str digits)
{
	for (size_t i = 0; i < comment.n; i++) {
		size_t n = digits_at(comment, i);

		if (n == digits.n && !memcmp(comment.p + i, digits.p, n) && i + n + 1 < comment.n &&
		    comment.p[i + n] == ' ' && comment.p[i + n + 1] == '(')
			return true;
		i += n;
	}
	return false;
}

/* A port that the run bound is in its configuration, and so in the next run's. */
static bool was_bound(const struct lint *l, struct str digits)
{
	for (const struct ast_stmt *s = l->policy->stmt->body; s; s = s->next)
		for (const struct ast_comment *c = s->leading; c; c = c->next)
			if (str_starts(c->text, "bound: ") && names_port(c->text, digits))
				return true;
	return false;
}

/* Of a path below `from`: three digits and more in a row, so that it is no version or sequence. */
static bool has_number(const struct lint *l, struct str path, size_t from)
{
	for (size_t i = from, n; i < path.n; i += n + !n) {
		n = digits_at(path, i);
		if (n >= 3 && !was_bound(l, (struct str){ path.p + i, n }))
			return true;
	}
	return false;
}

static bool is_passing(const struct lint *l, const struct ast_stmt *s)
{
	static const char *const places[] = { "/tmp/", "/var/tmp/", "/dev/shm/" };
	struct str path = name_of(s);

	if (s->kind != AST_STMT_FILE || !path.n || memchr(path.p, '*', path.n) ||
	    memchr(path.p, '[', path.n))
		return false;
	if (str_starts(path, "/proc/") && path.n > 6 && path.p[6] >= '0' && path.p[6] <= '9')
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (str_starts(path, places[i]))
			return has_number(l, path, strlen(places[i]));
	return false;
}

RULE(DS513, "learned-passing-name", WARNING, PALE, ds_learned_passing_name,
     "a path of a proposal that holds a number of that one run",
     "`file r /proc/4711/stat`, `file w /tmp/job.4711`: process ids and what is made of them are others "
     "the next time, and the rule refuses it then. `learn` widens such names where it can tell: of files "
     "that are gone at the end of the run, of /proc by the process; told are those that it left. Named are "
     "paths with three digits in a row below /tmp, /var/tmp and /dev/shm, but for ports that the run bound, "
     "and /proc with a number.\n\n"
     "Way out: `*` or `[0-9]*` for the number; a second run shows whether it changes.")
void ds_learned_passing_name(struct lint *l, enum diag_id id)
{
	tell(l, id, is_passing, "holds a number that the next run will hardly have",
	     "hold numbers that the next run will hardly have",
	     "write '[0-9]*' for the number where it changes");
}

RULE(DS514, "learned-with-losses", WARNING, PALE, ds_learned_with_losses,
     "a proposal of a run of which not all was seen",
     "`learn` writes what it could not watch into the line 'losses:' above the policy: events that did "
     "not fit its buffer, names that could not be read. What was lost is in no rule, and is refused "
     "when it comes again, be it a rare path that the run had only once.\n\n"
     "Way out: learn again, on an idle machine, with a smaller workload, or with --backend ptrace.")
void ds_learned_with_losses(struct lint *l, enum diag_id id)
{
	struct str losses = told(l, "losses:");
	struct diag *d;

	while (losses.n && losses.p[0] == ' ') {
		losses.p++;
		losses.n--;
	}
	if (!is_learned(l) || !losses.n || str_is(losses, "none"))
		return;
	d = diag_add(l->ds, id, l->policy->span,
		     "this was learned from a run of which not all was seen: %s",
		     str_safe_of(l->arena, losses));
	diag_help(l->ds, d, "learn again, on an idle machine, or with '--backend ptrace'");
}
