/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the resource rules of two policies let pass, kind by kind, by whom each is enforced, and
 * what of it is not decided.
 */
#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/tell/decided.h"
#include "compiler/tell/diff_profiles.h"
#include "compiler/tell/diff_rules.h"
#include "grammar/apparmor_print.h"

/* ---- who enforces it ---- */

static enum stance stance_of(const struct policy *p, enum resource_kind kind)
{
	if (!p)
		return STANCE_SILENT;
	if (kind == RESOURCE_LIMITS || p->layers & LAYER_APPARMOR)
		return STANCE_RULES;
	/* A container's list and a bounding set have capabilities without AppArmor too. */
	if (kind == RESOURCE_CAPABILITIES && (p->says_caps || (p->left_out && p->left_out->caps.n)))
		return STANCE_RULES;
	return STANCE_OPEN;
}

static bool has_limits(const struct policy *p)
{
	return p->limits.n || (p->left_out && p->left_out->limits.n);
}

/* ---- rules as text ---- */

struct row { /* one rule, and under which condition that is open */
	const char *text;
	const struct env_cond *const *env;
};

struct rows {
	VEC(struct row) list;
};

static int by_row(const void *x, const void *y)
{
	const struct row *a = x, *b = y;
	int c = strcmp(a->text, b->text);

	if (c || !a->env || !b->env)
		return c ? c : (a->env != NULL) - (b->env != NULL);
	for (unsigned k = 0; k < ARCH_NR && !c; k++)
		c = env_compare(a->env[k], b->env[k]);
	return c;
}

/* In order, each once. */
static void sort_rows(struct rows *r)
{
	size_t n = 0;

	if (!r->list.n)
		return;
	qsort(r->list.v, r->list.n, sizeof(*r->list.v), by_row);
	for (size_t i = 0; i < r->list.n; i++)
		if (!n || by_row(&r->list.v[n - 1], &r->list.v[i]))
			r->list.v[n++] = r->list.v[i];
	r->list.n = n;
}

static bool same_rows(struct rows *x, struct rows *y)
{
	sort_rows(x);
	sort_rows(y);
	if (x->list.n != y->list.n)
		return false;
	for (size_t i = 0; i < x->list.n; i++)
		if (by_row(&x->list.v[i], &y->list.v[i]))
			return false;
	return true;
}

static void add_row(struct arena *a, struct rows *out, const struct origin *o, const char *text)
{
	vec_push(a, &out->list, ((struct row){ text, o ? o->env : NULL }));
}

/* w allows to append too, and ix to map (apparmor.d(5)). */
static unsigned file_whole_perms(const struct file_rule *f)
{
	return f->perms | (f->perms & PERM_W ? PERM_A : 0) |
	       ((f->action == RULE_ALLOW || f->action == RULE_LOG) && strstr(f->exec, "ix") ?
			PERM_M :
			0);
}

static const char *kind_text(struct arena *a, const struct file_rule *f)
{
	return arena_printf(a, "%d %d %u %s " PRISTR, f->action, f->owner, file_whole_perms(f),
			    f->exec, STRARG(f->target));
}

/* Without its place: equal texts are equal rules. */
static const char *file_rule_text(struct arena *a, const struct policy *p,
				  const struct file_rule *f)
{
	static const char name[] = "@{profile_name}";
	bool named = memmem(f->path.p, f->path.n, name, sizeof(name) - 1);

	/* The length keeps two rules apart whose words run into each other. */
	return arena_printf(a, "%zu " PRISTR " %s" PRISTR, f->path.n, STRARG(f->path),
			    kind_text(a, f), named ? (int)p->name.n : 0, p->name.p);
}

static void file_rows(struct arena *a, const struct policy *p, struct rows *out)
{
	vec_each(&p->files, f)
		add_row(a, out, f->origin, file_rule_text(a, p, f));
}

static void capability_rows(struct arena *a, const struct policy *p, struct rows *out)
{
	vec_each(&p->caps, c)
		add_row(a, out, c->origin, arena_printf(a, "%d %u", c->action, c->cap));
}

static void socket_rows(struct arena *a, const struct policy *p, struct rows *out)
{
	vec_each(&p->networks, n)
		add_row(a, out, n->origin,
			arena_printf(a, "%d %d %d %d", n->action, n->family, n->type, n->protocol));
}

static void signal_rows(struct arena *a, const struct policy *p, struct rows *out)
{
	vec_each(&p->signals, s)
		add_row(a, out, s->origin,
			arena_printf(a, "%d %d %d %d " PRISTR " %s" PRISTR, s->action, s->send,
				     s->receive, s->signal, STRARG(s->peer),
				     glob_has_variable(s->peer) ? "of " : "",
				     glob_has_variable(s->peer) ? (int)p->name.n : 0, p->name.p));
}

