/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the resource rules of two policies let pass. Capabilities, sockets, signals and limits
 * are compared cell by cell: one capability, one family and type, one signal in one direction.
 * A kind that is not compared exactly is equal as text or not decided.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "compiler/base/bug.h"
#include "compiler/cmd/decided.h"
#include "compiler/cmd/diff.h"

enum {
	FAMILIES = 64, /* more than AF_MAX */
	TYPES = 16,    /* SOCK_TYPE_MASK */
	SIGNALS = 65,  /* 0: may it be sent one at all */
	LIMITS = 16,
	CELLS_MAX = FAMILIES * TYPES,
};

/* What a file says of a kind of rule. */
enum stance {
	STANCE_SILENT, /* JSON, BPF: it is not what they are about */
	STANCE_OPEN,   /* no layer that the policy counts on asks: all passes */
	STANCE_RULES,
};

enum answer { REFUSED, REFUSED_SILENTLY, LOGGED, ALLOWED };

static const char *const answer_words[] = { "refused", "refused without a record",
					    "allowed, with a record", "allowed" };

struct cell {
	bool allow, log, deny, quiet;
	const struct origin *lets, *refuses; /* the first of each */
};

struct side {
	const struct decide *d;
	const struct policy *p;   /* NULL: JSON, BPF */
	enum stance stance;       /* to the kind at hand */
	struct cell cells[CELLS_MAX];
};

struct group { /* cells that change alike, for the same statements */
	enum change change;
	enum answer a, b;
	const struct origin *by_a, *by_b;
	bool in[CELLS_MAX];
};

struct comparing {
	struct session *session;
	struct arena *arena;
	struct diff *out;
	struct side a, b;
};

const char *const diff_kinds[RESOURCE_NR] = {
	[RESOURCE_PROGRAM] = "program", [RESOURCE_FILES] = "files",
	[RESOURCE_CAPABILITIES] = "capabilities", [RESOURCE_SOCKETS] = "sockets",
	[RESOURCE_SIGNALS] = "signals", [RESOURCE_LIMITS] = "limits",
};

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

/* ---- texts ---- */

static const char *kept(struct arena *a, const struct buf *b)
{
	return arena_strdup(a, b->p ? b->p : "");
}

static const char *layers_text(struct comparing *c, const struct side *s)
{
	BUF_AUTO text = { 0 };

	if (!put_header_line(&text, c->session->sources, s->p, AST_HEADER_LAYERS)) {
		put_place(&text, c->session->sources, s->p->span);
		buf_puts(&text, ": no layers line, so AppArmor is not counted on");
	}
	return kept(c->arena, &text);
}

/* "b.pale:3:5: capability chown;", or why there is no such line. */
static const char *by_text(struct comparing *c, const struct side *s, const struct origin *o)
{
	BUF_AUTO text = { 0 };

	if (!o && s->stance == STANCE_OPEN)
		return layers_text(c, s);
	if (o) {
		put_rule(&text, c->session->sources, o);
	} else {
		put_place(&text, c->session->sources, s->p->span);
		buf_puts(&text, ": no rule");
	}
	return kept(c->arena, &text);
}

static void add(struct comparing *c, const struct diff_resource *r)
{
	vec_push(c->arena, &c->out->resources, *r);
	c->out->has[r->change] = true;
}

