/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths to globs: the paths of a recording as a tree of names; names that are made anew become one;
 * then what stands beside each other in sufficient number.
 */
#include "learn/propose.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/policy/policy.h"
#include "learn/shape.h"
#include "learn/tunables.h"

enum {
	PAIRS_MAX = 256, /* names of a directory that are compared with each other */
	DEPTH_LEAST = 2  /* components above a rule for a whole tree */
};

enum kind { A_FILE, A_DIRECTORY, KINDS };

struct node;

struct nodes {
	VEC(struct node *) list;
};

struct node {
	struct str name;  /* of the first that it stands for */
	const char *glob; /* NULL: not named yet */
	const char *why;  /* NULL: it is its name */
	struct node *above;
	bool has[KINDS]; /* the path itself is in the recording, as a file, as a directory */
	struct proposed_file at[KINDS];
	uint64_t *in;  /* runs with anything here or below; NULL: there is one */
	bool gone;     /* what the run made of this name was gone again */
	bool numbered; /* its number is a process's that wrote it */
	bool wrote;    /* names in it were made or taken away */
	bool gathered; /* it stands for all that is beside it */
	bool several;  /* it stands for names that differ */
	bool counted;
	uint64_t others;
	struct nodes kids;
};

struct tree {
	struct arena *a;
	const struct recording *r;
	bool exact;
	size_t words; /* of a set of runs */
};

const char *generalize_escape(struct arena *a, struct str path)
{
	BUF_AUTO out = { 0 };

	shape_escape(&out, path);
	return buf_keep(a, &out);
}

/* ---- the tree ---- */

static struct node *node_below(struct tree *t, struct node *above, struct str name)
{
	struct node *n;

	if (above->kids.list.n) {
		n = above->kids.list.v[above->kids.list.n - 1];
		if (str_eq(n->name, name))
			return n;
	}
	n = ARENA_NEW(t->a, struct node);
	n->name = name;
	n->above = above;
	vec_push(t->a, &above->kids.list, n);
	return n;
}

/* With '/' before all other characters what lies below one name stands together. */
static int cmp_paths(const void *x, const void *y)
{
	struct str a = (*(const struct recorded_file *const *)x)->path;
	struct str b = (*(const struct recorded_file *const *)y)->path;

	for (size_t i = 0; i < a.n && i < b.n; i++)
		if (a.p[i] != b.p[i]) {
			unsigned char c = (unsigned char)a.p[i], d = (unsigned char)b.p[i];

			return c == '/' ? -1 : d == '/' ? 1 : (int)c - (int)d;
		}
	return (a.n > b.n) - (a.n < b.n);
}

/* Directories that everybody writes to. */
static const char *const shared_dirs[] = { "/tmp/", "/var/tmp/", "/dev/shm/" };

static bool is_shared(struct str path)
{
	for (size_t i = 0; i < ARRAY_SIZE(shared_dirs); i++)
		if (str_starts(path, shared_dirs[i]))
			return true;
	return false;
}

static bool is_shared_itself(struct str path)
{
	for (size_t i = 0; i < ARRAY_SIZE(shared_dirs); i++)
		if (str_is(path, shared_dirs[i]))
			return true;
	return false;
}

static bool is_made(const struct node *n)
{
	for (int k = 0; k < KINDS; k++)
		if (n->has[k] && n->at[k].perms & (PERM_W | PERM_A | PERM_L))
			return true;
	return false;
}

static void add_runs(struct tree *t, struct node *n, const uint64_t *in)
{
	if (!in)
		return;
	if (!n->in)
		n->in = ARENA_ARRAY(t->a, uint64_t, t->words);
	for (size_t i = 0; i < t->words; i++)
		n->in[i] |= in[i];
}

