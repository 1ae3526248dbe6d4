/* SPDX-License-Identifier: Apache-2.0 */
/* AP2: what rules of one profile mean together, and one of them alone does not say. */
#include <string.h>

#include "compiler/apparmor/objects.h"
#include "compiler/apparmor/weigh.h"
#include "compiler/base/bug.h"
#include "compiler/lint/aa_fix.h"
#include "compiler/lint/aa_probe.h"

/* ---- allow rules of which nothing is left ---- */

/* One finding for each deny: the rules that it takes are its places. */
struct shadow {
	const struct aa_stmt *deny;
	struct diag *diag;
};

struct shadows {
	struct lint *l;
	enum diag_id id;
	VEC(struct shadow) list;
};

/* Is it refused, and by a deny? */
static void tell_shadow(struct shadows *s, const struct aa_rule *allow, const char *access,
			const struct aa_verdict *v)
{
	const struct aa_use *deny = aa_decides(v);
	struct diag *d;

	if (!aa_refuses(v) || !deny || deny->prefix.mode != AA_MODE_DENY)
		return;
	vec_each(&s->list, old)
		if (old->deny == deny->stmt) {
			diag_again_as(s->l->ds, old->diag, aa_place(allow->use), "nor of this one");
			diag_also(s->l->ds, old->diag,
				  span_text(s->l->ds->sources, aa_place(allow->use)));
			return;
		}
	d = diag_add(s->l->ds, s->id, aa_place(allow->use),
		     "nothing is left of this rule, a deny takes it all: '%s' is refused", access);
	diag_note(s->l->ds, d, deny->stmt->head, "this denies it, in whichever order they stand");
	if (deny->from)
		diag_note(s->l->ds, d, aa_place(deny), "which this includes");
	if (s->l->aa->release >= AA_RELEASE_4_1)
		diag_help(s->l->ds, d,
			  "take one of the two away, or narrow the deny; 'priority=1' in front of "
			  "this rule has it win (apparmor 4.1 and later)");
	else
		diag_help(s->l->ds, d, "take one of the two away, or narrow the deny");
	aa_fix_cut(s->l, d, allow->use, FIX_SAFE, FIX_SAME);
	vec_push(s->l->arena, &s->list, ((struct shadow){ deny->stmt, d }));
}

/* Of what is no file: asked again as a user would. */
static void tell_access(struct shadows *s, const struct aa_rule *allow, const char *access)
{
	struct aa_verdict v;

	if (aa_may_ask(s->l, access, &v))
		tell_shadow(s, allow, access, &v);
}

static bool is_alive(const void *who, struct str path, const struct aa_answer *answer)
{
	const struct aa_opened *f = who;

	(void)path;
	return (answer->allow[FILE_OWNER] & aa_opened_bits(f, FILE_OWNER)) ||
	       (answer->allow[FILE_OTHER] & aa_opened_bits(f, FILE_OTHER)) || f->perms & PERM_L ||
	       answer->prompt[FILE_OWNER] || answer->prompt[FILE_OTHER];
}

/* All that it says in files is denied, of whoever's they are. */
static void find_file(struct shadows *s, const struct aa_opened *f)
{
	enum file_who who = f->owner == AA_OWNER_ONLY ? FILE_OWNER : FILE_OTHER;
	unsigned perm = aa_probe_perm(aa_opened_bits(f, who));
	struct aa_verdict v;
	struct str path;
	bool decided;

	if (!perm || aa_probe_find(s->l, f->path, is_alive, f, &decided).p || !decided)
		return;
	path = aa_probe_path(s->l->arena, f->path);
	if (!path.p)
		return;
	v = aa_asks_path(s->l, path, perm, who);
	tell_shadow(s, f->rule,
		    aa_path_access(s->l, path, perm, f->owner == AA_OWNER_ANY ? FILE_WHO_NR : who),
		    &v);
}

static bool denies(const struct aa_asking *q, enum aa_class class)
{
	vec_each(&q->rules, r)
		if ((*r)->prefix.mode == AA_MODE_DENY &&
		    ((*r)->class == class || (*r)->class == AA_CLASS_ALL))
			return true;
	return false;
}

static bool is_own_allow(const struct aa_rule *r, enum aa_class class)
{
	return r && r->use && r->class == class && r->prefix.mode == AA_MODE_ALLOW &&
	       aa_is_own(r->use);
}

