/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DP: a seccomp profile and an AppArmor profile that one container names, where both are at hand: what AppArmor's
 * rules let be done and the filter refuses the calls of. What the filter lets pass and AppArmor refuses is no
 * finding: that sees paths and peers, and is the finer of the two by its nature.
 */
#include <string.h>

#include "compiler/apparmor/check.h"
#include "compiler/apparmor/halves.h"
#include "compiler/base/bug.h"
#include "compiler/lint/aa_probe.h"
#include "compiler/lint/aa_risk.h"
#include "compiler/lint/facts.h"
#include "compiler/lint/named.h"
#include "compiler/lint/unit_facts.h"
#include "compiler/systemd/settings.h"

/* Two files that containers of the deployment name together. */
struct pair {
	struct lint *deployment;
	const struct named_profile *named;
	struct deploy_text name; /* where the first of them names AppArmor's */
	struct span filter_span;
	const char *filter;                /* the file of the other; of a unit: words */
	const struct named_object *object; /* in it; NULL: the file is the filter */
	deploy_texts again;                /* where others name the same two */
	struct lint in;                    /* AppArmor's half */
	struct facts *facts;
};

/* ---- which there are ---- */

static const struct named_profile *find_file_of(const struct lint *l, struct str name)
{
	vec_each(&l->named->list, p)
		if (p->path && str_eq(p->name, name))
			return p;
	return NULL;
}

/* The kubelet's folder is not known: a file of the run that the path ends in. */
static const char *find_local(const struct lint *l, struct str local)
{
	vec_each(&l->named->json, path) {
		size_t n = strlen(*path);

		if (local.n && n >= local.n && !memcmp(*path + n - local.n, local.p, local.n) &&
		    (n == local.n || (*path)[n - local.n - 1] == '/'))
			return *path;
	}
	return NULL;
}

static void find_names(struct lint *l, const struct deploy_container *c, struct pair *out)
{
	vec_each(&c->options, o) {
		if (str_is(o->key, "apparmor"))
			out->name = (struct deploy_text){ o->value, o->span };
		if (str_is(o->key, "seccomp")) {
			out->filter =
				c->form == DEPLOY_QUADLET && o->value.n && o->value.p[0] != '/' ?
					find_local(l, o->value) :
					lint_filter_path(l, o);
			out->filter_span = o->span;
		}
	}
	const struct deploy_container *of =
		c->of && c->apparmor.span.source == SOURCE_NONE ? c->of : c;
	if (str_is(of->apparmor.type.text, "Localhost"))
		out->name = of->apparmor.local;
	of = c->of && c->seccomp.span.source == SOURCE_NONE ? c->of : c;
	if (str_is(of->seccomp.type.text, "Localhost")) {
		out->object = lint_object_of(l->named, of->seccomp.local.text);
		out->filter =
			out->object ? out->object->path : find_local(l, of->seccomp.local.text);
		out->filter_span = of->seccomp.local.span;
	}
}

/* ---- both halves ---- */

static bool open_filter(struct pair *p)
{
	struct lint *l = p->deployment;
	struct sources *sources = sources_new(l->arena);
	struct diags *own = diags_new(l->arena, sources);
	const struct oci_read_options everywhere = { .every_host = true, .docker = true };
	struct oci_profile *profile = ARENA_NEW(l->arena, struct oci_profile);
	struct source *src;
	const struct json *root;

	if (p->object)
		root = lint_object_spec(l->arena, sources, l->named, p->object);
	else if (source_load_regular(sources, p->filter, &src))
		return false;
	else
		root = json_parse(l->arena, src, own);
	if (!root || own->errors || !oci_profile_object(root))
		return false;
	oci_parse(l->arena, root, &everywhere, profile);
	if (profile->lost)
		return false;
	p->facts = facts_of_profile(l->arena, NULL, profile, NULL);
	return p->facts && p->facts->has_default && !p->facts->undecided;
}

