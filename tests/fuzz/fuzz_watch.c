/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes, as what `pale watch` reads: lines of text, a record of the kernel's log or of audit's
 * group; what is refused is counted, told and a series. The first byte says which.
 */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/watch/kernel.h"
#include "compiler/watch/put.h"
#include "compiler/watch/series.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzzed {
	struct tally tally;
	struct series *series;
};

static void take(struct fuzzed *f, const struct watch_line *line)
{
	struct arena *a = arena_new(NULL);
	struct series_key key;
	struct watch_record r;
	struct watch_lost lost;
	struct site site;
	BUF_AUTO out = { 0 };
	bool fresh;

	if (watch_read(a, line, &r, &lost) == WATCH_REFUSED) {
		site_of_cgroup(str_dup(a, r.line), &site);
		struct tally_entry *e = tally_add(&f->tally, &r, &site, &fresh);
		if (fresh) {
			series_key_of(&key, &r, &site);
			e->series = series_of(f->series, &key);
		}
		series_count(f->series, e->series);
		for (int json = 0; json < 2; json++) {
			watch_put_refusal(&out, json, &r, e, r.line);
			watch_put_more(&out, json, e);
		}
		BUG_ON(!out.n || out.failed);
		for (size_t i = 0; i < out.n; i++)
			BUG_ON(out.p[i] == '\x1b' || !out.p[i]);
	}
	arena_free(a);
}

static void take_lines(struct fuzzed *f, struct str text)
{
	while (text.n) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t n = end ? (size_t)(end - text.p) : text.n;
		struct watch_line line = { .text = { text.p, n }, .cut = !end };

		take(f, &line);
		n += end != NULL;
		text = (struct str){ text.p + n, text.n - n };
	}
}

static void take_record(struct fuzzed *f, struct arena *a, bool audit, struct str bytes)
{
	struct watch_source s = { .record = arena_alloc(a, AUDIT_HEAD_MAX + KERNEL_RECORD_MAX) };
	struct watch_line line;
	uint64_t lost;
	size_t n = bytes.n < KERNEL_RECORD_MAX ? bytes.n : KERNEL_RECORD_MAX;

	memcpy(s.record + (audit ? AUDIT_HEAD_MAX : 0), bytes.p, n);
	BUG_ON(audit && audit_read_status(bytes.p, n, &lost) && lost > UINT32_MAX);
	if (audit ? audit_read_message(&s, n, &line) : kmsg_read(&s, n, &line))
		take(f, &line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(NULL);
	struct fuzzed f = { .series = series_new(a) };
	const struct watch_dropped none = { 0 };
	BUF_AUTO out = { 0 };

	tally_new(a, &f.tally);
	if (size) {
		struct str rest = { (const char *)data + 1, size - 1 };
		if (data[0] % 3)
			take_record(&f, a, data[0] % 3 == 2, rest);
		else
			take_lines(&f, rest);
	}
	series_print(&out, f.series, &none);
	BUG_ON(!out.n || out.failed);
	arena_free(a);
	return 0;
}
