/* SPDX-License-Identifier: Apache-2.0 */
/* Whose refusals `pale watch --container` tells, and what is told of the names themselves. */
#include "compiler/cmd/watch.h"

static void begin(struct buf *text, const struct watch *w, size_t i, const char *before)
{
	buf_printf(text, "pale watch: %s'", before);
	buf_safe(text, str_c(w->containers->list.v[i]));
	buf_puts(text, "'");
}

/* Of two engines, or namespaces of containerd's; or what it says is the beginning of an id that both have. */
static bool are_two(const struct site *x, const struct site *y, const char *wanted)
{
	return site_apart(x, y) ||
	       (strcmp(x->id, y->id) != 0 && site_begins(x, wanted) && site_begins(y, wanted));
}

/* Whichever was met first. */
static void put_sorted(const struct site *x, const struct site *y, struct buf *one, struct buf *two)
{
	struct buf swap;

	site_put_called(one, x);
	site_put_called(two, y);
	if (one->failed || two->failed || strcmp(one->p, two->p) < 0)
		return;
	swap = *one;
	*one = *two;
	*two = swap;
}

static void meet(struct watch *w, size_t i, const struct site *p)
{
	struct watch_wanted *is = &w->wanted[i];
	BUF_AUTO text = { 0 };
	BUF_AUTO one = { 0 };
	BUF_AUTO two = { 0 };

	if (is->first.state != SITE_CONTAINER)
		is->first = *p;
	if (is->told || !are_two(&is->first, p, w->containers->list.v[i]))
		return;
	is->told = true;
	begin(&text, w, i, "");
	put_sorted(&is->first, p, &one, &two);
	buf_printf(&text,
		   " is the container " PRISTR ", and also " PRISTR
		   ": both are told; '--container " PRISTR "' is one of them\n",
		   (int)one.n, one.p, (int)two.n, two.p, (int)one.n, one.p);
	tell_text(&text);
}

bool watch_is_wanted(struct watch *w, const struct site *p)
{
	if (p->state == SITE_GONE)
		w->sums.nowhere++;
	if (!w->containers->list.n)
		return true;
	for (size_t i = 0; i < w->containers->list.n; i++)
		if (*w->containers->list.v[i] && site_is(p, w->containers->list.v[i])) {
			meet(w, i, p);
			return true;
		}
	w->sums.elsewhere += p->state != SITE_GONE;
	return false;
}

/* The word is p's, which is kept for no longer than it is looked at. */
static void offer(struct watch_wanted *is, const char *wanted, const char *word)
{
	if (!is->near.word.p)
		suggest_start(&is->near, str_c(wanted));
	suggest_offer(&is->near, str_c(word));
	if (is->near.best.p != word)
		return;
	site_keep(is->nearest, sizeof(is->nearest), is->near.best);
	is->near.best = str_c(is->nearest);
}

void watch_meet(void *who, const struct site *p)
{
	struct watch *w = who;

	for (size_t i = 0; i < w->containers->list.n; i++) {
		const char *wanted = w->containers->list.v[i];

		if (*wanted && site_is(p, wanted))
			meet(w, i, p);
		else if (!w->looked)
			offer(&w->wanted[i], wanted, p->name);
	}
}

void watch_tell_missing(struct watch *w)
{
	w->looked = true;
	for (size_t i = 0; i < w->containers->list.n; i++) {
		const struct suggest *near = &w->wanted[i].near;
		BUF_AUTO text = { 0 };

		if (w->wanted[i].first.state == SITE_CONTAINER)
			continue;
		begin(&text, w, i, "no container that runs is called ");
		buf_puts(&text, near->best.p ? "; did you mean '" : "");
		buf_safe(&text, near->best);
		buf_puts(&text, near->best.p ? "'? It" : "; it");
		buf_puts(&text, " is told of when it comes\n");
		tell_text(&text);
	}
}