static bool open_apparmor(struct pair *p)
{
	struct lint *l = p->deployment;
	struct sources *sources = sources_new(l->arena);
	struct diags *own = diags_new(l->arena, sources);
	struct aa_library *library = aa_library_new(l->arena, sources, l->named->dirs, NULL);
	struct aa_asked asked = l->named->asked;
	struct aa_facts *facts = ARENA_NEW(l->arena, struct aa_facts);
	struct aa_asking *q = ARENA_NEW(l->arena, struct aa_asking);
	struct aa_policy *policy;
	struct source *src;

	asked.known = NULL;
	if (source_load_regular(sources, p->named->path, &src) ||
	    aa_check(l->arena, library, aa_parse_source(l->arena, src, own), &asked, &policy,
		     own) != AA_CHECK_TAKES ||
	    own->errors)
		return false;
	*facts = (struct aa_facts){ .arena = l->arena,
				    .release = asked.release,
				    .library = library,
				    .policy = policy,
				    .accesses = aa_accesses_new(l->arena),
				    .q = q };
	p->in = (struct lint){ .arena = l->arena, .ds = own, .aa = facts };
	vec_each(&policy->profiles, it) {
		if (!str_eq((*it)->label, p->named->name) || (*it)->reach != AA_REACH_LIVE)
			continue;
		facts->profile = *it;
		return aa_risk_counts(&p->in) &&
		       aa_asking_open(l->arena, NULL, policy, *it, own, q);
	}
	return false;
}

/* Does one of the calls pass, for some arguments, on some architecture, in some environment? */
static bool some_pass(struct pair *p, const char *const *calls, size_t n)
{
	for (size_t i = 0; i < n && calls[i]; i++) {
		bool spaces = !strcmp(calls[i], "unshare") || !strcmp(calls[i], "clone");
		const char *question =
			spaces ? arena_printf(p->deployment->arena, "%s(%sflags has CLONE_NEWUSER)",
					      calls[i], *calls[i] == 'u' ? "unshare_" : "") :
				 calls[i];

		if (facts_ask(p->facts, question, "").some)
			return true;
	}
	return false;
}

static const char *list_calls(struct pair *p, const char *const *calls, size_t n)
{
	BUF_AUTO b = { 0 };

	for (size_t i = 0; i < n && calls[i]; i++)
		if (facts_has(p->facts, calls[i]))
			buf_printf(&b, "%s%s", b.n ? ", " : "", calls[i]);
	return buf_keep(p->deployment->arena, &b);
}

static void say(struct pair *p, enum diag_id id, const char *what, const char *help)
{
	struct lint *l = p->deployment;
	struct diag *d = diag_add(l->ds, id, p->name.span, "AppArmor's profile '%s' %s",
				  str_safe_of(l->arena, p->named->name), what);

	if (p->filter_span.source != SOURCE_NONE)
		diag_note(l->ds, d, p->filter_span, "the filter, %s",
			  str_safe(l->arena, p->filter));
	vec_each(&p->again, t)
		diag_again(l->ds, d, t->span);
	diag_help(l->ds, d, "%s", help);
}

/* ---- executions ---- */

static const char *find_execution(struct pair *p)
{
	vec_each(&p->in.aa->q->rules, it) {
		const struct aa_rule *r = *it;
		struct aa_verdict v;
		struct str path;

		if (r->class != AA_CLASS_FILE || r->prefix.mode != AA_MODE_ALLOW ||
		    !(r->perms & PERM_X) || !r->file.path.glob)
			continue;
		path = aa_probe_path(p->in.arena, r->file.path.glob);
		if (!path.p)
			continue;
		v = aa_asks_path(&p->in, path, PERM_X, FILE_OTHER);
		if (aa_allows(&v))
			return aa_path_access(&p->in, path, PERM_X, FILE_WHO_NR);
	}
	return NULL;
}

