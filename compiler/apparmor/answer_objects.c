/* SPDX-License-Identifier: Apache-2.0 */
/* Does a rule of any class but files speak of an access? By what the kernel matches of each. */
#include "compiler/apparmor/answer_parts.h"
#include "compiler/apparmor/queues.h"
#include "compiler/base/bug.h"

#include <string.h>

enum { OPTIONS = AA_NET_GETOPT | AA_NET_SETOPT };
enum { AUTO_NAME = 6 }; /* bytes of a name that the kernel chooses, with its '@' */

bool aa_is_mediated(const struct aa_asking *q, enum aa_class class)
{
	return q->target.mediated >> class & 1;
}

/* A glob of a rule, where it has one there. */
static bool text_says(const struct aa_asking *q, const struct aa_text *t, struct str s)
{
	return !t->word || (t->glob && glob_match(q->arena, t->glob, s));
}

static bool cond_says(const struct aa_asking *q, const struct aa_cond *c, struct str s)
{
	return !c ||
	       (c->texts.n && c->texts.v[0].glob && glob_match(q->arena, c->texts.v[0].glob, s));
}

static bool says(const struct aa_asking *q, const struct aa_rule *r, enum aa_cond_id id, bool peer,
		 struct str s)
{
	return cond_says(q, aa_rule_cond(r, id, peer), s);
}

/* ---- mounts ---- */

static unsigned mount_says(const struct aa_asking *q, const struct aa_rule *r,
			   const struct aa_access *access)
{
	struct aa_mount_patterns patterns;

	if (r->mount.kind == AA_UMOUNT)
		return access->perms & AA_ACCESS_UMOUNT &&
				       text_says(q, &r->mount.point, access->mount.point) ?
			       access->perms :
			       0;
	if (!(access->perms & AA_ACCESS_MOUNT))
		return 0;
	aa_mount_patterns(q->arena, q->target.release, r, &patterns);
	vec_each(&patterns.list, p)
		if (aa_mount_matches(q->arena, r, p, &access->mount))
			return access->perms;
	return 0;
}

static unsigned pivot_says(const struct aa_asking *q, const struct aa_rule *r,
			   const struct aa_access *access)
{
	return text_says(q, &r->pivot.root, access->pivot.root) &&
			       says(q, r, AA_COND_OLDROOT, false, access->pivot.old) ?
		       access->perms :
		       0;
}

/* ---- sockets ---- */

static unsigned network_says(const struct aa_rule *r, const struct aa_access *access)
{
	const struct aa_network_rule *n = &r->network, *asked = &access->rule->network;
	bool speaks = n->any || (n->families & asked->families && n->types & asked->types);

	return speaks ? r->perms & access->perms : 0;
}

/*
 * A rule about unix sockets, of a socket: what it is made with, its own name, or that and the
 * peer's with the peer's label (af_unix.c; af_unix.cc, gen_policy_re). No label of its own counts.
 */
static bool address_says(const struct aa_asking *q, const struct aa_rule *r, bool peer,
			 const struct aa_unix_end *e)
{
	const struct aa_cond *c = aa_rule_cond(r, AA_COND_ADDR, peer);
	enum aa_unix_addr said = peer ? r->unix_.peer_addr : r->unix_.addr;

	switch (said) {
	case AA_ADDR_ANY: return true;
	case AA_ADDR_NONE: return e->addr == AA_ADDR_NONE;
	case AA_ADDR_AUTO:
		if (e->addr != AA_ADDR_GLOB || e->name.n != AUTO_NAME)
			return e->addr == AA_ADDR_AUTO;
		for (size_t i = 1; i < e->name.n; i++)
			if (!strchr("0123456789abcdef", e->name.p[i]))
				return false;
		return true;
	case AA_ADDR_GLOB: return e->addr == AA_ADDR_GLOB && cond_says(q, c, e->name);
	}
	return false;
}

