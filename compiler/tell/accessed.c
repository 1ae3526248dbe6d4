/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/tell/accessed.h"

#include <ctype.h>

#include "compiler/base/bug.h"
#include "compiler/tell/decided.h"
#include "compiler/tell/explained.h"

const char *access_outcome(enum aa_outcome o)
{
	static const char *const words[AA_OUTCOME_NR] = {
		[AA_ALLOWED] = "allowed",
		[AA_ALLOWED_AUDITED] = "allowed, audited",
		[AA_ALLOWED_LOGGED] = "allowed, logged",
		[AA_ASKS] = "asks",
		[AA_REFUSED] = "refused",
		[AA_KILLED] = "refused, killed",
		[AA_VARIES] = "varies",
	};

	return words[o];
}

const char *access_environment(enum aa_environment e)
{
	static const char *const words[] = { "", "safe", "unsafe" };

	return words[e];
}

static const char *who_word(enum file_who who)
{
	return who == FILE_OWNER ? "owner" : "other";
}

/* ---- rules ---- */

/* Of a policy, or of a profile with the includes by which it came in. */
void put_aa_rule(struct buf *out, const struct sources *sources, const struct aa_rule *r)
{
	const char *before = "  (included at ";
	const struct aa_use *use = r->use;

	if (!use) {
		put_rule(out, sources, r->origin);
		return;
	}
	put_text(out, sources, use->stmt->span);
	for (const struct aa_from *f = use->from; f; f = f->parent) {
		buf_puts(out, before);
		put_place(out, sources, f->include->span);
		before = ", at ";
	}
	if (use->from)
		buf_putc(out, ')');
}

/* A rule that speaks of a path, whoever wrote it. */
static void put_spoken_rule(struct buf *out, const struct sources *sources,
			    const struct aa_spoken *r)
{
	const struct aa_opened *f = r->file;

	if (r->rule)
		put_aa_rule(out, sources, r->rule);
	else
		buf_printf(out, "the parser adds it, as the profile has %s",
			   f->added == AA_ADDED_HATS ? "hats or children" : "change_profile rules");
	if (!f || !f->alias)
		return;
	buf_puts(out, "  (by alias '");
	buf_safe(out, f->alias->from.text);
	buf_puts(out, "' -> '");
	buf_safe(out, f->alias->to.text);
	buf_puts(out, "')");
}

void put_exec(struct buf *out, enum aa_exec exec, bool unsafe, struct str target)
{
	static const char *const words[AA_EXEC_NR] = {
		[AA_EXEC_NONE] = "x", [AA_EXEC_BARE] = "x",  [AA_EXEC_IX] = "ix",
		[AA_EXEC_PX] = "px",  [AA_EXEC_PIX] = "pix", [AA_EXEC_PUX] = "pux",
		[AA_EXEC_CX] = "cx",  [AA_EXEC_CIX] = "cix", [AA_EXEC_CUX] = "cux",
		[AA_EXEC_UX] = "ux",
	};
	const char *word = words[exec];
	bool clears = !unsafe && exec > AA_EXEC_IX;

	buf_putc(out, clears ? (char)toupper((unsigned char)word[0]) : word[0]);
	buf_puts(out, word + 1);
	if (!target.n)
		return;
	buf_puts(out, " -> ");
	aa_access_put_path(out, target);
}

/* ---- sim ---- */

static void put_lacking(struct buf *out, const struct aa_access *access, const struct aa_verdict *v,
			const char *before)
{
	unsigned lacking = v->lacking;

	vec_each(&v->rules, r)
		if (r->role != AA_ROLE_OUTRANKED)
			lacking &= ~r->bits;
	if (!lacking)
		return;
	buf_printf(out, "%sno rule allows ", before);
	if (access->kind == AA_ACCESS_RULE)
		buf_puts(out, "it");
	else
		aa_perms_put(out, lacking);
}

