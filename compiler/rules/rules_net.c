/* SPDX-License-Identifier: Apache-2.0 */
/* Rules about sockets: network and unix. */
#include <arpa/inet.h>
#include <string.h>

#include "compiler/rules/rules_read.h"
#include "compiler/base/bug.h"

/* AF_MAX of the parsers: 0..mctp; AF_DECnet has no name there. */
enum { FAMILY_NR = 46, INET = 2, INET6 = 10, DECNET = 12 };
enum { STREAM = 1, DGRAM = 2, RAW = 3 }; /* as x86 numbers them */

#define TYPES_ALL (1u << STREAM | 1u << DGRAM | 1u << RAW | 1u << 4 | 1u << 5 | 1u << 10)
#define INETS     (UINT64_C(1) << INET | UINT64_C(1) << INET6)

/* ---- names ---- */

/* The kernel's names, one a number: not "local" or "route" (af_names.h). NULL: there is none. */
static const char *family_capitals(int family)
{
	const char *full = NULL;

	if (family >= 0 && family < FAMILY_NR && family != DECNET)
		full = constant_name("af", (uint64_t)family, ARCH_X86_64);
	return full ? full + strlen("AF_") : NULL;
}

static int family_number(struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] >= 'A' && name.p[i] <= 'Z')
			return -1;
	for (int n = 0; n < FAMILY_NR; n++) {
		const char *capitals = family_capitals(n);

		if (capitals && str_ieq(name, str_c(capitals)))
			return n;
	}
	return -1;
}

const char *aa_family_name(struct arena *a, int family)
{
	const char *capitals = family_capitals(family);
	char *name;

	if (!capitals)
		return NULL;
	name = arena_strdup(a, capitals);
	for (char *c = name; *c; c++)
		*c = (char)(*c >= 'A' && *c <= 'Z' ? *c | 0x20 : *c);
	return name;
}

/* Of the types that AppArmor has; of `network` those of TYPES_ALL, of unix dccp and none, too. */
static const struct type_name {
	const char *name;
	int number;
} types[] = { { "none", 0 }, { "stream", STREAM }, { "dgram", DGRAM }, { "raw", RAW },
	      { "rdm", 4 },  { "seqpacket", 5 },   { "packet", 10 },   { "dccp", 6 } };

static int type_number(struct str name)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (str_is(name, types[i].name))
			return types[i].number;
	return -1;
}

static bool is_network_type(int type)
{
	return type >= 0 && TYPES_ALL >> type & 1;
}

const char *aa_type_name(enum aa_class c, int type)
{
	if (c == AA_CLASS_NETWORK && !is_network_type(type))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].number == type)
			return types[i].name;
	return NULL;
}

/* A protocol in the place of a type, of the families that have it: tcp is inet's stream. */
static bool protocol_types(struct str name, uint64_t *families, struct aa_network_rule *n)
{
	if (str_is(name, "tcp"))
		n->types = 1u << STREAM;
	else if (str_is(name, "udp"))
		n->types = 1u << DGRAM;
	else if (str_is(name, "icmp"))
		n->types = 1u << RAW;
	else
		return false;
	n->icmp = n->types == 1u << RAW;
	*families = n->icmp ? UINT64_C(1) << INET : INETS;
	return true;
}

/* ---- network: its words ---- */

static void offer_family_names(struct aa_read *r, struct suggest *s)
{
	for (int n = 0; n < FAMILY_NR; n++) {
		const char *name = aa_family_name(r->rd->arena, n);

		if (name)
			suggest_offer(s, str_c(name));
	}
}

static void tell_word(struct aa_read *r, const struct aa_item *i, const char *what, bool family)
{
	static const char *const protocols[] = { "tcp", "udp", "icmp" };
	struct str word = i->word.text;
	struct suggest s;
	struct diag *d = aa_fault(r, DIAG_PL136, i->span, "'%s' is %s", aa_safe(r->rd, word), what);

	if (!diag_suggest_start(r->rd->diags, &s, word))
		return;
	for (size_t k = 0; k < ARRAY_SIZE(types); k++)
		if (is_network_type(types[k].number))
			suggest_offer(&s, str_c(types[k].name));
	for (size_t k = 0; k < ARRAY_SIZE(protocols); k++)
		suggest_offer(&s, str_c(protocols[k]));
	if (family)
		offer_family_names(r, &s);
	if (!diag_suggest(r->rd->diags, d, i->span, &s))
		diag_help(r->rd->diags, d,
			  "a rule names a family, such as inet, unix or netlink, and then a type: "
			  "stream dgram raw rdm seqpacket packet");
}

