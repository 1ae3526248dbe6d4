/* SPDX-License-Identifier: Apache-2.0 */
/* Ports, as evidence beside the sockets that they are of: policies have no words for them. */
#include <string.h>

#include "grammar/ast_build.h"
#include "learn/proposal.h"
#include "learn/record/fact.h"

enum { LISTED = 16 }; /* of one kind */

struct address_kind { /* ADDRESS_* of sockets */
	unsigned family, type;
	const char *prefix; /* what their line begins with; NULL */
};

/* The type that facts have for one of a socket's. */
static unsigned type_of(struct proposal *p, uint64_t type)
{
	const char *name = proposal_short_name(p, "sock_type", "SOCK_", type);

	for (unsigned i = ADDRESS_STREAM; name && i < ADDRESS_OTHER; i++)
		if (!strcmp(address_types[i], name))
			return i;
	return ADDRESS_OTHER;
}

static void put_address(struct buf *out, const struct recorded_address *a)
{
	if (a->address.others)
		buf_puts(out, "others");
	else if (a->address.port)
		buf_printf(out, "%u", a->address.port);
	else
		buf_puts(out, a->address.op == ADDRESS_BIND ? "any free port" : "port 0");
	buf_printf(out, " (%s) %llux", address_places[a->address.place],
		   (unsigned long long)a->count);
}

/* "bound: 80 (any) 1x, 443 (any) 1x" */
static void note_op(struct proposal *p, struct ast_comment **to, unsigned op,
		    const struct address_kind *kind)
{
	static const char *const done[ADDRESS_OPS] = { "bound: ", "connected: ", "sent to: " };
	const char *gap = done[op];
	BUF_AUTO text = { 0 };
	size_t n = 0, left = 0;

	buf_puts(&text, kind->prefix ? kind->prefix : "");
	vec_each(&p->r->addresses, a) {
		if (a->address.op != op || a->address.family != kind->family ||
		    (a->address.type != kind->type && a->address.type != ADDRESS_UNKNOWN))
			continue;
		if (++n > LISTED && !a->address.others) {
			left++;
			continue;
		}
		if (text.n > 72) {
			ast_comment_add(p->a, to, "%s,", text.p);
			text.n = 0;
			gap = "  ";
		}
		buf_puts(&text, gap);
		put_address(&text, a);
		gap = ", ";
	}
	if (left)
		buf_printf(&text, ", and %zu more", left);
	if (n)
		ast_comment_add(p->a, to, "%s", text.p);
}

/* False: of neither family. */
static bool kind_of(struct proposal *p, uint64_t family, uint64_t type, struct address_kind *out)
{
	const char *name = proposal_short_name(p, "af", "AF_", family);

	*out = (struct address_kind){ .type = type_of(p, type) };
	while (name && out->family < ADDRESS_FAMILIES &&
	       strcmp(address_families[out->family], name) != 0)
		out->family++;
	return name && out->family < ADDRESS_FAMILIES;
}

void propose_note_addresses(struct proposal *p, struct ast_comment **to, uint64_t family,
			    uint64_t type)
{
	struct address_kind kind;

	if (!kind_of(p, family, type, &kind))
		return;
	for (unsigned op = 0; op < ADDRESS_OPS; op++)
		note_op(p, to, op, &kind);
}

static bool made_socket(struct proposal *p, unsigned family, const struct address *of)
{
	vec_each(&p->r->calls, c) {
		vec_each(&c->tuples, t) {
			struct address_kind kind;

			if (kind_of(p, t->args[0], t->args[1] & 0xf, &kind) &&
			    kind.family == family &&
			    (kind.type == of->type || of->type == ADDRESS_UNKNOWN))
				return true;
		}
	}
	return false;
}

void propose_describe_addresses(struct proposal *p, struct ast_comment **to)
{
	bool done[ADDRESS_GROUPS] = { false };

	vec_each(&p->r->addresses, a) {
		struct address_kind kind = { a->address.family, a->address.type, NULL };
		bool *seen = &done[address_group(&a->address)], first = !*seen;

		*seen = true;
		if (!first || made_socket(p, kind.family, &a->address))
			continue;
		/* Those of inet6 take inet's addresses, too, as getaddrinfo(3) tries them. */
		kind.prefix = arena_printf(
			p->a, "%s %s, of sockets %s: ", address_families[kind.family],
			address_types[kind.type],
			made_socket(p, ADDRESS_INET6, &a->address) ? "of inet6" :
								     "that were not made here");
		note_op(p, to, a->address.op, &kind);
	}
}
