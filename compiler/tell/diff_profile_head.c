/* SPDX-License-Identifier: Apache-2.0 */
/* What stands at the head of two profiles: whom they confine, how they are enforced; their abi. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/tell/accessed.h"
#include "compiler/tell/decided.h"
#include "compiler/tell/diff_profiles.h"

static const char *head_text(struct profiles *c, const struct aa_profile *p)
{
	BUF_AUTO text = { 0 };

	put_head(&text, c->session->sources, p);
	return buf_keep(c->arena, &text);
}

/* Where the head of the pair at hand is said. */
static const char *said_at(struct profiles *c, const struct profile_side *s)
{
	BUF_AUTO text = { 0 };

	if (!s->pale)
		return head_text(c, s->q.profile);
	if (!put_header_line(&text, c->session->sources, s->pale, AST_HEADER_APPARMOR)) {
		put_place(&text, c->session->sources, s->pale->span);
		buf_puts(&text, ": no apparmor line");
	}
	return buf_keep(c->arena, &text);
}

static void add_head(struct profiles *c, enum change change, const char *about, const char *a,
		     const char *b)
{
	profile_add(c, (struct diff_resource){ .change = change,
					       .kind = RESOURCE_PROFILE,
					       .about = about,
					       .a = a,
					       .b = b,
					       .by_a = said_at(c, &c->a),
					       .by_b = said_at(c, &c->b) });
}

/* ---- mode and flags ---- */

static const struct mode {
	unsigned flag;
	const char *word;
	int rank; /* how much passes */
} modes[] = {
	{ AA_FLAG_KILL, "kill", 0 },
	{ AA_FLAG_ENFORCE, "enforce", 1 },
	{ AA_FLAG_PROMPT, "prompt", 2 },
	{ AA_FLAG_COMPLAIN, "complain", 3 },
	{ AA_FLAG_UNCONFINED, "unconfined", 4 },
	{ AA_FLAG_DEFAULT_ALLOW, "default_allow", 4 },
};

static const struct mode *mode_of(unsigned flags)
{
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
		if (flags & modes[i].flag)
			return &modes[i];
	return &modes[1];
}

static void compare_modes(struct profiles *c, unsigned a, unsigned b)
{
	const struct mode *x = mode_of(a), *y = mode_of(b);

	if (x == y)
		return;
	add_head(c,
		 y->rank > x->rank ? CHANGE_LOOSER :
		 y->rank < x->rank ? CHANGE_TIGHTER :
				     CHANGE_INCOMPARABLE,
		 "mode", x->word, y->word);
}

/* What is the case where B has it and A has not; CHANGE_ERRNO: only what is logged differs. */
static void compare_flags(struct profiles *c, unsigned a, unsigned b)
{
	static const struct {
		unsigned flag;
		const char *word;
		enum change gained;
	} flags[] = {
		{ AA_FLAG_AUDIT, "flag audit", CHANGE_ERRNO },
		{ AA_FLAG_DEBUG, "flag debug", CHANGE_ERRNO },
		{ AA_FLAG_INTERRUPTIBLE, "flag interruptible", CHANGE_ERRNO },
		{ AA_FLAG_CHROOT_RELATIVE, "flag chroot_relative", CHANGE_INCOMPARABLE },
		{ AA_FLAG_NAMESPACE_RELATIVE, "flag namespace_relative", CHANGE_INCOMPARABLE },
		{ AA_FLAG_MEDIATE_DELETED, "flag mediate_deleted", CHANGE_INCOMPARABLE },
		{ AA_FLAG_DELEGATE_DELETED, "flag delegate_deleted", CHANGE_LOOSER },
		{ AA_FLAG_ATTACH, "flag attach_disconnected", CHANGE_LOOSER },
		{ AA_FLAG_ATTACH_IPC, "flag attach_disconnected.ipc", CHANGE_LOOSER },
		{ AA_FLAG_NO_ATTACH, "flag no_attach_disconnected", CHANGE_TIGHTER },
		{ AA_FLAG_CHROOT_ATTACH, "flag chroot_attach", CHANGE_LOOSER },
		{ AA_FLAG_CHROOT_NO_ATTACH, "flag chroot_no_attach", CHANGE_TIGHTER },
	};
	static const enum change lost[CHANGE_NR] = {
		[CHANGE_LOOSER] = CHANGE_TIGHTER,
		[CHANGE_TIGHTER] = CHANGE_LOOSER,
		[CHANGE_INCOMPARABLE] = CHANGE_INCOMPARABLE,
		[CHANGE_ERRNO] = CHANGE_ERRNO,
	};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		bool x = a & flags[i].flag, y = b & flags[i].flag;
		if (x != y)
			add_head(c, y ? flags[i].gained : lost[flags[i].gained], flags[i].word,
				 x ? "set" : "not set", y ? "set" : "not set");
	}
}