/* Escapes are read since 4.0, as in quotes. */
static struct str plain_word(const struct aa_read *r, const struct aa_item *i)
{
	return r->rd->target.release < AA_RELEASE_4_0 ? i->word.text : aa_plain(r->rd, &i->word);
}

void aa_network_of(int family, int type, struct aa_network_rule *out)
{
	out->any = family < 0 && type < 0;
	out->families = family >= 0 ? UINT64_C(1) << family : (UINT64_C(1) << FAMILY_NR) - 1;
	out->types = type >= 0 ? 1u << type : out->any ? ~0u : TYPES_ALL;
	if (family < 0 && !out->any)
		out->families &= ~(UINT64_C(1) << DECNET);
}

/* One word: a family, or a type or protocol of whatever families have it. */
static bool first_word(struct aa_read *r, const struct aa_item *i)
{
	struct aa_network_rule *n = &r->rule->network;
	struct str word = plain_word(r, i);
	int family = family_number(word), type = type_number(word);

	if (family >= 0 || is_network_type(type)) {
		aa_network_of(family, family >= 0 ? -1 : type, n);
		return true;
	}
	if (protocol_types(word, &n->families, n))
		return true;
	tell_word(r, i, "no family, type or protocol of sockets", true);
	return false;
}

static bool second_word(struct aa_read *r, const struct aa_item *first, const struct aa_item *i)
{
	struct aa_network_rule *n = &r->rule->network;
	struct str word = plain_word(r, i);
	int type = type_number(word);
	uint64_t families;

	if (family_number(plain_word(r, first)) < 0) {
		tell_word(r, first, "no family, and a type follows", true);
		return false;
	}
	if (is_network_type(type)) {
		n->types = 1u << type;
		return true;
	}
	if (protocol_types(word, &families, n) && families & n->families)
		return true;
	tell_word(r, i,
		  aa_perm_find(AA_CLASS_NETWORK, word) ?
			  "a permission, which stands before the family" :
			  "no type of this family",
		  false);
	return false;
}

/* The first condition that is about addresses: the parser forgets the peer's label (network.h). */
static const struct aa_cond *address_cond(const struct aa_rule *rule)
{
	vec_each(&rule->conds, c)
		if (!c->peer || c->id != AA_COND_LABEL)
			return c;
	return NULL;
}

static bool read_families(struct aa_read *r, const struct aa_words_read *w)
{
	struct aa_network_rule *n = &r->rule->network;
	const struct aa_cond *address = address_cond(r->rule);

	if (!w->nwords) {
		aa_network_of(-1, -1, n);
		if (address)
			*n = (struct aa_network_rule){ .families = INETS, .types = TYPES_ALL };
		return true;
	}
	if (!first_word(r, w->words[0]) ||
	    (w->nwords > 1 && !second_word(r, w->words[0], w->words[1])))
		return false;
	if (!address)
		return true;
	/* Of several families the others are left out; one that has no addresses is refused. */
	if (family_number(plain_word(r, w->words[0])) >= 0 && !(n->families & INETS)) {
		struct diag *d = aa_fault(r, DIAG_PL339, address->item->span,
					  "sockets of '%s' have no such condition",
					  aa_safe(r->rd, w->words[0]->word.text));

		diag_help(r->rd->diags, d,
			  "inet and inet6 have; unix sockets have rules of their "
			  "own: unix addr=...");
		return false;
	}
	n->families &= INETS;
	return true;
}

/* ---- network: its conditions ---- */