static void add_path(struct tree *t, struct node *root, const struct recorded_file *f)
{
	enum kind kind = f->path.n > 1 && f->path.p[f->path.n - 1] == '/' ? A_DIRECTORY : A_FILE;
	struct node *n = root;
	size_t i = 0;

	while (i < f->path.n) {
		size_t len = 0;

		while (i + len < f->path.n && f->path.p[i + len] != '/')
			len++;
		if (len)
			n = node_below(t, n, (struct str){ f->path.p + i, len });
		add_runs(t, n, f->in);
		i += len + !len;
	}
	if (n == root)
		kind = A_DIRECTORY;
	n->has[kind] = true;
	n->at[kind] = (struct proposed_file){
		.perms = f->perms,
		/* In directories that everybody writes to, another's file is not ours to touch. */
		.owner = f->owned && f->perms & (PERM_W | PERM_A) && is_shared(f->path),
		.owned = f->owned,
		.count = f->count,
		.first_ns = f->first_ns,
		.in = f->in,
		.files = 1,
		.socket = f->socket,
		.held = f->held,
	};
	n->numbered |= f->numbered;
	n->gone |= f->gone && f->perms & PERM_W;
	if (n->above && is_made(n))
		n->above->wrote = true;
}

static void put_path(struct buf *out, const struct node *n)
{
	if (!n->above)
		return;
	put_path(out, n->above);
	buf_printf(out, "/" PRISTR, STRARG(n->name));
}

static const char *path_of(struct tree *t, const struct node *n)
{
	BUF_AUTO out = { 0 };

	put_path(&out, n);
	buf_putc(&out, '/');
	return buf_keep(t->a, &out);
}

static int cmp_listing(const void *key, const void *listing)
{
	return str_cmp(*(const struct str *)key, ((const struct recorded_listing *)listing)->path);
}

static const struct recorded_listing *find_listing(const struct tree *t, struct str path)
{
	if (!t->r->listings.n)
		return NULL;
	return bsearch(&path, t->r->listings.v, t->r->listings.n, sizeof(t->r->listings.v[0]),
		       cmp_listing);
}

/* How many names it has that no run touched, where the recorder counted them. */
static void take_listing(struct tree *t, struct node *n)
{
	const struct recorded_listing *l =
		n->several ? NULL : find_listing(t, str_c(path_of(t, n)));

	n->counted = l != NULL;
	n->others = l ? l->others : 0;
}

/* ---- names ---- */

static bool all_digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

/* Does it lie in /name, or is it that? */
static bool is_below(const struct node *n, const char *name)
{
	while (n->above && n->above->above)
		n = n->above;
	return n->above && str_is(n->name, name);
}

/* In /dev, but not in the shared memory there: those are files as others are. */
static bool is_device(struct tree *t, const struct node *n)
{
	return is_below(n, "dev") && !is_shared(str_c(path_of(t, n)));
}

/* The proc filesystem that it is in: /proc, or that of another root, which has what /proc/PID has below a number. */
static const struct node *proc_of(const struct node *n)
{
	static const char *const own[] = { "attr",   "cgroup", "cmdline",       "comm",   "environ",
					   "exe",    "fd",     "fdinfo",        "limits", "maps",
					   "mounts", "ns",     "oom_score_adj", "stat",   "status",
					   "task",   "uid_map" };

	for (; n->above; n = n->above) {
		const struct node *dir = n->above;

		if (!dir->above || !str_is(dir->name, "proc"))
			continue;
		if (!dir->above->above)
			return dir;
		if (!all_digits(n->name))
			return NULL;
		vec_each(&n->kids.list, kid)
			for (size_t i = 0; i < ARRAY_SIZE(own); i++)
				if (str_is((*kid)->name, own[i]))
					return dir;
	}
	return NULL;
}