static void find_files(struct shadows *s)
{
	const struct aa_asking *q = s->l->aa->q;

	if (!denies(q, AA_CLASS_FILE))
		return;
	vec_each(&q->files.list, f)
		if (is_own_allow(f->rule, AA_CLASS_FILE) && !f->rule->file.all && !f->alias)
			find_file(s, f);
}

static void find_capabilities(struct shadows *s)
{
	const struct aa_asking *q = s->l->aa->q;

	vec_each(&q->rules, it) {
		const struct aa_rule *r = *it;
		struct aa_prefix mine;
		uint64_t left = r->caps;
		unsigned first = 0;
		if (!is_own_allow(r, AA_CLASS_CAPABILITY))
			continue;
		mine = aa_weigh(q->target.release, r);
		vec_each(&q->rules, other) {
			struct aa_prefix p = aa_weigh(q->target.release, *other);
			if ((*other)->class == AA_CLASS_CAPABILITY && p.mode == AA_MODE_DENY &&
			    aa_compare_weights(&p, &mine) > 0)
				left &= ~(*other)->caps;
		}
		while (!(r->caps >> first & 1))
			first++;
		if (!left && capability_name(first))
			tell_access(s, r,
				    arena_printf(s->l->arena, "cap %s", capability_name(first)));
	}
}

/* A witness that the rule alone allows, where nothing that it allows is left; NULL: something is. */
static const char *object_of(struct lint *l, const struct aa_objects *all, const struct aa_rule *r,
			     struct aa_objects_pool *pool)
{
	struct aa_objects one = aa_objects_build(pool, all->release, &r, 1, r->class);
	struct arena *scratch;
	struct machine_walk walk;
	const char *access = NULL;
	bool left = false;

	if (!aa_decided(l, one.decided && l->aa->states_left))
		return NULL;
	scratch = arena_scratch(l->arena);
	walk = aa_objects_walk_within(scratch, &one, all, &one, false, &l->aa->states_left);
	vec_each(&walk.found, f) {
		unsigned said = aa_objects_class(pool, f->a)->allow;
		left |= said & aa_objects_class(pool, f->b)->allow;
		if (said && !access && !left)
			access = aa_objects_witness(l->arena, r->class, f->path, said & -said);
	}
	arena_free(scratch);
	return !left && aa_decided(l, walk.decided) ? access : NULL;
}

static void find_objects(struct shadows *s, enum aa_class class)
{
	const struct aa_asking *q = s->l->aa->q;
	struct aa_objects_pool *pool = NULL;
	struct aa_objects all;

	if (class == AA_CLASS_CHANGE_PROFILE || !denies(q, class))
		return;
	vec_each(&q->rules, r) {
		const char *access;
		if (!is_own_allow(*r, class))
			continue;
		if (!pool) {
			pool = aa_objects_pool_new(s->l->arena);
			all = aa_objects_build(pool, q->target.release, q->rules.v, q->rules.n,
					       class);
		}
		if (!aa_decided(s->l, all.decided))
			return;
		access = object_of(s->l, &all, *r, pool);
		if (access)
			tell_access(s, *r, access);
	}
}

RULE(AP201, "deny-shadows-allow", HIGH, APPARMOR, ap_deny_shadows_allow,
     "a deny takes everything that an allow rule allows",
     "A deny rule wins over every allow rule of its priority, in whichever order they stand, and what it "
     "refuses is not even logged. Where it covers all of an allow rule that somebody wrote into the "
     "same profile, that rule does nothing, and the program fails without a trace: `mount "
     "options=(rslave), deny mount,` allows no mount. Told of files, capabilities, networks, mounts, "
     "signals, ptrace, unix sockets and D-Bus, where no access is left that the rule allows. Denying "
     "what an include allows is what deny is for, and is not told.\n\n"
     "Way out: take one of the two away, narrow the deny, or from 4.1 on `priority=1` in front of the "
     "rule that is to win.")
void ap_deny_shadows_allow(struct lint *l, enum diag_id id)
{
	struct shadows s = { .l = l, .id = id };

	find_files(&s);
	find_capabilities(&s);
	for (enum aa_class c = 0; c < AA_CLASS_NR; c++)
		if (aa_has_objects(c))
			find_objects(&s, c);
}

/* ---- what may not be executed, and be mapped ---- */