static bool tell_value(struct aa_read *r, const struct aa_cond *c, const char *what,
		       const char *help)
{
	diag_help(r->rd->diags,
		  aa_fault(r, DIAG_PL333, c->values->span, "'%s' is no %s",
			   aa_safe(r->rd, aa_plain(r->rd, c->values)), what),
		  "%s", help);
	return false;
}

static bool read_ip(struct aa_read *r, const struct aa_cond *c, struct aa_ip *out)
{
	struct str text = aa_plain(r->rd, c->values);
	const char *s = str_dup(r->rd->arena, text);

	out->said = true;
	if (str_is(text, "none")) {
		out->none = true;
		return true;
	}
	out->v6 = inet_pton(AF_INET6, s, out->bytes) == 1;
	if (out->v6 || inet_pton(AF_INET, s, out->bytes) == 1)
		return true;
	return tell_value(r, c, "address",
			  memchr(text.p, '/', text.n) || memchr(text.p, '-', text.n) ?
				  "no release reads networks or ranges: write one address, such as "
				  "192.168.0.1 or ::1" :
				  "write one address, such as 192.168.0.1 or ::1, or 'none'");
}

/* strtoul() in base 10: blanks and a sign may stand before the digits. */
static bool port_number(struct str s, uint16_t *out)
{
	size_t at = 0, begin;
	unsigned v = 0;

	while (at < s.n && strchr(" \t\n\v\f\r", s.p[at]))
		at++;
	at += at < s.n && s.p[at] == '+';
	for (begin = at; at < s.n && s.p[at] >= '0' && s.p[at] <= '9' && v <= UINT16_MAX; at++)
		v = v * 10 + (unsigned)(s.p[at] - '0');
	*out = (uint16_t)v;
	return at > begin && at == s.n && v <= UINT16_MAX;
}

static bool read_port(struct aa_read *r, const struct aa_cond *c, struct aa_address *out)
{
	struct str text = aa_plain(r->rd, c->values), from = text, to;
	const char *dash = text.n ? memchr(text.p, '-', text.n) : NULL;
	bool ok;

	out->port_said = true;
	if (dash &&
	    !aa_since(r->rd, c->values->span, text, " as a range of ports", AA_RELEASE_4_1)) {
		r->failed = true;
		return false;
	}
	to = from;
	if (dash) {
		from.n = (size_t)(dash - text.p);
		to = (struct str){ dash + 1, text.n - from.n - 1 };
	}
	ok = port_number(from, &out->from);
	ok = port_number(to, &out->to) && ok;
	if (!ok)
		return tell_value(r, c, "port", "ports are 0 to 65535, or a range: 1-1024");
	if (out->from > out->to)
		return tell_value(r, c, "range", "write the smaller port first");
	return true;
}

static void read_addresses(struct aa_read *r)
{
	struct aa_network_rule *n = &r->rule->network;

	vec_each(&r->rule->conds, c) {
		struct aa_address *a = c->peer ? &n->peer : &n->own;

		if (c->id == AA_COND_IP && !read_ip(r, c, &a->ip))
			return;
		if (c->id == AA_COND_PORT && !read_port(r, c, a))
			return;
	}
}

/* Permissions that concern no peer, in a rule that has conditions on one. */
static void check_peer(struct aa_read *r)
{
	unsigned alone = r->rule->perms & ~(unsigned)AA_NET_PEER;
	const struct aa_cond *peer = NULL;

	vec_each(&r->rule->conds, c)
		if (c->peer && (r->rule->class == AA_CLASS_UNIX || c->id != AA_COND_LABEL))
			peer = c;
	if (alone && peer)
		diag_help(r->rd->diags,
			  aa_fault(r, DIAG_PL339, peer->item->span,
				   "a permission of this rule concerns no peer"),
			  "send, receive, connect and accept do; write another rule for the rest");
}

void aa_read_network(struct aa_read *r)
{
	struct aa_words_read w;

	if (!aa_read_shape(r, TAKES_PERMS | TAKES_WORDS | TAKES_GROUP, &w))
		return;
	if (w.perms &&
	    !aa_since(r->rd, w.perms->span, STR("network"), " with permissions", AA_RELEASE_4_0)) {
		r->failed = true;
		return;
	}
	if (!read_families(r, &w))
		return;
	read_addresses(r);
	check_peer(r);
	if (!r->rule->perms)
		r->rule->perms = AA_NET_ALL;
}

