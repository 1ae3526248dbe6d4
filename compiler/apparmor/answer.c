/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/apparmor/answer.h"

#include <string.h>

#include "compiler/base/bug.h"

/* ---- the profile ---- */

bool aa_asking_open(struct arena *a, struct aa_means_pool *pool, const struct aa_policy *p,
		    const struct aa_profile *profile, struct diags *ds, struct aa_asking *out)
{
	struct glob_variables vars = aa_profile_variables(a, p, profile);
	struct aa_reader rd = { .arena = a, .diags = ds, .target = p->target, .variables = &vars };
	size_t errors = ds->errors;

	*out = (struct aa_asking){
		.arena = a, .profile = profile, .target = p->target, .aliased = p->aliases.n > 0
	};
	vec_each(&profile->uses, use) {
		const struct aa_rule *r;
		if (use->reach != AA_REACH_LIVE)
			continue;
		r = aa_rule_read(&rd, use);
		if (!r)
			continue;
		vec_push(a, &out->rules, r);
		aa_files_add(a, r, profile, &out->files);
	}
	return ds->errors == errors && aa_asking_build(a, pool, ds, out);
}

bool aa_asking_build(struct arena *a, struct aa_means_pool *pool, struct diags *ds,
		     struct aa_asking *out)
{
	struct diag *d;

	if (!pool)
		pool = aa_means_pool_new(a, out->target.release);
	out->means = aa_means_build(pool, out->files.list.v, out->files.list.n);
	if (out->means.decided)
		return true;
	d = diag_add(ds, DIAG_PL371, out->profile->stmt->head,
		     "what the rules of this profile are together is not decided: it takes more "
		     "than %d states",
		     MACHINE_STATES_MAX);
	diag_help(ds, d, "fewer patterns with '**' in their midst, or a child profile");
	return false;
}

/* ---- the rules that speak ---- */

static bool inherits(const struct aa_opened *f)
{
	return f->exec == AA_EXEC_IX || f->exec == AA_EXEC_PIX || f->exec == AA_EXEC_CIX;
}

unsigned aa_opened_bits(const struct aa_opened *f, enum file_who who)
{
	unsigned bits = f->perms;

	if (f->owner == (who == FILE_OWNER ? AA_OWNER_OTHER : AA_OWNER_ONLY))
		return 0;
	if (bits & PERM_W)
		bits |= PERM_A;
	if (bits & PERM_X && f->mode == AA_MODE_ALLOW && inherits(f))
		bits |= PERM_M;
	return bits;
}

static bool matches(const struct aa_asking *q, const struct aa_opened *f,
		    const struct aa_access *access)
{
	struct str prefix = f->path->prefix;

	if (prefix.n > access->path.n || memcmp(prefix.p, access->path.p, prefix.n))
		return false;
	if (!glob_match(q->arena, f->path, access->path))
		return false;
	return access->kind != AA_ACCESS_LINK || !f->link ||
	       glob_match(q->arena, f->link, access->target);
}

static bool is_higher(const struct aa_asking *q, const struct aa_opened *x,
		      const struct aa_opened *y, unsigned perm)
{
	if (x->priority != y->priority)
		return x->priority > y->priority;
	return perm == PERM_X && x->mode == AA_MODE_ALLOW &&
	       aa_is_exact(q->target.release, x->path) && !aa_is_exact(q->target.release, y->path);
}

/* Rules of a mode that no other one of that mode goes before; the first of them decides. */
static void mark(const struct aa_asking *q, struct aa_verdict *v, unsigned perm, enum aa_mode mode)
{
	const struct aa_opened *top = NULL;
	bool first = true;

	vec_each(&v->rules, r)
		if (r->bits & perm && r->file->mode == mode &&
		    (!top || is_higher(q, r->file, top, perm)))
			top = r->file;
	vec_each(&v->rules, r) {
		if (!(r->bits & perm) || r->file->mode != mode || !top ||
		    is_higher(q, top, r->file, perm))
			continue;
		if (first)
			r->role = AA_ROLE_DECIDES;
		else if (r->role == AA_ROLE_OUTRANKED)
			r->role = AA_ROLE_AGREES;
		first = false;
	}
}

