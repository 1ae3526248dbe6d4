/* SPDX-License-Identifier: Apache-2.0 */
/* base: arena, strings, numbers, suggestions, places, verdicts, diagnostics. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "compiler/base/bug.h"
#include "compiler/base/chain.h"
#include "compiler/base/diag.h"
#include "compiler/base/program.h"
#include "compiler/base/suggest.h"
#include "compiler/base/table.h"
#include "compiler/base/verdict.h"

static void arena_gives_zeroed_aligned_memory(void **state)
{
	struct arena *a = arena_new(NULL);
	size_t sizes[] = { 0, 1, 7, 16, 100, 4000, 5000, 16384, 70000, 3, 1 << 20, 9 };

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		size_t n = sizes[round % ARRAY_SIZE(sizes)];
		unsigned char *p = arena_alloc(a, n);

		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xa5, n); /* the next one must not see this */
	}
	assert_string_equal(arena_printf(a, "%s-%d", "x", 7), "x-7");
	arena_free(a);
	arena_free(NULL);
}

static jmp_buf out_of_memory;

static void leave(void)
{
	longjmp(out_of_memory, 1);
}

static void arena_refuses_overflow(void **state)
{
	struct arena *a = arena_new(leave);
	volatile unsigned refused = 0;

	(void)state;
	if (!setjmp(out_of_memory))
		arena_alloc_array(a, SIZE_MAX / 4, 8);
	else
		refused++;
	if (!setjmp(out_of_memory))
		arena_alloc(a, SIZE_MAX - 4);
	else
		refused++;
	assert_int_equal(refused, 2);
	arena_free(a);
}

static void leave_bound(void *who)
{
	longjmp(*(jmp_buf *)who, 2);
}

static void arena_and_scratches_share_a_bound(void **state)
{
	jmp_buf at_bound;
	struct arena *a = arena_new(leave), *scratch = arena_scratch(a);
	volatile unsigned left = 0;

	(void)state;
	arena_bound(a, 8 << 20, leave_bound, &at_bound);
	for (int i = 0; i < 40; i++) { /* what is freed counts no more */
		struct arena *s = arena_scratch(a);
		arena_alloc(s, 1 << 20);
		arena_free(s);
	}
	arena_alloc(scratch, 6 << 20);
	if (!setjmp(at_bound))
		arena_alloc(a, 3 << 20);
	else
		left++;
	arena_alloc(a, 1 << 20);
	if (!setjmp(at_bound))
		for (;;)
			arena_alloc(scratch, 100);
	else
		left++;
	assert_int_equal(left, 2);
	arena_free(scratch);
	arena_free(a);
}

static void arena_is_as_new_when_emptied(void **state)
{
	enum { PIECE = 3000, PIECES = 2000 };
	struct arena *a = arena_new(NULL);
	int at_bound = 0;
	size_t before = arena_taken(a);

	(void)state;
	for (int round = 0; round < 4; round++) {
		struct arena *scratch = arena_scratch(a), *gone = arena_scratch(a);
		for (int i = 0; i < PIECES; i++) {
			unsigned char *p = arena_alloc(i % 3 ? a : scratch, PIECE);
			for (int k = 0; k < PIECE; k++)
				assert_int_equal(p[k], 0);
			memset(p, 0xa5, PIECE);
			memset(arena_alloc(gone, 1000), 0x5a, 1000);
		}
		arena_free(gone);
		arena_bound(a, 16 << 20, leave_bound, &at_bound); /* of this round alone */
		arena_empty(a);
		assert_int_equal(arena_taken(a), before);
		assert_int_equal(arena_size(a), 0);
	}
	arena_alloc(a, 32 << 20);
	arena_free(a);
}

