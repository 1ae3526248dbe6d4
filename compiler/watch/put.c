/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/watch/put.h"

#include <time.h>

#include "compiler/base/json_write.h"
#include "compiler/tables/tables.h"
#include "compiler/tell/denial_tell.h"
#include "compiler/tell/refused.h"

enum { VERSION = 1, SITE_WIDTH = 32 };

#define SECOND UINT64_C(1000000000)

/* ---- both ---- */

static void put_time(struct buf *out, uint64_t ns)
{
	time_t seconds = (time_t)(ns / SECOND);
	struct tm tm = { 0 };
	char text[32] = "";

	if (gmtime_r(&seconds, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	buf_printf(out, "%s.%03uZ", text, (unsigned)(ns % SECOND / 1000000));
}

static const char *kind_word(bool apparmor)
{
	return apparmor ? "apparmor" : "seccomp";
}

/* The lines of a text, one after another; false: no more. */
static bool next_line(struct str *text, struct str *line)
{
	const char *end;

	if (!text->n)
		return false;
	end = memchr(text->p, '\n', text->n);
	*line = (struct str){ text->p, end ? (size_t)(end - text->p) : text->n };
	*text = (struct str){ text->p + line->n + (end != NULL),
			      text->n - line->n - (end != NULL) };
	return true;
}

/* ---- text ---- */

static void put_columns(struct buf *out, uint64_t ns, const struct tally_entry *e)
{
	BUF_AUTO site = { 0 };

	put_time(out, ns);
	buf_printf(out, "  %-8s  ", kind_word(e->apparmor));
	site_put(&site, &e->site);
	buf_puts(out, site.p ? site.p : "");
	for (size_t n = site.n; n < SITE_WIDTH; n++)
		buf_putc(out, ' ');
	buf_puts(out, "  ");
}

static void put_text(struct buf *out, const struct watch_record *r, const struct tally_entry *e,
		     struct str why)
{
	static const struct refusing none;
	struct str line;

	put_columns(out, e->last_ns, e);
	if (r->apparmor) {
		denial_put_head(out, &r->denial, 1);
	} else {
		struct refused_call call = { .r = r->call, .count = 1 };
		refused_put_call(out, &none, &call);
	}
	while (next_line(&why, &line)) {
		buf_puts(out, "    ");
		buf_safe(out, line);
		buf_putc(out, '\n');
	}
}

/* ---- JSON ---- */

static void open_event(struct json_writer *w, const char *event, uint64_t ns)
{
	BUF_AUTO time = { 0 };

	put_time(&time, ns);
	json_open(w, NULL, '{');
	json_number(w, "version", VERSION);
	json_text(w, "event", event);
	json_string(w, "time", (struct str){ time.p, time.n });
}

static void close_event(struct json_writer *w)
{
	json_close(w, '}');
	buf_putc(w->out, '\n');
}

static void optional(struct json_writer *w, const char *key, struct str s)
{
	if (s.n)
		json_string(w, key, s);
}

static void put_site(struct json_writer *w, const struct site *p)
{
	static const char *const words[] = { [SITE_UNASKED] = "unknown",
					     [SITE_GONE] = "gone",
					     [SITE_HOST] = "host",
					     [SITE_CONTAINER] = "container" };

	json_text(w, "where", words[p->state]);
	if (p->state == SITE_HOST)
		optional(w, "unit", str_c(p->unit));
	if (p->state != SITE_CONTAINER)
		return;
	json_open(w, "container", '{');
	json_text(w, "engine", p->engine);
	json_string(w, "id", str_c(p->id));
	optional(w, "namespace", str_c(p->space));
	optional(w, "name", str_c(p->name));
	optional(w, "image", str_c(p->image));
	json_close(w, '}');
	if (!*p->pod_uid)
		return;
	json_open(w, "pod", '{');
	json_string(w, "uid", str_c(p->pod_uid));
	optional(w, "name", str_c(p->pod));
	json_close(w, '}');
}

static void put_entry(struct json_writer *w, const struct tally_entry *e)
{
	json_text(w, "kind", kind_word(e->apparmor));
	put_site(w, &e->site);
	json_text(w, "what", e->label);
	json_number(w, "count", e->count);
}

static void put_call(struct json_writer *w, const struct audit_record *r)
{
	uint32_t nr = r->nr;
	int a = arch_of_call(r->audit, &nr);
	const struct syscall_info *sys = a < 0 ? NULL : syscall_by_nr((enum arch)a, nr);

	json_optional(w, "arch", a < 0 ? NULL : arch_info((enum arch)a)->name);
	json_optional(w, "call", sys ? sys->name : NULL);
	json_number(w, "nr", r->nr);
	if (r->answered)
		json_text(w, "answer", verdict_kind_name(r->verdict.kind));
	optional(w, "comm", str_c(r->comm));
}

static void put_denial(struct json_writer *w, const struct denied *d)
{
	static const char *const words[] = { [DENIED_DENIED] = "DENIED",
					     [DENIED_ALLOWED] = "ALLOWED",
					     [DENIED_KILLED] = "KILLED",
					     [DENIED_AUDIT] = "AUDIT" };

	json_text(w, "answer", words[d->status]);
	json_string(w, "profile", d->profile);
	optional(w, "namespace", d->ns);
	json_string(w, "operation", d->operation);
	optional(w, "class", d->class);
	optional(w, "name", d->name);
	optional(w, "requested", d->requested);
	optional(w, "denied", d->denied);
	optional(w, "capability", d->capability);
	optional(w, "comm", d->comm);
}

static void put_why(struct json_writer *w, struct str why)
{
	static const char way[] = "allowed by: ";
	struct str rest = why, line;

	if (!why.n)
		return;
	json_open(w, "why", '[');
	while (next_line(&rest, &line))
		json_string(w, NULL, line);
	json_close(w, ']');
	json_open(w, "allowed_by", '[');
	while (next_line(&why, &line))
		if (str_starts(line, way))
			json_string(
				w, NULL,
				(struct str){ line.p + sizeof(way) - 1, line.n - sizeof(way) + 1 });
	json_close(w, ']');
}

static void put_json(struct buf *out, const struct watch_record *r, const struct tally_entry *e,
		     struct str why)
{
	struct json_writer w = { .out = out };

	open_event(&w, "refusal", e->last_ns);
	put_entry(&w, e);
	if (r->pid)
		json_number(&w, "pid", r->pid);
	if (r->apparmor)
		put_denial(&w, &r->denial.d);
	else
		put_call(&w, &r->call);
	put_why(&w, why);
	close_event(&w);
}

/* ---- either ---- */

void watch_put_refusal(struct buf *out, bool json, const struct watch_record *r,
		       const struct tally_entry *e, struct str why)
{
	if (json)
		put_json(out, r, e, why);
	else
		put_text(out, r, e, why);
}

void watch_put_more(struct buf *out, bool json, const struct tally_entry *e)
{
	struct json_writer w = { .out = out };
	uint64_t more = e->count - e->told;

	if (!json) {
		put_columns(out, e->last_ns, e);
		buf_printf(out, "%s (%llu %s, %llu in all)\n", e->label, (unsigned long long)more,
			   e->told ? "more" : "times", (unsigned long long)e->count);
		return;
	}
	open_event(&w, "more", e->last_ns);
	put_entry(&w, e);
	json_number(&w, "more", more);
	close_event(&w);
}

void watch_put_dropped(struct buf *out, bool json, const struct watch_dropped *n, uint64_t now_ns)
{
	struct json_writer w = { .out = out };

	if (json) {
		open_event(&w, "dropped", now_ns);
		json_number(&w, "records", n->records);
		json_number(&w, "times", n->times);
		close_event(&w);
		return;
	}
	put_time(out, now_ns);
	buf_printf(out, "  the kernel dropped %llu records", (unsigned long long)n->records);
	if (n->times)
		buf_printf(out, ", and %llu times some that it did not count",
			   (unsigned long long)n->times);
	buf_putc(out, '\n');
}

void watch_put_end(struct buf *out, const struct watch_sums *s, uint64_t now_ns)
{
	const struct {
		const char *key;
		uint64_t n;
	} rows[] = { { "lines", s->lines },
		     { "refused", s->refused },
		     { "kinds", s->kinds },
		     { "twice", s->twice },
		     { "elsewhere", s->elsewhere },
		     { "nowhere", s->nowhere },
		     { "foreign", s->foreign },
		     { "bad", s->bad },
		     { "passed", s->passed },
		     { "folded_kinds", s->folded_kinds },
		     { "folded", s->folded },
		     { "overflow", s->overflow },
		     { "dropped_records", s->dropped.records },
		     { "dropped_times", s->dropped.times },
		     { "unread", s->unread } };
	struct json_writer w = { .out = out };

	open_event(&w, "end", now_ns);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		json_number(&w, rows[i].key, rows[i].n);
	close_event(&w);
}