struct halves { /* of an answer, one of the two */
	unsigned allow, deny, audit, quiet, prompt, varies, audit_varies;
};

static struct halves half_of(const struct aa_answer *a, enum file_who who)
{
	return (struct halves){ a->allow[who],  a->deny[who],   a->audit[who],       a->quiet[who],
				a->prompt[who], a->varies[who], a->audit_varies[who] };
}

void aa_match(const struct aa_asking *q, const struct aa_access *access, struct aa_matched *out)
{
	*out = (struct aa_matched){ { NULL } };
	vec_each(&q->files.list, f)
		if ((aa_opened_bits(f, FILE_OWNER) | aa_opened_bits(f, FILE_OTHER)) &
			    access->perms &&
		    matches(q, f, access))
			vec_push(q->arena, &out->list, f);
}

static void find_rules(const struct aa_asking *q, const struct aa_access *access, enum file_who who,
		       const struct aa_matched *matched, const struct halves *h,
		       struct aa_verdict *v)
{
	vec_each(&matched->list, f) {
		unsigned bits = aa_opened_bits(*f, who);
		if (bits & access->perms)
			vec_push(q->arena, &v->rules,
				 ((struct aa_spoken){ (*f)->rule, *f, bits, AA_ROLE_OUTRANKED }));
	}
	for (unsigned perm = 1; perm <= access->perms; perm <<= 1) {
		if (!(access->perms & perm))
			continue;
		if (h->deny & perm || !((h->allow | h->prompt) & perm))
			mark(q, v, perm, AA_MODE_DENY);
		else
			mark(q, v, perm, h->allow & perm ? AA_MODE_ALLOW : AA_MODE_PROMPT);
	}
}

/* ---- what becomes of it ---- */

static enum aa_outcome refused(const struct aa_profile *p, const struct halves *h,
			       struct aa_verdict *v)
{
	unsigned flags = p->header->flags, lacking = v->lacking;
	unsigned told = flags & AA_FLAG_AUDIT ? lacking : lacking & ~h->quiet;

	if (!(lacking & ~h->prompt))
		return AA_ASKS;
	v->quiet = !told;
	if (!told)
		return AA_REFUSED;
	if (flags & AA_FLAG_COMPLAIN) {
		v->why = "the profile complains, and refuses only what is denied without 'audit'";
		return AA_ALLOWED_LOGGED;
	}
	if (flags & AA_FLAG_PROMPT && !(lacking & h->deny))
		return AA_ASKS;
	return flags & AA_FLAG_KILL ? AA_KILLED : AA_REFUSED;
}

/* 5.0.2 writes default_allow as unconfined (parser/profile.h). */
static bool is_open(const struct aa_asking *q)
{
	return q->profile->header->flags & (AA_FLAG_UNCONFINED | AA_FLAG_DEFAULT_ALLOW);
}

static void conclude(const struct aa_asking *q, unsigned perms, const struct halves *h,
		     struct aa_verdict *v)
{
	unsigned flags = q->profile->header->flags;

	v->lacking = perms & ~h->allow;
	if (is_open(q)) {
		v->lacking = 0;
		v->why = "under the profile's flag 'unconfined' or 'default_allow' no rule "
			 "counts";
		v->outcome = AA_ALLOWED;
		return;
	}
	if (v->lacking)
		v->outcome = refused(q->profile, h, v);
	else if (perms & h->varies)
		v->outcome = AA_VARIES;
	else if (perms & h->audit & ~h->audit_varies || flags & AA_FLAG_AUDIT)
		v->outcome = AA_ALLOWED_AUDITED;
	else
		v->outcome = AA_ALLOWED;
	if (v->outcome == AA_ALLOWED && perms & h->audit)
		v->why = "whether it is logged goes by where the parser's memory lies";
}

/* ---- links ---- */

static bool same_transition(const struct aa_transition *link, const struct aa_transition *to)
{
	return link->exec == to->exec && str_eq(link->target, to->target) &&
	       (!link->unsafe || to->unsafe);
}

