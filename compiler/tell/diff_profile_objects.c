/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of every class but files, capabilities and limits. Both sides' rules are machines over the
 * objects of the class: a walk over both finds what may be answered otherwise, and the access that
 * shows it is asked of both, as `pale sim` does. Sockets are asked family by family.
 */
#include <string.h>
#include <sys/socket.h>

#include "compiler/base/bug.h"
#include "compiler/tell/diff_profiles.h"
#include "compiler/tell/diff_rules.h"

enum { NET_ALL = (AA_NET_RECEIVE << 1) - 1 };

static const struct class_row {
	enum aa_class class;
	enum resource_kind kind;
	unsigned perms; /* that its accesses have */
	unsigned with;  /* what else there is to a permission, beside it */
} classes[] = {
	{ AA_CLASS_MOUNT, RESOURCE_MOUNT, AA_ACCESS_MOUNT | AA_ACCESS_UMOUNT, 0 },
	{ AA_CLASS_PIVOT_ROOT, RESOURCE_PIVOT_ROOT, AA_ACCESS_PIVOT, 0 },
	{ AA_CLASS_PTRACE, RESOURCE_PTRACE, (AA_PTRACE_READBY << 1) - 1, 0 },
	{ AA_CLASS_SIGNAL, RESOURCE_SIGNALS, AA_SIGNAL_SEND | AA_SIGNAL_RECEIVE, 0 },
	{ AA_CLASS_UNIX, RESOURCE_UNIX, NET_ALL, 0 },
	{ AA_CLASS_DBUS, RESOURCE_DBUS, (AA_DBUS_EAVESDROP << 1) - 1, 0 },
	{ AA_CLASS_MQUEUE, RESOURCE_MQUEUE, (AA_MQUEUE_SETATTR << 1) - 1, 0 },
	{ AA_CLASS_USERNS, RESOURCE_USERNS, AA_USERNS_CREATE, 0 },
	{ AA_CLASS_IO_URING, RESOURCE_IO_URING, AA_URING_OVERRIDE_CREDS | AA_URING_SQPOLL, 0 },
	{ AA_CLASS_CHANGE_PROFILE, RESOURCE_CHANGE_PROFILE, AA_ACCESS_CHANGE, AA_ACCESS_UNSAFE },
};

/* ---- one access ---- */

static bool is_answered(struct profiles *c, const struct aa_access *access)
{
	struct diags *sink = diags_new(c->arena, c->session->sources);

	return aa_can_ask(&c->a.q, access, sink) && aa_can_ask(&c->b.q, access, sink);
}

static void tell_access(struct profiles *c, const struct profile_told *now, const char *about,
			const char *access)
{
	struct diff_resource r = profile_row(c, now);

	r.about = about;
	r.access = access;
	profile_add(c, r);
}

static void tell_open(struct profiles *c, enum resource_kind kind, const char *text)
{
	profile_not_decided(c, kind,
			    arena_printf(c->arena,
					 "rules differ, and what becomes of such as '%s' is not "
					 "decided",
					 text));
}

/* ---- a class by its machines ---- */

static bool prompts(const struct profiles *c)
{
	return (c->a.q.profile->header->flags | c->b.q.profile->header->flags) & AA_FLAG_PROMPT;
}

/* A deny that is logged is as no rule, but where a profile asks about what none denies. */
static bool halves_differ(const struct profiles *c, const struct aa_halves *x,
			  const struct aa_halves *y, unsigned perm)
{
	unsigned deny = prompts(c) ? x->deny ^ y->deny : 0;

	return ((x->allow ^ y->allow) | deny | (x->audit ^ y->audit) | (x->quiet ^ y->quiet) |
		(x->prompt ^ y->prompt) | (x->varies ^ y->varies)) &
	       perm;
}

/* What one side's rules alone grant: one object that is answered alike decides nothing there. */
static unsigned grants_differ(const struct aa_halves *x, const struct aa_halves *y)
{
	return (x->allow ^ y->allow) | (x->prompt ^ y->prompt);
}

struct shown { /* at one object: permissions that change alike */
	struct profile_told is;
	const char *access, *more;
};

struct shown_all {
	VEC(struct shown) list;
};