static void arena_takes_back_what_has_a_chunk_of_its_own(void **state)
{
	struct arena *a = arena_new(NULL);
	unsigned char *small = arena_alloc(a, 100), *large = arena_alloc(a, 1 << 20);
	unsigned char *other = arena_alloc(a, 100);
	size_t with = arena_taken(a);
	VEC(int) v = { 0 };

	(void)state;
	arena_give_back(a, large, 1 << 20);
	assert_true(arena_taken(a) <= with - (1 << 20));
	with = arena_taken(a);
	arena_give_back(a, small, 100);
	memset(small, 1, 100); /* another lives in its chunk */
	memset(other, 2, 100);
	assert_int_equal(arena_taken(a), with);
	for (int i = 0; i < 10000000; i++)
		vec_push_own(a, &v, i);
	for (int i = 0; i < 10000000; i += 9999)
		assert_int_equal(v.v[i], i);
	assert_true(arena_taken(a) < v.cap * sizeof(int) + (8 << 20));
	arena_free(a);
}

static void vec_keeps_what_was_pushed(void **state)
{
	struct arena *a = arena_new(NULL);
	VEC(int) v = { 0 };
	int n = 0;

	(void)state;
	for (int i = 0; i < 10000; i++)
		vec_push(a, &v, i);
	vec_each(&v, p)
		assert_int_equal(*p, n++);
	assert_int_equal(n, 10000);
	arena_free(a);
}

static void numbers_are_strict(void **state)
{
	static const struct {
		const char *text;
		int err;
		uint64_t value;
	} rows[] = {
		{ "0", 0, 0 },
		{ "7", 0, 7 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "0x0", 0, 0 },
		{ "0xFFffFFffFFffFFff", 0, UINT64_MAX },
		{ "0x00ff", 0, 255 },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "0x10000000000000000", -ERANGE, 0 },
		{ "99999999999999999999999999", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "09", -EINVAL, 0 },
		{ "00", -EINVAL, 0 },
		{ "0x", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "1a", -EINVAL, 0 },
		{ "0xg", -EINVAL, 0 },
		{ "1_000", -EINVAL, 0 },
		{ "99999999999999999999999999z", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t v = 0;

		assert_int_equal(str_u64(str_c(rows[i].text), &v), rows[i].err);
		assert_int_equal(v, rows[i].value);
	}
}

static const char *nearest(const char *word, const char *const *candidates)
{
	struct suggest s;

	suggest_start(&s, str_c(word));
	for (; *candidates; candidates++)
		suggest_offer(&s, str_c(*candidates));
	return s.best.p;
}

static void suggestions_are_near_or_none(void **state)
{
	static const char *const calls[] = { "open", "openat",  "close",  "clone",       "clone3",
					     "read", "pread64", "socket", "SOCK_STREAM", NULL };

	(void)state;
	assert_string_equal(nearest("opneat", calls), "openat"); /* one swap */
	assert_string_equal(nearest("opn", calls), "open");
	assert_string_equal(nearest("sokcet", calls), "socket");
	assert_string_equal(nearest("sock_strem", calls), "SOCK_STREAM"); /* case is free */
	assert_string_equal(nearest("cloen", calls), "clone");
	assert_null(nearest("xyzzy", calls));
	assert_null(nearest("", calls));
	assert_null(nearest("r", calls));
	char longer[200];
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	assert_null(nearest(longer, calls));
}

static void ties_go_to_the_same_first_letter(void **state)
{
	static const char *const words[] = { "bcd", "abd", "acd", NULL };

	(void)state;
	assert_string_equal(nearest("abcd", words), "abd");
}