static struct halves half_of_link(const struct aa_link_answers *l, enum file_who who)
{
	struct halves h = half_of(l->pair, who);

	h.allow &= l->path->allow[who];
	h.varies |= l->path->varies[who] & PERM_L;
	return h;
}

/* A link that is a subset gives no more than what it leads to (profile_path_link). */
struct aa_verdict aa_link_verdict(const struct aa_asking *q, const struct aa_link_answers *l,
				  enum file_who who)
{
	const struct aa_answer *path = l->path, *to = l->to;
	struct aa_verdict v = { .exec = { .target = { "", 0 } } };
	struct halves h = half_of_link(l, who);

	if (h.allow & PERM_L && l->pair->allow[who] & AA_PERM_SUBSET) {
		unsigned more = path->allow[who] & ~to->allow[who] & ~(unsigned)PERM_L;
		if (path->allow[who] & to->allow[who] & PERM_X &&
		    !same_transition(&path->exec[who], &to->exec[who]))
			more |= PERM_X;
		if ((path->varies[who] | to->varies[who]) & ~(unsigned)PERM_L)
			h.varies |= PERM_L;
		else if (more)
			h.allow &= ~(unsigned)PERM_L;
		if (more)
			v.why = "the new name would give more than what it leads to";
	}
	conclude(q, PERM_L, &h, &v);
	return v;
}

struct aa_verdict aa_path_verdict(const struct aa_asking *q, const struct aa_answer *answer,
				  enum file_who who, unsigned perms)
{
	struct aa_verdict v = { .exec = { .target = { "", 0 } } };
	struct halves h = half_of(answer, who);

	conclude(q, perms, &h, &v);
	if (perms != PERM_X || !(h.allow & PERM_X) || is_open(q))
		return v;
	v.exec = answer->exec[who];
	if (v.exec.exec == AA_EXEC_BARE) { /* domain.c, x_to_label: AA_X_NONE */
		v.outcome = q->profile->header->flags & AA_FLAG_COMPLAIN ? AA_ALLOWED_LOGGED :
									   AA_REFUSED;
		v.why = "'unsafe x' says not how to execute";
	}
	return v;
}

/* ---- what is no file ---- */

static bool says_peer(const struct aa_asking *q, const struct aa_rule *r, struct str peer)
{
	const struct aa_cond *c = aa_rule_cond(r, AA_COND_PEER, false);

	return !c ||
	       (c->texts.n && c->texts.v[0].glob && glob_match(q->arena, c->texts.v[0].glob, peer));
}

static bool says_signal(const struct aa_signal_rule *r, const struct aa_signal_rule *asked)
{
	for (size_t i = 0; i < ARRAY_SIZE(r->set); i++)
		if (!r->any && asked->set[i] & ~r->set[i])
			return false;
	return true;
}

static bool says_network(const struct aa_network_rule *r, const struct aa_network_rule *asked)
{
	return r->any || (r->families & asked->families && r->types & asked->types);
}

/* What a rule says of the access, in bits of its class. */
static unsigned rule_bits(const struct aa_asking *q, const struct aa_rule *r,
			  const struct aa_access *access)
{
	const struct aa_rule *asked = access->rule;
	bool says = true;

	if (r->class == AA_CLASS_ALL)
		return access->perms;
	if (r->class != asked->class)
		return 0;
	switch (r->class) {
	case AA_CLASS_CAPABILITY: return r->caps & asked->caps ? 1 : 0;
	case AA_CLASS_NETWORK: says = says_network(&r->network, &asked->network); break;
	case AA_CLASS_SIGNAL:
		says = says_signal(&r->signal, &asked->signal) && says_peer(q, r, access->peer);
		break;
	case AA_CLASS_PTRACE: says = says_peer(q, r, access->peer); break;
	default: break;
	}
	return says ? r->perms & access->perms : 0;
}

/*
 * Capabilities are masks: what is not denied is allowed, a prompt too, and no priority counts
 * (parser_yacc.y, capability). The others add up as files do.
 */