/* Numbers of the kernel's for what lives as long as a process does. */
static const char *name_process(const struct node *n)
{
	const struct node *dir = n->above, *proc = all_digits(n->name) ? proc_of(n) : NULL;

	if (!proc)
		return NULL;
	if (dir == proc)
		return "a process id";
	if (str_is(dir->name, "task"))
		return "a thread's id";
	return str_is(dir->name, "fd") || str_is(dir->name, "fdinfo") ? "a descriptor's number" :
									NULL;
}

static size_t runs_of(const struct tree *t, const struct node *n)
{
	size_t runs = 0;

	if (!n->in)
		return 1;
	for (size_t i = 0; i < t->words; i++)
		runs += (size_t)__builtin_popcountll(n->in[i]);
	return runs;
}

/* libdns-9.18.49-1-Debian.so, libdb-5.3.so: the program that is linked with it is so in its version. NULL: no version. */
static const char *version_inside(struct str name)
{
	if (!str_starts(name, "lib") || name.n < 3 || memcmp(name.p + name.n - 3, ".so", 3))
		return NULL;
	for (const char *c = name.p; c + 1 < name.p + name.n - 3; c++)
		if (*c == '-' && c[1] >= '0' && c[1] <= '9')
			return memchr(c, '.', (size_t)(name.p + name.n - 3 - c)) ? c + 1 : NULL;
	return NULL;
}

static const char *name_library(struct node *n, struct buf *out)
{
	static const char so[] = ".so.", why[] = "a library's version";
	const char *version = memmem(n->name.p, n->name.n, so, sizeof(so) - 1);

	if (!n->has[A_FILE] || !(n->at[A_FILE].perms & PERM_M))
		return NULL;
	if (version) {
		shape_escape(out, (struct str){ n->name.p,
						(size_t)(version - n->name.p) + sizeof(so) - 1 });
		buf_putc(out, '*');
		return why;
	}
	version = version_inside(n->name);
	if (!version)
		return NULL;
	shape_escape(out, (struct str){ n->name.p, (size_t)(version - n->name.p) });
	buf_puts(out, "[0-9]*.so");
	return why;
}

/* Is it a port that the run asked for? That stands in its configuration. */
static bool is_port(const void *ctx, struct str digits)
{
	const struct tree *t = ctx;

	vec_each(&t->r->addresses, x) {
		char port[8];

		if (x->address.op != ADDRESS_BIND || !x->address.port)
			continue;
		snprintf(port, sizeof(port), "%u", x->address.port);
		if (str_is(digits, port))
			return true;
	}
	return false;
}

/* A number that another run has another one for. */
static const char *name_number(const struct tree *t, struct node *n, struct buf *out)
{
	static const char process[] = "the number of a process of the run";
	static const char gone[] = "a number in the name of a file that was gone at the end";
	bool is_gone = n->gone;
	size_t at, len;

	if (is_gone && shape_numbers(out, n->name, is_port, t))
		return n->numbered ? process : gone;
	out->n = 0;
	if (!(is_gone || n->numbered) || !shape_number(n->name, &at, &len) ||
	    (!n->numbered &&
	     (is_port(t, (struct str){ n->name.p + at, len }) || shape_is_part(n->name, at, len))))
		return NULL;
	shape_escape(out, (struct str){ n->name.p, at });
	buf_puts(out, "[0-9]*");
	shape_escape(out, (struct str){ n->name.p + at + len, n->name.n - at - len });
	return n->numbered ? process : gone;
}

/* Of what is spread over directories by the first digits of its name: objects by two, messages by one. */
static const char *name_spread(struct node *n, struct buf *out)
{
	bool (*is_one)(struct str) = shape_is_spread(n->name) ? shape_is_object : shape_is_queued;
	bool some = false;

	if (is_one == shape_is_queued &&
	    (n->name.n != 1 || !memchr("0123456789ABCDEF", *n->name.p, 16)))
		return NULL;
	vec_each(&n->kids.list, kid) {
		bool is = is_one((*kid)->name);

		if (!is && !(*kid)->gone)
			return NULL;
		some |= is;
	}
	if (!some)
		return NULL;
	buf_puts(out, is_one == shape_is_queued ? "[0-9A-F]" : "[0-9a-f][0-9a-f]");
	return "objects spread over directories";
}