/* ---- what else a head says ---- */

static void compare_text(struct profiles *c, enum change change, const char *about, struct str a,
			 struct str b)
{
	BUF_AUTO x = { 0 };
	BUF_AUTO y = { 0 };

	if (str_eq(a, b))
		return;
	buf_safe(&x, a.n ? a : STR("none"));
	buf_safe(&y, b.n ? b : STR("none"));
	add_head(c, change, about, buf_keep(c->arena, &x), buf_keep(c->arena, &y));
}

/* Words as written, without what blanks stand between them. */
static struct str squeezed(struct profiles *c, const struct aa_item *conds)
{
	BUF_AUTO text = { 0 };

	for (const struct aa_item *it = conds; it; it = it->next) {
		struct str s = span_text(c->session->sources, it->span);
		for (size_t i = 0; i < s.n; i++)
			if (!strchr(" \t\r\n", s.p[i]))
				buf_putc(&text, s.p[i]);
		buf_putc(&text, ' ');
	}
	return (struct str){ buf_keep(c->arena, &text), text.n };
}

static struct str identities(struct profiles *c, const struct aa_header *h)
{
	BUF_AUTO text = { 0 };

	for (const struct aa_word *w = h->identities; w; w = w->next)
		buf_printf(&text, PRISTR " ", STRARG(w->text));
	return (struct str){ buf_keep(c->arena, &text), text.n };
}

static struct str number(struct profiles *c, int n)
{
	return n ? str_c(arena_printf(c->arena, "%d", n)) : STR("");
}

static void compare_rest(struct profiles *c, const struct aa_header *a, const struct aa_header *b)
{
	const struct aa_item *xa = a->xattrs ? a->xattrs->conds : NULL;
	const struct aa_item *xb = b->xattrs ? b->xattrs->conds : NULL;

	compare_text(c, CHANGE_INCOMPARABLE, "namespace", a->ns, b->ns);
	compare_text(c, CHANGE_INCOMPARABLE, "xattrs", squeezed(c, xa), squeezed(c, xb));
	compare_text(c, CHANGE_INCOMPARABLE, "identities", identities(c, a), identities(c, b));
	compare_text(c, CHANGE_INCOMPARABLE, "attach_disconnected.path", a->disconnected,
		     b->disconnected);
	compare_text(c, CHANGE_INCOMPARABLE, "attach_disconnected.ipc", a->ipc, b->ipc);
	compare_text(c, CHANGE_ERRNO, "kill.signal", number(c, a->kill_signal),
		     number(c, b->kill_signal));
	compare_text(c, CHANGE_ERRNO, "error", number(c, a->error), number(c, b->error));
}

/* ---- the abi ---- */

static const char *abi_text(struct profiles *c, const struct profile_side *s)
{
	const struct aa_policy *p = s->policy;
	BUF_AUTO text = { 0 };

	if (s->pale) {
		put_head(&text, c->session->sources, s->q.profile);
		buf_printf(&text, " (%s, which it is compiled with)",
			   apparmor_abi(s->pale, s->asked.target));
	} else if (p->abi) {
		put_text(&text, c->session->sources, p->abi->span);
		buf_puts(&text, " (abi)");
	} else {
		buf_printf(&text, "no abi line: what the distribution of release %s pins",
			   aa_release_name(p->target.release));
	}
	if (!aa_asked_alike(&c->a.asked, &c->b.asked)) {
		const char *whom = s == &c->a ? c->out->a_for : c->out->b_for;
		buf_printf(&text, ", for %s", whom ? whom : "AppArmor 5.0");
	}
	return buf_keep(c->arena, &text);
}

static const char *mediated_word(bool mediated, bool logged)
{
	return !mediated ? "not mediated, and open" : logged ? "mediated, and logged" : "mediated";
}

/* A class that is not mediated is open, whatever rules stand there. */
void compare_profile_mediation(struct profiles *c)
{
	bool logged;

	for (unsigned i = 0; i < AA_CLASS_NR; i++) {
		bool x = c->a.q.target.mediated >> i & 1;
		if (i == AA_CLASS_ALL || profile_same_mediation(c, (enum aa_class)i, &logged))
			continue;
		profile_add(c, (struct diff_resource){
				       .change = x ? CHANGE_LOOSER : CHANGE_TIGHTER,
				       .kind = RESOURCE_PROFILE,
				       .about = arena_printf(c->arena, "class %s",
							     aa_class_name((enum aa_class)i)),
				       .a = mediated_word(x, logged),
				       .b = mediated_word(!x, logged),
				       .by_a = abi_text(c, &c->a),
				       .by_b = abi_text(c, &c->b) });
	}
}