/* ---- unix ---- */

static bool unix_type(struct aa_read *r, const struct aa_cond *c)
{
	r->rule->unix_.type = type_number(aa_plain(r->rd, c->values));
	if (r->rule->unix_.type >= 0)
		return true;
	return tell_value(r, c, "type of sockets",
			  "types are stream dgram seqpacket raw rdm packet");
}

/* Does the parser write an address? Of a socket that is made and no more it writes none. */
static bool addr_built(const struct aa_read *r)
{
	return aa_is_built(r) && r->rule->perms != AA_NET_CREATE;
}

static enum aa_unix_addr addr_kind(struct str addr)
{
	return str_is(addr, "none") ? AA_ADDR_NONE :
	       str_is(addr, "auto") ? AA_ADDR_AUTO :
				      AA_ADDR_GLOB;
}

/*
 * A variable that begins the address is opened before the '@' is taken off, which is then the
 * first character whatever it is: of several values the brace around them (parser/af_unix.cc,
 * unix_rule::write_addr). False: told.
 */
static bool open_addr(struct aa_read *r, const struct aa_cond *c, struct aa_word *w)
{
	const struct glob_variables *vars = r->rd->variables;
	struct str name;
	size_t n = glob_variable_at(w->text, 0, &name);
	const struct glob_variable *v = n && vars ? glob_variable_find(vars, name) : NULL;

	if (v && v->values.n > 1 && addr_built(r)) {
		diag_help(r->rd->diags,
			  aa_fault(r, DIAG_PL333, c->values->span,
				   "'%s' stands for several addresses, and the parser takes the "
				   "brace around them for the '@'",
				   aa_safe(r->rd, w->text)),
			  "write '@' in front of the variable and leave it out of the values, or "
			  "a rule for each");
		return false;
	}
	if (!v || v->values.n != 1 || !v->values.v[0].n)
		return true;
	w->text = str_c(arena_printf(r->rd->arena, PRISTR PRISTR, STRARG(v->values.v[0]),
				     (int)(w->text.n - n), w->text.p + n));
	return true;
}

static bool unix_addr(struct aa_read *r, struct aa_cond *c)
{
	struct str addr = aa_plain(r->rd, c->values);
	enum aa_unix_addr *out = c->peer ? &r->rule->unix_.peer_addr : &r->rule->unix_.addr;
	struct aa_word *w = ARENA_NEW(r->rd->arena, struct aa_word);
	struct aa_text text = { 0 };

	*out = addr_kind(addr);
	if (*out != AA_ADDR_GLOB)
		return true;
	if (!addr.n || addr.p[0] != '@')
		return tell_value(r, c, "address of a unix socket",
				  "it is an abstract name, @NAME, or none, or auto; sockets with a "
				  "path are files, and file rules decide");
	*w = *c->values;
	if (!open_addr(r, c, w))
		return false;
	*out = addr_kind(w->text);
	if (*out != AA_ADDR_GLOB)
		return true;
	if (w->text.p[0] != '@')
		w->text = str_c(arena_printf(r->rd->arena, "@" PRISTR, (int)(w->text.n - 1),
					     w->text.p + 1));
	/* An '@' in front of a brace would begin a variable, in names, too. */
	if (!aa_glob_word(r->rd, w, GLOB_PATH, addr_built(r), &text)) {
		r->failed = true;
		return false;
	}
	vec_push(r->rd->arena, &c->texts, text);
	return true;
}

void aa_read_unix(struct aa_read *r)
{
	struct aa_words_read w;

	r->rule->unix_.type = -1;
	if (!aa_read_shape(r, TAKES_PERMS | TAKES_GROUP, &w))
		return;
	vec_each(&r->rule->conds, c) {
		if (c->id == AA_COND_TYPE && !unix_type(r, c))
			return;
		if (c->id == AA_COND_ADDR && !unix_addr(r, c))
			return;
	}
	check_peer(r);
	if (!r->rule->perms)
		r->rule->perms = AA_NET_ALL;
}