static void note_shown(struct profiles *c, const struct class_row *row, struct shown_all *out,
		       struct profile_told *now, unsigned perm, const char *access)
{
	now->where = str_c(access);
	now->perms[0] = perm;
	if (c->naming && profile_is_named(c, now))
		return;
	now->perms[0] = 0;
	struct profile_told *told = profile_told_of(c, now);

	if (told->perms[0] & perm)
		return;
	told->perms[0] |= perm;
	vec_each(&out->list, old)
		if (profile_same_told(&old->is, now)) {
			const char *word = aa_perm_name(row->class, perm);
			old->more =
				arena_printf(c->arena, "%s%s%s", old->more,
					     *old->more ? ", " : "; as well ", word ? word : "");
			return;
		}
	vec_push(c->arena, &out->list, ((struct shown){ *now, access, "" }));
}

static void compare_object(struct profiles *c, const struct class_row *row, struct str object,
			   unsigned perm, unsigned spoken, struct shown_all *out)
{
	const char *text = aa_objects_witness(c->arena, row->class, object, perm);
	struct aa_access access;

	if (!profile_read_access(c, text, &access) || !(access.perms & perm)) {
		if (spoken & perm) /* else no object of this kind has it */
			tell_open(c, row->kind, text);
		return;
	}
	if (!is_answered(c, &access)) {
		tell_open(c, row->kind, text);
		return;
	}
	struct profile_told now = profile_ask_both(c, row->kind, &access);
	if (now.change == CHANGE_NR && (c->naming || !(spoken & perm)))
		return;
	if (now.change == CHANGE_NR || now.change == CHANGE_UNDECIDED)
		tell_open(c, row->kind, text);
	else
		note_shown(c, row, out, &now, perm, text);
}

static void compare_found(struct profiles *c, const struct class_row *row,
			  const struct machine_found *f, bool differ)
{
	const struct aa_halves *a = aa_objects_class(c->objects, f->a);
	const struct aa_halves *b = aa_objects_class(c->objects, f->b);
	struct shown_all all = { .list = { .n = 0 } };

	for (unsigned perm = 1; perm <= row->perms; perm <<= 1)
		if (!differ || halves_differ(c, a, b, perm | row->with))
			compare_object(c, row, f->path, perm, grants_differ(a, b), &all);
	vec_each(&all.list, l)
		tell_access(c, &l->is,
			    row->kind == RESOURCE_SIGNALS ?
				    profile_signals(c, &l->is, l->access) :
				    arena_printf(c->arena, "%s%s", l->access, l->more),
			    l->access);
}

/* ---- rules that only one side has ---- */

static bool may_say(const struct profile_side *s, const struct aa_rule *r, enum aa_class class)
{
	bool is_unix = class == AA_CLASS_UNIX &&
		       (r->class == AA_CLASS_NETWORK || r->class == AA_CLASS_UNIX);

	return is_unix || ((s->q.target.mediated >> class & 1) &&
			   (r->class == class || r->class == AA_CLASS_ALL));
}

static struct aa_objects objects_of_one(struct profiles *c, const struct profile_side *s,
					enum aa_release release, const struct aa_rule *rule,
					enum aa_class class)
{
	struct aa_asking one = s->q;

	one.target.release = release;
	one.rules.v = arena_dup(c->arena, &rule, sizeof(rule));
	one.rules.n = 1;
	return aa_objects_under(c->objects, &one, class);
}

/* What rules of the class say to one release, one by one; 0: nothing. */
static uint32_t *sayings_of(struct profiles *c, const struct profile_side *s, enum aa_class class)
{
	uint32_t *out = ARENA_ARRAY(c->arena, uint32_t, s->q.rules.n + 1);

	for (size_t i = 0; i < s->q.rules.n; i++)
		out[i] = may_say(s, s->q.rules.v[i], class) ?
				 objects_of_one(c, s, c->a.q.target.release, s->q.rules.v[i], class)
					 .machine.start :
				 0;
	return out;
}

static bool is_said(const uint32_t *by, size_t n, uint32_t saying)
{
	for (size_t i = 0; i < n; i++)
		if (by[i] == saying)
			return true;
	return false;
}

struct both_objects {
	const struct class_row *row;
	const struct aa_objects *x, *y;
	bool differ;
};

