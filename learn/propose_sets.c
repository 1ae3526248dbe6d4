/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets: used where the run made every call of one; and the sets of how it will be started.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grammar/parse.h"
#include "learn/proposal.h"

#define SET_WORTH 4 /* calls that a set must save to be used */

/* ---- sets ---- */

static bool is_implied(const struct ast_stmt *st)
{
	return st->trailing && str_starts(st->trailing->text, "implied:");
}

/* Calls that the policy treats otherwise than a set would. */
bool propose_is_special(struct proposal *p, const char *name, enum arch a)
{
	const struct syscall_info *s = syscall_by_name(str_c(name));
	const struct recorded_call *c =
		s && s->nr[a] >= 0 ? recording_call(p->r, a, (uint32_t)s->nr[a]) : NULL;
	int index;

	if (!strcmp(name, "clone") || !strcmp(name, "clone3") || propose_is_socket(name))
		return true;
	return c && propose_cond(p, c, s, &index);
}

/* Every call of it was seen (or is implied in the set itself), and it only allows calls. */
static bool set_fits(struct proposal *p, enum arch a, struct set_use *u)
{
	for (const struct ast_stmt *st = u->set->body; st; st = st->next) {
		if (st->kind != AST_STMT_CALLS || st->verdict.action != AST_ACTION_ALLOW)
			return false;
		for (const struct ast_call *c = st->calls; c; c = c->next) {
			const char *name = str_dup(p->a, c->name.text);
			const struct recorded_call *seen = proposal_call(p, a, name);

			if (c->cond || c->by_number || (!seen && !is_implied(st)))
				return false;
			if (propose_is_special(p, name, a))
				ast_words_add(p->a, &u->except, name);
			else if (seen && !p->done[a][seen->nr])
				u->worth++;
		}
	}
	return true;
}

static void list_evidence(struct proposal *p, struct ast_stmt *use, const struct set_use *u,
			  enum arch a)
{
	BUF_AUTO line = { 0 };

	buf_printf(&line, PRISTR ":", STRARG(u->set->name.text));
	for (const struct ast_stmt *st = u->set->body; st; st = st->next) {
		for (const struct ast_call *c = st->calls; c; c = c->next) {
			const char *name = str_dup(p->a, c->name.text);
			const struct recorded_call *seen = proposal_call(p, a, name);

			if (propose_is_special(p, name, a))
				continue;
			if (line.n > 80) {
				ast_comment_add(p->a, &use->leading, "%s", line.p);
				line.n = 0;
			}
			if (seen && seen->assumed)
				buf_printf(&line, "%s%s assumed", line.n ? " " : "  ", name);
			else if (seen)
				buf_printf(&line, "%s%s %llux", line.n ? " " : "  ", name,
					   (unsigned long long)seen->count);
			else
				buf_printf(&line, "%s%s implied", line.n ? " " : "  ", name);
		}
	}
	if (line.n)
		ast_comment_add(p->a, &use->leading, "%s", line.p);
}

/* What the arguments of its calls were that were recorded, and hang on no condition. */
static void list_values(struct proposal *p, struct ast_stmt *use, const struct set_use *u,
			enum arch a)
{
	for (const struct ast_stmt *st = u->set->body; st; st = st->next) {
		for (const struct ast_call *c = st->calls; c; c = c->next) {
			const char *name = str_dup(p->a, c->name.text);
			const struct recorded_call *seen = proposal_call(p, a, name);
			struct value_note note = { arena_printf(p->a, "  %s:", name), -1 };

			if (seen && !propose_is_special(p, name, a))
				propose_note_values(p, &use->leading, seen, &note);
		}
	}
}

static void use_set(struct proposal *p, const struct set_use *u, enum arch a)
{
	struct ast_stmt *use = proposal_add(p, AST_STMT_USE);

	ast_words_add(p->a, &use->words, str_dup(p->a, u->set->name.text));
	use->except = u->except;
	list_evidence(p, use, u, a);
	list_values(p, use, u, a);
	for (const struct ast_stmt *st = u->set->body; st; st = st->next) {
		for (const struct ast_call *c = st->calls; c; c = c->next) {
			const struct syscall_info *s = syscall_by_name(c->name.text);

			if (proposal_numbers(s, a) && !propose_is_special(p, s->name, a))
				p->done[a][s->nr[a]] = p->whole_by_set[a][s->nr[a]] = true;
		}
	}
}