void access_put_deciding(struct buf *out, const struct sources *sources,
			 const struct aa_access *access, const struct aa_verdict *v)
{
	const char *before = "  ";

	vec_each(&v->rules, r) {
		bool allows = !r->rule || r->rule->prefix.mode == AA_MODE_ALLOW;
		if (r->role != AA_ROLE_DECIDES || (v->lacking && allows))
			continue;
		buf_puts(out, before);
		put_spoken_rule(out, sources, r);
		before = "; ";
	}
	put_lacking(out, access, v, before);
	if (v->why)
		buf_printf(out, "  (%s)", v->why);
}

static void put_verdict(struct session *s, const struct aa_access *access,
			const struct aa_verdict *v, const char *who, struct buf *out)
{
	buf_printf(out, "%s  ", access_outcome(v->outcome));
	aa_access_put(out, access);
	buf_printf(out, "%s%s", *who ? "  " : "", who);
	if (v->exec.exec) {
		buf_puts(out, "  ");
		put_exec(out, v->exec.exec, v->exec.unsafe, v->exec.target);
	}
	if (v->environment)
		buf_printf(out, "  %s", access_environment(v->environment));
	access_put_deciding(out, s->sources, access, v);
	buf_putc(out, '\n');
}

/* The verdicts that are said: one where both halves are alike. */
struct verdicts {
	struct aa_verdict v[FILE_WHO_NR];
	const char *who[FILE_WHO_NR];
	unsigned n;
};

static void ask_halves(const struct aa_asking *q, const struct aa_access *access,
		       struct verdicts *out)
{
	*out = (struct verdicts){ .n = 0 };
	if (access->kind == AA_ACCESS_RULE) {
		out->who[0] = "";
		out->v[0] = aa_ask(q, access, FILE_OTHER);
		out->n = 1;
		return;
	}
	for (int who = FILE_WHO_NR - 1; who >= 0; who--) {
		if (access->who != FILE_WHO_NR && access->who != (enum file_who)who)
			continue;
		out->who[out->n] = access->who == FILE_WHO_NR ? who_word((enum file_who)who) : "";
		out->v[out->n++] = aa_ask(q, access, (enum file_who)who);
	}
	if (out->n == 2 && aa_verdict_same(&out->v[0], &out->v[1])) {
		out->who[0] = "";
		out->n = 1;
	}
}

static const struct source *source_for(struct session *s, const char *text)
{
	return source_add(s->sources, "<access>", str_c(text));
}

/* ---- policies ---- */

/* Its `layers` line, or its name, and what that means. */
static void put_undecided(struct session *s, const struct policy *p, struct buf *out)
{
	if (!put_header_line(out, s->sources, p, AST_HEADER_LAYERS))
		put_place(out, s->sources, p->span);
	buf_puts(out, " (without apparmor no access is decided)\n");
}

/* What is no file passes seccomp, too; once a run. */
static void tell_other_layer(struct session *s, const struct policy *p,
			     const struct aa_access *access)
{
	struct diag *d;

	if (!p || !(p->layers & LAYER_SECCOMP) || access->kind != AA_ACCESS_RULE)
		return;
	vec_each(&s->diags->list, told)
		if ((*told)->id == DIAG_PL395)
			return;
	d = diag_add(s->diags, DIAG_PL395, p->span,
		     "AppArmor's half alone is asked: the calls that do it must pass seccomp, too");
	diag_help(s->diags, d, "ask those as calls, such as 'socket(AF_INET, SOCK_STREAM)'");
}

int access_simulate(struct session *s, const struct access_of *of, const char *text,
		    struct buf *out)
{
	const struct aa_asking *q = of->q;
	struct aa_access access;
	struct verdicts all;

	if (!aa_access_read(s->arena, source_for(s, text), &access, s->diags))
		return -1;
	if (!q) {
		buf_puts(out, "not decided  ");
		aa_access_put(out, &access);
		buf_puts(out, "  ");
		put_undecided(s, of->policy, out);
		return 0;
	}
	if (!aa_can_ask(q, &access, s->diags))
		return -1;
	tell_other_layer(s, of->policy, &access);
	ask_halves(q, &access, &all);
	for (unsigned i = 0; i < all.n; i++)
		put_verdict(s, &access, &all.v[i], all.who[i], out);
	return 0;
}