static bool has_peer(const struct aa_rule *r)
{
	vec_each(&r->conds, c)
		if (c->peer)
			return true;
	return false;
}

static bool unix_says(const struct aa_asking *q, const struct aa_rule *r,
		      const struct aa_access *access)
{
	const struct aa_unix_rule *u = &r->unix_;

	if (u->type >= 0 && u->type != access->unix_.type)
		return false;
	if (access->perms & AA_NET_BIND && access->unix_.own.addr == AA_ADDR_AUTO)
		return u->addr == AA_ADDR_ANY || u->addr == AA_ADDR_AUTO; /* peers, too */
	if (!access->peer_said && has_peer(r) && !(access->perms & AA_NET_ACCEPT))
		return false;
	if (access->perms & AA_NET_CREATE)
		return true;
	if (access->perms & AA_NET_BIND && u->addr == AA_ADDR_AUTO)
		return false;
	if (!address_says(q, r, false, &access->unix_.own))
		return false;
	return !access->peer_said || (address_says(q, r, true, &access->unix_.other) &&
				      says(q, r, AA_COND_LABEL, true, access->peer));
}

/*
 * What a rule is logged by, or refuses without a word, are both socket options where it names one:
 * so one that allows is asked about the other, too (af_unix.cc, since 4.0), and a deny denies both
 * as 4.1.2 and later compile it, and is but asked about the other by 4.1.0: which takes from its bit
 * what rules that lie before it in memory allow (hfa.cc of v4.1.0, pri_update_perm).
 */
static unsigned option_says(const struct aa_asking *q, const struct aa_rule *r,
			    const struct aa_access *access)
{
	bool deny = r->prefix.mode == AA_MODE_DENY;

	if (r->perms & access->perms)
		return access->perms;
	if (q->target.release < AA_RELEASE_4_0 || r->prefix.audit == deny ||
	    !(r->perms & OPTIONS) || !(access->perms & OPTIONS))
		return 0;
	return deny && q->target.release >= AA_RELEASE_4_1_2 ? access->perms :
							       access->perms | AA_SAYS_NOTHING;
}

static bool is_typed_alone(const struct aa_rule *r)
{
	vec_each(&r->conds, c)
		if (c->peer || c->id != AA_COND_TYPE)
			return false;
	return true;
}

static bool same_prefix(const struct aa_rule *x, const struct aa_rule *y)
{
	return x->prefix.mode == y->prefix.mode && x->prefix.mode_said == y->prefix.mode_said &&
	       x->prefix.audit == y->prefix.audit && x->prefix.priority == y->prefix.priority;
}

/*
 * What a unix rule that becomes a network rule gives. Those that network rules were made to, which
 * give every permission, do not become network rules again; and rules with the same words but
 * permissions are merged into the first of them, whichever of both it is (since 4.0).
 */
static unsigned downgraded(const struct aa_asking *q, const struct aa_rule *r)
{
	int type = r->unix_.type;
	bool first = false;

	if (q->target.release < AA_RELEASE_4_0)
		return AA_NET_ALL;
	vec_each(&q->rules, o) {
		const struct aa_network_rule *n = &(*o)->network;
		bool like = is_typed_alone(r) && same_prefix(*o, r);

		if ((*o)->class == AA_CLASS_UNIX)
			first |= like && is_typed_alone(*o) && (*o)->unix_.type == type;
		if ((*o)->class != AA_CLASS_NETWORK || !like)
			continue;
		if (type < 0 ? n->any : !n->any && n->families & 1u << 1 && n->types >> type & 1)
			return first ? AA_NET_ALL : 0;
	}
	return r->perms;
}

/*
 * Of network rules the parser makes unix rules with every permission. Where the kernel does not
 * know these, it makes network rules of them, but of those that deny (af_unix.cc, downgrade_rule).
 */