bool propose_set_holds(const struct ast_stmt *set, const char *name)
{
	for (const struct ast_stmt *st = set->body; st; st = st->next)
		for (const struct ast_call *c = st->calls; c; c = c->next)
			if (str_is(c->name.text, name))
				return true;
	return false;
}

/* A set of how it will be started: needed whether or not the run made its calls. */
void propose_start(struct proposal *p, const struct set_use *u, enum arch a)
{
	struct ast_stmt *use = proposal_add(p, AST_STMT_USE);
	const char *how = str_is(u->set->name.text, "start-run") ? "pale run starts a program" :
								   "the container runtime does";
	const char *met = p->r->run.runtime;

	ast_words_add(p->a, &use->words, str_dup(p->a, u->set->name.text));
	use->except = u->except;
	if (met && !p->opt->starts_asked)
		ast_comment_add(p->a, &use->trailing, "how %s; met: %s", how, met);
	else
		ast_comment_add(p->a, &use->trailing, "how %s", how);
	if (!p->one_arch)
		return;
	for (const struct ast_stmt *st = u->set->body; st; st = st->next) {
		for (const struct ast_call *c = st->calls; c; c = c->next) {
			const struct syscall_info *s = syscall_by_name(c->name.text);
			bool out = u->except && s && str_is(u->except->text, s->name);

			if (!proposal_numbers(s, a) || out)
				continue;
			p->done[a][s->nr[a]] = true;
			p->whole_by_set[a][s->nr[a]] |= !c->cond;
		}
	}
}

static int cmp_name(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static void tell_unread(struct proposal *p, const char *path, int err, struct set_list *out)
{
	BUF_AUTO safe = { 0 };
	struct diag *d;

	buf_safe(&safe, str_c(path));
	d = diag_add(p->ds, DIAG_PL414, NO_SPAN, "sets in '%s' cannot be read: %s",
		     safe.p ? safe.p : "", strerror(err));
	diag_help(p->ds, d,
		  "what they would have given (how the program starts, groups of calls) is "
		  "missing in the proposal");
	out->unread++;
}

/* The sets of one directory, in the order of their files' names. */
void propose_load_sets(struct proposal *p, const char *dir, struct set_list *out)
{
	struct {
		VEC(const char *) list;
	} names = { 0 };
	DIR *d = opendir(dir);
	struct dirent *e;

	if (!d) {
		if (errno != ENOENT && errno != ENOTDIR)
			tell_unread(p, dir, errno, out);
		return;
	}
	for (errno = 0; (e = readdir(d)); errno = 0) {
		size_t n = strlen(e->d_name);

		if (n > 5 && !strcmp(e->d_name + n - 5, ".pale"))
			vec_push(p->a, &names.list, arena_printf(p->a, "%s/%s", dir, e->d_name));
	}
	if (errno)
		tell_unread(p, dir, errno, out);
	closedir(d);
	if (names.list.n)
		qsort(names.list.v, names.list.n, sizeof(*names.list.v), cmp_name);
	vec_each(&names.list, name) {
		/* One with errors is not used; `check` of the proposal needs none of it. */
		struct diags *quiet = diags_new(p->a, p->ds->sources);
		struct source *src;
		struct ast_file *file;
		int err = source_load_regular(p->ds->sources, *name, &src);

		if (err) {
			tell_unread(p, *name, -err, out);
			continue;
		}
		file = pale_parse_source(p->a, src, quiet);
		if (quiet->errors)
			continue;
		for (const struct ast_stmt *st = file->stmts; st; st = st->next)
			if (st->kind == AST_STMT_SET)
				vec_push(p->a, &out->list, st);
	}
}

const struct ast_stmt *propose_find_set(const struct set_list *sets, const char *name)
{
	for (size_t i = 0; i < sets->list.n; i++)
		if (str_is(sets->list.v[i]->name.text, name))
			return sets->list.v[i];
	return NULL;
}

/* The set that saves most, again and again; start-* sets are for runtimes, not for programs. */
void propose_sets(struct proposal *p, const struct set_list *sets, enum arch a)
{
	for (;;) {
		struct set_use best = { 0 };

		for (size_t i = 0; i < sets->list.n; i++) {
			struct set_use u = { .set = sets->list.v[i] };

			if (str_starts(u.set->name.text, "start-") || !set_fits(p, a, &u))
				continue;
			if (u.worth > best.worth)
				best = u;
		}
		if (best.worth < SET_WORTH)
			return;
		use_set(p, &best, a);
	}
}