static enum shape_use use_of(struct tree *t, const struct node *n)
{
	if (!is_made(n))
		return SHAPE_USED;
	if (n->gone)
		return SHAPE_GONE;
	return is_shared(str_c(path_of(t, n))) ? SHAPE_TEMPORARY : SHAPE_MADE;
}

static const char *name_shape(struct tree *t, struct node *n, struct buf *out)
{
	const char *why;

	/* Several runs have it: it is what it is. */
	if (runs_of(t, n) > 1)
		return NULL;
	why = name_spread(n, out);
	if (!why)
		why = shape_of(out, n->name, n->above->name, use_of(t, n));
	if (!why) {
		out->n = 0;
		why = name_number(t, n, out);
	}
	return why;
}

static void name_node(struct tree *t, struct node *n)
{
	BUF_AUTO out = { 0 };

	n->glob = generalize_escape(t->a, n->name);
	if (t->exact)
		return;
	n->why = name_process(n);
	if (n->why) {
		n->glob = "[0-9]*";
		return;
	}
	if (is_below(n, "sys") || is_below(n, "proc") || is_device(t, n))
		return;
	n->why = name_library(n, &out);
	if (!n->why)
		n->why = name_shape(t, n, &out);
	if (n->why)
		n->glob = buf_keep(t->a, &out);
}

static bool may_differ(const struct tree *t, const struct node *n)
{
	return !n->why && is_made(n) && runs_of(t, n) == 1;
}

static bool same_runs(const struct tree *t, const struct node *a, const struct node *b)
{
	return a->in && b->in && !memcmp(a->in, b->in, t->words * sizeof(*a->in));
}

/* Names that one run made and another made otherwise. */
static void name_pairs(struct tree *t, struct node *n)
{
	static const char why[] = "differs from run to run";

	if (!t->r->runs || t->exact || n->kids.list.n > PAIRS_MAX)
		return;
	vec_each(&n->kids.list, x) {
		if (!may_differ(t, *x))
			continue;
		vec_each(&n->kids.list, y) {
			BUF_AUTO out = { 0 };

			if (*x == *y || (!may_differ(t, *y) && (*y)->why != why) ||
			    same_runs(t, *x, *y) || !shape_of_both(&out, (*x)->name, (*y)->name))
				continue;
			(*x)->glob = buf_keep(t->a, &out);
			(*x)->why = why;
			break;
		}
	}
}

/* ---- one name for several ---- */

static void join_files(struct tree *t, struct proposed_file *to, const struct proposed_file *f)
{
	to->perms |= f->perms;
	to->owner &= f->owner;
	to->owned &= f->owned;
	to->socket |= f->socket;
	to->held &= f->held;
	to->count = count_add(to->count, f->count);
	to->files += f->files;
	to->in = recording_join_runs(t->a, t->r, to->in, f->in);
	if (f->first_ns < to->first_ns)
		to->first_ns = f->first_ns;
}

static void join_nodes(struct tree *t, struct node *to, struct node *n)
{
	for (int k = 0; k < KINDS; k++) {
		if (to->has[k] && n->has[k])
			join_files(t, &to->at[k], &n->at[k]);
		else if (n->has[k])
			to->at[k] = n->at[k];
		to->has[k] |= n->has[k];
	}
	add_runs(t, to, n->in);
	to->wrote |= n->wrote;
	to->several = true;
	vec_each(&n->kids.list, kid) {
		(*kid)->above = to;
		vec_push(t->a, &to->kids.list, *kid);
	}
}

static int cmp_globs(const void *x, const void *y)
{
	const struct node *a = *(const struct node *const *)x, *b = *(const struct node *const *)y;
	int order = strcmp(a->glob, b->glob);

	return order ? order : str_cmp(a->name, b->name);
}