static void places_count_code_points(void **state)
{
	struct arena *a = arena_new(NULL);
	struct sources *s = sources_new(a);
	struct source *src = source_add(s, "x", STR("ab\n\t\xc3\xbcz\r\n\nlast"));
	struct place p;

	(void)state;
	p = source_place(src, 0);
	assert_int_equal(p.line, 1);
	assert_int_equal(p.column, 1);
	p = source_place(src, 6); /* z, behind a tab and a letter of two bytes */
	assert_int_equal(p.line, 2);
	assert_int_equal(p.column, 3);
	assert_true(str_is(p.line_text, "\t\xc3\xbcz"));
	p = source_place(src, (uint32_t)src->text.n);
	assert_int_equal(p.line, 4);
	assert_int_equal(p.column, 5);
	p = source_place(src, UINT32_MAX);
	assert_int_equal(p.line, 4);
	assert_null(source_of(s, NO_SPAN));
	assert_int_equal(span_text(s, (struct span){ 0, 4, 2 }).n, 0);
	arena_free(a);
}

static void places_in_long_texts_are_counted_right(void **state)
{
	static const char *const parts[] = { "a",    "\xc3\xbc", "\n", "\t", "\xe2\x82\xac",
					     "\xff", "\r\n" };
	struct arena *a = arena_new(NULL);
	struct sources *s = sources_new(a);
	BUF_AUTO text = { 0 };
	uint32_t line = 1, column = 1;
	uint64_t x = 1;

	(void)state;
	while (text.n < 200000) {
		x = x * UINT64_C(6364136223846793005) + 1442695040888963407;
		/* Long lines, too: a newline is rare in the second half. */
		size_t part = (size_t)(x >> 33) % ARRAY_SIZE(parts);
		buf_puts(&text, text.n > 100000 && part % 4 == 2 ? "b" : parts[part]);
	}
	struct source *src = source_add(s, "long", (struct str){ text.p, text.n });
	for (uint32_t at = 0; at < text.n;) {
		struct place p = source_place(src, at);
		size_t len = utf8_len(text.p + at, text.n - at);

		assert_int_equal(p.line, line);
		assert_int_equal(p.column, column);
		column = text.p[at] == '\n' ? 1 : column + 1;
		line += text.p[at] == '\n';
		at += len ? (uint32_t)len : 1;
	}
	arena_free(a);
}

static void spans_join(void **state)
{
	struct span a = { 0, 5, 7 }, b = { 0, 1, 2 }, j = span_join(a, b);

	(void)state;
	assert_int_equal(j.begin, 1);
	assert_int_equal(j.end, 7);
	assert_int_equal(span_join(NO_SPAN, a).begin, 5);
	assert_int_equal(span_join(a, NO_SPAN).end, 7);
}

static void verdicts_come_back(void **state)
{
	(void)state;
	for (unsigned k = 0; k < VERDICT_NR; k++) {
		struct verdict v = { (enum verdict_kind)k, 38 }, back;
		BUF_AUTO b = { 0 };

		assert_true(verdict_eq(verdict_from_ret(verdict_to_ret(v)), v));
		verdict_print(&b, v);
		assert_int_equal(verdict_parse(str_c(b.p), &back), 0);
		assert_true(verdict_eq(back, v));
	}
	assert_int_equal(verdict_from_ret(0x12345678).kind, VERDICT_KILL_PROCESS);
	assert_int_equal(verdict_from_ret(0x0005ffff).data, 4095); /* as kernel/seccomp.c clamps */
	struct verdict v;
	assert_int_equal(verdict_parse(STR("ERRNO(4096)"), &v), -EINVAL);
	assert_int_equal(verdict_parse(STR("ERRNO()"), &v), -EINVAL);
	assert_int_equal(verdict_parse(STR("ERRNO"), &v), -EINVAL);
	assert_int_equal(verdict_parse(STR("ALLOW(1)"), &v), -EINVAL);
	assert_int_equal(verdict_parse(STR("KILL_PROCESSX"), &v), -EINVAL);
}

static void errors_past_the_cap_are_counted(void **state)
{
	struct arena *a = arena_new(NULL);
	struct diags *ds = diags_new(a, sources_new(a));

	(void)state;
	for (int i = 0; i < 50; i++)
		assert_non_null(diag_add(ds, DIAG_PL002, NO_SPAN, "error %d", i));
	assert_int_equal(ds->errors, 50);
	assert_int_equal(ds->list.n, 20);
	arena_free(a);
}

