/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/tell/denial_tell.h"

#include "compiler/base/bug.h"
#include "compiler/tell/accessed.h"

static const struct aa_transition inherit = { .exec = AA_EXEC_IX };

/* ---- the record ---- */

static const char *status_word(enum denied_status s)
{
	static const char *const words[] = { [DENIED_DENIED] = "DENIED",
					     [DENIED_ALLOWED] = "ALLOWED",
					     [DENIED_KILLED] = "KILLED",
					     [DENIED_AUDIT] = "AUDIT" };

	return words[s];
}

void denial_put_head(struct buf *out, const struct denial *n, uint64_t count)
{
	const struct denied *d = &n->d;

	if (count > 1)
		buf_printf(out, "%llu times ", (unsigned long long)count);
	buf_safe(out, d->profile);
	if (d->ns.n) {
		buf_puts(out, " of the namespace ");
		buf_safe(out, d->ns);
	}
	buf_printf(out, ": %s: %s", n->words, status_word(d->status));
	if (d->comm.n) {
		buf_puts(out, ", by ");
		buf_safe(out, d->comm);
	}
	if (d->pid.n) {
		buf_puts(out, count > 1 ? " (first pid " : " (pid ");
		buf_safe(out, d->pid);
		buf_putc(out, ')');
	}
	buf_putc(out, '\n');
}

/* What is known of it without its profile. */
static void put_remarks(struct buf *out, const struct denial *n)
{
	if (n->hint)
		buf_printf(out, "  %s\n", n->hint);
	if (n->d.status == DENIED_ALLOWED)
		buf_puts(out, "  it passed: the profile complains, and would refuse it if it "
			      "enforced\n");
	if (n->d.status == DENIED_AUDIT)
		buf_puts(out, "  it passed, and a rule or the profile asks for it to be logged\n");
}

/* ---- what would allow it ---- */

static void put_exec_ways(struct buf *out, const struct denial *n, unsigned perms,
			  const struct aa_transition *exec)
{
	if (n->file && perms & PERM_X && exec->exec == AA_EXEC_IX)
		buf_puts(out, "    ix: it runs under this profile; px: under a profile of its own, "
			      "which must be loaded; ux would leave confinement\n");
}

/* perms: of files PERM_*, of others a bit for each of n->perms. */
static void put_rule(struct buf *out, const struct denial *n, unsigned perms,
		     const struct aa_transition *exec, const char *prefix)
{
	if (n->file) {
		denial_put_rule(out, n, perms, exec, prefix);
	} else {
		buf_puts(out, prefix);
		denial_put_parts(out, n, &n->rule, perms);
	}
	buf_putc(out, ',');
}

static unsigned all_perms(const struct denial *n)
{
	return n->file ? n->access.perms : (1u << n->nperms) - 1;
}

/* What a file rule gives besides: permissions are no finer than its letters. */
static const char *file_wider(const struct denial *n)
{
	struct str asked = n->d.denied.n ? n->d.denied : n->d.requested;
	bool makes = asked.n && (memchr(asked.p, 'c', asked.n) || memchr(asked.p, 'd', asked.n));

	return n->access.kind == AA_ACCESS_OPEN && makes && !memchr(asked.p, 'w', asked.n) ?
		       "wider than what was refused: 'w' is to make, to write and to remove it" :
		       NULL;
}

static void put_note(struct buf *out, const char *note)
{
	if (note)
		buf_printf(out, "    %s\n", note);
}

void denial_put_alone(struct buf *out, const struct denial *n)
{
	put_remarks(out, n);
	for (unsigned i = 0; n->file ? !i : n->text.before && i < n->nperms; i++) {
		buf_puts(out, "  as an access: ");
		denial_put_access(out, n, i);
		buf_putc(out, '\n');
	}
	if (n->d.status == DENIED_AUDIT)
		return;
	if (n->file || n->rule.before) {
		buf_puts(out, "  allowed by: ");
		put_rule(out, n, all_perms(n), &inherit, "");
		buf_puts(out, "\n");
		put_note(out, n->file ? file_wider(n) : n->rule_wider);
		put_exec_ways(out, n, n->access.perms, &inherit);
	}
	buf_puts(out, "  which rule refused it, or that none allows it: name the FILE of the "
		      "profile\n");
}