static void join_names(struct tree *t, struct node *n)
{
	size_t kept = 0;

	if (!n->kids.list.n)
		return;
	qsort(n->kids.list.v, n->kids.list.n, sizeof(*n->kids.list.v), cmp_globs);
	for (size_t i = 1; i < n->kids.list.n; i++) {
		struct node *last = n->kids.list.v[kept], *kid = n->kids.list.v[i];

		if (!strcmp(last->glob, kid->glob))
			join_nodes(t, last, kid);
		else
			n->kids.list.v[++kept] = kid;
	}
	n->kids.list.n = kept + 1;
}

/* From the top, each before what lies below it: names are judged where they stand. Depth is bounded
 * by PATH_MAX's components. */
static void name_below(struct tree *t, struct node *n)
{
	take_listing(t, n);
	vec_each(&n->kids.list, kid)
		if (!(*kid)->glob)
			name_node(t, *kid);
	name_pairs(t, n);
	join_names(t, n);
	vec_each(&n->kids.list, kid)
		name_below(t, *kid);
}

/* ---- many beside each other ---- */

struct alike { /* paths of equal rights */
	enum kind kind;
	unsigned perms;
	bool owner;
	size_t n;
	size_t dirs;            /* that they are in */
	const struct node *dir; /* the last of those */
	size_t branches;        /* names of the directory asked about that they are or lie below */
	const struct node *branch; /* the last of those */
	bool allowed;              /* the runs wrote in those, or used all that is in them */
	bool counted;              /* what is in those is known */
	uint64_t others;           /* that no run touched */
	bool put;                  /* there is a rule for all of them */
	struct proposed_file sum;
};

struct alikes {
	VEC(struct alike) list;
};

static struct alike *alike_of(struct tree *t, struct alikes *all, enum kind kind,
			      const struct proposed_file *f)
{
	vec_each(&all->list, x)
		if (x->kind == kind && x->perms == f->perms && x->owner == f->owner)
			return x;
	vec_push(t->a, &all->list,
		 ((struct alike){ .kind = kind,
				  .perms = f->perms,
				  .owner = f->owner,
				  .allowed = true,
				  .counted = true }));
	return &all->list.v[all->list.n - 1];
}

static bool is_whole(const struct node *n)
{
	return n->counted && !n->others;
}

static void add_alike(struct tree *t, struct alikes *all, const struct node *dir,
		      const struct node *branch, enum kind kind, const struct proposed_file *f)
{
	struct alike *x = alike_of(t, all, kind, f);

	x->branches += x->branch != branch;
	x->branch = branch;
	if (x->n++)
		join_files(t, &x->sum, f);
	else
		x->sum = *f;
	if (x->dir == dir)
		return;
	x->dir = dir;
	x->dirs++;
	x->allowed &= is_whole(dir) || dir->wrote;
	x->counted &= dir->counted;
	x->others += dir->others;
}

/*
 * What lies in n itself, and where deep below it, by rights. branch: of the directory asked about, where
 * n is below it. Programs keep their names: one that is not there yet is not to be executed.
 */
static void add_alikes(struct tree *t, const struct node *n, const struct node *branch, bool deep,
		       struct alikes *all)
{
	vec_each(&n->kids.list, kid)
		for (int k = 0; k < KINDS; k++)
			if ((*kid)->has[k] && !((*kid)->at[k].perms & (PERM_X | PERM_M)))
				add_alike(t, all, n, branch ? branch : *kid, (enum kind)k,
					  &(*kid)->at[k]);
	if (!deep)
		return;
	vec_each(&n->kids.list, kid)
		add_alikes(t, *kid, branch ? branch : *kid, true, all);
}

static bool covers(const struct alike *x, enum kind kind, const struct proposed_file *f)
{
	return x->kind == kind && x->owner == f->owner && !(f->perms & ~x->perms);
}