static void weigh(const struct aa_rule *r, enum aa_mode *mode, int *priority)
{
	bool mask = r->class == AA_CLASS_CAPABILITY;

	*mode = mask && r->prefix.mode == AA_MODE_PROMPT ? AA_MODE_ALLOW : r->prefix.mode;
	*priority = mask ? 0 : r->prefix.priority;
}

/* Does x go before y? Within a priority a deny does before an allow, that before a prompt. */
static int compare_rules(const struct aa_rule *x, const struct aa_rule *y)
{
	static const int ranks[] = {
		[AA_MODE_ALLOW] = 1, [AA_MODE_DENY] = 2, [AA_MODE_PROMPT] = 0
	};
	enum aa_mode xm, ym;
	int xp, yp;

	weigh(x, &xm, &xp);
	weigh(y, &ym, &yp);
	return xp != yp ? (xp > yp ? 1 : -1) : ranks[xm] - ranks[ym];
}

/* One permission is asked for: the rules that no other one goes before are what it gets. */
static struct halves sum_rules(const struct aa_access *access, struct aa_verdict *v)
{
	struct halves h = { .allow = 0 };
	const struct aa_rule *top = NULL;
	bool first = true;

	vec_each(&v->rules, r)
		if (!top || compare_rules(r->rule, top) > 0)
			top = r->rule;
	vec_each(&v->rules, r) {
		enum aa_mode mode;
		int priority;
		if (compare_rules(r->rule, top))
			continue;
		r->role = first ? AA_ROLE_DECIDES : AA_ROLE_AGREES;
		first = false;
		weigh(r->rule, &mode, &priority);
		*(mode == AA_MODE_DENY   ? &h.deny :
		  mode == AA_MODE_PROMPT ? &h.prompt :
					   &h.allow) |= access->perms;
		if (mode != AA_MODE_DENY && r->rule->prefix.audit)
			h.audit |= access->perms;
		if (mode == AA_MODE_DENY && !r->rule->prefix.audit)
			h.quiet |= access->perms;
	}
	return h;
}

static bool is_mediated(const struct aa_asking *q, const struct aa_access *access)
{
	return q->target.mediated >> access->rule->class & 1;
}

/* Why no rule counts; NULL: they do (security/apparmor/ipc.c, profile_tracee_perm). */
static const char *unasked(const struct aa_asking *q, const struct aa_access *access)
{
	if (!is_mediated(q, access))
		return "not mediated under this abi and these features: rules of it do not count";
	if (access->rule->class == AA_CLASS_PTRACE && str_is(access->peer, "unconfined") &&
	    access->perms & (AA_PTRACE_TRACEDBY | AA_PTRACE_READBY))
		return "the kernel does not ask what is traced by a program that is unconfined";
	return NULL;
}

static void ask_rules(const struct aa_asking *q, const struct aa_access *access,
		      struct aa_verdict *v)
{
	v->why = unasked(q, access);
	if (v->why) {
		v->outcome = AA_ALLOWED;
		return;
	}
	vec_each(&q->rules, r) {
		unsigned bits = rule_bits(q, *r, access);
		if (bits)
			vec_push(q->arena, &v->rules,
				 ((struct aa_spoken){ *r, NULL, bits, AA_ROLE_OUTRANKED }));
	}
	struct halves h = sum_rules(access, v);
	conclude(q, access->perms, &h, v);
	/* capability.c kills before it looks whether to be quiet; lib.c, aa_check_perms, does not. */
	if (v->outcome != AA_KILLED && v->outcome != AA_REFUSED)
		return;
	v->outcome = q->profile->header->flags & AA_FLAG_KILL &&
				     access->rule->class == AA_CLASS_CAPABILITY ?
			     AA_KILLED :
			     AA_REFUSED;
}

static bool unanswered(const struct aa_access *access, struct diags *ds, const char *what,
		       const char *help)
{
	struct diag *d =
		diag_add(ds, DIAG_PL374,
			 (struct span){ access->source->id, 0, (uint32_t)access->source->text.n },
			 "%s, and that is not answered yet", what);

	diag_help(ds, d, "%s", help);
	return false;
}