struct answering {
	const struct denial_asked *by;
	const struct denial *n;
	unsigned part; /* of n->perms */
	struct aa_access access;
	struct aa_verdict v;
	struct aa_transition exec; /* by which letters, where it is an execution */
	unsigned denied;           /* of what is lacking, what a rule denies */
	unsigned allowed;          /* of what is lacking, what a rule would allow without these */
	int priority;              /* the highest of those that deny */
};

static bool speaks_of_lacking(const struct answering *w, const struct aa_spoken *r)
{
	return r->bits & w->v.lacking;
}

/* The rules that stand against it, and what is left where they are taken out. */
static void weigh(struct answering *w)
{
	w->priority = AA_PRIORITY_MIN;
	vec_each(&w->v.rules, r) {
		if (!speaks_of_lacking(w, r))
			continue;
		if (r->rule->prefix.mode == AA_MODE_DENY) {
			w->denied |= r->bits & w->v.lacking;
			if (r->rule->prefix.priority > w->priority)
				w->priority = r->rule->prefix.priority;
		} else if (r->rule->prefix.mode == AA_MODE_ALLOW) {
			w->allowed |= r->bits & w->v.lacking;
		}
	}
}

/*
 * By the letters of a rule that executes this path for the other half: two ways to execute one path
 * are a conflict.
 */
static void find_exec(struct answering *w)
{
	const struct aa_asking *q = w->by->q;

	w->exec = inherit;
	if (!w->n->file || !(w->v.lacking & PERM_X))
		return;
	vec_each(&q->files.list, f) {
		if (!(f->perms & PERM_X) || f->mode != AA_MODE_ALLOW ||
		    !glob_match(q->arena, f->path, w->access.path))
			continue;
		const struct aa_word *target = f->rule->file.target.word;
		w->exec = (struct aa_transition){ f->exec, f->unsafe, STR("") };
		if (target)
			w->exec.target = glob_unescape(q->arena, target->text);
		return;
	}
}

static void put_line(struct buf *out, const struct answering *w, unsigned perms, const char *prefix)
{
	bool is_3_0 = w->by->q->target.release < AA_RELEASE_4_0 && !w->n->file;

	if (!w->by->policy && is_3_0 && w->n->rule_3_0.before) {
		denial_put_parts(out, w->n, &w->n->rule_3_0, perms);
		buf_putc(out, ',');
		return;
	}
	if (!w->by->policy) {
		put_rule(out, w->n, perms, &w->exec, prefix);
		buf_puts(out, is_3_0 ? "  (of AppArmor 4.0 and later: 3.0 has no such rule)" : "");
		return;
	}
	if (w->n->file)
		denial_put_statement(out, w->n, perms, &w->exec);
	else
		denial_put_parts(out, w->n, &w->n->statement, perms);
	buf_putc(out, ';');
}

/* What the line of put_line() allows more. */
static void put_wider(struct buf *out, const struct answering *w)
{
	const struct denial *n = w->n;
	bool is_3_0 = w->by->q->target.release < AA_RELEASE_4_0 && n->rule_3_0.before;

	put_note(out, n->file       ? file_wider(n) :
		      w->by->policy ? n->statement_wider :
		      is_3_0        ? n->rule_3_0_wider :
				      n->rule_wider);
}

/* Does this deny more than what was refused: other paths or permissions, or all of its class? */
static bool denies_more(const struct answering *w, const struct aa_rule *r)
{
	const struct glob *g = r->file.path.glob;

	if (r->class != AA_CLASS_FILE)
		return !r->origin && !r->use->stmt->items->next;
	return r->perms & ~w->v.lacking || !g || g->has || g->prefix.n < w->access.path.n;
}

/* What put_line() is to say: of what is lacking these. */
static unsigned said(const struct answering *w, unsigned lacking)
{
	return w->n->file ? lacking : 1u << w->part;
}

