/* SPDX-License-Identifier: Apache-2.0 */
/* Capabilities, sockets and signals of two policies, cell by cell. */
#include <string.h>
#include <sys/socket.h>

#include "compiler/automata/dfa.h"
#include "compiler/base/bug.h"
#include "compiler/tell/diff_rules.h"

const char *const answer_words[] = { "refused", "refused without a record",
				     "allowed, with a record", "allowed" };

struct group { /* cells that change alike, for the same statements */
	enum change change;
	enum answer a, b;
	const struct origin *by_a, *by_b;
	bool in[CELLS_MAX];
};

/* ---- cells ---- */

void cell_mark(struct cell *cell, enum rule_action action, const struct origin *o)
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

enum answer cell_answer(const struct cell *cell, const struct origin **by)
{
	*by = cell->refuses ? cell->refuses : cell->lets;
	if (cell->refuses)
		return cell->deny ? REFUSED : REFUSED_SILENTLY;
	return cell->log ? LOGGED : cell->allow ? ALLOWED : REFUSED;
}

static enum answer answer_of(const struct side *s, size_t at, const struct origin **by)
{
	*by = NULL;
	return s->stance == STANCE_OPEN ? ALLOWED : cell_answer(&s->cells[at], by);
}

/* In the order of verdicts on calls: what is let pass without a record is looser. */
enum change answer_change(enum answer a, enum answer b)
{
	if (a <= REFUSED_SILENTLY && b <= REFUSED_SILENTLY)
		return CHANGE_ERRNO;
	return b > a ? CHANGE_LOOSER : CHANGE_TIGHTER;
}

bool origin_same(const struct origin *x, const struct origin *y)
{
	return x == y || (x && y && x->stmt && x->stmt == y->stmt && x->set == y->set &&
			  x->use.begin == y->use.begin);
}

typedef const char *name_fn(struct arena *a, const bool *in);

static void add_group(struct comparing *c, enum resource_kind kind, const struct group *g,
		      name_fn *name)
{
	struct diff_resource r = {
		.change = g->change,
		.kind = kind,
		.about = name(c->arena, g->in),
		.path = "",
		.a = answer_words[g->a],
		.b = answer_words[g->b],
		.reason = "",
		.by_a = difference_by(c, &c->a, g->by_a),
		.by_b = difference_by(c, &c->b, g->by_b),
	};

	difference_add(c, &r);
}

struct groups {
	VEC(struct group *) list;
};

static void group_cells(struct comparing *c, size_t n, struct groups *out)
{

	for (size_t i = 0; i < n; i++) {
		struct group now = { 0 };
		struct group *g = NULL;
		now.a = answer_of(&c->a, i, &now.by_a);
		now.b = answer_of(&c->b, i, &now.by_b);
		if (now.a == now.b)
			continue;
		vec_each(&out->list, old)
			if ((*old)->a == now.a && (*old)->b == now.b &&
			    origin_same((*old)->by_a, now.by_a) &&
			    origin_same((*old)->by_b, now.by_b))
				g = *old;
		if (!g) {
			g = ARENA_NEW(c->arena, struct group);
			*g = now;
			g->change = answer_change(g->a, g->b);
			vec_push(c->arena, &out->list, g);
		}
		g->in[i] = true;
	}
}

typedef void mark_fn(struct side *s);

static void compare_cells(struct comparing *c, enum resource_kind kind, size_t n, mark_fn *mark,
			  name_fn *name)
{
	struct groups groups = { 0 };
	struct side *both[] = { &c->a, &c->b };

	for (size_t i = 0; i < 2; i++) {
		memset(both[i]->cells, 0, sizeof(both[i]->cells));
		if (both[i]->stance == STANCE_RULES)
			mark(both[i]);
	}
	group_cells(c, n, &groups);
	vec_each(&groups.list, g)
		add_group(c, kind, *g, name);
}

/* ---- capabilities ---- */

static const char *join(struct arena *a, const char *list, const char *word)
{
	return arena_printf(a, "%s%s%s", list, *list ? ", " : "", word);
}

const char *capability_names(struct arena *a, const bool *in)
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
		cell_mark(&s->cells[r->cap], r->action, r->origin);
}

void compare_capabilities(struct comparing *c)
{
	compare_cells(c, RESOURCE_CAPABILITIES, CAPABILITY_NR, mark_capabilities, capability_names);
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
const char *socket_names(struct arena *a, const bool *in)
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
		text = join(a, text,
			    *types ? arena_printf(a, "%s (%s)", families, types) : families);
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
			if (!(s->unix_apart && i / TYPES == AF_UNIX) &&
			    (r->family < 0 || r->family == i / TYPES) &&
			    (r->type < 0 || r->type == i % TYPES))
				cell_mark(&s->cells[i], r->action, r->origin);
	}
}