RULE(DP621, "exec-without-execve", WARNING, DEPLOYMENT, dp_halves,
     "an AppArmor profile that lets programs be executed, beside a filter that lets none be",
     "A container names a seccomp profile and an AppArmor profile, and a file of the run has each. AppArmor's lets a program be "
     "executed, and the filter refuses execve and execveat, whatever their arguments: the rule is for nothing, and a runtime that "
     "executes the container's own program under the filter does not start it. The access in quotes is what 'pale sim' allows of the one "
     "half, and 'pale sim FILE execve' refuses of the other.\n\n"
     "Way out: allow execve in the filter; or, where nothing is to be executed, take the rules away.")
static void judge_exec(struct pair *p)
{
	static const char *const calls[] = { "execve", "execveat" };
	const char *access;

	if (some_pass(p, calls, ARRAY_SIZE(calls)))
		return;
	access = find_execution(p);
	if (access)
		say(p, DIAG_DP621,
		    arena_printf(p->in.arena,
				 "lets programs be executed, and the filter refuses execve and "
				 "execveat: '%s' is allowed",
				 access),
		    "allow execve in the filter, or take the rules that execute away");
}

/* ---- classes of rules, and families of sockets ---- */

/* Unless a rule denies all of the class. */
static bool lets_some(const struct pair *p, const struct apparmor_half *h)
{
	bool allows = false;

	vec_each(&p->in.aa->q->rules, it) {
		const struct aa_rule *r = *it;

		if (!apparmor_half_speaks(h, r) || !r->use)
			continue;
		if (r->prefix.mode == AA_MODE_DENY && !r->use->stmt->items->next)
			return false;
		allows |= r->prefix.mode == AA_MODE_ALLOW;
	}
	return allows;
}

static void add(struct buf *b, size_t *n, const char *what, const char *calls)
{
	buf_printf(b, "%s%s (%s)", (*n)++ ? ", " : "", what, calls);
}

static void add_classes(struct pair *p, struct buf *b, size_t *n)
{
	const struct apparmor_half *h;

	for (size_t i = 0; (h = apparmor_half_at(i)); i++)
		if (lets_some(p, h) && !some_pass(p, h->calls, HALF_CALLS))
			add(b, n,
			    h->class != AA_CLASS_MOUNT ? aa_class_name(h->class) :
			    h->kind == AA_MOUNT        ? "mount" :
			    h->kind == AA_REMOUNT      ? "remount" :
							 "umount",
			    list_calls(p, h->calls, HALF_CALLS));
}

/* Families that a rule names: `network,` alone says nothing of what is needed. */
static void add_families(struct pair *p, struct buf *b, size_t *n)
{
	static const char *const carrier[] = { "socketcall" };
	uint64_t named = 0;

	if (some_pass(p, carrier, 1))
		return;
	vec_each(&p->in.aa->q->rules, it) {
		const struct aa_rule *r = *it;

		if (r->class == AA_CLASS_NETWORK && r->prefix.mode == AA_MODE_ALLOW &&
		    !r->network.any && __builtin_popcountll(r->network.families) < 8)
			named |= r->network.families;
	}
	for (unsigned family = 0; family < 64; family++) {
		const char *name = constant_name("af", family, ARCH_X86_64), *question;

		if (!(named >> family & 1) || !name)
			continue;
		question = arena_printf(p->in.arena, "socket(domain == %s)", name);
		if (!facts_ask(p->facts, question, "").some)
			add(b, n, name, "socket");
	}
}

RULE_TOLD(
	DP622, "rule-that-the-filter-refuses", WARNING, DEPLOYMENT,
	"AppArmor's rules for what the filter beside them refuses",
	"A container names a seccomp profile and an AppArmor profile, and a file of the run has each. AppArmor's has rules for mounts, "
	"pivot_root, tracing, user namespaces, io_uring or message queues, or for a family of sockets by name, and the filter refuses each call that "
	"does it, on all architectures, with all capabilities: the rules are for nothing, and the program gets the filter's error, which no "
	"log of AppArmor tells. In a policy 'pale check' says the same of its halves (DS519).\n\n"
	"Way out: allow the calls in the filter, or take the rules away.")
