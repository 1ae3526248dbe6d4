/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths to globs. A glob is proposed only where the path itself cannot be right next time, and
 * says why. Tests look at single components; the text between is kept, with AppArmor's own
 * characters escaped.
 */
#include "learn/propose.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/policy/policy.h"

static const char *const shared_dirs[] = { "/tmp/", "/var/tmp/", "/dev/shm/" };

static bool is_shared(struct str path)
{
	for (size_t i = 0; i < ARRAY_SIZE(shared_dirs); i++)
		if (str_starts(path, shared_dirs[i]))
			return true;
	return false;
}

static void put_escaped(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (memchr("*?[]{}^\\\",", s.p[i], 10))
			buf_putc(out, '\\');
		buf_putc(out, s.p[i]);
	}
}

const char *generalize_escape(struct arena *a, struct str path)
{
	BUF_AUTO out = { 0 };

	put_escaped(&out, path);
	return buf_keep(a, &out);
}

static bool all_digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

/* ---- names made by mkstemp and its like ---- */

static bool is_random(struct str s)
{
	unsigned upper = 0, lower = 0, digit = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		upper += c >= 'A' && c <= 'Z';
		lower += (c >= 'a' && c <= 'z') || c == '_';
		digit += c >= '0' && c <= '9';
	}
	return upper + lower + digit == s.n && (upper > 0) + (lower > 0) + (digit > 0) >= 2;
}

/* Where the random part of a component is: [*at, *at + *n). */
static bool find_random(struct str c, size_t *at, size_t *n)
{
	static const struct {
		const char *prefix;
		size_t n; /* random characters behind it */
	} makers[] = {
		{ "tmp.", 10 }, /* mktemp(1) */
		{ "tmp", 8 },   /* Python's tempfile */
		{ "cc", 6 },    /* gcc */
	};
	size_t end = 0;

	for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
		size_t len = strlen(makers[i].prefix);
		struct str tail = { c.p + len, makers[i].n };

		if (!str_starts(c, makers[i].prefix) || c.n < len + tail.n ||
		    (c.n > len + tail.n && isalnum((unsigned char)c.p[len + tail.n])))
			continue;
		*at = len;
		*n = tail.n;
		return true;
	}
	/* mkstemp's own: six at the end of the name, or before a suffix. */
	while (end < c.n && (c.p[end] != '.' || end < 6))
		end++;
	if (end < 6 || !is_random((struct str){ c.p + end - 6, 6 }))
		return false;
	*at = end - 6;
	*n = 6;
	return true;
}

static int cmp_path(const void *key, const void *file)
{
	return str_cmp(*(const struct str *)key, ((const struct recorded_file *)file)->path);
}

static bool is_written(const struct recording *r, struct str path)
{
	const struct recorded_file *f =
		bsearch(&path, r->files.v, r->files.n, sizeof(*f), cmp_path);

	return f && f->perms & (PERM_W | PERM_L);
}

/* Did the run itself make this file or directory? A recording's files are sorted. */
static bool was_made(struct arena *a, const struct recording *r, struct str path)
{
	return is_written(r, path) ||
	       is_written(r, str_c(arena_printf(a, "%.*s/", (int)path.n, path.p)));
}

/* ---- numbers in names that are gone again ---- */

static bool find_number(struct str c, size_t *at, size_t *n)
{
	size_t end = c.n;

	while (end && !isdigit((unsigned char)c.p[end - 1]))
		end--;
	for (*at = end; *at && isdigit((unsigned char)c.p[*at - 1]);)
		--*at;
	*n = end - *at;
	return *n >= 2;
}

/* ---- one path ---- */

struct widen {
	struct arena *a;
	const struct recording *r;
	const struct recorded_file *f;
	struct buf *out;
	const char *why;
};

static void put_random(struct widen *w, struct str c, size_t at, size_t n)
{
	put_escaped(w->out, (struct str){ c.p, at });
	for (size_t i = 0; i < n; i++)
		buf_putc(w->out, '?');
	put_escaped(w->out, (struct str){ c.p + at + n, c.n - at - n });
	w->why = "a random name, made anew each time";
}

