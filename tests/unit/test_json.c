/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON reader: what RFC 8259 allows is read exactly, what it forbids is told with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "compiler/base/bug.h"
#include "compiler/base/json_write.h"
#include "grammar/json.h"

struct fixture {
	struct arena *arena;
	struct sources *sources;
	struct source *src;
	struct diags *ds;
	struct json *root;
};

static struct fixture parse(const char *text, size_t n)
{
	struct fixture f;

	f.arena = arena_new(NULL);
	f.sources = sources_new(f.arena);
	f.ds = diags_new(f.arena, f.sources);
	f.src = source_add(f.sources, "t.json", (struct str){ text, n });
	f.root = json_parse(f.arena, f.src, f.ds);
	return f;
}

#define PARSE(lit) parse((lit), sizeof(lit) - 1)

static void done(struct fixture *f)
{
	arena_free(f->arena);
}

/* ---- accepted, in the spirit of JSONTestSuite's y_ files ---- */

static const char *const valid[] = {
	"[]",
	"{}",
	" [ ] ",
	"[[]]",
	"[{}]",
	"null",
	"true",
	"false",
	"0",
	"-0",
	"1",
	"-1",
	"1.5",
	"1e3",
	"1E+3",
	"1e-3",
	"123.456e78",
	"\"\"",
	"\"a\"",
	"\"\\u0000\"",
	"\"\\ud834\\udd1e\"",
	"\"\\ud800\"",
	"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
	"\"\xc3\xa9\"",
	"\"\xf0\x9d\x84\x9e\"",
	"\"\x7f\"",
	"{\"a\":1}",
	"{\"\":0}",
	"{\"a\":1,\"a\":2}",
	"\t\r\n [1 , 2]\n",
	"[1,\n2\n,3]",
	"[\"\\u0060\\u012a\\u12AB\"]",
	"18446744073709551615",
	"18446744073709551616",
	"[\"/* not a comment */\",\"# nor // this\"]",
};

static void test_valid_texts_are_read_without_a_word(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(valid); i++) {
		struct fixture f = parse(valid[i], strlen(valid[i]));

		if (!f.root || f.ds->list.n)
			fail_msg("%s", valid[i]);
		done(&f);
	}
}

/* ---- refused, in the spirit of its n_ files: text, and the byte the first error stands at ---- */

static const struct {
	const char *text;
	unsigned at;
} invalid[] = {
	{ "", 0 },
	{ "  ", 0 },
	{ "[", 0 },
	{ "[1", 1 },
	{ "[1,", 2 },
	{ "{\"a\"", 3 },
	{ "{\"a\":", 4 },
	{ "\"abc", 3 },
	{ "[1,]", 2 },
	{ "{\"a\":1,}", 6 },
	{ "[,1]", 1 },
	{ "[1,,2]", 3 },
	{ "[1 2]", 3 },
	{ "{\"a\" 1}", 5 },
	{ "{\"a\":1 \"b\":2}", 7 },
	{ "{a:1}", 1 },
	{ "{1:1}", 1 },
	{ "['a']", 1 },
	{ "[01]", 1 },
	{ "[-01]", 1 },
	{ "[+1]", 1 },
	{ "[.5]", 1 },
	{ "[1.]", 1 },
	{ "[1.e3]", 1 },
	{ "[1e]", 1 },
	{ "[1e+]", 1 },
	{ "[-]", 1 },
	{ "[0x10]", 1 },
	{ "[1a]", 1 },
	{ "[NaN]", 1 },
	{ "[-Infinity]", 1 },
	{ "[Infinity]", 1 },
	{ "[True]", 1 },
	{ "[nul]", 1 },
	{ "[tru]", 1 },
	{ "[1}", 2 },
	{ "{\"a\":1]", 6 },
	{ "[1]]", 3 },
	{ "[1] 2", 4 },
	{ "{} x", 3 },
	{ "[1] // c", 4 },
	{ "/* c */ [1]", 0 },
	{ "[1, # c\n2]", 4 },
	{ "/* c", 0 },
	{ "\xef\xbb\xbf{}", 0 },
	{ "[\"a\tb\"]", 3 },
	{ "[\"a\nb\"]", 1 },
	{ "[\"\\x\"]", 2 },
	{ "[\"\\u12\"]", 2 },
	{ "[\"\\uZZZZ\"]", 2 },
	{ "[\"\xff\"]", 2 },
	{ "[\"\xc0\xaf\"]", 2 },
	{ "[\"\xed\xa0\x80\"]", 2 },
	{ "[\"\xf5\x80\x80\x80\"]", 2 },
	{ "[\"\xe2\x82\"]", 2 },
	{ "]", 0 },
	{ "}", 0 },
	{ ":", 0 },
	{ "[\"a\",\n4\n,1,", 10 },
	{ "[@]", 1 },
	{ "{\"a\":}", 5 },
	{ "abc", 0 },
};

