/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy as the profile that is compiled of it, straight from its typed rules. What write.c
 * prints of them, read back, must come to the same (tests/apparmor/test_policy_profiles.py).
 */
#include "compiler/apparmor/answer.h"
#include "compiler/apparmor/features.h"
#include "compiler/apparmor/needs.h"
#include "compiler/apparmor/vars.h"

struct making {
	struct arena *arena;
	const struct policy *p;
	const struct aa_profile *profile;
	struct glob_variables variables;
	struct aa_asking *out;
};

/* ---- rules ---- */

static struct aa_rule *make_rule(struct making *m, enum aa_class class, enum rule_action action,
				 const struct origin *o)
{
	struct aa_rule *r = ARENA_NEW(m->arena, struct aa_rule);

	r->class = class;
	r->origin = o;
	r->prefix.mode =
		action == RULE_DENY || action == RULE_QUIET_DENY ? AA_MODE_DENY : AA_MODE_ALLOW;
	r->prefix.own = r->prefix.mode;
	r->prefix.audit = action == RULE_LOG || action == RULE_DENY;
	return r;
}

static void add_rule(struct making *m, const struct aa_rule *r)
{
	vec_push(m->arena, &m->out->rules, r);
}

static const struct aa_word *make_word(struct arena *a, struct str text, struct span sp)
{
	struct aa_word *w = ARENA_NEW(a, struct aa_word);

	w->text = text;
	w->span = sp;
	return w;
}

/* Not said where it is empty. */
static struct aa_text make_text(struct making *m, struct str text, enum glob_kind kind,
				const struct origin *o)
{
	if (!text.n)
		return (struct aa_text){ NULL, NULL };
	return (struct aa_text){ make_word(m->arena, text, o->span),
				 glob_parse(m->arena, text, kind, &m->variables, NULL) };
}

static void add_file(struct making *m, const struct file_rule *f)
{
	struct aa_rule *r = make_rule(m, AA_CLASS_FILE, f->action, f->origin);

	r->prefix.owner = f->owner ? AA_OWNER_ONLY : AA_OWNER_ANY;
	r->perms = f->perms;
	if (f->perms & PERM_X)
		r->file.exec = aa_exec_of(str_c(f->exec), &r->file.unsafe);
	r->file.path = make_text(m, f->path, GLOB_PATH, f->origin);
	r->file.target = make_text(m, f->target, GLOB_NAME, f->origin);
	add_rule(m, r);
}

static void add_capability(struct making *m, const struct capability_rule *c)
{
	struct aa_rule *r = make_rule(m, AA_CLASS_CAPABILITY, c->action, c->origin);

	r->caps = UINT64_C(1) << c->cap;
	add_rule(m, r);
}

/* AppArmor sees no protocol: it lets pass what any lets, and leaves it to seccomp to deny one. */
static void add_network(struct making *m, const struct network_rule *n)
{
	struct aa_rule *r = make_rule(m, AA_CLASS_NETWORK, n->action, n->origin);

	if (n->protocol >= 0 && r->prefix.mode == AA_MODE_DENY)
		return;
	r->perms = AA_NET_ALL;
	aa_network_of(n->family, n->type, &r->network);
	add_rule(m, r);
}

static void add_peer(struct making *m, struct aa_rule *r, struct str peer)
{
	struct aa_text text = make_text(m, peer, GLOB_NAME, r->origin);
	struct aa_item *item = ARENA_NEW(m->arena, struct aa_item);
	struct aa_cond c = { .id = AA_COND_PEER, .op = AA_OP_EQ, .item = item };

	*item = (struct aa_item){ .kind = AA_COND, .op = AA_OP_EQ, .span = r->origin->span };
	c.values = text.word;
	vec_push(m->arena, &c.texts, text);
	vec_push(m->arena, &r->conds, c);
}

static void add_signal(struct making *m, const struct signal_rule *s)
{
	struct aa_rule *r = make_rule(m, AA_CLASS_SIGNAL, s->action, s->origin);

	r->perms = (s->send ? AA_SIGNAL_SEND : 0) | (s->receive ? AA_SIGNAL_RECEIVE : 0);
	r->signal.any = s->signal < 0;
	if (s->signal >= 0) {
		unsigned bit = (unsigned)aa_signal_of(s->signal);

		r->signal.set[bit / 64] |= UINT64_C(1) << bit % 64;
	}
	if (s->peer.n)
		add_peer(m, r, s->peer);
	add_rule(m, r);
}

