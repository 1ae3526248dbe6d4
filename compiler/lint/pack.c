/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as they lie in memory; texts as their length, their bytes and a NUL, which are not copied
 * again; a source by its place among those that are sent. */
#include "compiler/lint/pack.h"

/* ---- writing ---- */

struct pack {
	const struct findings *all;
	struct buf *out;
	uint32_t *sent; /* of a source of the findings: its number from 1; 0: it is not sent */
	uint32_t n;
};

static void put_u64(struct pack *p, uint64_t n)
{
	buf_add(p->out, &n, sizeof(n));
}

static void put_str(struct pack *p, struct str s)
{
	put_u64(p, s.n);
	buf_add(p->out, s.p, s.n);
	buf_putc(p->out, '\0');
}

/* NULL is not the empty text. */
static void put_text(struct pack *p, const char *text)
{
	put_u64(p, text != NULL);
	if (text)
		put_str(p, str_c(text));
}

static void put_span(struct pack *p, struct span sp)
{
	if (sp.source < p->all->diags->sources->list.n)
		sp.source = p->sent[sp.source] - 1;
	buf_add(p->out, &sp, sizeof(sp));
}

static void put_diag(struct pack *p, const struct diag *d)
{
	put_u64(p, d->id);
	put_u64(p, d->rule);
	put_u64(p, d->severity);
	put_span(p, d->span);
	put_text(p, d->text);
	put_text(p, d->help);
	put_u64(p, d->also);
	put_text(p, d->suppressed);
	put_u64(p, d->fix.safety);
	put_u64(p, d->fix.change);
	put_u64(p, d->fix.edits.n);
	vec_each(&d->fix.edits, e) {
		put_span(p, e->span);
		put_str(p, e->replacement);
	}
	put_u64(p, d->fix.calls.n);
	vec_each(&d->fix.calls, call)
		put_str(p, *call);
	put_u64(p, d->labels.n);
	vec_each(&d->labels, l) {
		put_span(p, l->span);
		put_text(p, l->text);
		put_u64(p, l->again);
	}
}

static void want(struct pack *p, struct span sp)
{
	if (sp.source < p->all->diags->sources->list.n)
		p->sent[sp.source] = 1;
}

static void put_sources(struct pack *p)
{
	const struct sources *s = p->all->diags->sources;

	vec_each(&p->all->list, f) {
		want(p, f->diag->span);
		vec_each(&f->diag->fix.edits, e)
			want(p, e->span);
		vec_each(&f->diag->labels, l)
			want(p, l->span);
	}
	for (size_t i = 0; i < s->list.n; i++)
		if (p->sent[i])
			p->sent[i] = ++p->n;
	put_u64(p, p->n);
	for (size_t i = 0; i < s->list.n; i++) {
		if (!p->sent[i])
			continue;
		put_str(p, str_c(s->list.v[i]->name));
		put_str(p, s->list.v[i]->text);
	}
}

void findings_pack(const struct findings *all, struct buf *out)
{
	struct pack p = { .all = all, .out = out };

	p.sent = ARENA_ARRAY(all->diags->arena, uint32_t, all->diags->sources->list.n + 1);
	put_sources(&p);
	put_u64(&p, all->list.n);
	vec_each(&all->list, f) {
		put_diag(&p, f->diag);
		put_u64(&p, f->fingerprint);
		put_u64(&p, f->fate);
		put_text(&p, f->reason);
	}
}

/* ---- reading ---- */

struct unpack {
	struct arena *arena;
	const char *p;
	size_t left;
	bool wrong; /* all that is read from there on is 0 */
};

static void get_bytes(struct unpack *u, void *to, size_t n)
{
	memset(to, 0, n);
	u->wrong |= u->left < n;
	if (u->wrong)
		return;
	memcpy(to, u->p, n);
	u->p += n;
	u->left -= n;
}

static uint64_t get_u64(struct unpack *u)
{
	uint64_t n;

	get_bytes(u, &n, sizeof(n));
	return n;
}

/* Of something that has at least a byte each. */
static size_t get_count(struct unpack *u)
{
	uint64_t n = get_u64(u);

	u->wrong |= n > u->left;
	return u->wrong ? 0 : (size_t)n;
}

/* A word of an enum. */
static unsigned get_word(struct unpack *u, unsigned words)
{
	uint64_t n = get_u64(u);

	u->wrong |= n >= words;
	return u->wrong ? 0 : (unsigned)n;
}

static struct str get_str(struct unpack *u)
{
	size_t n = get_count(u);
	struct str s = { u->p, n };

	u->wrong |= u->left < n + 1;
	if (u->wrong)
		return STR("");
	u->wrong |= s.p[n] != '\0';
	u->p += n + 1;
	u->left -= n + 1;
	return s;
}

static const char *get_text(struct unpack *u)
{
	return get_word(u, 2) ? get_str(u).p : NULL;
}

static struct span get_span(struct unpack *u)
{
	struct span sp;

	get_bytes(u, &sp, sizeof(sp));
	return sp;
}

static struct diag *get_diag(struct unpack *u)
{
	struct diag *d = ARENA_NEW(u->arena, struct diag);

	d->id = (enum diag_id)get_word(u, DIAG_NR);
	d->rule = (enum diag_id)get_word(u, DIAG_NR);
	d->severity = (enum severity)get_word(u, SEVERITY_NR);
	d->span = get_span(u);
	d->text = get_text(u);
	d->help = get_text(u);
	d->also = get_u64(u);
	d->suppressed = get_text(u);
	d->fix.safety = (enum fix_safety)get_word(u, FIX_SAFE + 1);
	d->fix.change = (enum fix_change)get_word(u, FIX_CHANGE_NR);
	for (size_t n = get_count(u); n; n--) {
		struct span sp = get_span(u);

		vec_push(u->arena, &d->fix.edits, ((struct edit){ sp, get_str(u) }));
	}
	for (size_t n = get_count(u); n; n--)
		vec_push(u->arena, &d->fix.calls, get_str(u));
	for (size_t n = get_count(u); n; n--) {
		struct diag_label l = { .span = get_span(u) };

		l.text = get_text(u);
		l.again = get_word(u, 2);
		vec_push(u->arena, &d->labels, l);
	}
	return d;
}

bool findings_unpack(struct arena *a, struct str bytes, const char *file, struct findings *out)
{
	struct unpack u = { .arena = a, .p = arena_dup(a, bytes.p, bytes.n), .left = bytes.n };
	struct diags *ds = diags_new(a, sources_new(a));

	*out = (struct findings){ .diags = ds, .file = file };
	for (size_t n = get_count(&u); n; n--) {
		const char *name = get_str(&u).p;

		source_add(ds->sources, name, get_str(&u));
	}
	for (size_t n = get_count(&u); n; n--) {
		struct finding f = { .diag = get_diag(&u) };

		f.fingerprint = get_u64(&u);
		f.fate = (enum finding_fate)get_word(&u, FINDING_KNOWN + 1);
		f.reason = get_text(&u);
		f.source = source_of(ds->sources, f.diag->span);
		f.file = f.source ? f.source->name : file;
		vec_push(a, &out->list, f);
	}
	return !u.wrong && !u.left;
}
