/* SPDX-License-Identifier: Apache-2.0 */
/* change_profile, unix, dbus, mqueue as accesses. */
#include "compiler/apparmor/access_parts.h"

/* ---- change_profile, change_hat ---- */

static bool has_word(const struct reading *r, size_t at, const char *word)
{
	return at < r->n && !r->words[at].quoted && str_is(r->words[at].text, word);
}

bool access_change_profile(struct reading *r, struct aa_access *out)
{
	size_t at = 1;

	out->class = AA_CLASS_CHANGE_PROFILE;
	out->perms = AA_ACCESS_CHANGE;
	if (has_word(r, 2, "->")) {
		out->change.exec = r->words[1].text;
		if (!access_is_path(r, out->change.exec, r->words[1].span))
			return false;
		at++;
	}
	at += has_word(r, at, "->");
	if (at + 1 != r->n || !r->words[at].text.n || has_word(r, at, "&"))
		return access_vague(
			r, "change_profile is asked about one label",
			"such as: 'change_profile p', stacked 'change_profile &p', at an "
			"execution 'change_profile /bin/p -> p'");
	out->change.target = r->words[at].text;
	return true;
}

bool access_change_hat(struct reading *r, struct aa_access *out)
{
	struct str *name = &out->change.target;

	out->class = AA_CLASS_CHANGE_PROFILE;
	out->perms = AA_ACCESS_HAT;
	if (r->n == 2)
		*name = r->words[1].text;
	if (name->n && name->p[0] == '^')
		*name = (struct str){ name->p + 1, name->n - 1 };
	return name->n ||
	       access_vague(r, "change_hat is asked about one hat", "such as: change_hat h");
}

/* ---- unix ---- */

/* Without addr= the socket has no name, as most that connect. */
static bool read_end(struct reading *r, const struct aa_rule *rule, bool peer,
		     struct aa_unix_end *out)
{
	const struct aa_cond *c = aa_rule_cond(rule, AA_COND_ADDR, peer);

	out->addr = peer ? rule->unix_.peer_addr : rule->unix_.addr;
	if (out->addr == AA_ADDR_ANY)
		out->addr = AA_ADDR_NONE;
	return out->addr != AA_ADDR_GLOB || access_value(r, c, &out->name);
}

/* Whom is connected to, sent to, received from; accept is asked without a peer, too. */
static bool unix_peer_fits(const struct aa_access *x)
{
	if (x->peer_said)
		return x->perms & AA_NET_PEER;
	return !(x->perms & AA_NET_PEER) || (x->perms & AA_NET_ACCEPT && !x->unix_.other.name.n);
}

/* Only what is bound has an address that the kernel chooses. */
static bool unix_address_fits(const struct aa_access *x)
{
	if (x->unix_.other.addr == AA_ADDR_AUTO)
		return false;
	return x->perms & AA_NET_BIND ? x->unix_.own.addr != AA_ADDR_NONE :
					x->unix_.own.addr != AA_ADDR_AUTO;
}

bool access_unix(struct reading *r, struct aa_access *out)
{
	const struct aa_rule *rule;

	out->class = AA_CLASS_UNIX;
	out->rule = rule = access_as_rule(r, NULL, NULL);
	if (!rule)
		return false;
	out->perms = rule->perms;
	out->unix_.type = rule->unix_.type;
	if (!access_one_bit(out->perms) || out->unix_.type < 0)
		return access_vague(r, "one permission and one type of socket are asked about",
				    "such as: unix bind type=stream addr=@x");
	if (!read_end(r, rule, false, &out->unix_.own) ||
	    !read_end(r, rule, true, &out->unix_.other) ||
	    !access_label(r, aa_rule_cond(rule, AA_COND_LABEL, true), out))
		return false;
	if (!unix_peer_fits(out))
		return access_vague(
			r, "to connect, send, receive is asked about with the peer's label",
			"such as: unix connect type=stream peer=(addr=@x label=p); accept "
			"without a peer, too");
	return unix_address_fits(out) ||
	       access_vague(r, "a socket is bound to a name, and asked about by it",
			    "addr=@x; addr=auto, a name that the kernel chooses, of bind alone");
}

/* ---- dbus ---- */

/* On whichever side it is written. */
static const struct aa_cond *dbus_cond(const struct aa_rule *r, enum aa_cond_id id)
{
	const struct aa_cond *own = aa_rule_cond(r, id, false);

	return own ? own : aa_rule_cond(r, id, true);
}

static bool read_message(struct reading *r, struct aa_access *out)
{
	const struct aa_cond *label = aa_rule_cond(out->rule, AA_COND_LABEL, true);

	if (!label || !dbus_cond(out->rule, AA_COND_PATH) ||
	    !dbus_cond(out->rule, AA_COND_INTERFACE) || !dbus_cond(out->rule, AA_COND_MEMBER) ||
	    !aa_rule_cond(out->rule, AA_COND_NAME, true))
		return access_vague(
			r,
			"a message is asked about by its path, interface and member, and the "
			"peer's name and label",
			"such as: dbus send bus=session path=/a interface=a.b member=Get "
			"peer=(name=a.b label=p)");
	return access_value(r, dbus_cond(out->rule, AA_COND_PATH), &out->dbus.path) &&
	       access_value(r, dbus_cond(out->rule, AA_COND_INTERFACE), &out->dbus.interface) &&
	       access_value(r, dbus_cond(out->rule, AA_COND_MEMBER), &out->dbus.member) &&
	       access_label(r, label, out);
}

bool access_dbus(struct reading *r, struct aa_access *out)
{
	const struct aa_cond *bus, *name;

	out->class = AA_CLASS_DBUS;
	out->rule = access_as_rule(r, NULL, NULL);
	if (!out->rule)
		return false;
	out->perms = out->rule->perms;
	bus = dbus_cond(out->rule, AA_COND_BUS);
	name = dbus_cond(out->rule, AA_COND_NAME);
	if (!access_one_bit(out->perms) || !bus)
		return access_vague(r,
				    "send, receive, bind or eavesdrop, and a bus are asked about",
				    "such as: dbus bind bus=session name=a.b");
	if (!access_value(r, bus, &out->dbus.bus) || !access_value(r, name, &out->dbus.name))
		return false;
	if (out->perms & AA_DBUS_EAVESDROP)
		return true;
	if (!(out->perms & AA_DBUS_BIND))
		return read_message(r, out);
	return name || access_vague(r, "which name is owned, is not said",
				    "such as: dbus bind bus=session name=a.b");
}

/* ---- mqueue ---- */

bool access_mqueue(struct reading *r, struct aa_access *out)
{
	const struct aa_mqueue_rule *m;

	out->class = AA_CLASS_MQUEUE;
	out->rule = access_as_rule(r, NULL, NULL);
	if (!out->rule)
		return false;
	out->perms = out->rule->perms;
	m = &out->rule->mqueue;
	if (!access_one_bit(out->perms) || !m->name.word)
		return access_vague(r, "one permission and one queue are asked about",
				    "such as: 'mqueue read /q', 'mqueue create 1234'");
	out->mqueue.posix = m->type == AA_MQUEUE_POSIX;
	return access_literal(r, m->name.word, &out->mqueue.name) &&
	       access_label(r, aa_rule_cond(out->rule, AA_COND_LABEL, false), out);
}