static void judge_rules(struct pair *p)
{
	BUF_AUTO b = { 0 };
	size_t n = 0;

	add_classes(p, &b, &n);
	add_families(p, &b, &n);
	if (n)
		say(p, DIAG_DP622,
		    arena_printf(p->in.arena,
				 "has rules for what the filter refuses the calls of: %s", b.p),
		    "allow the calls in the filter, or take the rules away");
}

RULE_TOLD(
	DP623, "capability-without-calls", INFO, DEPLOYMENT,
	"a capability that AppArmor allows, and the filter refuses all that it is for",
	"A container names a seccomp profile and an AppArmor profile, and a file of the run has each. AppArmor's allows a capability by "
	"name, and the filter refuses every call that it is for (capabilities(7); of capabilities that are for calls alone). Nothing passes that "
	"should not: the rule is idle.\n\n"
	"Way out: take the rule away, or allow the call that is meant.")
static void judge_capabilities(struct pair *p)
{
	const struct apparmor_gate *g;
	BUF_AUTO b = { 0 };
	size_t n = 0;

	for (size_t i = 0; (g = apparmor_gate_at(i)); i++) {
		const char *access = arena_printf(p->in.arena, "cap %s", capability_name(g->cap));
		const struct aa_rule *r;

		if (some_pass(p, g->calls, GATE_CALLS))
			continue;
		r = aa_risk_allowed_of(&p->in, access, AA_CLASS_CAPABILITY);
		if (r && r->class == AA_CLASS_CAPABILITY && r->caps != UINT64_MAX)
			add(&b, &n, capability_name(g->cap), list_calls(p, g->calls, GATE_CALLS));
	}
	if (n)
		say(p, DIAG_DP623,
		    arena_printf(p->in.arena,
				 "allows capabilities, and the filter refuses all that they are "
				 "for: %s",
				 b.p),
		    "take the rule away, or allow the call that is meant");
}

/* ---- all pairs ---- */

static bool same_pair(const struct pair *x, const struct pair *y)
{
	return x->named == y->named && x->object == y->object && !strcmp(x->filter, y->filter);
}

static void judge(struct pair *p)
{
	bool unit = p->facts; /* where execve is refused DP624 says so */

	if (open_apparmor(p) && (unit || open_filter(p))) {
		if (!unit)
			judge_exec(p);
		judge_rules(p);
		judge_capabilities(p);
	}
}

/* A unit's own filter, and the profile that it has its programs change to. */
static void judge_unit(struct lint *l)
{
	const struct deploy_setting *s =
		l->named ? unit_setting(l->deployment, "AppArmorProfile") : NULL;
	const struct unit_facts *u = s && !s->over ? lint_unit_facts(l) : NULL;
	struct pair p = { .deployment = l, .filter = "of the unit's settings" };
	uint32_t skip = s && str_starts(s->value, "-");

	if (!u)
		return;
	p.name = (struct deploy_text){ { s->value.p + skip, s->value.n - skip }, s->span };
	p.filter_span = lint_unit_span(u, u->policy->span);
	p.named = find_file_of(l, p.name.text);
	p.facts = u->facts;
	if (p.named)
		judge(&p);
}

/* All three: what they ask is opened once. */
void dp_halves(struct lint *l, enum diag_id id)
{
	VEC(struct pair *) pairs = { 0 };

	(void)id;
	vec_each(&l->deployment->containers, it) {
		struct pair *p = ARENA_NEW(l->arena, struct pair);
		bool known = false;

		p->deployment = l;
		if (!l->named || (*it)->pod || (*it)->privileged.said == DEPLOY_YES)
			continue;
		find_names(l, *it, p);
		p->named = p->name.text.n ? find_file_of(l, p->name.text) : NULL;
		if (!p->named || !p->filter)
			continue;
		vec_each(&pairs, other)
			if (same_pair(*other, p)) {
				vec_push(l->arena, &(*other)->again, p->name);
				known = true;
			}
		if (!known)
			vec_push(l->arena, &pairs, p);
	}
	vec_each(&pairs, p) {
		judge(*p);
		facts_end((*p)->facts);
	}
	judge_unit(l);
}