/* What the rule for all of them covers needs none of its own. */
static void take_out(struct tree *t, struct node *n, bool deep, struct alike *x)
{
	vec_each(&n->kids.list, kid) {
		enum kind k = x->kind;

		if ((*kid)->has[k] && covers(x, k, &(*kid)->at[k])) {
			if ((*kid)->at[k].perms != x->perms)
				join_files(t, &x->sum, &(*kid)->at[k]);
			(*kid)->has[k] = false;
		}
		if (deep)
			take_out(t, *kid, true, x);
	}
}

static void put_all(struct tree *t, struct node *n, const struct alike *x, const char *glob,
		    const char *why)
{
	struct node *all = ARENA_NEW(t->a, struct node);

	all->glob = glob;
	all->why = why;
	all->above = n;
	all->gathered = true;
	all->has[x->kind] = true;
	all->at[x->kind] = x->sum;
	all->at[x->kind].perms = x->perms;
	all->counted = x->counted;
	all->others = x->others;
	vec_push(t->a, &n->kids.list, all);
}

static unsigned depth_of(const struct node *n)
{
	unsigned depth = 0;

	for (; n->above; n = n->above)
		depth++;
	return depth;
}

/* Secrets, settings and the kernel's own: each name there means something else. */
static bool is_sensitive(const struct node *n)
{
	static const char *const tops[] = { "boot", "dev", "etc", "proc", "root", "sys" };
	static const char *const anywhere[] = { ".gnupg", ".ssh", "secrets" };

	for (size_t i = 0; i < ARRAY_SIZE(tops); i++)
		if (is_below(n, tops[i]))
			return true;
	for (; n->above; n = n->above)
		for (size_t i = 0; i < ARRAY_SIZE(anywhere); i++)
			if (str_is(n->name, anywhere[i]))
				return true;
	return false;
}

static bool made_itself(const struct node *n)
{
	return n->has[A_DIRECTORY] && n->at[A_DIRECTORY].perms & PERM_W;
}

/* Those with more rights first: their rule covers others. */
static int cmp_alikes(const void *x, const void *y)
{
	const struct alike *a = x, *b = y;

	return __builtin_popcount(b->perms) - __builtin_popcount(a->perms);
}

static void sort_alikes(struct alikes *all)
{
	if (all->list.n)
		qsort(all->list.v, all->list.n, sizeof(*all->list.v), cmp_alikes);
}

static bool is_covered(const struct alikes *all, const struct alike *x)
{
	vec_each(&all->list, y)
		if (y->put && covers(y, x->kind, &x->sum))
			return true;
	return false;
}

/*
 * A whole tree: one that the runs made, or used to its last name. Of several the lowest that has all of
 * them: below one of its names alone they are that one's.
 */
static void gather_deep(struct tree *t, struct node *n)
{
	struct alikes all = { 0 };

	if (depth_of(n) >= DEPTH_LEAST && !is_sensitive(n) && (made_itself(n) || is_whole(n))) {
		add_alikes(t, n, NULL, true, &all);
		sort_alikes(&all);
		vec_each(&all.list, x) {
			if (x->n < GENERALIZE_SIBLINGS || x->dirs < 2 || x->branches < 2 ||
			    !x->allowed || is_covered(&all, x))
				continue;
			x->put = true;
			take_out(t, n, true, x);
			put_all(t, n, x, "**",
				made_itself(n) ? "a tree that the run made" : "all that is there");
		}
	}
	for (size_t i = 0; i < n->kids.list.n; i++)
		gather_deep(t, n->kids.list.v[i]);
}