/* A deny goes before every allow, but one of a higher priority (parser of 4.1 and later). */
static void put_denied_way(struct buf *out, const struct answering *w)
{
	const struct denial_asked *by = w->by;
	const char *before = "  allowed by: taking out ";
	bool mask = !w->n->file && w->access.class == AA_CLASS_CAPABILITY, wide = false;

	vec_each(&w->v.rules, r) {
		if (!speaks_of_lacking(w, r) || r->rule->prefix.mode != AA_MODE_DENY)
			continue;
		buf_puts(out, before);
		put_aa_rule(out, by->s->sources, r->rule);
		wide |= denies_more(w, r->rule);
		before = "; ";
	}
	if (w->v.lacking & ~w->allowed) {
		buf_puts(out, "; and by: ");
		put_line(out, w, said(w, w->v.lacking & ~w->allowed), "");
	}
	buf_putc(out, '\n');
	if (wide)
		buf_puts(out, "    wider than what was refused: what is taken out denies more\n");
	if (w->v.lacking & ~w->allowed)
		put_wider(out, w);
	if (by->policy || mask || by->q->target.release < AA_RELEASE_4_1 ||
	    w->priority >= AA_PRIORITY_MAX)
		return;
	buf_puts(out, "  or by: ");
	put_line(out, w, said(w, w->v.lacking),
		 arena_printf(by->q->arena, "priority=%d ", w->priority + 1));
	buf_putc(out, '\n');
}

/* The links of policies give no more than what they lead to: that has to have it, too. */
static bool put_subset_way(struct buf *out, const struct answering *w)
{
	enum file_who who = w->access.who == FILE_OWNER ? FILE_OWNER : FILE_OTHER;
	struct denial to = *w->n;

	if (!w->by->policy || w->access.kind != AA_ACCESS_LINK || !(w->allowed & PERM_L))
		return false;
	const struct aa_answer *new = aa_ask_path(w->by->q, w->access.path);
	const struct aa_answer *old = aa_ask_path(w->by->q, w->access.target);
	unsigned more = new->allow[who] & ~old->allow[who] & ~(unsigned)PERM_L;
	if (!more || more & (PERM_X | old->deny[who])) {
		buf_puts(out, "  allowed by: nothing that a policy can say: its links give no more "
			      "than what they lead to\n");
		return true;
	}
	to.access.kind = AA_ACCESS_OPEN;
	to.access.path = w->access.target;
	buf_puts(out, "  allowed by: ");
	denial_put_statement(out, &to, more, &inherit);
	buf_puts(out, ";\n    the links of policies give no more than what they lead to\n");
	return true;
}

/* Of files, or of those permissions that no rule denies: one line. */
static void put_plain_way(struct buf *out, const struct answering *w, unsigned perms)
{
	if (put_subset_way(out, w))
		return;
	buf_puts(out, "  allowed by: ");
	put_line(out, w, perms, "");
	buf_putc(out, '\n');
	put_wider(out, w);
	put_exec_ways(out, w->n, w->v.lacking, &w->exec);
}

static void put_ways(struct buf *out, struct answering *all, unsigned n)
{
	const struct answering *plain = NULL;
	unsigned perms = 0;

	if (!all->n->file && !all->n->rule.before)
		return;
	for (struct answering *w = all; w < all + n; w++) {
		if (!w->v.lacking)
			continue;
		weigh(w);
		find_exec(w);
		if (w->denied) {
			put_denied_way(out, w);
			continue;
		}
		plain = w;
		perms |= said(w, w->v.lacking);
	}
	if (plain)
		put_plain_way(out, plain, perms);
}

/* ---- the file against the record ---- */

static bool is_allowed(enum aa_outcome o)
{
	return o == AA_ALLOWED || o == AA_ALLOWED_AUDITED || o == AA_ALLOWED_LOGGED;
}

/* Is there no rule for no other reason than that a kernel of the file's features does not ask? */
static bool is_unasked(const struct answering *w)
{
	enum denied_status s = w->n->d.status;

	return !w->n->file && (s == DENIED_DENIED || s == DENIED_KILLED) &&
	       w->v.outcome != AA_VARIES && !w->v.rules.n &&
	       !(w->by->q->target.mediated >> w->access.class & 1);
}

