/* SPDX-License-Identifier: Apache-2.0 */
/* What `pale watch` makes of a line: whose refusal it is, counted, and told at first sight. */
#include "compiler/cmd/watch.h"

enum {
	FIRST_MAX = 100, /* refusals of a period that are told at first sight, with their reasons */
	TOTALS_MAX = 1000, /* and totals that are told at its end */
};

/* ---- losses ---- */

static void note_loss(struct watch *w, const struct watched_source *s,
		      const struct watch_lost *lost)
{
	if (s->losses_only) {
		/* What printk had no room for has reached audit's group all the same. */
		w->lost_times += lost->limit;
		return;
	}
	w->lost_suppressed += lost->suppressed;
	if (!lost->counter)
		return;
	if (!w->lost_known || lost->counter < w->lost_counter) {
		w->lost_base = lost->counter; /* since when is not known */
		w->lost_times++;
	}
	w->lost_known = true;
	w->lost_counter = lost->counter;
}

struct watch_dropped watch_dropped_all(const struct watch *w)
{
	uint64_t counted = w->lost_counter - w->lost_base;
	struct watch_dropped d = { .times = w->lost_times };

	/* The kernel says the same loss in both ways. */
	d.records = counted > w->lost_suppressed ? counted : w->lost_suppressed;
	for (unsigned i = 0; i < w->nsources; i++) {
		if (w->sources[i].losses_only)
			continue;
		d.records += w->sources[i].source.dropped.records;
		d.times += w->sources[i].source.dropped.times;
	}
	return d;
}

/* ---- one record ---- */

/* Has another source told it? By the event's number, and what it says: an event may have several. */
static bool is_seen(struct watch *w, unsigned which, const struct watch_record *r)
{
	uint64_t hash = r->hash ^ r->pid << 32;
	__typeof__(&w->seen[0]) k = &w->seen[(r->serial ^ hash) % WATCH_SEEN];

	if (w->nsources < 2 || !r->serial)
		return false;
	if (k->serial == r->serial && k->hash == hash && k->source != which)
		return true;
	k->serial = r->serial;
	k->hash = hash;
	k->source = which;
	return false;
}

static void tell_first(struct watch *w, const struct watch_record *r, struct tally_entry *e)
{
	BUF_AUTO why = { 0 };

	if (w->first == FIRST_MAX)
		return; /* its total is told */
	w->first++;
	if (!explain_put(&w->explain, r, &why)) {
		buf_free(&why);
		why = (struct buf){ 0 };
		buf_puts(&why, "what the files say of it took too long, or too much memory: 'pale "
			       "why' asks them alone\n");
	}
	watch_put_refusal(&w->out, w->json, r, e, (struct str){ why.p, why.n });
	e->told = e->count;
}

static void take_refusal(struct watch *w, unsigned which, struct watch_record *r)
{
	const struct watched_source *s = &w->sources[which];
	struct site site = { .state = SITE_UNASKED };
	struct series_key key;
	bool fresh;

	if (is_seen(w, which, r)) {
		w->sums.twice++;
		return;
	}
	if (s->ours)
		whose_find(w->whose, r->pid, r->ns, w->now_ns, &site);
	if (!watch_is_wanted(w, &site))
		return;
	if (!r->ns)
		r->ns = w->now_ns;
	w->sums.refused++;
	struct tally_entry *e = tally_add(&w->tally, r, &site, &fresh);
	if (fresh) {
		w->sums.kinds++;
		series_key_of(&key, r, &site);
		e->series = series_of(w->series, &key);
		tell_first(w, r, e);
	}
	series_count(w->series, e->series);
}

void watch_take_line(struct watch *w, unsigned which, const struct watch_line *line)
{
	struct watch_record r;
	struct watch_lost lost;

	enum watch_read is = watch_read(w->line, line, &r, &lost);
	w->sums.lines++;
	switch (w->sources[which].losses_only && is != WATCH_LOSS ? WATCH_NOTHING : is) {
	case WATCH_REFUSED: take_refusal(w, which, &r); break;
	case WATCH_PASSED: w->sums.passed++; break;
	case WATCH_FOREIGN: w->sums.foreign++; break;
	case WATCH_BAD: w->sums.bad++; break;
	case WATCH_LOSS: note_loss(w, &w->sources[which], &lost); break;
	case WATCH_NOTHING: break;
	}
	arena_empty(w->line);
}

/* ---- totals ---- */

void watch_tell_totals(struct watch *w, bool all)
{
	struct watch_dropped d = watch_dropped_all(w);
	uint32_t at = 0;

	for (unsigned i = 0; all || i < TOTALS_MAX; i++) {
		struct tally_entry *e = tally_untold(&w->tally, &at);
		if (!e)
			break;
		watch_put_more(&w->out, w->json, e);
		e->told = e->count;
	}
	if (d.records != w->told_dropped.records || d.times != w->told_dropped.times)
		watch_put_dropped(&w->out, w->json, &d, w->now_ns);
	w->told_dropped = d;
	w->first = 0;
}