static void not_decided(struct comparing *c, enum resource_kind kind, const char *reason)
{
	struct diff_resource r = { .change = CHANGE_UNDECIDED, .kind = kind, .about = diff_kinds[kind],
				   .a = "", .b = "", .by_a = "", .by_b = "", .reason = reason };

	add(c, &r);
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

/* w allows to append too, and ix to map (apparmor.d(5)). */
static unsigned whole_perms(const struct file_rule *f)
{
	bool allows = f->action == RULE_ALLOW || f->action == RULE_LOG;

	return f->perms | (f->perms & PERM_W ? PERM_A : 0) |
	       (allows && strstr(f->exec, "ix") ? PERM_M : 0);
}

static void add_row(struct arena *a, struct rows *out, const struct origin *o, const char *text)
{
	vec_push(a, &out->list, ((struct row){ text, o ? o->env : NULL }));
}

/* Lengths keep two rules apart whose words run into each other. */
static void file_rows(struct arena *a, const struct policy *p, struct rows *out)
{
	vec_each(&p->files, f)
		add_row(a, out, f->origin,
			arena_printf(a, "%d %d %u %s %zu " PRISTR " " PRISTR, f->action, f->owner,
				     whole_perms(f), f->exec, f->path.n, STRARG(f->path),
				     STRARG(f->target)));
}

static void capability_rows(struct arena *a, const struct policy *p, struct rows *out)
{
	vec_each(&p->caps, c)
		add_row(a, out, c->origin, arena_printf(a, "%d %u", c->action, c->cap));
}

static void socket_rows(struct arena *a, const struct policy *p, struct rows *out)
{
	vec_each(&p->networks, n)
		add_row(a, out, n->origin, arena_printf(a, "%d %d %d %d", n->action, n->family,
							n->type, n->protocol));
}

static void signal_rows(struct arena *a, const struct policy *p, struct rows *out)
{
	vec_each(&p->signals, s)
		add_row(a, out, s->origin,
			arena_printf(a, "%d %d %d %d " PRISTR, s->action, s->send, s->receive,
				     s->signal, STRARG(s->peer)));
}

static void limit_rows(struct arena *a, const struct policy *p, struct rows *out)
{
	vec_each(&p->limits, l)
		add_row(a, out, l->origin, arena_printf(a, "%d %ju", l->rlimit, (uintmax_t)l->value));
}

typedef void rows_fn(struct arena *a, const struct policy *p, struct rows *out);

static rows_fn *const rows_of[RESOURCE_NR] = {
	[RESOURCE_FILES] = file_rows,	  [RESOURCE_CAPABILITIES] = capability_rows,
	[RESOURCE_SOCKETS] = socket_rows, [RESOURCE_SIGNALS] = signal_rows,
	[RESOURCE_LIMITS] = limit_rows,
};

static bool same_rules(struct comparing *c, const struct policy *x, const struct policy *y,
		       enum resource_kind kind)
{
	struct rows rx = { 0 }, ry = { 0 };

	if (x)
		rows_of[kind](c->arena, x, &rx);
	if (y)
		rows_of[kind](c->arena, y, &ry);
	return same_rows(&rx, &ry);
}

/* ---- cells ---- */

static void mark(struct cell *cell, enum rule_action action, const struct origin *o)
{
	bool lets = action == RULE_ALLOW || action == RULE_LOG;
	const struct origin **by = lets ? &cell->lets : &cell->refuses;

	cell->allow |= action == RULE_ALLOW;
	cell->log |= action == RULE_LOG;
	cell->deny |= action == RULE_DENY;
	cell->quiet |= action == RULE_QUIET_DENY;
	if (!*by)
		*by = o;
}

static enum answer answer_of(const struct side *s, size_t at, const struct origin **by)
{
	const struct cell *cell = &s->cells[at];

	*by = NULL;
	if (s->stance == STANCE_OPEN)
		return ALLOWED;
	*by = cell->refuses ? cell->refuses : cell->lets;
	if (cell->refuses)
		return cell->deny ? REFUSED : REFUSED_SILENTLY;
	return cell->log ? LOGGED : cell->allow ? ALLOWED : REFUSED;
}

/* In the order of verdicts on calls: what is let pass without a record is looser. */
static enum change change_of(enum answer a, enum answer b)
{
	if (a <= REFUSED_SILENTLY && b <= REFUSED_SILENTLY)
		return CHANGE_ERRNO;
	return b > a ? CHANGE_LOOSER : CHANGE_TIGHTER;
}

static bool same_place(const struct origin *x, const struct origin *y)
{
	return x == y || (x && y && x->stmt && x->stmt == y->stmt && x->set == y->set &&
			  x->use.begin == y->use.begin);
}

typedef const char *name_fn(struct arena *a, const bool *in);

static void add_group(struct comparing *c, enum resource_kind kind, const struct group *g,
		      name_fn *name)
{
	struct diff_resource r = {
		.change = g->change, .kind = kind, .about = name(c->arena, g->in),
		.a = answer_words[g->a], .b = answer_words[g->b], .reason = "",
		.by_a = by_text(c, &c->a, g->by_a), .by_b = by_text(c, &c->b, g->by_b),
	};

	add(c, &r);
}

static void compare_cells(struct comparing *c, enum resource_kind kind, size_t n, name_fn *name)
{
	VEC(struct group *) groups = { 0 };

	for (size_t i = 0; i < n; i++) {
		struct group now = { 0 };
		struct group *g = NULL;
		now.a = answer_of(&c->a, i, &now.by_a);
		now.b = answer_of(&c->b, i, &now.by_b);
		if (now.a == now.b)
			continue;
		vec_each(&groups, old)
			if ((*old)->a == now.a && (*old)->b == now.b && same_place((*old)->by_a, now.by_a) &&
			    same_place((*old)->by_b, now.by_b))
				g = *old;
		if (!g) {
			g = ARENA_NEW(c->arena, struct group);
			*g = now;
			g->change = change_of(g->a, g->b);
			vec_push(c->arena, &groups, g);
		}
		g->in[i] = true;
	}
	vec_each(&groups, g)
		add_group(c, kind, *g, name);
}

/* ---- capabilities ---- */

static const char *join(struct arena *a, const char *list, const char *word)
{
	return arena_printf(a, "%s%s%s", list, *list ? ", " : "", word);
}

static const char *capability_names(struct arena *a, const bool *in)
{
	unsigned n = 0;
	const char *list = "";

	for (unsigned i = 0; i < CAPABILITY_NR; i++)
		n += in[i];
	if (n == CAPABILITY_NR)
		return "every capability";
	bool most = n > CAPABILITY_NR / 2;
	for (unsigned i = 0; i < CAPABILITY_NR; i++)
		if (in[i] != most)
			list = join(a, list, capability_name(i));
	return arena_printf(a, most ? "every capability but %s" : "capability %s", list);
}

static void mark_capabilities(struct side *s)
{
	vec_each(&s->p->caps, r)
		mark(&s->cells[r->cap], r->action, r->origin);
}

/* ---- sockets ---- */

static const char *constant_brief(struct arena *a, const char *domain, uint64_t value)
{
	const struct domain_info *d = domain_find(domain);

	for (size_t i = d->first; i < d->first + d->rows; i++) {
		const struct constant_row row = constant_at(i);
		if (row.value[arch_native()] == value)
			return row.brief;
	}
	return arena_printf(a, "%u", (unsigned)value);
}

static const char *type_names(struct arena *a, const bool *in)
{
	const char *list = "";
	unsigned n = 0;

	for (unsigned t = 0; t < TYPES; t++)
		n += in[t];
	if (n == TYPES)
		return "";
	bool most = n > TYPES / 2;
	for (unsigned t = 0; t < TYPES; t++)
		if (in[t] != most)
			list = join(a, list, constant_brief(a, "sock_type", t));
	return most ? arena_printf(a, "all but %s", list) : list;
}

/* Families of the same types are one word: "inet, inet6 (stream)". */
static const char *socket_names(struct arena *a, const bool *in)
{
	bool told[FAMILIES] = { false };
	const char *text = "";

	for (unsigned f = 0; f < FAMILIES; f++) {
		const char *families = "", *types = type_names(a, in + f * TYPES);
		unsigned n = 0;
		if (told[f] || !memchr(in + f * TYPES, true, TYPES))
			continue;
		for (unsigned k = f; k < FAMILIES; k++) {
			if (told[k] || memcmp(in + f * TYPES, in + k * TYPES, TYPES))
				continue;
			told[k] = true;
			n++;
			families = join(a, families, constant_brief(a, "af", k));
		}
		families = n == FAMILIES ? "every family" : families;
		text = join(a, text, *types ? arena_printf(a, "%s (%s)", families, types) : families);
	}
	return arena_printf(a, "sockets: %s", text);
}

static void mark_sockets(struct side *s)
{
	vec_each(&s->p->networks, r) {
		bool denies = r->action == RULE_DENY || r->action == RULE_QUIET_DENY;
		BUG_ON(r->family >= FAMILIES || r->type >= TYPES);
		/* AppArmor sees no protocol: as it is written, the other ones are not denied. */
		if (r->protocol >= 0 && denies)
			continue;
		for (int i = 0; i < FAMILIES * TYPES; i++)
			if ((r->family < 0 || r->family == i / TYPES) && (r->type < 0 || r->type == i % TYPES))
				mark(&s->cells[i], r->action, r->origin);
	}
}

/* ---- signals ---- */

static const char *signal_list(struct arena *a, const bool *in)
{
	const char *list = "";
	unsigned n = 0;

	for (unsigned i = 0; i < SIGNALS; i++) {
		n += in[i];
		if (in[i])
			list = join(a, list, constant_brief(a, "signal", i));
	}
	return n == SIGNALS ? "every signal" : list;
}

static const char *signal_names(struct arena *a, const bool *in)
{
	const char *send = signal_list(a, in), *receive = signal_list(a, in + SIGNALS);

	if (!*send || !*receive)
		return arena_printf(a, "signals: %s %s", *send ? "send" : "receive",
				    *send ? send : receive);
	return arena_printf(a, "signals: send %s; receive %s", send, receive);
}

static bool has_peers(const struct policy *p)
{
	vec_each(&p->signals, s)
		if (s->peer.n)
			return true;
	return false;
}

static void mark_signals(struct side *s)
{
	vec_each(&s->p->signals, r)
		for (int i = 0; i < 2 * SIGNALS; i++)
			if ((i < SIGNALS ? r->send : r->receive) && (r->signal < 0 || r->signal == i % SIGNALS))
				mark(&s->cells[i], r->action, r->origin);
}

/* ---- limits ---- */

static const struct limit_rule *limit_of(const struct policy *p, int rlimit)
{
	const struct limit_rule *least = NULL;

	vec_each(&p->limits, l)
		if (l->rlimit == rlimit && l->value != UINT64_MAX && (!least || l->value < least->value))
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
			.change = b > a ? CHANGE_LOOSER : CHANGE_TIGHTER, .kind = RESOURCE_LIMITS,
			.about = arena_printf(c->arena, "limit %s", (x ? x : y)->resource),
			.a = limit_words(c->arena, x), .b = limit_words(c->arena, y), .reason = "",
			.by_a = by_text(c, &c->a, x ? x->origin : NULL),
			.by_b = by_text(c, &c->b, y ? y->origin : NULL),
		};
		if (a != b)
			add(c, &r);
	}
}