/* Do rules speak of it that the parser adds by itself (profile.cc, add_proc_access)? */
static bool is_added_to(const struct aa_asking *q, struct str path)
{
	static const char text[] = "/{proc/*/attr/{apparmor/,}{current,exec},proc/*/attr/apparmor/,"
				   "sys/module/apparmor/parameters/enabled}";
	const struct glob *g = glob_parse(q->arena, str_c(text), GLOB_PATH, NULL, NULL);
	bool changes = q->profile->header->hat || q->profile->children.n;

	vec_each(&q->rules, r)
		changes |= (*r)->class == AA_CLASS_CHANGE_PROFILE;
	return changes && g && glob_match(q->arena, g, path);
}

static bool can_ask_file(const struct aa_asking *q, const struct aa_access *access,
			 struct diags *ds)
{
	if (q->aliased)
		return unanswered(access, ds, "aliases let rules speak of more paths than they say",
				  "write the paths that are meant, and leave the aliases out");
	if (is_added_to(q, access->path))
		return unanswered(access, ds,
				  "the parser adds rules for it, as this profile may be changed",
				  "its owner may write attr/current; other paths are answered");
	return true;
}

bool aa_can_ask(const struct aa_asking *q, const struct aa_access *access, struct diags *ds)
{
	enum aa_class class;

	if (access->kind != AA_ACCESS_RULE)
		return can_ask_file(q, access, ds);
	class = access->rule->class;
	if (class == AA_CLASS_PTRACE && !is_mediated(q, access))
		return unanswered(access, ds,
				  "without rules of ptrace the kernel asks for a capability",
				  "'cap sys_ptrace' is what it asks for");
	if (class != AA_CLASS_CAPABILITY && is_open(q))
		return unanswered(access, ds, "the profile's mode leaves this to the kernel",
				  "ask a profile that enforces");
	vec_each(&q->rules, r)
		if ((*r)->class == class && (*r)->conds.n && rule_bits(q, *r, access) &&
		    class != AA_CLASS_SIGNAL && class != AA_CLASS_PTRACE)
			return unanswered(
				access, ds, "a rule that speaks of it has conditions of its own",
				"'pale explain FILE PATH' and other accesses are answered");
	return true;
}

/* ---- asking ---- */

const struct aa_answer *aa_ask_path(const struct aa_asking *q, struct str path)
{
	return aa_means_path(&q->means, path);
}

struct aa_verdict aa_ask(const struct aa_asking *q, const struct aa_access *access,
			 enum file_who who)
{
	struct aa_verdict v = { .exec = { .target = { "", 0 } } };
	struct aa_matched matched;

	if (access->kind != AA_ACCESS_RULE) {
		aa_match(q, access, &matched);
		return aa_ask_matched(q, access, who, &matched);
	}
	ask_rules(q, access, &v);
	return v;
}

struct aa_verdict aa_ask_matched(const struct aa_asking *q, const struct aa_access *access,
				 enum file_who who, const struct aa_matched *matched)
{
	struct aa_link_answers l = { .path = aa_means_path(&q->means, access->path) };
	struct aa_verdict v;
	struct halves h;

	if (access->kind == AA_ACCESS_LINK) {
		l.pair = aa_means_link(q->arena, &q->means, access->path, access->target);
		l.to = aa_means_path(&q->means, access->target);
		h = half_of_link(&l, who);
		v = aa_link_verdict(q, &l, who);
	} else {
		h = half_of(l.path, who);
		v = aa_path_verdict(q, l.path, who, access->perms);
	}
	find_rules(q, access, who, matched, &h, &v);
	return v;
}

bool aa_verdict_same(const struct aa_verdict *x, const struct aa_verdict *y)
{
	bool same = x->outcome == y->outcome && x->lacking == y->lacking && x->why == y->why &&
		    x->exec.exec == y->exec.exec && x->exec.unsafe == y->exec.unsafe &&
		    str_eq(x->exec.target, y->exec.target) && x->rules.n == y->rules.n;

	for (size_t i = 0; same && i < x->rules.n; i++)
		same = x->rules.v[i].rule == y->rules.v[i].rule &&
		       x->rules.v[i].role == y->rules.v[i].role;
	return same;
}