static void test_invalid_texts_are_told_with_their_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(invalid); i++) {
		struct fixture f = parse(invalid[i].text, strlen(invalid[i].text));

		if (!f.ds->errors || f.ds->list.v[0]->span.begin != invalid[i].at)
			fail_msg("%s: at %d", invalid[i].text,
				 f.ds->list.n ? (int)f.ds->list.v[0]->span.begin : -1);
		done(&f);
	}
}

static void test_nul_bytes_are_refused(void **state)
{
	struct fixture f = PARSE("[1,\0 2]");

	(void)state;
	assert_true(f.ds->errors > 0);
	done(&f);
	f = PARSE("[\"a\0b\"]");
	assert_true(f.ds->errors == 1);
	done(&f);
	f = PARSE("[1]\0");
	assert_true(f.ds->errors == 1);
	done(&f);
}

static void test_integers_are_exact_to_64_bits(void **state)
{
	struct fixture f =
		PARSE("[18446744073709551615,18446744073709551616,-9223372036854775808,"
		      "-9223372036854775809,9223372036854775808,9007199254740993,-0,1.0,1e2]");
	const struct json *v = f.root->first;

	(void)state;
	assert_true(v->is_u64 && !v->is_i64 && v->u64 == UINT64_MAX);
	v = v->next;
	assert_true(!v->is_u64 && !v->is_i64 && v->kind == JSON_NUMBER &&
		    str_is(v->text, "18446744073709551616"));
	v = v->next;
	assert_true(!v->is_u64 && v->is_i64 && v->i64 == INT64_MIN);
	v = v->next;
	assert_true(!v->is_u64 && !v->is_i64);
	v = v->next;
	assert_true(v->is_u64 && !v->is_i64 && v->u64 == 1ull << 63);
	v = v->next;
	assert_true(v->is_u64 && v->is_i64 && v->u64 == 9007199254740993);
	v = v->next;
	assert_true(!v->is_u64 && v->is_i64 && v->i64 == 0);
	v = v->next;
	assert_true(!v->is_u64 && !v->is_i64 && str_is(v->text, "1.0"));
	v = v->next;
	assert_true(!v->is_u64 && !v->is_i64 && str_is(v->text, "1e2"));
	assert_int_equal(f.ds->errors, 0);
	done(&f);
}

static void test_spans_are_bytes_of_the_text(void **state)
{
	struct fixture f = PARSE("{ \"k\u00e9y\" : [1, \"two\"] }");
	const struct json *m = f.root->first;

	(void)state;
	assert_true(str_is(span_text(f.sources, m->key_span), "\"k\u00e9y\""));
	assert_true(str_is(span_text(f.sources, m->span), "[1, \"two\"]"));
	assert_true(str_is(span_text(f.sources, m->first->next->span), "\"two\""));
	assert_true(f.root->span.begin == 0 && f.root->span.end == f.src->text.n);
	done(&f);
}

static void test_strings_are_decoded(void **state)
{
	struct fixture f = PARSE("[\"a\\u0000b\", \"\\ud834\\udd1e\", \"\\ud834x\", \"\\n\\/\"]");
	const struct json *v = f.root->first;

	(void)state;
	assert_true(str_eq(v->text, (struct str){ "a\0b", 3 }));
	v = v->next;
	assert_true(str_is(v->text, "\xf0\x9d\x84\x9e"));
	v = v->next;
	assert_true(str_is(v->text, "\xef\xbf\xbdx")); /* as Go decodes it */
	v = v->next;
	assert_true(str_is(v->text, "\n/"));
	done(&f);
}

static void test_duplicate_keys_are_marked_and_the_last_counts(void **state)
{
	struct fixture f = PARSE("{\"a\":1,\"b\":2,\"a\":3,\"A\":4,\"a\":5}");
	unsigned duplicates = 0;

	(void)state;
	for (const struct json *m = f.root->first; m; m = m->next)
		duplicates += m->duplicate;
	assert_int_equal(duplicates, 2);
	assert_false(f.root->first->duplicate);
	assert_int_equal(json_get(f.root, "a")->u64, 5);
	assert_int_equal(json_get(f.root, "A")->u64, 4);
	assert_null(json_get(f.root, "c"));
	done(&f);
}

static void test_keys_match_as_in_go(void **state)
{
	struct fixture f = PARSE("{\"Names\":1,\"\xc5\xbfy\xc5\xbf\":2,\"\xe2\x84\xaa"
				 "ey\":3}");

	(void)state;
	assert_int_equal(json_get_fold(f.root, "names")->u64, 1);
	assert_int_equal(json_get_fold(f.root, "sys")->u64, 2);
	assert_int_equal(json_get_fold(f.root, "key")->u64, 3);
	assert_null(json_get_fold(f.root, "name"));
	assert_null(json_get_fold(f.root, "namess"));
	assert_null(json_get(f.root, "names"));
	done(&f);
}