static unsigned unix_or_network_says(const struct aa_asking *q, const struct aa_rule *r,
				     const struct aa_access *access)
{
	bool fine = aa_is_mediated(q, AA_CLASS_UNIX);
	const struct aa_network_rule *n = &r->network;

	if (r->class == AA_CLASS_NETWORK) {
		if (!n->any && !(n->families & 1u << 1 && n->types >> access->unix_.type & 1))
			return 0;
		return fine ? access->perms : r->perms & access->perms;
	}
	if (r->class != AA_CLASS_UNIX)
		return 0;
	if (fine)
		return unix_says(q, r, access) ? option_says(q, r, access) : 0;
	if (r->prefix.mode == AA_MODE_DENY ||
	    (r->unix_.type >= 0 && r->unix_.type != access->unix_.type))
		return 0;
	return downgraded(q, r) & access->perms;
}

/* ---- messages ---- */

static bool dbus_says(const struct aa_asking *q, const struct aa_rule *r,
		      const struct aa_access *access)
{
	static const enum aa_cond_id ids[] = { AA_COND_BUS, AA_COND_NAME, AA_COND_PATH,
					       AA_COND_INTERFACE, AA_COND_MEMBER };
	const struct str texts[] = { access->dbus.bus, access->dbus.name, access->dbus.path,
				     access->dbus.interface, access->dbus.member };
	size_t n = access->perms & AA_DBUS_EAVESDROP ? 1 :
		   access->perms & AA_DBUS_BIND      ? 2 :
						       ARRAY_SIZE(ids);

	for (size_t i = 0; i < n; i++)
		if (!says(q, r, ids[i], false, texts[i]) || !says(q, r, ids[i], true, texts[i]))
			return false;
	return n < ARRAY_SIZE(ids) || says(q, r, AA_COND_LABEL, true, access->peer);
}

/* Of a rule about both types the label is there twice for the second. */
static bool queue_label_says(const struct aa_asking *q, const struct aa_rule *r,
			     const struct aa_access *access, const struct aa_cond *label)
{
	if (!label || access->mqueue.posix || r->mqueue.type != AA_MQUEUE_ANY)
		return cond_says(q, label, access->peer);
	return label->texts.n && label->texts.v[0].glob &&
	       aa_label_twice_match(q->arena, label->texts.v[0].glob, access->peer);
}

/* The parser reads a number, with zeros in front or not (mqueue.cc, gen_policy_re). */
static bool same_number(struct str x, struct str y)
{
	struct str both[] = { x, y };

	for (size_t i = 0; i < ARRAY_SIZE(both); i++)
		while (both[i].n > 1 && *both[i].p == '0')
			both[i] = (struct str){ both[i].p + 1, both[i].n - 1 };
	return str_eq(both[0], both[1]);
}

/*
 * A queue's name alone is asked about, or that and its label. Of a rule with a label the name alone
 * says nothing, but from 4.1.2 on what is needed to create it (mqueue.cc, gen_policy_re).
 */
static unsigned mqueue_says(const struct aa_asking *q, const struct aa_rule *r,
			    const struct aa_access *access)
{
	const struct aa_mqueue_rule *m = &r->mqueue;
	const struct aa_cond *label = aa_rule_cond(r, AA_COND_LABEL, false);
	unsigned perms = r->perms;

	if (m->type != AA_MQUEUE_ANY && (m->type == AA_MQUEUE_POSIX) != access->mqueue.posix)
		return 0;
	if (access->mqueue.posix ?
		    !text_says(q, &m->name, access->mqueue.name) :
		    m->name.word && !same_number(m->name.word->text, access->mqueue.name))
		return 0;
	if (access->peer_said)
		return queue_label_says(q, r, access, label) ? perms & access->perms : 0;
	if (label)
		perms &= q->target.release >= AA_RELEASE_4_1_2 && perms & AA_MQUEUE_CREATE ?
				 AA_MQUEUE_CREATE | AA_MQUEUE_READ | AA_MQUEUE_WRITE :
				 0;
	return perms & access->perms;
}

/* ---- processes ---- */

