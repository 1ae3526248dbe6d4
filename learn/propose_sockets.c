/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Socket families and types: `network` where the kinds that were seen can be said so.
 */
#include <stdlib.h>

#include "learn/proposal.h"
#include "learn/trace.h"

/* ---- sockets ---- */

struct socket_kind {
	uint64_t family, type;
	uint64_t count, first_ns;
	bool held; /* all of them */
};

struct socket_kinds {
	VEC(struct socket_kind) list;
};

static int cmp_socket(const void *x, const void *y)
{
	const struct socket_kind *a = x, *b = y;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return a->type < b->type ? -1 : a->type > b->type;
}

static void collect_sockets(struct proposal *p, struct socket_kinds *out)
{
	vec_each(&p->r->calls, c) {
		vec_each(&c->tuples, t) {
			struct socket_kind k = { t->args[0], t->args[1] & 0xf, t->count,
						 c->first_ns, t->held };
			bool known = false;

			vec_each(&out->list, have) {
				if (have->family != k.family || have->type != k.type)
					continue;
				have->count = count_add(have->count, k.count);
				have->held &= k.held;
				known = true;
			}
			if (!known)
				vec_push(p->a, &out->list, k);
		}
	}
	if (out->list.n)
		qsort(out->list.v, out->list.n, sizeof(*out->list.v), cmp_socket);
}

static struct ast_cond *socket_cond(struct proposal *p, const struct socket_kind *k, enum arch a)
{
	const struct syscall_info *s = syscall_by_name(STR("socket"));
	unsigned nargs;
	const struct arg_info *args = syscall_args(s, a, &nargs);
	struct ast_cond *family, *type;

	family = ast_cmp_new(p->a, args[0].name, false, AST_CMP_EQ, NULL,
			     proposal_value(p, k->family, &args[0], a));
	type = ast_cmp_new(p->a, args[1].name, false, AST_CMP_EQ, ast_name(p->a, "SOCK_TYPE_MASK"),
			   proposal_value(p, k->type, &args[1], a));
	family = ast_cond_join(p->a, AST_COND_AND, family, type);
	family->comma = true;
	return family;
}

/* Who made them: a ring of io_uring does by no call of socket(2). */
static const char *made_by(const struct proposal *p, const struct socket_kind *k)
{
	bool rings = false, calls = false;

	vec_each(&p->r->calls, c) {
		vec_each(&c->tuples, t) {
			bool is_ring = c->nr == TRACE_RING_SETUP || c->nr == TRACE_RING_ENTER;

			if (t->args[0] != k->family || (t->args[1] & 0xf) != k->type)
				continue;
			rings |= is_ring;
			calls |= !is_ring;
		}
	}
	return !rings ? "" : calls ? ", also by io_uring" : ", by io_uring";
}

/* The rule leaves the protocol free, as AppArmor's does: where it was not 0, say which it was. */
static void note_protocols(struct proposal *p, const struct socket_kind *k, struct ast_stmt *st)
{
	BUF_AUTO text = { 0 };
	bool other = false;

	vec_each(&p->r->calls, c) {
		vec_each(&c->tuples, t) {
			if (t->args[0] != k->family || (t->args[1] & 0xf) != k->type || text.n > 60)
				continue;
			other |= t->args[2] != 0;
			buf_printf(&text, "%s%llu", text.n ? ", " : "",
				   (unsigned long long)t->args[2]);
		}
	}
	ast_comment_add(p->a, &st->trailing, "%llux%s%s%s%s", (unsigned long long)k->count,
			k->held ? ", held when the recording began" : "", made_by(p, k),
			other ? ", any protocol; seen: " : "", other && text.p ? text.p : "");
}

static void propose_socket(struct proposal *p, const struct socket_kind *k)
{
	const char *family = proposal_short_name(p, "af", "AF_", k->family);
	const char *type = proposal_short_name(p, "sock_type", "SOCK_", k->type);
	struct ast_network *n;
	struct ast_stmt *st;

	if ((!family || !type) && p->r->run.no_calls)
		return; /* AppArmor has no word for them either */
	if (!family || !type) {
		st = proposal_add_call(p, proposal_allow(p), "socket",
				       socket_cond(p, k, p->r->run.host));
		note_protocols(p, k, st);
		propose_note_addresses(p, &st->leading, k->family, k->type);
		return;
	}
	st = proposal_add(p, AST_STMT_NETWORK);
	n = ARENA_NEW(p->a, struct ast_network);
	n->family = *ast_word_new(p->a, family);
	n->type = *ast_word_new(p->a, type);
	st->networks = n;
	note_protocols(p, k, st);
	propose_note_addresses(p, &st->leading, k->family, k->type);
}

void propose_sockets(struct proposal *p)
{
	struct socket_kinds kinds = { 0 };

	collect_sockets(p, &kinds);
	p->group = "socket families and types";
	vec_each(&kinds.list, k)
		propose_socket(p, k);
	if (kinds.list.n && !p->r->run.no_calls && !p->mux_sockets &&
	    p->arches & ARCH_BIT(ARCH_I386)) {
		struct ast_stmt *st = proposal_add_call(p, proposal_nosys(p), "socketcall", NULL);

		ast_comment_add(p->a, &st->trailing,
				"its arguments lie in memory: socket itself instead");
	}
	p->group = NULL;
}