/* An object of each way in which a rule of this side alone changes what is answered. */
static size_t name_rules(struct profiles *c, const struct profile_side *s,
			 const struct both_objects *o)
{
	const struct profile_side *other = s == &c->a ? &c->b : &c->a;
	uint32_t *ours = sayings_of(c, s, o->row->class);
	uint32_t *theirs = sayings_of(c, other, o->row->class);
	size_t unnamed = 0;

	for (size_t i = 0; i < s->q.rules.n; i++) {
		const struct aa_rule *rule = s->q.rules.v[i];
		if (!ours[i] || is_said(theirs, other->q.rules.n, ours[i]))
			continue;
		struct aa_objects own =
			objects_of_one(c, s, s->q.target.release, rule, o->row->class);
		struct machine_walk w = { .decided = false };
		if (own.decided && !profile_is_full(c))
			w = aa_objects_walk_within(c->arena, o->x, o->y, &own, o->differ, &c->left);
		unnamed += !w.decided;
		c->naming = rule;
		c->naming_a = s == &c->a;
		vec_each(&w.found, f)
			compare_found(c, o->row, f, o->differ);
		c->naming = NULL;
	}
	return unnamed;
}

static void compare_each_rule(struct profiles *c, const struct both_objects *o)
{
	c->left = MACHINE_STATES_MAX;
	size_t unnamed = name_rules(c, &c->a, o) + name_rules(c, &c->b, o);
	if (unnamed)
		profile_note_unnamed(c, diff_kinds[o->row->kind], unnamed);
}

/* ---- a class ---- */

/* No rule counts under its mode. */
static bool is_open(const struct profile_side *s)
{
	return s->q.profile->header->flags & (AA_FLAG_UNCONFINED | AA_FLAG_DEFAULT_ALLOW);
}

static void compare_class(struct profiles *c, const struct class_row *row)
{
	if (is_open(&c->a) && is_open(&c->b))
		return;
	struct aa_objects x = aa_objects_under(c->objects, &c->a.q, row->class),
			  y = aa_objects_under(c->objects, &c->b.q, row->class);
	bool differ = profile_same_modes(c);
	struct machine_walk w = { .decided = false };

	if (x.decided && y.decided)
		w = aa_objects_walk(c->arena, &x, &y, differ);
	if (x.machine.start || y.machine.start)
		c->out->resource_kinds |= 1u << row->kind;
	vec_each(&w.found, f)
		compare_found(c, row, f, differ);
	if (!w.decided)
		profile_not_decided(c, row->kind,
				    arena_printf(c->arena,
						 "to compare them takes more than %d states; write "
						 "simpler patterns",
						 MACHINE_STATES_MAX));
	else if (w.found.n && (c->a.q.rules.n || c->b.q.rules.n))
		compare_each_rule(c, &(struct both_objects){ row, &x, &y, differ });
}

/* ---- sockets ---- */

struct cells { /* those that change alike, by the same rules */
	struct profile_told is;
	unsigned perms;
	const char *first;
	bool in[CELLS_MAX];
};

struct cell_groups {
	VEC(struct cells *) list;
};

static void note_cell(struct profiles *c, struct cell_groups *out, const struct profile_told *now,
		      unsigned at, unsigned perm, const char *text)
{
	struct cells *g = NULL;

	vec_each(&out->list, old)
		if ((*old)->perms == perm && profile_same_told(&(*old)->is, now))
			g = *old;
	if (!g) {
		g = ARENA_NEW(c->arena, struct cells);
		g->is = *now;
		g->perms = perm;
		g->first = text;
		vec_push(c->arena, &out->list, g);
	}
	g->in[at] = true;
}

/* Those of all permissions that are the same sockets are one line. */
static void tell_cells(struct profiles *c, struct cell_groups *groups, const bool *asked)
{
	vec_each(&groups->list, g) {
		unsigned perms = (*g)->perms;
		if (!perms)
			continue;
		for (struct cells **o = g + 1; o < groups->list.v + groups->list.n; o++) {
			if (!(*o)->perms || memcmp((*o)->in, (*g)->in, sizeof((*g)->in)) ||
			    !profile_same_told(&(*o)->is, &(*g)->is))
				continue;
			perms |= (*o)->perms;
			(*o)->perms = 0;
		}
		const char *names = socket_names(c->arena, (*g)->in, asked);
		if (!(perms & AA_NET_CREATE))
			names = arena_printf(c->arena, "%s of %s",
					     aa_perm_name(AA_CLASS_NETWORK, perms & -perms), names);
		tell_access(c, &(*g)->is, names, (*g)->first);
	}
}