static bool signal_says(const struct aa_signal_rule *r, const struct aa_signal_rule *asked)
{
	for (size_t i = 0; i < ARRAY_SIZE(r->set); i++)
		if (!r->any && asked->set[i] & ~r->set[i])
			return false;
	return true;
}

/* A rule with a label gives sqpoll, too: its class alone is asked about (io_uring.cc). */
static bool uring_says(const struct aa_asking *q, const struct aa_rule *r,
		       const struct aa_access *access)
{
	const struct aa_cond *own = aa_rule_cond(r, AA_COND_LABEL, false);
	const struct aa_cond *ring = aa_rule_cond(r, AA_COND_LABEL, true);

	return !access->peer_said || cond_says(q, own ? own : ring, access->peer);
}

unsigned aa_rule_says(const struct aa_asking *q, const struct aa_rule *r,
		      const struct aa_access *access)
{
	bool speaks = true;

	if (r->class == AA_CLASS_ALL)
		return access->perms;
	if (access->class == AA_CLASS_UNIX)
		return unix_or_network_says(q, r, access);
	if (r->class != access->class)
		return 0;
	switch (r->class) {
	case AA_CLASS_CAPABILITY: return r->caps & access->rule->caps ? 1 : 0;
	case AA_CLASS_MOUNT: return mount_says(q, r, access);
	case AA_CLASS_PIVOT_ROOT: return pivot_says(q, r, access);
	case AA_CLASS_NETWORK: return network_says(r, access);
	case AA_CLASS_SIGNAL:
		speaks = signal_says(&r->signal, &access->rule->signal) &&
			 says(q, r, AA_COND_PEER, false, access->peer);
		break;
	case AA_CLASS_PTRACE: speaks = says(q, r, AA_COND_PEER, false, access->peer); break;
	case AA_CLASS_MQUEUE: return mqueue_says(q, r, access);
	case AA_CLASS_DBUS: speaks = dbus_says(q, r, access); break;
	case AA_CLASS_IO_URING: speaks = uring_says(q, r, access); break;
	default: break;
	}
	return speaks ? r->perms & access->perms : 0;
}

static bool is_exact_text(const struct aa_asking *q, const struct aa_text *t)
{
	return t->word && t->glob && aa_is_exact(q->target.release, t->glob);
}

static bool is_exact_cond(const struct aa_asking *q, const struct aa_cond *c)
{
	return c && c->texts.n && is_exact_text(q, &c->texts.v[0]);
}

/* Is it asked about by family and type? */
static bool is_plain_socket(const struct aa_asking *q, const struct aa_access *access)
{
	return access->class == AA_CLASS_NETWORK ||
	       (access->class == AA_CLASS_UNIX && !aa_is_mediated(q, AA_CLASS_UNIX));
}

static bool has_one_type(const struct aa_rule *r)
{
	unsigned types = r->network.types;

	if (r->class == AA_CLASS_UNIX)
		return r->unix_.type >= 0;
	return r->class == AA_CLASS_NETWORK && types && !(types & (types - 1));
}

bool aa_rule_is_exact(const struct aa_asking *q, const struct aa_rule *r,
		      const struct aa_access *access)
{
	const struct aa_cond *label;

	if (q->target.release < AA_RELEASE_4_1_2)
		return false;
	if (r->class == AA_CLASS_PIVOT_ROOT)
		return is_exact_text(q, &r->pivot.root) &&
		       is_exact_cond(q, aa_rule_cond(r, AA_COND_OLDROOT, false));
	if (is_plain_socket(q, access))
		return access->perms & AA_NET_SETATTR && has_one_type(r);
	if (r->class != AA_CLASS_MQUEUE || !(access->perms & AA_MQUEUE_SETATTR) ||
	    !r->mqueue.name.word)
		return false;
	label = aa_rule_cond(r, AA_COND_LABEL, false);
	return (!access->mqueue.posix || is_exact_text(q, &r->mqueue.name)) &&
	       (!access->peer_said || is_exact_cond(q, label));
}
