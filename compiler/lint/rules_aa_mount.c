/* SPDX-License-Identifier: Apache-2.0 */
/* AP3 of mounts: what makes rules about paths mean something else. */
#include "compiler/apparmor/objects.h"
#include "compiler/base/bug.h"
#include "compiler/lint/aa_risk.h"

static const struct row {
	const char *rules, *does;
} rows[] = {
#define MOUNT(rules, does) { rules, does },
#include "compiler/lint/aa_mounts.def"
#undef MOUNT
};

typedef VEC(const struct aa_rule *) rules;

/* Rules of the table's own. */
static void read_rules(struct lint *l, const char *text, rules *out)
{
	struct sources *own = sources_new(l->arena);
	struct diags *ds = diags_new(l->arena, own);
	struct aa_reader rd = {
		.arena = l->arena,
		.diags = ds,
		.target = { .release = l->aa->release, .mediated = ~0u, .compiled = ~0u }
	};
	const struct aa_file *file =
		aa_parse_source(l->arena, source_add(own, "<mounts>", str_c(text)), ds);

	for (const struct aa_stmt *st = file->stmts; st; st = st->next) {
		struct aa_use *use = ARENA_NEW(l->arena, struct aa_use);
		*use = (struct aa_use){ .stmt = st, .class = AA_CLASS_MOUNT };
		vec_push(l->arena, out, aa_rule_read(&rd, use));
		BUG_ON(!out->v[out->n - 1]);
	}
	BUG_ON(ds->errors);
}

/* ---- one row ---- */

struct search {
	struct lint *l;
	struct aa_objects_pool *pool;
	struct aa_objects profile;
	struct aa_risks risks;
	VEC(const struct aa_rule *) by; /* of each risk */
	enum severity severity;
	const char *but; /* what keeps it from being done; "" */
};

static void add(struct search *s, const char *access, const char *does)
{
	const struct aa_rule *r = aa_risk_allowed(s->l, access);
	const char *text = str_safe(s->l->arena, access);

	if (!r)
		return;
	for (size_t i = 0; i < s->risks.list.n; i++)
		if (s->risks.list.v[i].does == does && s->by.v[i] == r)
			return;
	vec_push(s->l->arena, &s->risks.list,
		 ((struct aa_risk){ r->use, s->severity, text, does }));
	vec_push(s->l->arena, &s->by, r);
}

static void find_row(struct search *s, const struct row *row)
{
	rules list = { 0 };
	struct aa_objects asked;
	struct machine_walk walk;

	read_rules(s->l, row->rules, &list);
	asked = aa_objects_build(s->pool, s->profile.release, list.v, list.n, AA_CLASS_MOUNT);
	if (!aa_decided(s->l, asked.decided))
		return;
	walk = aa_objects_meet(s->l->arena, &s->profile, &asked);
	aa_decided(s->l, walk.decided);
	vec_each(&walk.found, f) {
		unsigned both = aa_objects_class(s->pool, f->a)->allow &
				aa_objects_class(s->pool, f->b)->allow & AA_ACCESS_MOUNT;
		if (both)
			add(s,
			    aa_objects_witness(s->l->arena, AA_CLASS_MOUNT, f->path,
					       AA_ACCESS_MOUNT),
			    row->does);
	}
}

/* mount(2) and pivot_root(2) ask for CAP_SYS_ADMIN first (fs/namespace.c, may_mount). */
static void start(struct lint *l, enum aa_class class, struct search *s)
{
	const struct aa_asking *q = l->aa->q;
	struct aa_verdict cap = aa_asks(l, "cap sys_admin", FILE_OTHER);

	*s = (struct search){ .l = l, .pool = aa_objects_pool_new(l->arena) };
	s->profile = aa_objects_build(s->pool, l->aa->release, q->rules.v, q->rules.n, class);
	s->severity = aa_allows(&cap) ? SEVERITY_HIGH : SEVERITY_WARNING;
	s->but = aa_allows(&cap) ? "" : "; as long as 'cap sys_admin' is refused it cannot do so";
}

static bool is_all(const struct aa_rule *r)
{
	const struct aa_mount_rule *m = &r->mount;

	return m->kind == AA_MOUNT && !m->flags.n && !r->conds.n && !m->source.word &&
	       !m->point.word;
}

static bool has_mount(const struct lint *l, bool all)
{
	vec_each(&l->aa->q->rules, r)
		if ((*r)->class == AA_CLASS_MOUNT && (*r)->prefix.mode == AA_MODE_ALLOW &&
		    (*r)->mount.kind != AA_UMOUNT && is_all(*r) == all)
			return true;
	return false;
}

