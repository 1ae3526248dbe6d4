/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of all classes share: how faults are told, and the items one by one. */
#include <string.h>

#include "compiler/rules/rules_read.h"
#include "compiler/base/bug.h"

const char *aa_release_name(enum aa_release r)
{
	static const char *const names[AA_RELEASE_NR] = { "3.0",   "4.0",   "4.1",
							  "4.1.2", "4.1.8", "5.0" };

	return names[r];
}

/* "4.1.2" as a number that grows with it, from at most three parts; 0: it is no version. */
static uint32_t version_number(struct str s)
{
	uint32_t number = 0, part = 0;
	unsigned parts = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.' && parts < 2) {
			number = number << 8 | part;
			part = 0;
			parts++;
		} else if (s.p[i] >= '0' && s.p[i] <= '9' && part < 25) {
			part = part * 10 + (uint32_t)(s.p[i] - '0');
		} else {
			break; /* "5.0.0~beta1" */
		}
	}
	return (number << 8 | part) << 8 * (2 - parts);
}

bool aa_release_of(struct str version, enum aa_release *out)
{
	static const uint32_t from[AA_RELEASE_NR] = {
		[AA_RELEASE_3_0] = 0x030000,   [AA_RELEASE_4_0] = 0x040000,
		[AA_RELEASE_4_1] = 0x040100,   [AA_RELEASE_4_1_2] = 0x040102,
		[AA_RELEASE_4_1_8] = 0x040108, [AA_RELEASE_5_0] = 0x050000,
	};
	uint32_t number = version_number(version);

	if (number >= 0x050100) /* what it reads otherwise than 5.0 is not known */
		return false;
	for (unsigned r = AA_RELEASE_NR; r--;)
		if (number >= from[r]) {
			*out = (enum aa_release)r;
			return true;
		}
	return false;
}

const char *aa_release_doubt(struct str version)
{
	uint32_t number = version_number(version);

	if (number >= 0x030100 && number < 0x040000)
		return "not measured: as 3.0 reads it";
	if (number == 0x040101)
		return "not measured: as 4.1.0 reads it";
	return number >= 0x040000 && number < 0x040100 ? "not measured: as 4.1 reads it" : "";
}

const struct aa_cond *aa_rule_cond(const struct aa_rule *r, enum aa_cond_id id, bool peer)
{
	vec_each(&r->conds, c)
		if (c->id == id && c->peer == peer)
			return c;
	return NULL;
}

/* ---- faults ---- */

const char *aa_safe(const struct aa_reader *rd, struct str s)
{
	BUF_AUTO b = { 0 };

	buf_safe(&b, s);
	return buf_keep(rd->arena, &b);
}