/* ---- briefly ---- */

static struct aa_verdict ask_half(const struct aa_asking *q, const struct aa_access *access,
				  enum file_who who)
{
	struct aa_link_answers l;

	if (access->kind == AA_ACCESS_RULE)
		return aa_ask(q, access, who);
	l.path = aa_means_path(&q->means, access->path);
	if (access->kind != AA_ACCESS_LINK)
		return aa_path_verdict(q, l.path, who, access->perms);
	l.pair = aa_means_link(q->arena, &q->means, access->path, access->target);
	l.to = aa_means_path(&q->means, access->target);
	return aa_link_verdict(q, &l, who);
}

static void put_half(const struct aa_verdict *v, struct buf *out)
{
	buf_puts(out, access_outcome(v->outcome));
	if (v->environment)
		buf_printf(out, " %s", access_environment(v->environment));
	if (!v->exec.exec)
		return;
	buf_putc(out, ' ');
	put_exec(out, v->exec.exec, v->exec.unsafe, v->exec.target);
}

static bool same_half(const struct aa_verdict *x, const struct aa_verdict *y)
{
	return x->outcome == y->outcome && x->exec.exec == y->exec.exec &&
	       x->exec.unsafe == y->exec.unsafe && str_eq(x->exec.target, y->exec.target);
}

void access_put_brief(const struct aa_asking *q, const struct aa_access *access, struct buf *out)
{
	bool both = access->kind != AA_ACCESS_RULE && access->who == FILE_WHO_NR;
	struct aa_verdict first, second;

	first = ask_half(q, access, both ? FILE_OWNER : access->who);
	if (both) {
		second = ask_half(q, access, FILE_OTHER);
		both = !same_half(&first, &second);
	}
	if (both)
		buf_puts(out, "owner ");
	put_half(&first, out);
	if (both) {
		buf_puts(out, "\tother ");
		put_half(&second, out);
	}
}

/* ---- explain ---- */

static const char *mode_word(const struct aa_spoken *r)
{
	static const char *const modes[] = {
		[AA_MODE_ALLOW] = "allows", [AA_MODE_DENY] = "denies", [AA_MODE_PROMPT] = "asks"
	};

	return modes[r->rule ? r->rule->prefix.mode : AA_MODE_ALLOW];
}

static void put_bits(struct buf *out, const struct aa_opened *f, unsigned bits)
{
	aa_perms_put(out, bits & ~(unsigned)PERM_X);
	if (bits & PERM_X)
		put_exec(out, f->exec, f->unsafe || f->mode == AA_MODE_DENY, f->target);
}

/* role NULL: the path alone is asked about, and what the rule does stands in its place. */
static void put_spoken(struct session *s, const struct aa_spoken *r, const char *role, unsigned of,
		       struct buf *out)
{
	const struct aa_opened *f = r->file;

	buf_printf(out, "  %-13s  ", role ? role : mode_word(r));
	if (role)
		buf_printf(out, "%s%s", mode_word(r), f ? " " : "");
	if (f)
		put_bits(out, f, r->bits & of);
	if (r->rule && r->rule->prefix.audit)
		buf_puts(out, ", audited");
	buf_puts(out, f && f->owner == AA_OWNER_ONLY  ? " (its owner)  " :
		      f && f->owner == AA_OWNER_OTHER ? " (others)  " :
							"  ");
	put_spoken_rule(out, s->sources, r);
	buf_putc(out, '\n');
}