static const char *word_of(struct arena *a, const char *domain, uint64_t value, const char *prefix)
{
	const char *name = constant_name(domain, value, ARCH_X86_64);
	char *word;

	if (!name || strncmp(name, prefix, strlen(prefix)) != 0)
		return NULL;
	word = arena_strdup(a, name + strlen(prefix));
	for (char *p = word; *p; p++)
		*p = *p >= 'A' && *p <= 'Z' ? (char)(*p | 0x20) : *p;
	return word;
}

/* As `pale sim` reads it: sockets of unix beside their creation by a word of their own. */
static const char *cell_text(struct arena *a, const char *family, const char *type, unsigned perm)
{
	const char *word = aa_perm_name(AA_CLASS_NETWORK, perm);

	if (perm == AA_NET_CREATE)
		return arena_printf(a, "socket %s %s", family, type);
	if (strcmp(family, "unix"))
		return arena_printf(a, "network %s %s %s", word, family, type);
	return arena_printf(a, "unix %s type=%s addr=%s%s", word, type,
			    perm == AA_NET_BIND ? "@a" : "none",
			    perm & AA_NET_PEER ? " peer=(addr=none label=a)" : "");
}

/* Of unix there are none of some types that rules name (net/unix/af_unix.c, unix_create). */
static bool is_made(unsigned at)
{
	struct aa_network_rule all;

	aa_network_of(AF_UNIX, -1, &all);
	return at / TYPES != AF_UNIX || all.types >> at % TYPES & 1;
}

static void compare_cell(struct profiles *c, struct cell_groups *out, unsigned at, unsigned perm,
			 bool *asked)
{
	const char *family = word_of(c->arena, "af", at / TYPES, "AF_");
	const char *type = word_of(c->arena, "sock_type", at % TYPES, "SOCK_");
	struct aa_access access;
	const char *text;

	if (!family || !type || !is_made(at))
		return;
	text = cell_text(c->arena, family, type, perm);
	if (!profile_read_access(c, text, &access))
		return; /* AppArmor has no word for it: no rule tells it from its like */
	*asked = true;
	if (!is_answered(c, &access)) {
		if (!c->undecided)
			tell_open(c, RESOURCE_SOCKETS, text);
		c->undecided = true;
		return;
	}
	struct profile_told now = profile_ask_both(c, RESOURCE_SOCKETS, &access);
	if (now.change != CHANGE_NR)
		note_cell(c, out, &now, at, perm, text);
}

enum families { FAMILIES_BUT_UNIX, FAMILIES_ALL, FAMILIES_UNIX };

static bool is_among(enum families families, unsigned at)
{
	bool is_unix = at / TYPES == 1;

	return families == FAMILIES_ALL || is_unix == (families == FAMILIES_UNIX);
}

/* Of both sides, what the rules about a class of sockets say together is one machine. */
static bool same_sockets(struct profiles *c, enum aa_class class)
{
	struct aa_objects x = aa_objects_under(c->objects, &c->a.q, class);
	struct aa_objects y = aa_objects_under(c->objects, &c->b.q, class);

	if (class == AA_CLASS_NETWORK && (x.machine.start || y.machine.start))
		c->out->resource_kinds |= 1u << RESOURCE_SOCKETS;
	return x.decided && y.decided && x.machine.start == y.machine.start;
}

/* Where a kernel does not know sockets of unix apart they are among these. */
static void compare_network(struct profiles *c, enum families families)
{
	struct cell_groups groups = { .list = { .n = 0 } };
	bool asked[CELLS_MAX] = { false };
	bool same = same_sockets(c, AA_CLASS_NETWORK);

	/* The machine of networks holds none of unix, which have their own. */
	same = (same || families == FAMILIES_UNIX) &&
	       (families == FAMILIES_BUT_UNIX || same_sockets(c, AA_CLASS_UNIX));
	if (same && profile_same_modes(c))
		return;
	c->undecided = false;
	for (unsigned perm = 1; perm <= NET_ALL; perm <<= 1)
		for (unsigned at = TYPES; at < CELLS_MAX; at++) /* from AF_UNIX on */
			if (is_among(families, at))
				compare_cell(c, &groups, at, perm, &asked[at]);
	tell_cells(c, &groups, asked);
}