static void tell(struct lint *l, enum diag_id id, const struct search *s,
		 const struct aa_risks *risks, const char *help)
{
	struct aa_risks told = { .list = { 0 } };

	vec_each(&risks->list, r) {
		vec_push(l->arena, &told.list, *r);
		told.list.v[told.list.n - 1].does =
			arena_printf(l->arena, "%s%s", r->does, r == risks->list.v ? s->but : "");
	}
	aa_risk_tell(l, id, &told, help);
}

static void tell_mounts(struct lint *l, enum diag_id id, bool all, const char *help)
{
	struct aa_risks some = { .list = { 0 } };
	struct search s;

	if (!aa_risk_counts(l) || !has_mount(l, all))
		return;
	start(l, AA_CLASS_MOUNT, &s);
	aa_decided(l, s.profile.decided);
	for (size_t i = 0; i < ARRAY_SIZE(rows) && s.profile.decided; i++)
		find_row(&s, &rows[i]);
	for (size_t i = 0; i < s.by.n; i++)
		if (is_all(s.by.v[i]) == all)
			vec_push(l->arena, &some.list, s.risks.list.v[i]);
	tell(l, id, &s, &some, help);
}

RULE(AP305, "mount-all", HIGH, APPARMOR, ap_mount_all, "`mount,` allows every mount",
     "AppArmor's rules about files are rules about paths, and a mount decides what lies at a path: "
     "who may bind / to another place, mount a second /proc, a disk or a cgroup hierarchy "
     "(CVE-2022-0492), reaches files that no rule was written for.\n\n"
     "mount(2) asks for CAP_SYS_ADMIN, too: where the profile refuses that, the finding is a "
     "warning.\n\n"
     "Way out: the mounts that the program makes, with fstype=, options= and both paths.")
void ap_mount_all(struct lint *l, enum diag_id id)
{
	tell_mounts(l, id, true, "write the mounts that it makes: fstype=, options=, both paths");
}

RULE(AP306, "mount-risky", HIGH, APPARMOR, ap_mount_risky,
     "a mount makes rules about paths mean something else",
     "A rule lets something be mounted by which other rules no longer hold: / or /etc, /proc, /sys, "
     "/dev at another path, a second /proc or /sys, the machine's disk or devices, a cgroup "
     "hierarchy (CVE-2022-0492), a shared root, /proc/sys writable again. Found by walking what "
     "the profile's mount rules mean beside these (aa_mounts.def); the message has a mount that is "
     "allowed.\n\n"
     "mount(2) asks for CAP_SYS_ADMIN, too: where the profile refuses that, the finding is a "
     "warning.\n\n"
     "Way out: both paths of a bind, without stars at their ends; options=(ro,...) in full.")
void ap_mount_risky(struct lint *l, enum diag_id id)
{
	tell_mounts(l, id, false, "write both paths out, and the options in full");
}

RULE(AP307, "pivot-root", HIGH, APPARMOR, ap_pivot_root,
     "pivot_root is allowed: other files take the place of /",
     "After pivot_root every path leads elsewhere, and rules about /etc or /usr/bin speak of "
     "whatever the new root holds. Container runtimes need it, what runs in a container does "
     "not.\n\n"
     "pivot_root(2) asks for CAP_SYS_ADMIN, too: where the profile refuses that, the finding is a "
     "warning.\n\n"
     "Way out: leave it to the runtime; or oldroot=, the new root, and '-> profile' for what runs "
     "behind it.")
void ap_pivot_root(struct lint *l, enum diag_id id)
{
	struct machine_walk walk;
	struct search s;

	if (!aa_risk_counts(l) || !aa_risk_has(l, AA_CLASS_PIVOT_ROOT))
		return;
	start(l, AA_CLASS_PIVOT_ROOT, &s);
	if (!aa_decided(l, s.profile.decided))
		return;
	walk = aa_objects_walk(l->arena, &s.profile, NULL, false);
	aa_decided(l, walk.decided);
	vec_each(&walk.found, f)
		if (aa_objects_class(s.pool, f->a)->allow & AA_ACCESS_PIVOT)
			add(&s,
			    aa_objects_witness(l->arena, AA_CLASS_PIVOT_ROOT, f->path,
					       AA_ACCESS_PIVOT),
			    "every path leads elsewhere then");
	tell(l, id, &s, &s.risks, "leave it to the runtime, or write both paths out");
}