static void explain_half(struct session *s, const struct aa_access *access,
			 const struct aa_verdict *v, const char *who, struct buf *out)
{
	static const char *const roles[] = { [AA_ROLE_DECIDES] = "decides",
					     [AA_ROLE_AGREES] = "agrees",
					     [AA_ROLE_OUTRANKED] = "outranked" };

	aa_access_put(out, access);
	buf_printf(out, "%s%s\n", *who ? ", " : "", who);
	vec_each(&v->rules, r)
		put_spoken(s, r, roles[r->role], access->perms, out);
	buf_printf(out, "  %-13s  %s", "in all", access_outcome(v->outcome));
	put_lacking(out, access, v, ": ");
	if (v->exec.exec) {
		buf_puts(out, ": ");
		put_exec(out, v->exec.exec, v->exec.unsafe, v->exec.target);
	}
	if (v->environment)
		buf_printf(out, ": %s", access_environment(v->environment));
	if (v->why)
		buf_printf(out, ": %s", v->why);
	buf_putc(out, '\n');
}

static bool is_said(const struct aa_verdict *v, const struct aa_opened *f)
{
	vec_each(&v->rules, r)
		if (r->file == f)
			return true;
	return false;
}

/* What becomes of what no rule allows. */
static const char *rest_word(unsigned flags)
{
	if (flags & AA_FLAG_COMPLAIN)
		return "logged, and refused only where it is denied without 'audit'";
	if (flags & AA_FLAG_PROMPT)
		return "asked, and refused where it is denied";
	return "refused";
}

/* What an older parser makes of it, where that is something else. */
static void put_older(const struct aa_asking *older, const struct aa_answer *a, struct str path,
		      struct buf *out)
{
	const struct aa_answer *was = older ? aa_ask_path(older, path) : a;

	if (was->allow[0] == a->allow[0] && was->allow[1] == a->allow[1])
		return;
	put_in_all(out, "by AppArmor 3", was->allow[FILE_OTHER], was->allow[FILE_OWNER]);
	buf_putc(out, '\n');
}

static void explain_file(struct session *s, const struct access_of *of,
			 const struct aa_access *access, struct buf *out)
{
	const struct aa_asking *q = of->q;
	struct aa_verdict owner = aa_ask(q, access, FILE_OWNER);
	struct aa_verdict other = aa_ask(q, access, FILE_OTHER);
	const struct aa_answer *a = aa_ask_path(q, access->path);

	aa_access_put_path(out, access->path);
	buf_putc(out, '\n');
	vec_each(&other.rules, r)
		put_spoken(s, r, NULL, access->perms, out);
	vec_each(&owner.rules, r)
		if (!is_said(&other, r->file))
			put_spoken(s, r, NULL, access->perms, out);
	if (other.outcome == AA_ALLOWED && other.why) { /* whatever the rules say */
		buf_printf(out, "  %-13s  everything: %s\n", "in all", other.why);
		return;
	}
	put_in_all(out, "in all", a->allow[FILE_OTHER], a->allow[FILE_OWNER]);
	buf_printf(out, "; all else is %s\n", rest_word(q->profile->header->flags));
	put_older(of->older, a, access->path, out);
	if ((a->varies[0] | a->varies[1])) {
		buf_puts(out, "  of these this release grants by where its parser's memory lies: ");
		aa_perms_put(out, a->varies[0] | a->varies[1]);
		buf_putc(out, '\n');
	}
}

int access_explain(struct session *s, const struct access_of *of, const char *text, struct buf *out)
{
	const struct source *src = source_for(s, text);
	const struct aa_asking *q = of->q;
	struct aa_access access;
	struct verdicts all;
	bool path = aa_access_is_path(src->text);

	if (!(path ? aa_access_path : aa_access_read)(s->arena, src, &access, s->diags))
		return -1;
	if (!q) {
		aa_access_put(out, &access);
		buf_printf(out, "\n  %-13s  ", "not decided");
		put_undecided(s, of->policy, out);
		return 0;
	}
	if (!aa_can_ask(q, &access, s->diags))
		return -1;
	if (path) {
		explain_file(s, of, &access, out);
		return 0;
	}
	tell_other_layer(s, of->policy, &access);
	ask_halves(q, &access, &all);
	for (unsigned i = 0; i < all.n; i++)
		explain_half(s, &access, &all.v[i], all.who[i], out);
	return 0;
}