/* ---- files, programs ---- */

/* Every path is open on one side. */
static void add_open(struct comparing *c, enum resource_kind kind, const char *about)
{
	bool b = c->b.stance == STANCE_OPEN;
	const char *rules = "as its rules say", *all = "open";
	struct diff_resource r = {
		.change = b ? CHANGE_LOOSER : CHANGE_TIGHTER, .kind = kind, .about = about,
		.a = b ? rules : all, .b = b ? all : rules, .reason = "",
		.by_a = layers_text(c, &c->a), .by_b = layers_text(c, &c->b),
	};

	add(c, &r);
}

static void compare_files(struct comparing *c)
{
	if (c->a.stance != c->b.stance)
		add_open(c, RESOURCE_FILES, "every file");
	else if (!same_rules(c, c->a.p, c->b.p, RESOURCE_FILES))
		not_decided(c, RESOURCE_FILES, "the file rules differ, and are not compared");
}

static void compare_programs(struct comparing *c)
{
	if (c->a.stance == c->b.stance && !str_eq(c->a.p->program, c->b.p->program))
		not_decided(c, RESOURCE_PROGRAM, "AppArmor confines what 'program' names, and the two "
			    "lines differ");
}

/* ---- kinds ---- */

static void mark_side(struct side *s, void (*fill)(struct side *s))
{
	memset(s->cells, 0, sizeof(s->cells));
	if (s->stance == STANCE_RULES)
		fill(s);
}

