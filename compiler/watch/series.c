/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/watch/series.h"

#include <stdio.h>

#include "compiler/base/table.h"
#include "compiler/tables/tables.h"

struct one {
	struct series_key key;
	uint64_t count;
};

struct series {
	struct arena *arena;
	struct one all[SERIES_MAX];
	unsigned n;
	struct table by_key;
	uint64_t overflow;
};

struct series *series_new(struct arena *a)
{
	struct series *s = ARENA_NEW(a, struct series);

	s->arena = a;
	s->n = SERIES_OTHERS;
	for (unsigned i = 0; i < SERIES_OTHERS; i++) {
		s->all[i].key.apparmor = i;
		strcpy(s->all[i].key.what, "other");
	}
	return s;
}

/* ---- keys ---- */

static void keep_site(char *to, size_t size, const struct site *p)
{
	BUF_AUTO text = { 0 };

	if (p->state == SITE_CONTAINER || p->state == SITE_HOST)
		site_put(&text, p);
	site_keep(to, size, (struct str){ text.p ? text.p : "", text.n });
}

/* "/var/log/x/y" is of "/var/log", "/etc/x" of "/etc": as many as a profile has abstractions. */
static struct str path_class(struct str path)
{
	size_t n = 0;

	for (unsigned names = 0; names < 2; names++) {
		const char *slash =
			n + 1 < path.n ? memchr(path.p + n + 1, '/', path.n - n - 1) : NULL;

		if (!slash)
			break;
		n = (size_t)(slash - path.p);
	}
	return (struct str){ path.p, n ? n : path.n && *path.p == '/' };
}

void series_key_of(struct series_key *key, const struct watch_record *r, const struct site *p)
{
	const struct denied *d = &r->denial.d;

	*key = (struct series_key){ .apparmor = r->apparmor, .passed = watch_passed(r) };
	keep_site(key->container, sizeof(key->container), p);
	if (r->apparmor) {
		site_keep(key->profile, sizeof(key->profile), d->profile);
		site_keep(key->what, sizeof(key->what), d->class);
		if (r->denial.file)
			site_keep(key->path, sizeof(key->path), path_class(d->name));
		else if (d->capability.n)
			site_keep(key->path, sizeof(key->path), d->capability);
		return;
	}
	uint32_t nr = r->call.nr;
	int a = arch_of_call(r->call.audit, &nr);
	const struct syscall_info *sys = a < 0 ? NULL : syscall_by_nr((enum arch)a, nr);
	if (sys)
		site_keep(key->what, sizeof(key->what), str_c(sys->name));
	else
		snprintf(key->what, sizeof(key->what), "#%u", r->call.nr);
}

static uint64_t hash_of(const struct series_key *k)
{
	const bool flags[] = { k->apparmor, k->passed };
	uint64_t h = hash_bytes(HASH_START, flags, sizeof(flags));

	h = hash_bytes(h, k->container, strlen(k->container) + 1);
	h = hash_bytes(h, k->profile, strlen(k->profile) + 1);
	h = hash_bytes(h, k->what, strlen(k->what) + 1);
	return hash_bytes(h, k->path, strlen(k->path) + 1);
}

static bool same(const struct series_key *x, const struct series_key *y)
{
	return x->apparmor == y->apparmor && x->passed == y->passed &&
	       !strcmp(x->container, y->container) && !strcmp(x->profile, y->profile) &&
	       !strcmp(x->what, y->what) && !strcmp(x->path, y->path);
}

unsigned series_of(struct series *s, const struct series_key *key)
{
	const uint64_t hash = hash_of(key);
	struct table_walk it = table_start(hash);

	for (size_t at; (at = table_next(&s->by_key, &it)) != TABLE_END;)
		if (same(&s->all[at].key, key))
			return (unsigned)at;
	if (s->n == SERIES_MAX) {
		s->overflow++;
		return key->apparmor;
	}
	table_add(s->arena, &s->by_key, hash, s->n);
	s->all[s->n].key = *key;
	return s->n++;
}

void series_count(struct series *s, unsigned which)
{
	s->all[which].count++;
}

uint64_t series_overflow(const struct series *s)
{
	return s->overflow;
}

/* ---- text ---- */

/* label="value": a backslash and a quote are escaped, and what a terminal obeys is shown (buf_safe). */
static void put_label(struct buf *out, const char *name, const char *value)
{
	BUF_AUTO safe = { 0 };

	if (!*value)
		return;
	buf_safe(&safe, str_c(value));
	buf_printf(out, ",%s=\"", name);
	for (size_t i = 0; i < safe.n; i++) {
		if (safe.p[i] == '"' || safe.p[i] == '\\')
			buf_putc(out, '\\');
		buf_putc(out, safe.p[i]);
	}
	buf_putc(out, '"');
}

static void put_one(struct buf *out, const struct one *one)
{
	const struct series_key *k = &one->key;

	buf_printf(out, "pale_refusals_total{kind=\"%s\"", k->apparmor ? "apparmor" : "seccomp");
	put_label(out, "container", k->container);
	put_label(out, "profile", k->profile);
	put_label(out, k->apparmor ? "class" : "call", k->what);
	put_label(out, "path", k->path);
	put_label(out, "passed", k->passed ? "yes" : "");
	buf_puts(out, "} ");
	buf_number(out, one->count);
	buf_putc(out, '\n');
}

static void put_number(struct buf *out, const char *name, const char *help, uint64_t n)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s counter\n%s ", name, help, name, name);
	buf_number(out, n);
	buf_putc(out, '\n');
}

void series_print(struct buf *out, const struct series *s, const struct watch_dropped *dropped)
{
	buf_puts(out,
		 "# HELP pale_refusals_total what seccomp and AppArmor refused, or would have\n"
		 "# TYPE pale_refusals_total counter\n");
	for (unsigned i = 0; i < s->n; i++)
		if (i >= SERIES_OTHERS || s->all[i].count)
			put_one(out, &s->all[i]);
	put_number(out, "pale_kernel_dropped_total",
		   "records that the kernel dropped, by its own count", dropped->records);
	put_number(out, "pale_kernel_overruns_total",
		   "times that records were dropped and not counted by the kernel", dropped->times);
	put_number(out, "pale_series_overflow_total",
		   "kinds of refusals that had no room and count as other", s->overflow);
}