static void gather_beside(struct tree *t, struct node *n)
{
	size_t least =
		is_shared_itself(str_c(path_of(t, n))) ? GENERALIZE_MANY : GENERALIZE_SIBLINGS;
	struct alikes all = { 0 };

	if (depth_of(n) && !is_sensitive(n)) {
		add_alikes(t, n, NULL, false, &all);
		sort_alikes(&all);
		vec_each(&all.list, x) {
			bool many = x->n >= GENERALIZE_MANY;

			if (x->n < least || (!x->allowed && !many) || is_covered(&all, x))
				continue;
			x->put = true;
			take_out(t, n, false, x);
			put_all(t, n, x, "*",
				is_whole(n)            ? "all that is there" :
				x->allowed && n->wrote ? "a directory that the run writes" :
							 "too many to be told apart");
		}
	}
	for (size_t i = 0; i < n->kids.list.n; i++)
		gather_beside(t, n->kids.list.v[i]);
}

/* ---- rules ---- */

static void put_glob(struct buf *out, const struct node *n)
{
	if (!n->above)
		return;
	put_glob(out, n->above);
	buf_printf(out, "/%s", n->glob);
}

/* The reason nearest to the end speaks. */
static void tell_why(struct proposed_file *f, const struct node *n)
{
	while (n->above && !n->why)
		n = n->above;
	f->why = n->why;
	f->gathered = n->gathered;
	f->counted = n->counted && n->gathered;
	f->others = n->others;
}

/* What else is named so, where the recorder counted it. */
static void count_alike(const struct tree *t, struct proposed_file *f)
{
	const struct recorded_listing *l;

	if (!f->why || f->gathered)
		return;
	l = find_listing(t, f->pattern);
	f->counted = l != NULL;
	f->others = l ? l->others : 0;
}

static void put_rule(struct tree *t, struct proposed_file f, const char *glob,
		     struct proposed_files *out)
{
	bool home = false;

	f.pattern = str_c(glob);
	f.glob = t->exact ? f.pattern : str_c(tunables_name(t->a, glob, f.owned, &home));
	f.owner |= home;
	count_alike(t, &f);
	vec_push(t->a, &out->list, f);
}

static void put_rules(struct tree *t, const struct node *n, struct proposed_files *out)
{
	for (int k = 0; k < KINDS; k++) {
		struct proposed_file f = n->at[k];
		BUF_AUTO glob = { 0 };

		if (!n->has[k])
			continue;
		put_glob(&glob, n);
		if (k == A_DIRECTORY || !glob.n)
			buf_putc(&glob, '/');
		tell_why(&f, n);
		put_rule(t, f, buf_keep(t->a, &glob), out);
	}
	vec_each(&n->kids.list, kid)
		put_rules(t, *kid, out);
}

static int cmp_rules(const void *x, const void *y)
{
	const struct proposed_file *a = x, *b = y;
	int order = str_cmp(a->glob, b->glob);

	if (!order)
		order = (int)a->owner - (int)b->owner;
	return order ? order : (a->perms > b->perms) - (a->perms < b->perms);
}

void generalize_files(struct arena *a, const struct recording *r, bool exact,
		      struct proposed_files *out)
{
	struct tree t = {
		.a = a, .r = r, .exact = exact, .words = r->runs ? (r->runs->n + 63) / 64 : 0
	};
	struct node *root = ARENA_NEW(a, struct node);
	const struct recorded_file **order =
		ARENA_ARRAY(a, const struct recorded_file *, r->files.n);
	size_t n = 0;

	for (size_t i = 0; i < r->files.n; i++)
		if (r->files.v[i].perms) /* else where a process stood: no right goes with it */
			order[n++] = &r->files.v[i];
	if (n)
		qsort(order, n, sizeof(*order), cmp_paths);
	for (size_t i = 0; i < n; i++)
		add_path(&t, root, order[i]);
	name_below(&t, root);
	if (!exact) {
		gather_deep(&t, root);
		gather_beside(&t, root);
	}
	put_rules(&t, root, out);
	if (out->list.n)
		qsort(out->list.v, out->list.n, sizeof(*out->list.v), cmp_rules);
}