static void diagnostics_sort_by_place_and_stay_stable(void **state)
{
	struct arena *a = arena_new(NULL);
	struct sources *s = sources_new(a);
	struct diags *ds = diags_new(a, s);
	static const uint32_t at[] = { 4, 1, 3, 1, 2, 0, 1 };

	(void)state;
	source_add(s, "x", STR("abcdef"));
	for (unsigned i = 0; i < ARRAY_SIZE(at); i++)
		diag_add(ds, DIAG_PL002, (struct span){ 0, at[i], at[i] + 1 }, "%u", i);
	diags_sort(ds);
	static const char *const order[] = { "5", "1", "3", "6", "4", "2", "0" };
	for (unsigned i = 0; i < ARRAY_SIZE(order); i++)
		assert_string_equal(ds->list.v[i]->text, order[i]);
	arena_free(a);
}

static void json_diagnostics_escape(void **state)
{
	struct arena *a = arena_new(NULL);
	struct diags *ds = diags_new(a, sources_new(a));
	struct diag *d = diag_add(ds, DIAG_PL002, NO_SPAN, "a \"b\" \\ \n \xc2\x9b \xff \xc3\xbc");
	BUF_AUTO out = { 0 };

	(void)state;
	diag_help(ds, d, "help");
	diag_print_json(ds, d, &out);
	assert_string_equal(out.p, "{\"severity\":\"error\",\"id\":\"PL002\",\"slug\":\"syntax\","
				   "\"message\":\"a \\\"b\\\" \\\\ \\n \\u009b \\ufffd \xc3\xbc\","
				   "\"help\":\"help\"}\n");
	arena_free(a);
}

static struct str fix_of(struct arena *a, struct diags *ds, struct span sp, const char *word,
			 const char *one, const char *other)
{
	struct diag *d = diag_add(ds, DIAG_PL002, sp, "x");
	struct suggest s;

	suggest_start(&s, (struct str){ str_dup(a, str_c(word)), strlen(word) });
	suggest_offer(&s, str_c(one));
	suggest_offer(&s, str_c(other));
	assert_true(diag_suggest(ds, d, sp, &s));
	assert_non_null(d->help);
	return d->fix.edits.n ? d->fix.edits.v[0].replacement : (struct str){ NULL, 0 };
}

static void a_suggestion_is_a_fix_only_where_one_word_is_one_edit_away(void **state)
{
	struct arena *a = arena_new(NULL);
	struct sources *s = sources_new(a);
	struct diags *ds = diags_new(a, s);

	(void)state;
	source_add(s, "x", STR("opanat \"opanat\" \"op\\u0061nat\""));
	struct span bare = { 0, 0, 6 }, quoted = { 0, 7, 15 }, escaped = { 0, 16, 29 };
	assert_true(str_is(fix_of(a, ds, bare, "opanat", "openat", "openat2"), "openat"));
	assert_true(str_is(fix_of(a, ds, bare, "opanat", "openat", "openat"), "openat"));
	assert_true(str_is(fix_of(a, ds, bare, "opanat", "opxnaz", "openat"), "openat"));
	assert_null(fix_of(a, ds, bare, "opanat", "openat", "opinat").p);
	assert_null(fix_of(a, ds, bare, "opanat", "openut", "opxnaz").p);
	assert_null(fix_of(a, ds, escaped, "opanat", "openat", "read").p);
	assert_null(fix_of(a, ds, NO_SPAN, "opanat", "openat", "read").p);
	assert_true(str_is(fix_of(a, ds, quoted, "opanat", "openat", "read"), "openat"));
	struct diag *d = ds->list.v[ds->list.n - 1];
	assert_int_equal(d->fix.edits.v[0].span.begin, 8);
	assert_int_equal(d->fix.edits.v[0].span.end, 14);
	BUF_AUTO out = { 0 };
	diag_print_json(ds, d, &out);
	assert_non_null(strstr(
		out.p, ",\"fixes\":[{\"safety\":\"unsafe\",\"change\":\"read\",\"edits\":["
		       "{\"file\":\"x\",\"line\":1,\"column\":9,\"endLine\":1,"
		       "\"endColumn\":15,\"begin\":8,\"end\":14,\"replacement\":\"openat\"}]}]"));
	arena_free(a);
}