static void limit_rows(struct arena *a, const struct policy *p, struct rows *out)
{
	vec_each(&p->limits, l)
		add_row(a, out, l->origin,
			arena_printf(a, "%d %ju", l->rlimit, (uintmax_t)l->value));
}

/* PROFILE: of no policy. */
static enum resource_kind kind_of(enum aa_class class)
{
	switch (class) {
	case AA_CLASS_MOUNT: return RESOURCE_MOUNT;
	case AA_CLASS_PIVOT_ROOT: return RESOURCE_PIVOT_ROOT;
	case AA_CLASS_PTRACE: return RESOURCE_PTRACE;
	case AA_CLASS_UNIX: return RESOURCE_UNIX;
	case AA_CLASS_DBUS: return RESOURCE_DBUS;
	case AA_CLASS_MQUEUE: return RESOURCE_MQUEUE;
	case AA_CLASS_USERNS: return RESOURCE_USERNS;
	case AA_CLASS_IO_URING: return RESOURCE_IO_URING;
	case AA_CLASS_CHANGE_PROFILE: return RESOURCE_CHANGE_PROFILE;
	default: return RESOURCE_PROFILE;
	}
}

/* Rules in AppArmor's own words. */
static void other_rows(struct arena *a, const struct policy *p, enum resource_kind kind,
		       struct rows *out)
{
	vec_each(&p->others, rule) {
		const struct aa_rule *r = *rule;
		BUF_AUTO text = { 0 };

		if (kind_of(r->class) != kind)
			continue;
		buf_printf(&text, "%d %d ", r->prefix.mode, r->prefix.audit);
		aa_print_head(&text, r->origin->stmt->rule);
		add_row(a, out, r->origin, buf_keep(a, &text));
	}
}

typedef void rows_fn(struct arena *a, const struct policy *p, struct rows *out);

static rows_fn *const rows_of[RESOURCE_NR] = {
	[RESOURCE_FILES] = file_rows,     [RESOURCE_CAPABILITIES] = capability_rows,
	[RESOURCE_SOCKETS] = socket_rows, [RESOURCE_SIGNALS] = signal_rows,
	[RESOURCE_LIMITS] = limit_rows,
};

static void rows_in(struct arena *a, const struct policy *p, enum resource_kind kind,
		    struct rows *out)
{
	if (rows_of[kind])
		rows_of[kind](a, p, out);
	else
		other_rows(a, p, kind, out);
}

static bool same_rules(struct comparing *c, const struct policy *x, const struct policy *y,
		       enum resource_kind kind)
{
	struct rows rx = { 0 }, ry = { 0 };

	if (x)
		rows_in(c->arena, x, kind, &rx);
	if (y)
		rows_in(c->arena, y, kind, &ry);
	return same_rows(&rx, &ry);
}

/* ---- limits ---- */

static const struct limit_rule *limit_of(const struct policy *p, int rlimit)
{
	const struct limit_rule *least = NULL;

	vec_each(&p->limits, l)
		if (l->rlimit == rlimit && l->value != UINT64_MAX &&
		    (!least || l->value < least->value))
			least = l;
	return least;
}

static const char *limit_words(struct arena *a, const struct limit_rule *l)
{
	return l ? arena_printf(a, "at most %ju", (uintmax_t)l->value) : "no limit";
}

static void compare_limits(struct comparing *c)
{
	for (int i = 0; i < LIMITS; i++) {
		const struct limit_rule *x = limit_of(c->a.p, i), *y = limit_of(c->b.p, i);
		if (!x && !y)
			continue;
		uint64_t a = x ? x->value : UINT64_MAX, b = y ? y->value : UINT64_MAX;
		struct diff_resource r = {
			.change = b > a ? CHANGE_LOOSER : CHANGE_TIGHTER,
			.kind = RESOURCE_LIMITS,
			.about = arena_printf(c->arena, "limit %s", (x ? x : y)->resource),
			.path = "",
			.a = limit_words(c->arena, x),
			.b = limit_words(c->arena, y),
			.reason = "",
			.by_a = difference_by(c, &c->a, x ? x->origin : NULL),
			.by_b = difference_by(c, &c->b, y ? y->origin : NULL),
		};
		if (a != b)
			difference_add(c, &r);
	}
}

/* ---- kinds ---- */

