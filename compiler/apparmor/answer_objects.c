/* SPDX-License-Identifier: Apache-2.0 */
/* Does a rule of any class but files speak of an access? By what the kernel matches of each. */
#include "compiler/apparmor/answer_parts.h"
#include "compiler/base/bug.h"

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
	case AA_CLASS_IO_URING: speaks = uring_says(q, r, access); break;
	default: break;
	}
	return speaks ? r->perms & access->perms : 0;
}