static void put_component(struct widen *w, struct str c, bool last)
{
	struct str path = w->f->path, upto = { path.p, (size_t)(c.p - path.p) + c.n };
	static const char so[] = ".so.";
	const char *version;
	size_t at, n;

	if (str_starts(path, "/proc/") && all_digits(c)) {
		buf_puts(w->out, "[0-9]*");
		w->why = "a process id";
		return;
	}
	if (is_shared(path) && find_random(c, &at, &n) && was_made(w->a, w->r, upto)) {
		put_random(w, c, at, n);
		return;
	}
	version = last ? memmem(c.p, c.n, so, sizeof(so) - 1) : NULL;
	if (version && w->f->perms & PERM_M) {
		put_escaped(w->out, (struct str){ c.p, (size_t)(version - c.p) + sizeof(so) - 1 });
		buf_putc(w->out, '*');
		w->why = "a library's version";
		return;
	}
	if (last && w->f->perms & PERM_W && w->f->gone && find_number(c, &at, &n)) {
		put_escaped(w->out, (struct str){ c.p, at });
		buf_puts(w->out, "[0-9]*");
		put_escaped(w->out, (struct str){ c.p + at + n, c.n - at - n });
		w->why = "a number in the name of a file that was gone at the end";
		return;
	}
	put_escaped(w->out, c);
}

static const char *widen_path(struct widen *w)
{
	struct str path = w->f->path;
	size_t i = 0;

	while (i < path.n) {
		size_t n = 0;

		if (path.p[i] == '/') {
			buf_putc(w->out, '/');
			i++;
			continue;
		}
		while (i + n < path.n && path.p[i + n] != '/')
			n++;
		put_component(w, (struct str){ path.p + i, n }, i + n >= path.n);
		i += n;
	}
	return w->why;
}

/* Where a path came from decides between equals: the order is one whatever sorts. */
static int cmp_rule(const void *x, const void *y)
{
	const struct proposed_file *a = *(const struct proposed_file *const *)x;
	const struct proposed_file *b = *(const struct proposed_file *const *)y;
	int order = str_cmp(a->glob, b->glob);

	if (!order)
		order = (int)a->owner - (int)b->owner;
	return order ? order : (a > b) - (a < b);
}

static bool joined(struct arena *a, const struct recording *r, struct proposed_file *f,
		   const struct proposed_file *p)
{
	if (!str_eq(f->glob, p->glob) || f->owner != p->owner)
		return false;
	f->perms |= p->perms;
	f->count = count_add(f->count, p->count);
	f->files += p->files;
	f->in = recording_join_runs(a, r, f->in, p->in);
	if (p->first_ns < f->first_ns)
		f->first_ns = p->first_ns;
	return true;
}

static struct proposed_file propose_file(struct arena *a, const struct recording *r,
					 const struct recorded_file *f)
{
	BUF_AUTO glob = { 0 };
	struct widen w = { .a = a, .r = r, .f = f, .out = &glob };
	struct proposed_file p = {
		.perms = f->perms,
		.count = f->count,
		.first_ns = f->first_ns,
		.in = f->in,
		.files = 1,
	};

	p.why = widen_path(&w);
	/* In directories that everybody writes to, another's file is not ours to touch. */
	p.owner = f->owned && f->perms & (PERM_W | PERM_A) && is_shared(f->path);
	p.glob = str_c(glob.n ? buf_keep(a, &glob) : "/");
	return p;
}

void generalize_files(struct arena *a, const struct recording *r, struct proposed_files *out)
{
	size_t n = r->files.n;
	struct proposed_file *all = ARENA_ARRAY(a, struct proposed_file, n);
	const struct proposed_file **order = ARENA_ARRAY(a, const struct proposed_file *, n);

	for (size_t i = 0; i < n; i++) {
		all[i] = propose_file(a, r, &r->files.v[i]);
		order[i] = &all[i];
	}
	if (n)
		qsort(order, n, sizeof(*order), cmp_rule);
	for (size_t i = 0; i < n; i++)
		if (!out->list.n || !joined(a, r, &out->list.v[out->list.n - 1], order[i]))
			vec_push(a, &out->list, *order[i]);
}