/* Every path is open on one side. */
static void add_open(struct comparing *c, enum resource_kind kind, const char *about)
{
	bool b = c->b.stance == STANCE_OPEN;
	const char *rules = "as its rules say", *all = "open";
	struct diff_resource r = {
		.change = b ? CHANGE_LOOSER : CHANGE_TIGHTER,
		.kind = kind,
		.about = about,
		.path = "",
		.a = b ? rules : all,
		.b = b ? all : rules,
		.reason = "",
		.by_a = difference_layers(c, &c->a),
		.by_b = difference_layers(c, &c->b),
	};

	difference_add(c, &r);
}

static bool has_kind(struct comparing *c, const struct policy *p, enum resource_kind kind)
{
	return p && (!same_rules(c, p, NULL, kind) || !same_rules(c, p->left_out, NULL, kind));
}

static void compare_kind(struct comparing *c, enum resource_kind kind)
{
	bool alike = c->a.stance == c->b.stance;

	if (kind == RESOURCE_LIMITS)
		compare_limits(c);
	else if (alike)
		c->kinds |= 1u << kind;
	else if (kind == RESOURCE_FILES)
		add_open(c, kind, "every file");
	else if (kind >= RESOURCE_MOUNT)
		add_open(c, kind, diff_kinds[kind]);
	else if (kind != RESOURCE_PROGRAM)
		c->kinds |= 1u << kind;
}

/* What stands under an open condition counts as equal only where all of the kind is. */
static bool conditions_matter(struct comparing *c, enum resource_kind kind)
{
	const struct policy *x = c->a.p->left_out, *y = c->b.p->left_out;

	if (kind == RESOURCE_PROGRAM ||
	    (same_rules(c, x, NULL, kind) && same_rules(c, y, NULL, kind)))
		return false;
	return !same_rules(c, x, y, kind) || !same_rules(c, c->a.p, c->b.p, kind);
}

/* A JSON profile or a program beside a policy with rules of this kind. */
static void compare_silent(struct comparing *c, enum resource_kind kind)
{
	const struct side *silent = c->a.p ? &c->b : &c->a, *other = c->a.p ? &c->a : &c->b;

	if (other->stance != STANCE_RULES || kind == RESOURCE_PROGRAM ||
	    (kind == RESOURCE_LIMITS && !has_limits(other->p)))
		return;
	difference_not_decided(
		c, kind,
		arena_printf(c->arena,
			     "%c is a %s, which says nothing of them, and %c "
			     "counts on its rules; '--layers seccomp' compares system calls alone",
			     silent == &c->a ? 'A' : 'B', silent->d->kind,
			     silent == &c->a ? 'B' : 'A'));
}

static void compare_stances(struct comparing *c, enum resource_kind kind)
{
	c->a.stance = stance_of(c->a.p, kind);
	c->b.stance = stance_of(c->b.p, kind);
	if (c->a.stance == STANCE_SILENT && c->b.stance == STANCE_SILENT)
		return;
	if (c->a.stance == STANCE_SILENT || c->b.stance == STANCE_SILENT) {
		compare_silent(c, kind);
		return;
	}
	if (c->a.stance == STANCE_OPEN && c->b.stance == STANCE_OPEN)
		return;
	c->out->resource_kinds |= 1u << kind;
	compare_kind(c, kind);
	if (conditions_matter(c, kind))
		difference_not_decided(
			c, kind,
			"rules stand under a condition that is open; --caps, --kernel and "
			"--host say which environment is meant");
}

static struct diff_profiles_side as_profile(const struct side *s, unsigned kinds,
					    const struct aa_asked *asked)
{
	struct diff_profiles_side out = { .pale = s->p, .asked = *asked };

	for (enum resource_kind kind = 0; kind < RESOURCE_NR; kind++)
		if (kinds >> kind & 1 && stance_of(s->p, kind) == STANCE_OPEN)
			out.open |= 1u << kind;
	return out;
}

/* Do the lines of their profiles' heads differ? */
static bool heads_differ(const struct policy *a, const struct policy *b)
{
	if (!(a->layers & b->layers & LAYER_APPARMOR) || (!a->head && !b->head))
		return false;
	return !a->head || !b->head ||
	       aa_order(a->head_by->stmt->rule, b->head_by->stmt->rule) != 0;
}