/* Where the file does not answer as the record shows. */
static void put_difference(struct buf *out, const struct answering *w)
{
	static const char other[] = "the profile that was loaded is another one, or an older one "
				    "('apparmor_parser -r' loads this)";
	const struct denial *n = w->n;
	bool passed = n->d.status == DENIED_ALLOWED || n->d.status == DENIED_AUDIT;
	enum aa_outcome o = w->v.outcome;

	if (n->certain)
		return;
	if (n->d.status == DENIED_ALLOWED && !is_allowed(o))
		buf_printf(out, "  it passed, as the loaded profile complains; '%s' enforces\n",
			   w->by->shown);
	else if (is_unasked(w))
		buf_printf(
			out,
			"  the kernel that refused it asks about it, under the abi that was loaded: "
			"not so what '%s' is read for ('abi', --features, --target)\n",
			w->by->shown);
	else if (!passed && is_allowed(o))
		buf_printf(out, "  '%s' lets it pass: %s\n", w->by->shown, other);
	else if (n->d.status == DENIED_ALLOWED && o != AA_ALLOWED_LOGGED)
		buf_printf(out, "  '%s' allows it by its rules: %s\n", w->by->shown, other);
	else if (n->d.status == DENIED_AUDIT && !is_allowed(o))
		buf_printf(out, "  '%s' refuses it: %s\n", w->by->shown, other);
	else if (n->d.status == DENIED_AUDIT && o == AA_ALLOWED)
		buf_printf(out, "  nothing in '%s' asks for it to be logged: %s\n", w->by->shown,
			   other);
	else if (n->d.status == DENIED_KILLED && o != AA_KILLED)
		buf_printf(out, "  it was killed: the loaded profile has flags=(kill), '%s' not\n",
			   w->by->shown);
}

/* False: told why it is not answered. */
static bool ask(struct buf *out, struct answering *w)
{
	struct session *s = w->by->s;
	struct diags *own = diags_new(s->arena, s->sources);
	const struct denial *n = w->n;
	BUF_AUTO text = { 0 };
	bool asked;

	denial_put_access(&text, n, w->part);
	const struct source *src =
		source_add(s->sources, "<record>", str_c(buf_keep(s->arena, &text)));
	w->access = n->access;
	w->access.source = src;
	asked = n->file || aa_access_read(s->arena, src, &w->access, own);
	asked = asked && aa_can_ask(w->by->q, &w->access, own);
	if (asked) {
		enum file_who who = n->access.who == FILE_OWNER ? FILE_OWNER : FILE_OTHER;
		w->v = aa_ask(w->by->q, &w->access, who);
		/* A kernel that refused it does ask: there the file needs the rule. */
		if (is_unasked(w))
			w->v.lacking = 1;
		return true;
	}
	if (!w->part)
		buf_printf(out, "  whether '%s' allows it is not answered: %s\n", w->by->shown,
			   own->list.n ? own->list.v[0]->text : "it is no access");
	/* What is not known is told as if nothing were allowed. */
	w->v.outcome = n->d.status == DENIED_AUDIT ? AA_ALLOWED_AUDITED : AA_REFUSED;
	w->v.lacking = n->d.status == DENIED_AUDIT ? 0 : all_perms(n);
	return false;
}

static void put_verdict(struct buf *out, const struct answering *w)
{
	buf_printf(out, "  %s  ", access_outcome(w->v.outcome));
	denial_put_access(out, w->n, w->part);
	if (w->v.exec.exec) {
		buf_puts(out, "  ");
		put_exec(out, w->v.exec.exec, w->v.exec.unsafe, w->v.exec.target);
	}
	access_put_deciding(out, w->by->s->sources, &w->access, &w->v);
	buf_putc(out, '\n');
}

void denial_put_answer(struct buf *out, const struct denial_asked *by, const struct denial *n)
{
	struct answering all[DENIAL_PARTS];
	const struct answering *worst = NULL; /* of those that are answered */
	unsigned parts = n->file ? 1 : n->text.before ? n->nperms : 0;

	if (n->hint)
		buf_printf(out, "  %s\n", n->hint);
	for (unsigned i = 0; i < parts; i++) {
		struct answering *w = &all[i];
		*w = (struct answering){ .by = by, .n = n, .part = i, .exec = inherit };
		if (!ask(out, w))
			continue;
		put_verdict(out, w);
		if (!worst || w->v.lacking > worst->v.lacking)
			worst = w;
	}
	if (worst)
		put_difference(out, worst);
	if (parts)
		put_ways(out, all, parts);
}