/* Where distributions have the program that maps others: who may execute it runs what it may map. */
static const char *const loaders[] = {
	"/lib64/ld-linux-x86-64.so.2",
	"/usr/lib64/ld-linux-x86-64.so.2",
	"/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
	"/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
	"/lib/x86_64-linux-gnu/ld-2.31.so",
	"/usr/lib/x86_64-linux-gnu/ld-2.31.so",
	"/lib/ld-linux-aarch64.so.1",
	"/usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1",
	"/lib/ld-musl-x86_64.so.1",
};

/* It stays in this profile: elsewhere other rules say what is mapped. */
static const char *loader_of(struct lint *l)
{
	for (size_t i = 0; i < ARRAY_SIZE(loaders); i++) {
		const char *access = arena_printf(l->arena, "exec %s", loaders[i]);
		struct aa_verdict v = aa_asks(l, access, FILE_OTHER);
		if (aa_allows(&v) && v.exec.exec == AA_EXEC_IX)
			return access;
	}
	return NULL;
}

struct mapped {
	const struct aa_opened *deny;
	enum file_who who;
};

static bool is_mapped(const void *who, struct str path, const struct aa_answer *answer)
{
	const struct mapped *m = who;
	unsigned allow = answer->allow[m->who] & ~answer->varies[m->who];

	(void)path;
	return !(~allow & (PERM_M | PERM_R)) && !(allow & PERM_X) && answer->deny[m->who] & PERM_X;
}

static bool denies_exec_alone(const struct aa_opened *f)
{
	return f->rule && f->rule->use && f->mode == AA_MODE_DENY && f->perms & PERM_X &&
	       !(f->perms & (PERM_M | PERM_R)) && aa_is_own(f->rule->use);
}

static void tell_mapped(struct lint *l, enum diag_id id, const struct aa_opened *f, struct str path,
			const char *loader)
{
	enum file_who who = f->owner == AA_OWNER_ONLY ? FILE_OWNER : FILE_WHO_NR;
	enum file_who half = who == FILE_OWNER ? FILE_OWNER : FILE_OTHER;
	const char *exec = aa_path_access(l, path, PERM_X, who);
	const char *map = aa_path_access(l, path, PERM_M, who);
	struct aa_verdict x = aa_asks_path(l, path, PERM_X, half);
	struct aa_verdict m = aa_asks_path(l, path, PERM_M, half);
	const struct aa_use *allow = aa_decides(&m);
	struct diag *d;

	if (!aa_refuses(&x) || !aa_allows(&m))
		return;
	d = aa_tell(
		l, id, f->rule->use,
		"'%s' is refused, but '%s' is allowed, and '%s' is allowed: the loader runs it all "
		"the same",
		exec, map, loader);
	if (!d)
		return;
	if (allow)
		diag_note(l->ds, d, allow->stmt->head, "this allows it to be mapped");
	diag_help(l->ds, d, "deny reading and mapping it too: 'mrx'");
	for (const struct aa_item *i = f->rule->use->stmt->items; i; i = i->next)
		if (aa_item_is(i, "x"))
			aa_fix_word(l, d, f->rule->use, i->span, "mrx", FIX_TIGHTER);
}

RULE(AP227, "deny-exec-but-map", HIGH, APPARMOR, ap_deny_exec_but_map,
     "a program may not be executed, and be run by the loader",
     "`/usr/bin/* mrix, deny /usr/bin/curl x,` refuses execve(\"/usr/bin/curl\") and still lets it be "
     "read and mapped. Whoever may execute the dynamic loader runs it as `ld-linux-x86-64.so.2 "
     "/usr/bin/curl`, in this profile. Up to 4.1.0 the same is so behind `rix`, which allows mapping "
     "without saying so. Told where the profile lets the loader be executed.\n\n"
     "Way out: `deny /usr/bin/curl mrx,`.")
void ap_deny_exec_but_map(struct lint *l, enum diag_id id)
{
	const char *loader = NULL;
	bool decided;

	vec_each(&l->aa->q->files.list, f) {
		struct mapped m = { f, f->owner == AA_OWNER_ONLY ? FILE_OWNER : FILE_OTHER };
		struct str path;
		if (!denies_exec_alone(f))
			continue;
		if (!loader && !(loader = loader_of(l)))
			return;
		path = aa_probe_find(l, f->path, is_mapped, &m, &decided);
		if (path.p)
			tell_mapped(l, id, f, path, loader);
	}
}
