/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/record/run.h"

#include <stddef.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "learn/record/recording.h"

enum row_kind { ROW_TEXT, ROW_NUMBER, ROW_BITS, ROW_FLAG };

static const struct {
	enum row_kind kind;
	const char *word;
	size_t at;
} rows[] = {
#define RUN(kind, word, member) { ROW_##kind, (word), offsetof(struct recorded_run, member) },
#include "learn/record/run.def"
#undef RUN
};

/* Beside the rows: what every run has. */
enum { SEEN_ID = ARRAY_SIZE(rows), SEEN_MACHINE, SEEN_NR };
_Static_assert(SEEN_NR <= 64, "a word has a bit for each");

static const struct {
	size_t offset;
	const char *what;
} loss_rows[] = {
#define LOSS(word, member, what) { offsetof(struct recording_losses, member), (what) },
#include "learn/record/losses.def"
#undef LOSS
};

/* ---- losses ---- */

static uint64_t loss_at(const struct recorded_run *r, size_t i)
{
	uint64_t n;

	memcpy(&n, (const char *)&r->losses + loss_rows[i].offset, sizeof(n));
	return n;
}

bool run_lossy(const struct recorded_run *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(loss_rows); i++)
		if (loss_at(r, i))
			return true;
	return false;
}

void run_time_print(struct buf *out, uint64_t ns)
{
	double ms = (double)ns / 1e6;

	buf_printf(out, ms < 1000 ? "%.1f ms" : "%.1f s", ms < 1000 ? ms : ms / 1000);
}

void run_losses_print(struct buf *out, const struct recorded_run *r)
{
	const char *sep = "";

	for (size_t i = 0; i < ARRAY_SIZE(loss_rows); i++) {
		uint64_t n = loss_at(r, i);

		if (!n)
			continue;
		buf_printf(out, "%s%llu %s", sep, (unsigned long long)n, loss_rows[i].what);
		sep = ", ";
	}
	if (!*sep)
		buf_puts(out, "none");
}

/* ---- lines ---- */

static uint64_t number_at(const struct recorded_run *r, size_t i)
{
	uint64_t n;

	memcpy(&n, (const char *)r + rows[i].at, sizeof(n));
	return n;
}

static const char *text_at(const struct recorded_run *r, size_t i)
{
	const char *text;

	memcpy(&text, (const char *)r + rows[i].at, sizeof(text));
	return text;
}

static bool flag_at(const struct recorded_run *r, size_t i)
{
	return *((const char *)r + rows[i].at);
}

static void put_row(struct buf *out, const struct recorded_run *r, size_t i, size_t n)
{
	unsigned long long number =
		rows[i].kind == ROW_NUMBER || rows[i].kind == ROW_BITS ? number_at(r, i) : 0;
	const char *text = rows[i].kind == ROW_TEXT ? text_at(r, i) : NULL;

	if (!number && !text && !(rows[i].kind == ROW_FLAG && flag_at(r, i)))
		return;
	buf_printf(out, "run %zu %s", n, rows[i].word);
	if (rows[i].kind == ROW_NUMBER)
		buf_printf(out, " %llu", number);
	if (rows[i].kind == ROW_BITS)
		buf_printf(out, " %#llx", number);
	if (text) {
		buf_putc(out, ' ');
		put_quoted(out, str_c(text));
	}
	buf_putc(out, '\n');
}

void run_print(struct buf *out, const struct recorded_run *r, size_t n)
{
	buf_printf(out, "run %zu id ", n);
	for (size_t i = 0; i < RUN_ID; i++)
		buf_printf(out, "%02x", r->id[i]);
	buf_printf(out, "\nrun %zu machine %s\n", n, arch_info(r->host)->name);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		put_row(out, r, i, n);
}

