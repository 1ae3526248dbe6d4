/* SPDX-License-Identifier: Apache-2.0 */
/* Accesses of the classes that are a word or two, and of sockets and processes. */
#include "compiler/apparmor/access_parts.h"

bool access_cap(struct reading *r, struct aa_access *out)
{
	out->class = AA_CLASS_CAPABILITY;
	out->perms = 1;
	out->rule = access_as_rule(r, "capability", NULL);
	if (!out->rule)
		return false;
	return access_one_bit(out->rule->caps) ||
	       access_vague(r, "one capability is asked about", "such as: cap net_admin");
}

/* ---- sockets ---- */

static int lowest_bit(uint64_t bits)
{
	int n = 0;

	while (bits > 1) {
		bits >>= 1;
		n++;
	}
	return n;
}

/* One family and one type; of unix it is an access of that class. */
static bool read_kind(struct reading *r, struct aa_access *out)
{
	const struct aa_network_rule *n = &out->rule->network;

	if (out->rule->class != AA_CLASS_NETWORK || !access_one_bit(n->families) ||
	    !access_one_bit(n->types) || n->icmp)
		return access_vague(r, "one family and one type are asked about",
				    "such as: 'socket inet stream', 'network bind inet stream'");
	return true;
}

bool access_socket(struct reading *r, struct aa_access *out)
{
	const struct aa_network_rule *n;

	out->class = AA_CLASS_NETWORK;
	out->perms = AA_NET_CREATE;
	out->rule = access_as_rule(r, "network", NULL);
	if (!out->rule || !read_kind(r, out))
		return false;
	n = &out->rule->network;
	if (r->n != 3)
		return access_vague(r, "to create a socket is asked about by family and type",
				    "such as: socket inet stream");
	if (n->families & 1u << 1) {
		out->class = AA_CLASS_UNIX;
		out->unix_.type = lowest_bit(n->types);
		out->unix_.own.addr = out->unix_.other.addr = AA_ADDR_NONE;
	}
	return true;
}

bool access_network(struct reading *r, struct aa_access *out)
{
	const struct aa_network_rule *n;

	out->class = AA_CLASS_NETWORK;
	out->rule = access_as_rule(r, "network", NULL);
	if (!out->rule || !read_kind(r, out))
		return false;
	n = &out->rule->network;
	out->perms = out->rule->perms;
	if (!access_one_bit(out->perms))
		return access_vague(r, "one permission is asked about",
				    "such as: network bind inet stream");
	if (n->families & 1u << 1)
		return access_vague(r, "sockets of unix are asked about by their own word",
				    "such as: unix bind type=stream addr=@x");
	if (n->own.from != n->own.to || n->peer.from != n->peer.to)
		return access_vague(r, "one port is asked about", "such as: port=80");
	return true;
}

/* ---- processes ---- */

static unsigned count_signals(const struct aa_signal_rule *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < AA_SIGNAL_NR; i++)
		n += (unsigned)(s->set[i / 64] >> i % 64 & 1);
	return n;
}

static bool read_peer(struct reading *r, struct aa_access *out)
{
	const struct aa_cond *c = aa_rule_cond(out->rule, AA_COND_PEER, false);

	if (!c)
		return access_vague(r, "whose process it is, is not said",
				    "peer=LABEL, or peer=unconfined");
	return access_label(r, c, out);
}

bool access_signal(struct reading *r, struct aa_access *out)
{
	bool said = r->n > 2 && str_starts(r->words[2].text, "set=");

	out->class = AA_CLASS_SIGNAL;
	out->rule = access_as_rule(r, "signal", said ? NULL : "set=");
	if (!out->rule)
		return false;
	out->perms = out->rule->perms;
	if (!access_one_bit(out->perms) || out->rule->signal.any ||
	    count_signals(&out->rule->signal) != 1)
		return access_vague(r, "send or receive, and one signal, are asked about",
				    "such as: signal send term peer=unconfined");
	return read_peer(r, out);
}

bool access_ptrace(struct reading *r, struct aa_access *out)
{
	out->class = AA_CLASS_PTRACE;
	out->rule = access_as_rule(r, "ptrace", NULL);
	if (!out->rule)
		return false;
	out->perms = out->rule->perms;
	if (!access_one_bit(out->perms))
		return access_vague(r, "one of trace, read, tracedby and readby is asked about",
				    "such as: ptrace trace peer=unconfined");
	return read_peer(r, out);
}

bool access_userns(struct reading *r, struct aa_access *out)
{
	out->class = AA_CLASS_USERNS;
	out->perms = AA_USERNS_CREATE;
	out->rule = access_as_rule(r, "userns", NULL);
	return out->rule;
}

/* Whose credentials are taken, their label says; a thread that polls has none. */
bool access_uring(struct reading *r, struct aa_access *out)
{
	const struct aa_cond *c;

	out->class = AA_CLASS_IO_URING;
	out->rule = access_as_rule(r, "io_uring", NULL);
	if (!out->rule)
		return false;
	out->perms = out->rule->perms;
	c = aa_rule_cond(out->rule, AA_COND_LABEL, false);
	if (!access_one_bit(out->perms) || !c != (out->perms == AA_URING_SQPOLL) ||
	    out->rule->conds.n > 1)
		return access_vague(
			r, "sqpoll, or override_creds and their label, is asked about",
			"such as: 'io_uring sqpoll', 'io_uring override_creds label=p'");
	return !c || access_label(r, c, out);
}