static const char *format(const struct aa_reader *rd, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
static const char *format(const struct aa_reader *rd, const char *fmt, va_list ap)
{
	BUF_AUTO b = { 0 };

	buf_vprintf(&b, fmt, ap);
	return buf_keep(rd->arena, &b);
}

enum { TOLD_BEFORE = 64 }; /* among which a fault of an include is looked for again */

/* A file that several profiles include is read for each, and told about once. */
static bool told_before(const struct aa_reader *rd, enum diag_id id, struct span sp)
{
	const struct diags *ds = rd->diags;
	size_t n = ds->list.n, first = n > TOLD_BEFORE ? n - TOLD_BEFORE : 0;

	for (size_t i = first; rd->from && i < n; i++)
		if (ds->list.v[i]->id == id && ds->list.v[i]->span.source == sp.source &&
		    ds->list.v[i]->span.begin == sp.begin)
			return true;
	return false;
}

struct diag *aa_add(const struct aa_reader *rd, enum diag_id id, enum severity severity,
		    struct span sp, const char *text)
{
	struct diag *d;

	if (told_before(rd, id, sp))
		return rd->diags->past_cap; /* nothing of it is kept */
	d = diag_add_as(rd->diags, id, severity, sp, "%s", text);
	for (const struct aa_from *f = rd->from; f; f = f->parent)
		diag_note(rd->diags, d, f->include->span, "included here");
	return d;
}

struct diag *aa_say(const struct aa_reader *rd, enum diag_id id, struct span sp, const char *fmt,
		    ...)
{
	va_list ap;

	va_start(ap, fmt);
	const char *text = format(rd, fmt, ap);
	va_end(ap);
	return aa_add(rd, id, diag_info(id)->severity, sp, text);
}

struct diag *aa_fault(struct aa_read *r, enum diag_id id, struct span sp, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	const char *text = format(r->rd, fmt, ap);
	va_end(ap);
	r->failed = true;
	return aa_add(r->rd, id, SEVERITY_ERROR, sp, text);
}

struct diag *aa_misread(struct aa_read *r, struct span sp, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	const char *text = format(r->rd, fmt, ap);
	va_end(ap);
	return aa_add(r->rd, DIAG_PL346, SEVERITY_HIGH, sp, text);
}

bool aa_since(const struct aa_reader *rd, struct span sp, struct str word, const char *what,
	      enum aa_release since)
{
	if (rd->target.release >= since)
		return true;
	diag_help(rd->diags,
		  aa_say(rd, DIAG_PL338, sp, "'%s'%s is read since AppArmor %s", aa_safe(rd, word),
			 what, aa_release_name(since)),
		  "leave it out, or name a newer target; this one is %s",
		  aa_release_name(rd->target.release));
	return false;
}

/* ---- items ---- */

/* Where the ',' would belong if the item began another rule: it begins on a later line. */
static bool begins_line(const struct aa_read *r, const struct aa_item *i, struct span *end)
{
	struct span between = { r->prev.source, r->prev.end, i->span.begin };
	struct str text;

	if (r->prev.source != i->span.source || between.end < between.begin)
		return false;
	text = span_text(r->rd->diags->sources, between);
	*end = (struct span){ between.source, between.begin, between.begin };
	return text.n && memchr(text.p, '\n', text.n);
}

void aa_next(struct aa_read *r)
{
	struct span end;

	if (begins_line(r, r->at, &end))
		r->broken = end;
	r->prev = r->at->span;
	r->at = r->at->next;
}

static void tell_no_comma(struct aa_read *r, struct span end)
{
	struct diag *d = aa_fault(r, DIAG_PL002, end, "missing ','");

	diag_rule(r->rd->diags, d, DIAG_AP102);
	diag_help(r->rd->diags, d, "every rule ends with ','; the next line begins another one");
	if (!r->rd->from)
		diag_fix(r->rd->diags, d, end, STR(","));
}

static void tell_comma(struct aa_read *r, struct span end)
{
	if (r->rd->policy)
		diag_help(r->rd->diags, aa_fault(r, DIAG_PL002, end, "missing ';'"),
			  "every statement ends with ';'");
	else
		tell_no_comma(r, end);
}

/* Does an item begin on a later line than the one before it ended? Told where the ',' belongs. */
bool aa_missing_comma(struct aa_read *r, const struct aa_item *i)
{
	struct span end;

	if (!begins_line(r, i, &end))
		return false;
	tell_comma(r, end);
	return true;
}

const char *aa_item_text(struct aa_read *r, const struct aa_item *i)
{
	struct str text = span_text(r->rd->diags->sources, i->span);

	if (text.n > 60)
		text.n = 60;
	return aa_safe(r->rd, text);
}

/* "a word or ','", where a policy has ';'. */
static const char *expectation(const struct aa_read *r, const char *expected)
{
	size_t n = strlen(expected), comma = strlen("','");

	if (!r->rd->policy || n < comma || strcmp(expected + n - comma, "','") != 0)
		return expected;
	return arena_printf(r->rd->arena, "%.*s';'", (int)(n - comma), expected);
}

void aa_unexpected(struct aa_read *r, const char *expected)
{
	struct span end = { r->prev.source, r->prev.end, r->prev.end };

	if (r->at && aa_missing_comma(r, r->at))
		return;
	if (r->at && r->broken.end) { /* a rule may have several lines, but not two rules' words */
		tell_comma(r, r->broken);
		return;
	}
	if (!r->at)
		aa_fault(r, DIAG_PL340, end, "'%s' ends too early, expected %s", r->keyword,
			 expectation(r, expected));
	else
		aa_fault(r, DIAG_PL340, r->at->span, "'%s' cannot stand here, expected %s",
			 aa_item_text(r, r->at), expectation(r, expected));
}

void aa_end(struct aa_read *r)
{
	if (r->at && !r->failed)
		aa_unexpected(r, "','");
}