/* What all rules of both sides say in the same words is the same: no answers are looked for. */
static unsigned kinds_that_differ(struct comparing *c, const struct aa_asked *a,
				  const struct aa_asked *b)
{
	bool heads = heads_differ(c->a.p, c->b.p);
	bool targets = c->a.p->layers & c->b.p->layers & LAYER_APPARMOR && !aa_asked_alike(a, b);
	bool differ = targets || heads || !str_eq(c->a.p->program, c->b.p->program);

	for (enum resource_kind kind = 0; kind < RESOURCE_NR; kind++)
		differ |= c->kinds >> kind & 1 && kind != RESOURCE_PROGRAM &&
			  (stance_of(c->a.p, kind) != stance_of(c->b.p, kind) ||
			   !same_rules(c, c->a.p, c->b.p, kind));
	/* What nobody says a word of, the abi of one of the two may refuse. */
	if (targets)
		c->kinds |= ((1u << RESOURCE_NR) - 1) & ~((1u << RESOURCE_MOUNT) - 1);
	return differ ? c->kinds | (unsigned)heads << RESOURCE_PROFILE : 0;
}

/* Those of both sides, as the profiles that are compiled of them answer. */
static void compare_answers(struct comparing *c, const struct aa_asked *asked_a,
			    const struct aa_asked *asked_b)
{
	unsigned kinds = c->a.p && c->b.p ? kinds_that_differ(c, asked_a, asked_b) : 0;
	struct diff_profiles_side a = as_profile(&c->a, kinds, asked_a);
	struct diff_profiles_side b = as_profile(&c->b, kinds, asked_b);

	const char *why = kinds ? diff_policies(c->session, c->out, &a, &b, kinds) : NULL;

	if (!why)
		return;
	why = arena_printf(c->arena, "AppArmor cannot say what one side holds: %s", why);
	for (enum resource_kind kind = 0; kind < RESOURCE_NR; kind++)
		if (kinds >> kind & 1 &&
		    (kind != RESOURCE_PROGRAM || !str_eq(c->a.p->program, c->b.p->program)))
			difference_not_decided(c, kind, why);
}

/* What nobody says a word of is no part of the answer. */
static void compare_others(struct comparing *c)
{
	for (enum resource_kind kind = RESOURCE_MOUNT; kind < RESOURCE_NR; kind++)
		if (has_kind(c, c->a.p, kind) || has_kind(c, c->b.p, kind))
			compare_stances(c, kind);
}

static struct comparing *start_comparing(struct session *s, struct diff *d)
{
	struct comparing *c = ARENA_NEW(s->arena, struct comparing);

	c->session = s;
	c->arena = s->arena;
	c->out = d;
	c->a.d = d->a;
	c->b.d = d->b;
	return c;
}

static const char *log_by(struct comparing *c, struct side *s)
{
	s->p = s->d->parts.v[0].policy;
	return difference_header(c, s, AST_HEADER_LOG, ": no such line");
}

void diff_logging(struct session *s, struct diff *d)
{
	struct comparing *c = start_comparing(s, d);

	if (!d->a->parts.n || !d->b->parts.n) {
		if ((d->a->parts.n && d->a->parts.v[0].policy->log_refusals) ||
		    (d->b->parts.n && d->b->parts.v[0].policy->log_refusals))
			vec_push(c->arena, &d->notes,
				 "not compared: whether refusals are logged, which "
				 "whoever loads a BPF program says");
		return;
	}
	bool a = d->a->parts.v[0].policy->log_refusals, b = d->b->parts.v[0].policy->log_refusals;
	if (a || b)
		d->resource_kinds |= 1u << RESOURCE_LOG;
	if (a == b)
		return;
	struct diff_resource r = { .change = CHANGE_ERRNO,
				   .kind = RESOURCE_LOG,
				   .about = diff_kinds[RESOURCE_LOG],
				   .path = "",
				   .a = a ? "logged" : "not logged",
				   .b = b ? "logged" : "not logged",
				   .by_a = log_by(c, &c->a),
				   .by_b = log_by(c, &c->b),
				   .reason = "" };
	difference_add(c, &r);
}

void diff_resources(struct session *s, struct diff *d, const struct aa_asked *a,
		    const struct aa_asked *b)
{
	struct comparing *c = start_comparing(s, d);

	c->a.p = d->a->in.format == INPUT_PALE ? d->a->parts.v[0].policy : NULL;
	c->b.p = d->b->in.format == INPUT_PALE ? d->b->parts.v[0].policy : NULL;
	for (enum resource_kind kind = 0; kind < RESOURCE_LOG; kind++)
		compare_stances(c, kind);
	compare_others(c);
	compare_answers(c, a, b);
	/* Asked for nothing else, and there is nothing: that they are the same would be no answer.
	 */
	if (!c->a.p && !c->b.p && !(d->layers & LAYER_SECCOMP))
		difference_not_decided(c, RESOURCE_FILES,
				       arena_printf(c->arena,
						    "A is a %s and B is a %s, which say nothing "
						    "but of system calls",
						    d->a->kind, d->b->kind));
	diff_sort_resources(c->arena, d);
}