static void add_limit(struct making *m, const struct limit_rule *l)
{
	struct aa_rule *r = make_rule(m, AA_CLASS_RLIMIT, RULE_ALLOW, l->origin);

	r->limit = (struct aa_limit_rule){ l->rlimit, l->value };
	add_rule(m, r);
}

static void add_rules(struct making *m)
{
	vec_each(&m->p->limits, l)
		add_limit(m, l);
	vec_each(&m->p->caps, c)
		add_capability(m, c);
	vec_each(&m->p->networks, n)
		add_network(m, n);
	vec_each(&m->p->signals, s)
		add_signal(m, s);
	vec_each(&m->p->others, r)
		add_rule(m, *r);
	vec_each(&m->p->files, f)
		add_file(m, f);
}

/* ---- the profile ---- */

/* The program's path with its variables opened; p NULL: none is said. */
static struct str open_program(struct arena *a, const struct policy *p)
{
	struct aa_vars vars = { .arena = a, .turn = 1 }; /* none is opened yet */

	if (!p->program.n)
		return (struct str){ NULL, 0 };
	if (p->variables)
		vec_each(&p->variables->list, v) {
			struct aa_var *var = aa_vars_declare(&vars, v->name);
			vec_each(&v->values, value)
				vec_push(a, &var->values, *value);
		}
	return aa_vars_expand(&vars, glob_unescape(a, p->program));
}

/* What the policy's own line says, which has no name and attachment. */
static void take_head(struct aa_header *to, const struct aa_header *from)
{
	to->flags = from->flags;
	to->disconnected = from->disconnected;
	to->disconnected_by = from->disconnected_by;
	to->ipc = from->ipc;
	to->ipc_by = from->ipc_by;
	to->kill_signal = from->kill_signal;
	to->error = from->error;
	to->xattrs = from->xattrs;
	to->identities = from->identities;
}

static const struct aa_profile *make_profile(struct arena *a, const struct policy *p)
{
	struct aa_profile *profile = ARENA_NEW(a, struct aa_profile);
	struct aa_stmt *st = ARENA_NEW(a, struct aa_stmt);

	*st = (struct aa_stmt){ .kind = AA_STMT_PROFILE, .span = p->span, .head = p->span };
	profile->stmt = st;
	profile->ns = (struct str){ "", 0 };
	profile->name = profile->label = p->name;
	profile->attachment = p->program.n ? make_word(a, p->program, p->span) : NULL;
	profile->attached = open_program(a, p);
	profile->header = ARENA_NEW(a, struct aa_header);
	*profile->header =
		(struct aa_header){ .keyword = true,
				    .ns = { "", 0 },
				    .name = p->name,
				    .name_glob = { make_word(a, p->name, p->span), NULL },
				    .attachment = { profile->attachment, NULL } };
	if (p->head)
		take_head(profile->header, p->head);
	return profile;
}

/* What the writer cannot say has no profile. */
static bool is_sayable(struct arena *a, const struct policy *p, const struct apparmor_target *t,
		       struct diags *ds)
{
	struct apparmor_options plain = { .target = t };
	BUF_AUTO text = { 0 };

	return apparmor_write(a, p, &plain, &text, ds) == 0;
}

bool aa_asking_policy(struct arena *a, struct aa_means_pool *pool, const struct policy *p,
		      const struct aa_asked *asked, struct diags *ds, struct aa_asking *out)
{
	struct making m = { .arena = a, .p = p, .out = out };
	struct aa_policy whole = { .target = { .release = asked->release } };

	if (!is_sayable(a, p, asked->target, ds))
		return false;
	if (p->variables)
		whole.variables = *p->variables;
	m.profile = make_profile(a, p);
	m.variables = aa_profile_variables(a, &whole, m.profile);
	*out = (struct aa_asking){ .arena = a, .profile = m.profile, .target = whole.target };
	const struct aa_features *abi =
		aa_features_of_abi(a, str_c(apparmor_abi(p, asked->target)));
	out->target.mediated = aa_features_classes(asked->release, abi, asked->kernel);
	out->target.compiled = aa_features_compiled(asked->release, abi, asked->kernel);
	add_rules(&m);
	return aa_asking_build(a, pool, ds, out);
}
