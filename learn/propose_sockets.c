/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Socket families and types: `network` where the kinds that were seen can be said so.
 */
#include <stdlib.h>

#include "learn/proposal.h"
#include "learn/trace.h"

/* ---- sockets ---- */

struct socket_made { /* sockets of one kind and protocol, by one call */
	uint64_t family, type, protocol;
	uint64_t count;
	bool held, by_ring; /* io_uring makes sockets by no call of socket(2) */
	size_t place;       /* in the recording */
};

struct socket_kind { /* of one family and type, which stand together */
	const struct socket_made *v;
	size_t n;
	uint64_t count;
	bool held; /* all of them */
};

static int cmp_made(const void *x, const void *y)
{
	const struct socket_made *a = x, *b = y;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	return a->place < b->place ? -1 : a->place > b->place;
}

static size_t collect_sockets(struct proposal *p, struct socket_made **out)
{
	VEC(struct socket_made) list = { 0 };

	vec_each(&p->r->calls, c) {
		bool by_ring = c->nr == TRACE_RING_SETUP || c->nr == TRACE_RING_ENTER;

		vec_each(&c->tuples, t) {
			struct socket_made m = { t->args[0], t->args[1] & 0xf, t->args[2], t->count,
						 t->held,    by_ring,          list.n };

			vec_push(p->a, &list, m);
		}
	}
	if (list.n)
		qsort(list.v, list.n, sizeof(*list.v), cmp_made);
	*out = list.v;
	return list.n;
}

/* The kind that begins here, of n that are left. */
static struct socket_kind kind_at(const struct socket_made *v, size_t n)
{
	struct socket_kind k = { .v = v, .held = true };

	while (k.n < n && v[k.n].family == v->family && v[k.n].type == v->type) {
		k.count = count_add(k.count, v[k.n].count);
		k.held &= v[k.n].held;
		k.n++;
	}
	return k;
}

static struct ast_cond *socket_cond(struct proposal *p, const struct socket_kind *k, enum arch a)
{
	const struct syscall_info *s = syscall_by_name(STR("socket"));
	unsigned nargs;
	const struct arg_info *args = syscall_args(s, a, &nargs);
	struct ast_cond *family, *type;

	family = ast_cmp_new(p->a, args[0].name, false, AST_CMP_EQ, NULL,
			     proposal_value(p, k->v->family, &args[0], a));
	type = ast_cmp_new(p->a, args[1].name, false, AST_CMP_EQ, ast_name(p->a, "SOCK_TYPE_MASK"),
			   proposal_value(p, k->v->type, &args[1], a));
	family = ast_cond_join(p->a, AST_COND_AND, family, type);
	family->comma = true;
	return family;
}

static const char *made_by(const struct socket_kind *k)
{
	bool rings = false, calls = false;

	for (size_t i = 0; i < k->n; i++) {
		rings |= k->v[i].by_ring;
		calls |= !k->v[i].by_ring;
	}
	return !rings ? "" : calls ? ", also by io_uring" : ", by io_uring";
}

/* The rule leaves the protocol free, as AppArmor's does: where it was not 0, say which it was. */
static void note_protocols(struct proposal *p, const struct socket_kind *k, struct ast_stmt *st)
{
	BUF_AUTO text = { 0 };
	bool other = false;

	for (size_t i = 0; i < k->n && text.n <= 60; i++) {
		other |= k->v[i].protocol != 0;
		buf_printf(&text, "%s%llu", text.n ? ", " : "",
			   (unsigned long long)k->v[i].protocol);
	}
	ast_comment_add(p->a, &st->trailing, "%llux%s%s%s%s", (unsigned long long)k->count,
			k->held ? ", held when the recording began" : "", made_by(k),
			other ? ", any protocol; seen: " : "", other && text.p ? text.p : "");
}

static void propose_socket(struct proposal *p, const struct socket_kind *k)
{
	const char *family = proposal_short_name(p, "af", "AF_", k->v->family);
	const char *type = proposal_short_name(p, "sock_type", "SOCK_", k->v->type);
	struct ast_network *n;
	struct ast_stmt *st;

	if ((!family || !type) && p->r->run.no_calls)
		return; /* AppArmor has no word for them either */
	if (!family || !type) {
		st = proposal_add_call(p, proposal_allow(p), "socket",
				       socket_cond(p, k, p->r->run.host));
		note_protocols(p, k, st);
		propose_note_addresses(p, &st->leading, k->v->family, k->v->type);
		return;
	}
	st = proposal_add(p, AST_STMT_NETWORK);
	n = ARENA_NEW(p->a, struct ast_network);
	n->family = *ast_word_new(p->a, family);
	n->type = *ast_word_new(p->a, type);
	st->networks = n;
	note_protocols(p, k, st);
	propose_note_addresses(p, &st->leading, k->v->family, k->v->type);
}

void propose_sockets(struct proposal *p)
{
	struct socket_made *made;
	size_t n = collect_sockets(p, &made);

	p->group = "socket families and types";
	for (size_t i = 0; i < n;) {
		struct socket_kind k = kind_at(&made[i], n - i);

		propose_socket(p, &k);
		i += k.n;
	}
	if (n && !p->r->run.no_calls && !p->mux_sockets && p->arches & ARCH_BIT(ARCH_I386)) {
		struct ast_stmt *st = proposal_add_call(p, proposal_nosys(p), "socketcall", NULL);

		ast_comment_add(p->a, &st->trailing,
				"its arguments lie in memory: socket itself instead");
	}
	p->group = NULL;
}