static void test_several_errors_are_found_in_one_run(void **state)
{
	struct fixture f = PARSE("{\"a\": [1, 2,], /* c */ \"b\": NaN, 'c': 01 \"d\": 4}");

	(void)state;
	assert_int_equal(f.ds->errors, 6);
	assert_int_equal(json_get(f.root, "d")->u64, 4); /* and the rest is read */
	assert_int_equal(json_get(f.root, "a")->count, 2);
	done(&f);
}

static void test_nesting_is_bounded_at_200(void **state)
{
	char text[402];
	struct fixture f;

	(void)state;
	memset(text, '[', 200);
	memset(text + 200, ']', 200);
	f = parse(text, 400);
	assert_int_equal(f.ds->errors, 0);
	done(&f);
	memset(text, '[', 201);
	memset(text + 201, ']', 201);
	f = parse(text, 402);
	assert_int_equal(f.ds->errors, 1);
	assert_int_equal(f.ds->list.v[0]->span.begin, 200);
	done(&f);
}

static void fill_and_parse(const char *unit, size_t total)
{
	size_t n = strlen(unit);
	char *text = malloc(total);
	struct fixture f;

	assert_non_null(text);
	for (size_t i = 0; i < total; i++)
		text[i] = unit[i % n];
	f = parse(text, total);
	assert_true(f.ds->errors > 0);
	assert_true(f.ds->list.n <= 20);
	done(&f);
	free(text);
}

static void test_sixteen_megabytes_of_anything_end_in_an_error(void **state)
{
	static const char *const units[] = { "[",  "{\"a\":", "[0,",    "0,",    ",", "\"", "\\",
					     "/*", "//\n",    "{\"\\x", "[\"\\", "{", "(" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		fill_and_parse(units[i], 16 << 20);
	fill_and_parse("[1]", (16 << 20) + 1); /* too large */
}

static void test_many_values_are_bounded(void **state)
{
	char *text = malloc(3u << 20);
	struct fixture f;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < 3u << 20; i += 2)
		memcpy(text + i, "1,", 2);
	text[0] = '[';
	text[1] = ' ';
	memcpy(text + (3u << 20) - 2, "1]", 2);
	f = parse(text, 3u << 20);
	assert_int_equal(f.ds->errors, 1);
	assert_non_null(strstr(f.ds->list.v[0]->text, "1048576"));
	done(&f);
	free(text);
}

static void test_written_strings_read_back(void **state)
{
	static const char all[] = "a\"b\\c\n\t\r\b\f\x01\x1f\x7f\xc3\xa9\xf0\x9d\x84\x9e/";
	BUF_AUTO out = { 0 };
	struct fixture f;

	(void)state;
	json_put_string(&out, (struct str){ all, sizeof(all) }); /* with its NUL */
	f = parse(out.p, out.n);
	assert_int_equal(f.ds->errors, 0);
	assert_true(str_eq(f.root->text, (struct str){ all, sizeof(all) }));
	done(&f);
	out.n = 0;
	json_put_string(&out, STR("x\xffy"));
	assert_string_equal(out.p, "\"x\\ufffdy\"");
}

static void a_writer_knows_where_commas_go(void **state)
{
	BUF_AUTO out = { 0 };
	struct json_writer w = { .out = &out };

	(void)state;
	json_open(&w, NULL, '{');
	json_text(&w, "a\"", "x\n");
	json_optional(&w, "none", NULL);
	json_open(&w, "list", '[');
	json_number(&w, NULL, UINT64_MAX);
	json_signed(&w, NULL, INT64_MIN);
	json_open(&w, NULL, '{');
	json_close(&w, '}');
	json_line(&w, "\n  ");
	json_bool(&w, NULL, true);
	json_line(&w, "\n");
	json_close(&w, ']');
	w.compact = true;
	json_bool(&w, "last", false);
	json_close(&w, '}');
	assert_string_equal(out.p, "{\"a\\\"\": \"x\\n\", \"list\": [18446744073709551615, "
				   "-9223372036854775808, {},\n  true\n],\"last\":false}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_writer_knows_where_commas_go),
		cmocka_unit_test(test_valid_texts_are_read_without_a_word),
		cmocka_unit_test(test_invalid_texts_are_told_with_their_place),
		cmocka_unit_test(test_nul_bytes_are_refused),
		cmocka_unit_test(test_integers_are_exact_to_64_bits),
		cmocka_unit_test(test_spans_are_bytes_of_the_text),
		cmocka_unit_test(test_strings_are_decoded),
		cmocka_unit_test(test_duplicate_keys_are_marked_and_the_last_counts),
		cmocka_unit_test(test_keys_match_as_in_go),
		cmocka_unit_test(test_several_errors_are_found_in_one_run),
		cmocka_unit_test(test_nesting_is_bounded_at_200),
		cmocka_unit_test(test_sixteen_megabytes_of_anything_end_in_an_error),
		cmocka_unit_test(test_many_values_are_bounded),
		cmocka_unit_test(test_written_strings_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