static bool read_id(struct line *w, struct recorded_run *r)
{
	struct str word;

	if (!take_word(w, "the id", &word))
		return false;
	for (size_t i = 0; i < RUN_ID; i++) {
		int high = word.n == 2 * RUN_ID ? lower_hex(word.p[2 * i]) : -1;
		int low = high < 0 ? -1 : lower_hex(word.p[2 * i + 1]);

		if (low < 0)
			return line_fail(w, word.p, "a run's id is %d digits, 0 to 9 and a to f",
					 2 * RUN_ID);
		r->id[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

static bool read_machine(struct line *w, struct recorded_run *r)
{
	struct str word;
	int arch;

	if (!take_word(w, "the machine", &word))
		return false;
	arch = arch_find(word);
	if (arch < 0 || !str_is(word, arch_info((enum arch)arch)->name))
		return line_fail(w, word.p, "no architecture that this pale knows");
	if (!recording_holds((enum arch)arch))
		return line_fail(w, word.p,
				 "calls of this machine have numbers beyond those of recordings");
	r->host = (enum arch)arch;
	return true;
}

static bool read_row(struct line *w, struct recorded_run *r, size_t i)
{
	char *to = (char *)r + rows[i].at;
	const char *at = w->rest.p;
	struct str text;
	uint64_t n;

	switch (rows[i].kind) {
	case ROW_TEXT:
		if (!take_quoted(w, rows[i].word, &text))
			return false;
		if (!text.n)
			return line_fail(w, at, "what is empty has no line");
		memcpy(to, &text.p, sizeof(text.p));
		return true;
	case ROW_NUMBER:
	case ROW_BITS:
		if (!take_number(w, rows[i].word, UINT64_MAX, &n))
			return false;
		if (!n)
			return line_fail(w, at, "what is 0 has no line");
		memcpy(to, &n, sizeof(n));
		return true;
	case ROW_FLAG: *to = true; return true;
	}
	BUG_ON(true);
}

bool run_read(struct line *w, struct recorded_run *r, uint64_t *seen)
{
	struct str word;
	size_t row = 0;

	if (!take_word(w, "what is said of the run", &word))
		return false;
	while (row < ARRAY_SIZE(rows) && !str_is(word, rows[row].word))
		row++;
	if (str_is(word, "id"))
		row = SEEN_ID;
	else if (str_is(word, "machine"))
		row = SEEN_MACHINE;
	else if (row == ARRAY_SIZE(rows))
		return line_fail(w, word.p, "nothing that this pale knows of a run");
	if (*seen >> row & 1)
		return line_fail(w, word.p, "that stands here twice");
	*seen |= UINT64_C(1) << row;
	if (row == SEEN_ID      ? !read_id(w, r) :
	    row == SEEN_MACHINE ? !read_machine(w, r) :
				  !read_row(w, r, row))
		return false;
	return line_end(w);
}

const char *run_lacks(uint64_t seen)
{
	static const char *const needed[] = { "kernel", "libc", "tier" };

	if (!(seen >> SEEN_ID & 1))
		return "id";
	if (!(seen >> SEEN_MACHINE & 1))
		return "machine";
	for (size_t n = 0; n < ARRAY_SIZE(needed); n++)
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
			if (!strcmp(rows[i].word, needed[n]) && !(seen >> i & 1))
				return needed[n];
	return NULL;
}

bool run_same(const struct recorded_run *a, const struct recorded_run *b)
{
	BUF_AUTO one = { 0 }, other = { 0 };

	run_print(&one, a, 1);
	run_print(&other, b, 1);
	return str_eq((struct str){ one.p, one.n }, (struct str){ other.p, other.n });
}

/* Rows of numbers that count: from "tasks" on, and no bits. */
void run_count(struct recorded_run *to, const struct recorded_run *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t n;

		if (rows[i].kind != ROW_NUMBER ||
		    rows[i].at == offsetof(struct recorded_run, started_ns) ||
		    rows[i].at == offsetof(struct recorded_run, serving_ns) ||
		    rows[i].at == offsetof(struct recorded_run, snapshot))
			continue;
		n = count_add(number_at(to, i), number_at(r, i));
		memcpy((char *)to + rows[i].at, &n, sizeof(n));
	}
}