static void compare_kind(struct comparing *c, enum resource_kind kind)
{
	static const struct {
		void (*mark)(struct side *s);
		name_fn *name;
		size_t n;
	} cells[RESOURCE_NR] = {
		[RESOURCE_CAPABILITIES] = { mark_capabilities, capability_names, CAPABILITY_NR },
		[RESOURCE_SOCKETS] = { mark_sockets, socket_names, FAMILIES * TYPES },
		[RESOURCE_SIGNALS] = { mark_signals, signal_names, (size_t)2 * SIGNALS },
	};

	if (kind == RESOURCE_PROGRAM) {
		compare_programs(c);
	} else if (kind == RESOURCE_FILES) {
		compare_files(c);
	} else if (kind == RESOURCE_LIMITS) {
		compare_limits(c);
	} else if (kind == RESOURCE_SIGNALS && (has_peers(c->a.p) || has_peers(c->b.p))) {
		if (!same_rules(c, c->a.p, c->b.p, kind))
			not_decided(c, kind, "the signal rules differ, and those with a peer are not compared");
	} else {
		mark_side(&c->a, cells[kind].mark);
		mark_side(&c->b, cells[kind].mark);
		compare_cells(c, kind, cells[kind].n, cells[kind].name);
	}
}

/* What stands under an open condition counts as equal only where all of the kind is. */
static bool conditions_matter(struct comparing *c, enum resource_kind kind)
{
	const struct policy *x = c->a.p->left_out, *y = c->b.p->left_out;

	if (kind == RESOURCE_PROGRAM || (same_rules(c, x, NULL, kind) && same_rules(c, y, NULL, kind)))
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
	not_decided(c, kind, arena_printf(c->arena, "%c is a %s, which says nothing of them, and %c "
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
		not_decided(c, kind, "rules stand under a condition that is open; --caps, --kernel and "
			    "--host say which environment is meant");
}

/* As the lines on calls stand: looser ones first. */
static void sort_changes(struct comparing *c)
{
	__typeof__(c->out->resources) sorted = { 0 };

	for (enum change change = 0; change < CHANGE_NR; change++)
		vec_each(&c->out->resources, r)
			if (r->change == change)
				vec_push(c->arena, &sorted, *r);
	c->out->resources = sorted;
}

void diff_resources(struct session *s, struct diff *d)
{
	struct comparing *c = ARENA_NEW(s->arena, struct comparing);

	c->session = s;
	c->arena = s->arena;
	c->out = d;
	c->a.d = d->a;
	c->b.d = d->b;
	c->a.p = d->a->in.format == INPUT_PALE ? d->a->parts.v[0].policy : NULL;
	c->b.p = d->b->in.format == INPUT_PALE ? d->b->parts.v[0].policy : NULL;
	for (enum resource_kind kind = 0; kind < RESOURCE_NR; kind++)
		compare_stances(c, kind);
	sort_changes(c);
}