void compare_sockets(struct comparing *c)
{
	compare_cells(c, RESOURCE_SOCKETS, FAMILIES * TYPES, mark_sockets, socket_names);
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

static void mark_signal(struct side *s, const struct signal_rule *r)
{
	for (int i = 0; i < 2 * SIGNALS; i++)
		if ((i < SIGNALS ? r->send : r->receive) &&
		    (r->signal < 0 || r->signal == i % SIGNALS))
			cell_mark(&s->cells[i], r->action, r->origin);
}

/* Only one side counts on rules: peers do not matter, as whatever it lets pass the other does. */
static void mark_signals(struct side *s)
{
	vec_each(&s->p->signals, r)
		mark_signal(s, r);
}

/* ---- signals to peers ---- */

struct peer { /* a pattern that rules name; NULL: any */
	const struct glob *glob;
	struct str text;
	const struct policy *policy; /* whose variables it holds; NULL: none */
};

struct peers {
	struct comparing *c;
	struct automaton *automaton;
	VEC(struct peer) list;
	bool open; /* one holds a variable that is not opened */
};

static bool is_peer(const struct peer *p, const struct policy *policy, const struct signal_rule *r)
{
	return str_eq(p->text, r->peer) && (!p->policy || p->policy == policy);
}

/* False: more of them than labels. */
static bool add_peers(struct peers *p, const struct policy *policy)
{
	vec_each(&policy->signals, r) {
		struct label_set label = { { 0 } };
		bool known = !r->peer.n;
		vec_each(&p->list, old)
			known |= is_peer(old, policy, r);
		if (known)
			continue;
		struct peer peer = { glob_parse(p->c->arena, r->peer, GLOB_NAME, policy->variables,
						NULL),
				     r->peer, glob_has_variable(r->peer) ? policy : NULL };
		if (!peer.glob || p->list.n == AUTOMATON_LABELS)
			return false;
		p->open |= peer.glob->open;
		label_add(&label, (unsigned)p->list.n);
		automaton_add(p->automaton, peer.glob, &label);
		vec_push(p->c->arena, &p->list, peer);
	}
	return true;
}

static void mark_peers(const struct peers *p, struct side *s, const struct label_set *labels)
{
	memset(s->cells, 0, sizeof(s->cells));
	vec_each(&s->p->signals, r) {
		bool meant = !r->peer.n;
		for (unsigned i = 0; i < p->list.n && !meant; i++)
			meant = label_has(labels, i) && is_peer(&p->list.v[i], s->p, r);
		if (meant)
			mark_signal(s, r);
	}
}

static bool is_told(const struct diff *d, const struct diff_resource *r)
{
	vec_each(&d->resources, old)
		if (old->kind == r->kind && old->change == r->change &&
		    !strcmp(old->by_a, r->by_a) && !strcmp(old->by_b, r->by_b) &&
		    !strcmp(old->a, r->a) && !strcmp(old->b, r->b))
			return true;
	return false;
}

/* One peer for all that the same rules answer otherwise. */
static void add_peer(struct comparing *c, const struct group *g, struct str peer)
{
	const char *names = signal_names(c->arena, g->in);
	BUF_AUTO name = { 0 };

	buf_safe(&name, peer);
	struct diff_resource r = {
		.change = g->change,
		.kind = RESOURCE_SIGNALS,
		.path = "",
		.reason = "",
		.about = name.n ? arena_printf(c->arena, "%s (peer '%s')", names, name.p) : names,
		.a = answer_words[g->a],
		.b = answer_words[g->b],
		.by_a = difference_by(c, &c->a, g->by_a),
		.by_b = difference_by(c, &c->b, g->by_b),
	};
	if (!is_told(c->out, &r))
		difference_add(c, &r);
}

void compare_signals(struct comparing *c)
{
	struct peers p = { .c = c,
			   .automaton =
				   automaton_new(c->arena, AUTOMATON_TEXTS, AUTOMATON_BUDGET) };

	if (c->a.stance != c->b.stance) {
		compare_cells(c, RESOURCE_SIGNALS, (size_t)2 * SIGNALS, mark_signals, signal_names);
		return;
	}
	if (!add_peers(&p, c->a.p) || !add_peers(&p, c->b.p)) {
		difference_not_decided(c, RESOURCE_SIGNALS,
				       arena_printf(c->arena,
						    "the signal rules name more than "
						    "%d peers; use patterns of names",
						    AUTOMATON_LABELS));
		return;
	}
	struct automaton_walk w = automaton_walk(p.automaton);
	vec_each(&w.found, f) {
		struct groups groups = { 0 };
		mark_peers(&p, &c->a, &f->labels);
		mark_peers(&p, &c->b, &f->labels);
		group_cells(c, (size_t)2 * SIGNALS, &groups);
		vec_each(&groups.list, g)
			add_peer(c, *g, f->path);
	}
	if (!w.decided || p.open)
		difference_not_decided(
			c, RESOURCE_SIGNALS,
			p.open ? "peers hold variables, which are not opened" :
				 arena_printf(c->arena,
					      "the peers need more than %d steps to be told apart; "
					      "write simpler names",
					      AUTOMATON_BUDGET));
}