void compare_profile_heads(struct profiles *c)
{
	const struct aa_header *a = c->a.q.profile->header, *b = c->b.q.profile->header;

	compare_modes(c, a->flags, b->flags);
	compare_flags(c, a->flags, b->flags);
	compare_rest(c, a, b);
}

void compare_profile_headers(struct profiles *c)
{
	c->out->resource_kinds |= 1u << RESOURCE_PROFILE;
	compare_profile_heads(c);
	compare_profile_mediation(c);
}

/* ---- whose executions ---- */

/* Rules 0 and 1 are A's and B's attachment. */
static unsigned sides_of(void *who, const uint32_t *rules, size_t n)
{
	unsigned sides = 0;

	(void)who;
	for (size_t i = 0; i < n; i++)
		sides |= 1u << rules[i];
	return sides;
}

static const struct glob *attachment(struct profiles *c, const struct aa_profile *p)
{
	return p && p->attached.p ? glob_parse(c->arena, p->attached, GLOB_PATH, NULL, NULL) : NULL;
}

/* Another profile of that side whose attachment has the path; NULL: none. */
static const struct aa_profile *other_attached(struct profiles *c, const struct profile_side *s,
					       const struct aa_profile *but, struct str path)
{
	vec_each(&s->policy->profiles, p) {
		const struct glob *g = attachment(c, *p);
		if (*p != but && (*p)->reach == AA_REACH_LIVE && g && glob_match(c->arena, g, path))
			return *p;
	}
	return NULL;
}

static const char *confined_by(struct profiles *c, bool attached, const struct aa_profile *other)
{
	BUF_AUTO text = { 0 };

	if (attached && !other)
		return "confined by it";
	if (!other)
		return "not confined";
	buf_puts(&text, attached ? "confined by it, or by '" : "confined by '");
	buf_safe(&text, other->label);
	buf_putc(&text, '\'');
	return buf_keep(c->arena, &text);
}

static const char *attached_by(struct profiles *c, const struct profile_side *s,
			       const struct aa_profile *p)
{
	BUF_AUTO text = { 0 };

	if (!p)
		return "no profile of this label";
	if (!s->pale)
		return head_text(c, p);
	if (!put_header_line(&text, c->session->sources, s->pale, AST_HEADER_PROGRAM)) {
		put_place(&text, c->session->sources, s->pale->span);
		buf_puts(&text, ": no program line");
	}
	return buf_keep(c->arena, &text);
}

static void tell_attached(struct profiles *c, const struct aa_profile *a,
			  const struct aa_profile *b, struct str path, unsigned sides)
{
	const struct aa_profile *other_a = other_attached(c, &c->a, a, path);
	const struct aa_profile *other_b = other_attached(c, &c->b, b, path);
	BUF_AUTO name = { 0 };

	buf_puts(&name, "program ");
	aa_access_put_path(&name, path);
	profile_add(c, (struct diff_resource){ .change = other_a || other_b ? CHANGE_INCOMPARABLE :
							 sides == 1         ? CHANGE_LOOSER :
									      CHANGE_TIGHTER,
					       .kind = RESOURCE_PROGRAM,
					       .about = buf_keep(c->arena, &name),
					       .path = aa_access_json_path(c->arena, path),
					       .a = confined_by(c, sides == 1, other_a),
					       .b = confined_by(c, sides == 2, other_b),
					       .by_a = attached_by(c, &c->a, a),
					       .by_b = attached_by(c, &c->b, b) });
}

void compare_attachments(struct profiles *c, const struct aa_profile *a, const struct aa_profile *b)
{
	const struct aa_profile *both[] = { a, b };
	struct machine_pool *pool = machine_pool_new(c->arena, sides_of, NULL);
	size_t steps = MACHINE_STEPS_MAX;
	machine_texts texts[2];

	for (uint32_t i = 0; i < 2; i++) {
		const struct glob *g = attachment(c, both[i]);
		texts[i] = g ? machine_glob(pool, g, machine_end(pool, i), &steps) : 0;
	}
	if (texts[0] == MACHINE_NONE || texts[1] == MACHINE_NONE) {
		profile_not_decided(c, RESOURCE_PROGRAM,
				    "the attachments take too many steps; write simpler ones");
		return;
	}
	struct machine m = machine_build(pool, machine_union(pool, texts, 2));
	struct machine_walk w = machine_walk(c->arena, &m, NULL, MACHINE_PATHS, false);
	vec_each(&w.found, f)
		if (f->a == 1 || f->a == 2)
			tell_attached(c, a, b, f->path, f->a);
	if (!w.decided)
		profile_not_decided(c, RESOURCE_PROGRAM,
				    "the attachments take too many states; write simpler ones");
}
