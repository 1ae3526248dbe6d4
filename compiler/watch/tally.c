/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/watch/tally.h"

#include "compiler/base/table.h"
#include "compiler/tell/denial_tell.h"
#include "compiler/tell/refused.h"

enum { BUCKETS = 2 * TALLY_MAX, NONE = TALLY_MAX };

void tally_new(struct arena *a, struct tally *t)
{
	*t = (struct tally){ .newest = NONE, .oldest = NONE };
	t->entries = ARENA_ARRAY(a, struct tally_entry, TALLY_MAX);
	t->buckets = ARENA_ARRAY(a, uint32_t, BUCKETS);
	for (unsigned i = 0; i < BUCKETS; i++)
		t->buckets[i] = NONE;
}

/* ---- what it is called ---- */

void tally_label(struct buf *out, const struct watch_record *r)
{
	static const struct refusing none;

	if (r->apparmor) {
		struct denial n = r->denial;
		n.d.comm = n.d.pid = (struct str){ "", 0 };
		denial_put_head(out, &n, 1);
	} else {
		struct refused_call e = { .r = r->call, .count = 1 };
		e.r.comm[0] = e.r.pid[0] = '\0';
		refused_put_call(out, &none, &e);
	}
	if (out->n && out->p[out->n - 1] == '\n')
		out->p[--out->n] = '\0';
}

/* ---- by when they were met ---- */

static void unlink_entry(struct tally *t, uint32_t at)
{
	const struct tally_entry *e = &t->entries[at];

	if (e->newer == NONE)
		t->newest = e->older;
	else
		t->entries[e->newer].older = e->older;
	if (e->older == NONE)
		t->oldest = e->newer;
	else
		t->entries[e->older].newer = e->newer;
}

static void make_newest(struct tally *t, uint32_t at)
{
	struct tally_entry *e = &t->entries[at];

	e->newer = NONE;
	e->older = t->newest;
	if (t->newest != NONE)
		t->entries[t->newest].newer = at;
	t->newest = at;
	if (t->oldest == NONE)
		t->oldest = at;
}

/* ---- room ---- */

static uint32_t *bucket(struct tally *t, uint64_t hash)
{
	return &t->buckets[(hash ^ hash >> 32) % BUCKETS];
}

/* What was met longest ago goes; its place. */
static uint32_t fold(struct tally *t)
{
	uint32_t at = t->oldest;
	const struct tally_entry *e = &t->entries[at];
	uint32_t *link = bucket(t, e->hash);

	while (*link != at)
		link = &t->entries[*link].next;
	*link = e->next;
	unlink_entry(t, at);
	t->folded_kinds++;
	t->folded += e->count - e->told;
	return at;
}

/* A different name under the same hash: what programs choose may be chosen for that. */
static bool is_same(const struct tally_entry *e, uint64_t hash, const struct watch_record *r,
		    const struct site *p, struct buf *label)
{
	if (e->hash != hash || e->apparmor != r->apparmor || !site_same(&e->site, p))
		return false;
	if (!r->apparmor)
		return true;
	if (!label->n)
		tally_label(label, r);
	size_t n = label->n < TALLY_LABEL - 1 ? label->n : TALLY_LABEL - 1;
	return !label->failed && !strncmp(e->label, label->p, n) && !e->label[n];
}

static uint64_t hash_at(const struct watch_record *r, const struct site *p)
{
	uint64_t h = hash_bytes(r->hash, &r->apparmor, sizeof(r->apparmor));

	h = hash_bytes(h, p->id, strlen(p->id));
	return p->state == SITE_HOST ? hash_bytes(h, p->unit, strlen(p->unit)) : h;
}

static struct tally_entry *new_entry(struct tally *t, const struct watch_record *r,
				     const struct site *p, uint64_t hash, struct buf *label)
{
	uint32_t at = t->n < TALLY_MAX ? t->n++ : fold(t);
	struct tally_entry *e = &t->entries[at];

	if (!label->n)
		tally_label(label, r);
	*e = (struct tally_entry){
		.hash = hash, .apparmor = r->apparmor, .site = *p, .first_ns = r->ns
	};
	size_t n = label->n < TALLY_LABEL - 1 ? label->n : TALLY_LABEL - 1;
	if (n)
		memcpy(e->label, label->p, n);
	e->next = *bucket(t, hash);
	*bucket(t, hash) = at;
	make_newest(t, at);
	return e;
}

struct tally_entry *tally_add(struct tally *t, const struct watch_record *r, const struct site *p,
			      bool *fresh)
{
	const uint64_t hash = hash_at(r, p);
	struct tally_entry *e = NULL;
	BUF_AUTO label = { 0 };
	uint32_t at = *bucket(t, hash);

	while (at != NONE && !is_same(&t->entries[at], hash, r, p, &label))
		at = t->entries[at].next;
	*fresh = at == NONE;
	if (*fresh) {
		e = new_entry(t, r, p, hash, &label);
	} else {
		e = &t->entries[at];
		if (t->newest != at) {
			unlink_entry(t, at);
			make_newest(t, at);
		}
	}
	e->count++;
	e->last_ns = r->ns;
	return e;
}

struct tally_entry *tally_untold(struct tally *t, uint32_t *at)
{
	while (*at < t->n) {
		struct tally_entry *e = &t->entries[(*at)++];

		if (e->count > e->told)
			return e;
	}
	return NULL;
}
