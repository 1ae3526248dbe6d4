/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A number as the language writes it: the one way in which policies, differences, refusals and
 * proposals name values. What is written reads back as the number it was made of.
 *
 *	spell(&as, v, &s);	spell_tree(a, &s)	or	spell_text(out, &s)
 */
#include "compiler/base/str.h"
#include "compiler/tables/tables.h"
#include "grammar/ast.h"

struct spell_as {           /* what the number is the value of */
	const char *domain; /* NULL: it has no names */
	enum arg_kind kind;
	unsigned width; /* bits that are compared: 1..64 */
	bool is_signed;
	uint64_t enum_mask; /* ENUM_FLAGS */
	enum arch arch;
	const char *begins; /* only names that begin so; NULL: any of the domain's */
};

struct spelling { /* names, borrowed from the tables, then a number where anything is left */
	const char *names[64];
	unsigned n;
	bool has_number;
	bool negative; /* the number's magnitude is `number` */
	uint64_t number;
};

/* For an argument, at its own width; NULL: a register of which nothing is known. */
struct spell_as spell_argument(const struct arg_info *arg, enum arch arch);
/*
 * The protocol of a socket of this family: 6 is NETLINK_XFRM beside AF_NETLINK, IPPROTO_TCP beside
 * AF_INET, and without a name beside AF_PACKET (socket(2)). Of other values nothing changes.
 */
void spell_of_family(struct spell_as *as, uint64_t family);
/* Which of a call's arguments is that family; -1: it has none. */
int spell_family_at(const struct arg_info *args, unsigned n);
/* Is `name` (NULL: no) the value v, as the language would read it? */
bool spell_is(const struct spell_as *as, const char *name, uint64_t v);
/* The name of all of it; NULL: it has none. */
const char *spell_name(const struct spell_as *as, uint64_t v);
/* A name for all of it, else bit by bit; a value most of which has no name is a number. */
void spell(const struct spell_as *as, uint64_t v, struct spelling *out);
/* Bit by bit, as masks and tests of bits are written. */
void spell_bits(const struct spell_as *as, uint64_t v, struct spelling *out);
/* Without names, as ends of ranges are written. */
void spell_number(const struct spell_as *as, uint64_t v, struct spelling *out);

struct ast_value *spell_tree(struct arena *a, const struct spelling *s);
void spell_text(struct buf *out, const struct spelling *s);