/* ---- all classes ---- */

static bool is_mediated(const struct profile_side *s, enum aa_class class)
{
	return s->q.target.mediated >> class & 1;
}

static bool has_network(const struct profiles *c)
{
	return is_mediated(&c->a, AA_CLASS_NETWORK) && is_mediated(&c->b, AA_CLASS_NETWORK);
}

/* Neither side's kernel knows sockets of unix by their addresses. */
static bool has_coarse_unix(const struct profiles *c)
{
	return !is_mediated(&c->a, AA_CLASS_UNIX) && !is_mediated(&c->b, AA_CLASS_UNIX);
}

/* Sockets of unix are the network's where a kernel does not know them apart. */
static bool is_compared(const struct profiles *c, enum aa_class class)
{
	bool a = is_mediated(&c->a, class), b = is_mediated(&c->b, class);

	return (a && b) || (class == AA_CLASS_UNIX && has_network(c) && (a || b));
}

/* A class that one side alone has mediated is told with the heads. */
static void compare_kinds(struct profiles *c, unsigned kinds)
{
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (kinds >> classes[i].kind & 1 && is_compared(c, classes[i].class))
			compare_class(c, &classes[i]);
}

static const struct class_row *row_of(enum aa_class class)
{
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (classes[i].class == class)
			return &classes[i];
	return NULL;
}

/* Of two machines of the class; *logged: what is answered otherwise is allowed on both sides. */
static bool are_same(struct profiles *c, const struct machine_walk *w, bool *logged)
{
	bool same = w->decided;

	*logged = true;
	vec_each(&w->found, f) {
		const struct aa_halves *a = aa_objects_class(c->objects, f->a);
		const struct aa_halves *b = aa_objects_class(c->objects, f->b);
		unsigned bits = aa_halves_differ(a, b);

		same &= !bits;
		*logged &= !(bits & ~(a->allow & b->allow));
	}
	return same;
}

bool profile_same_mediation(struct profiles *c, enum aa_class class, bool *logged)
{
	bool a = is_mediated(&c->a, class), b = is_mediated(&c->b, class);
	const struct profile_side *s = a ? &c->a : &c->b;
	unsigned flags = s->q.profile->header->flags;

	*logged = false;
	if (a == b || is_compared(c, class))
		return true;
	if (!row_of(class) || class == AA_CLASS_PTRACE) /* a kernel asks for a capability then */
		return false;
	if (flags & (AA_FLAG_UNCONFINED | AA_FLAG_DEFAULT_ALLOW))
		return true;
	struct aa_objects x = aa_objects_under(c->objects, &c->a.q, class);
	struct aa_objects y = aa_objects_under(c->objects, &c->b.q, class);
	struct machine_walk w = { .decided = false };
	if (x.decided && y.decided)
		w = aa_objects_walk(c->arena, &x, &y, true);
	return are_same(c, &w, logged) && !(flags & AA_FLAG_AUDIT);
}

void compare_profile_objects(struct profiles *c)
{
	compare_kinds(c, ~0u);
	if (has_network(c))
		compare_network(c, has_coarse_unix(c) ? FAMILIES_ALL : FAMILIES_BUT_UNIX);
}

void compare_policy_objects(struct profiles *c, unsigned kinds)
{
	bool logged;

	compare_kinds(c, kinds);
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (!profile_same_mediation(c, classes[i].class, &logged))
			c->out->resource_kinds &= ~(1u << classes[i].kind); /* not the same */
	if (kinds >> RESOURCE_UNIX & 1 && has_network(c) && has_coarse_unix(c))
		compare_network(c, FAMILIES_UNIX);
}

void compare_policy_sockets(struct profiles *c, bool but_unix)
{
	if (has_network(c))
		compare_network(c, but_unix ? FAMILIES_BUT_UNIX : FAMILIES_ALL);
}