struct chained {
	struct chain_link link;
	uint32_t number;
};

static void a_chain_keeps_all_under_equal_and_neighbouring_hashes(void **state)
{
	(void)state;
	struct arena *a = arena_new(NULL);
	struct chain t = { 0 };
	struct chained all[1000];

	assert_null(chain_first(&t, 0));
	for (uint32_t round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < ARRAY_SIZE(all); i++) {
			all[i].number = i;
			chain_add(a, &t, &all[i].link, i / 3 * 64);
		}
		for (uint32_t i = 0; i < ARRAY_SIZE(all); i++) {
			size_t found = 0, same = 0;
			for (struct chain_link *l = chain_first(&t, i / 3 * 64); l;
			     l = chain_next(l)) {
				found += ((struct chained *)l)->number == i;
				same++;
			}
			assert_int_equal(found, 1);
			assert_int_equal(same, i < 999 ? 3 : 1);
		}
		assert_null(chain_first(&t, 1));
		chain_clear(&t);
		assert_null(chain_first(&t, 64));
	}
	arena_free(a);
}

static size_t times_in(const struct table *t, uint64_t hash, size_t at)
{
	struct table_walk w = table_start(hash);
	size_t found, n = 0;

	while ((found = table_next(t, &w)) != TABLE_END)
		n += found == at;
	return n;
}

static void a_table_keeps_all_under_equal_and_neighbouring_hashes(void **state)
{
	struct arena *a = arena_new(NULL);
	struct table t = { 0 };

	(void)state;
	assert_int_equal(times_in(&t, 0, 0), 0);
	for (size_t i = 0; i < 3000; i++) /* 0, 0, 0, 64, 64, 64, ...: one slot until it grows */
		table_add(a, &t, i / 3 * 64, i);
	for (size_t i = 0; i < 3000; i++)
		for (size_t k = 0; k < 4; k++)
			assert_int_equal(times_in(&t, i / 3 * 64, i / 3 * 3 + k), k < 3);
	assert_int_equal(times_in(&t, 1, 0), 0);
	assert_int_equal(times_in(&t, UINT64_MAX, 0), 0);
	assert_true(t.nslots >= 2 * t.n && !(t.nslots & (t.nslots - 1)));
	arena_free(a);
}

static void hashes_are_fnv_1a(void **state)
{
	(void)state;
	assert_true(hash_str(STR("")) == HASH_START);
	assert_true(hash_str(STR("a")) == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(hash_bytes(hash_str(STR("foo")), "bar", 3) == UINT64_C(0x85944171f73967e8));
}

static void unsafe_bytes_are_shown_as_hex(void **state)
{
	BUF_AUTO out = { 0 };

	(void)state;
	buf_safe(&out, STR("a\x1b[31m\xff\xed\xa0\x80\xc2\x85\xc3\xbc"));
	assert_string_equal(out.p, "a\\x1b[31m\\xff\\xed\\xa0\\x80\\xc2\\x85\xc3\xbc");
}

/* ---- programs that are asked ---- */

static int ask(const char *script, struct program_question q, struct buf *said)
{
	const char *const argv[] = { "sh", "-c", script, NULL };

	q.path = "/bin/sh";
	q.argv = argv;
	q.in = q.in ? q.in : -1;
	q.limit_ms = q.limit_ms ? q.limit_ms : 30000;
	q.most = q.most ? q.most : 1 << 16;
	return program_ask(&q, said);
}

static void a_program_is_heard_and_its_status_given(void **state)
{
	struct program_question both = { .hear_errors = true }, all = { 0 };
	BUF_AUTO said = { 0 };

	(void)state;
	assert_int_equal(ask("cat; echo $LC_ALL $HOME; echo no >&2; exit 7", all, &said), 7);
	assert_string_equal(said.p, "C\n");
	assert_int_equal(ask("echo yes >&2; kill -TERM $$", both, &said), PROGRAM_SIGNAL + 15);
	assert_string_equal(said.p, "C\nyes\n");
	const char *const argv[] = { "none", NULL };
	struct program_question none = { .path = "/none", .argv = argv, .in = -1, .limit_ms = 1 };
	assert_int_equal(program_ask(&none, &said), -ENOENT);
}

static void a_program_that_says_too_much_is_cut_or_ended(void **state)
{
	struct program_question cut = { .most = 5000, .cut = true }, end = { .most = 5000 };
	BUF_AUTO said = { 0 };

	(void)state;
	assert_int_equal(ask("head -c 100000 /dev/zero; exit 3", cut, &said), 3);
	assert_int_equal(said.n, 5000);
	said.n = 0;
	assert_int_equal(ask("head -c 5000 /dev/zero", end, &said), 0);
	assert_int_equal(said.n, 5000);
	said.n = 0;
	assert_int_equal(ask("yes", end, &said), -E2BIG);
}

static void a_program_has_an_end_with_all_that_it_started(void **state)
{
	struct program_question q = { 0 }, brief = { .limit_ms = 50 };
	BUF_AUTO said = { 0 };
	int held[2];
	char byte;

	(void)state;
	/* A child that holds what it says to is not waited for, and lets go of all that it has. */
	assert_int_equal(pipe(held), 0);
	assert_int_equal(ask("sleep 600 & exit 4", q, &said), 4);
	close(held[1]);
	assert_int_equal(read(held[0], &byte, 1), 0);
	close(held[0]);
	assert_int_equal(ask("exec >&- 2>&-; while :; do :; done", brief, &said), -ETIMEDOUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arena_gives_zeroed_aligned_memory),
		cmocka_unit_test(arena_and_scratches_share_a_bound),
		cmocka_unit_test(arena_is_as_new_when_emptied),
		cmocka_unit_test(arena_takes_back_what_has_a_chunk_of_its_own),
		cmocka_unit_test(arena_refuses_overflow),
		cmocka_unit_test(vec_keeps_what_was_pushed),
		cmocka_unit_test(numbers_are_strict),
		cmocka_unit_test(suggestions_are_near_or_none),
		cmocka_unit_test(ties_go_to_the_same_first_letter),
		cmocka_unit_test(places_count_code_points),
		cmocka_unit_test(places_in_long_texts_are_counted_right),
		cmocka_unit_test(spans_join),
		cmocka_unit_test(verdicts_come_back),
		cmocka_unit_test(errors_past_the_cap_are_counted),
		cmocka_unit_test(diagnostics_sort_by_place_and_stay_stable),
		cmocka_unit_test(json_diagnostics_escape),
		cmocka_unit_test(a_suggestion_is_a_fix_only_where_one_word_is_one_edit_away),
		cmocka_unit_test(a_chain_keeps_all_under_equal_and_neighbouring_hashes),
		cmocka_unit_test(a_table_keeps_all_under_equal_and_neighbouring_hashes),
		cmocka_unit_test(hashes_are_fnv_1a),
		cmocka_unit_test(unsafe_bytes_are_shown_as_hex),
		cmocka_unit_test(a_program_is_heard_and_its_status_given),
		cmocka_unit_test(a_program_that_says_too_much_is_cut_or_ended),
		cmocka_unit_test(a_program_has_an_end_with_all_that_it_started),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
