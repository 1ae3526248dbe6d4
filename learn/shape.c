/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/shape.h"

#include <ctype.h>
#include <string.h>

enum {
	HEX_LONG = 32,   /* digits that are no word and no number */
	HEX_RANDOM = 12, /* of both letters and digits, in a temporary file's name */
	NUMBER_LONG = 9, /* digits behind a word, in such a name */
	TOKEN_LONG = 20, /* letters and digits, */
	TOKEN_MIXED = 5, /* and so often one of them beside the other */
};

void shape_escape(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (memchr("*?[]{}^\\\",", s.p[i], 10))
			buf_putc(out, '\\');
		buf_putc(out, s.p[i]);
	}
}

static bool is_alnum(char c)
{
	return isalnum((unsigned char)c) != 0;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool all(struct str s, bool (*is)(char))
{
	for (size_t i = 0; i < s.n; i++)
		if (!is(s.p[i]))
			return false;
	return s.n > 0;
}

/* ---- words: what stands between other characters than letters and digits ---- */

/* The word at `at`, or what is between two: never empty before the end. */
static struct str piece_at(struct str s, size_t at)
{
	size_t n = 0;

	while (at + n < s.n && is_alnum(s.p[at + n]))
		n++;
	if (!n && at < s.n)
		n = 1;
	return (struct str){ s.p + at, n };
}

static const char uuid[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

static bool is_uuid(struct str s)
{
	if (s.n < sizeof(uuid) - 1)
		return false;
	for (size_t i = 0; i < sizeof(uuid) - 1; i++)
		if (uuid[i] == 'x' ? !is_hex(s.p[i]) : s.p[i] != uuid[i])
			return false;
	return s.n == sizeof(uuid) - 1 || !is_alnum(s.p[sizeof(uuid) - 1]);
}

/*
 * Exim's of a message: the second, the process and a fraction to the base of 62, of six, six and two
 * digits, since 4.97 of six, eleven and four (spec.txt, "Message identification"). The second begins with 1 until 2028, then with
 * 2, the process with 0.
 */
static size_t mail_id(struct str s)
{
	static const size_t forms[][3] = { { 6, 6, 2 }, { 6, 11, 4 } };

	for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++) {
		const size_t *part = forms[f];
		size_t second = part[0] + 1, third = second + part[1] + 1, n = third + part[2];

		if (s.n >= n && (s.p[0] == '1' || s.p[0] == '2') && s.p[second] == '0' &&
		    s.p[second - 1] == '-' && s.p[third - 1] == '-' &&
		    all((struct str){ s.p, part[0] }, is_alnum) &&
		    all((struct str){ s.p + second, part[1] }, is_alnum) &&
		    all((struct str){ s.p + third, part[2] }, is_alnum) &&
		    (s.n == n || !is_alnum(s.p[n])))
			return n;
	}
	return 0;
}

/*
 * Postfix's of a message: the microsecond in five hexadecimal digits, which is less than a million, and the number of
 * the file's inode (postconf(5), enable_long_queue_ids).
 */
bool shape_is_queued(struct str s)
{
	size_t letters = 0;
	uint64_t micro = 0;

	if (s.n < 10 || s.n > 14)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		bool digit = is_digit(s.p[i]);

		if (!is_hex(s.p[i]) || islower((unsigned char)s.p[i]))
			return false;
		letters += !digit;
		if (i < 5)
			micro = micro << 4 | (uint64_t)(digit ? s.p[i] - '0' : s.p[i] - 'A' + 10);
	}
	return micro < 1000000 && letters >= 2 && s.n - letters >= 3;
}

/* 2017 to 2033 in seconds, milliseconds, microseconds or nanoseconds. */
static bool is_time(struct str s)
{
	return (s.n == 10 || s.n == 13 || s.n == 16 || s.n == 19) && s.p[0] == '1' &&
	       s.p[1] >= '5' && all(s, is_digit);
}

/*
 * Six of the 62 letters and digits that glibc takes. Mixed as in no word are 19 in 20: a capital
 * behind the first letter or beside a digit. Of two kinds, as words with a number are too (loose), are
 * all but one in sixty.
 */
static bool is_six(struct str s, bool loose)
{
	bool capital = false, small = false, digit = false, late = false;

	if (s.n != 6 || !all(s, is_alnum))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		bool big = s.p[i] >= 'A' && s.p[i] <= 'Z';

		capital |= big;
		late |= big && i;
		digit |= is_digit(s.p[i]);
		small |= !big && !is_digit(s.p[i]);
	}
	if (loose) /* one capital before small letters is how words begin */
		return capital + small + digit > 1 && (late || digit);
	return capital && (small || digit) && (late || digit);
}

/*
 * Six of them as in no word, nor in words that are written together (MyFile, DataSet1, PostgreSQL): two in three.
 * A capital is followed by another, or by two small letters and more; a number is the end.
 */
static bool is_odd_six(struct str s)
{
	bool capital = false;
	size_t i = 0;

	if (s.n != 6 || !all(s, is_alnum))
		return false;
	for (size_t n; i < s.n && !is_digit(s.p[i]); i += n) {
		size_t big = 0;

		while (i + big < s.n && isupper((unsigned char)s.p[i + big]))
			big++;
		for (n = big; i + n < s.n && islower((unsigned char)s.p[i + n]);)
			n++;
		capital |= big;
		if (big && n == big + 1)
			return true;
	}
	while (i < s.n && is_digit(s.p[i]))
		i++;
	while (i < s.n && !capital)
		capital = isupper((unsigned char)s.p[i++]);
	return i < s.n && capital;
}

/* mkstemp's right behind what its maker begins with, letters of one case (docCOShUM, r.rrdKPhPsb): where, 0: nowhere. */
static size_t six_behind(struct str p)
{
	size_t at = p.n > 6 ? p.n - 6 : 0, small = 0, big = 0;

	for (size_t i = 0; i < at; i++) {
		small += islower((unsigned char)p.p[i]) != 0;
		big += isupper((unsigned char)p.p[i]) != 0;
	}
	return at && (small == at || big == at) && is_odd_six((struct str){ p.p + at, 6 }) ? at : 0;
}

/* LLVM's: six to eight hexadecimal digits behind what says itself that it is temporary. */
static bool is_tmp_hex(struct str p)
{
	bool letters = false, digits = false;

	if (!str_starts(p, "tmp") || p.n < 9 || p.n > 11)
		return false;
	for (size_t i = 3; i < p.n; i++) {
		if (!is_hex(p.p[i]) || isupper((unsigned char)p.p[i]))
			return false;
		digits |= is_digit(p.p[i]);
		letters |= !is_digit(p.p[i]);
	}
	return letters && digits;
}

static bool is_word(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && s.p[i] != '_')
			return false;
	return true;
}

static bool ends_with(struct str s, const char *end)
{
	size_t n = strlen(end);

	return !n || (s.n >= n && !memcmp(s.p + s.n - n, end, n));
}

/* The same in hexadecimal, with letters, as Dovecot's uidvalidity has it. */
static bool is_hex_time(struct str s)
{
	uint64_t value = 0;
	bool letters = false, digits = false;

	if (s.n != 8)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!is_hex(s.p[i]) || isupper((unsigned char)s.p[i]))
			return false;
		digits |= is_digit(s.p[i]);
		letters |= !is_digit(s.p[i]);
		value = value << 4 |
			(uint64_t)(is_digit(s.p[i]) ? s.p[i] - '0' : s.p[i] - 'a' + 10);
	}
	return letters && digits && value >= 1500000000 && value < 2000000000;
}

/*
 * Ten as Perl's File::Temp takes them, of the 62 and '_', and 24 in 25 of those: both cases, and in
 * between what no word has, a digit before something else or a capital after another. A part of a name (BIND's
 * tmp-DjraqASg4Y, of ssh-agent's twelve: ssh-ELgvMl9IV1Bb) also changes between them four times, as nine in ten do:
 * PostgreSQL is a word.
 */
static bool is_ten(struct str s, bool part)
{
	bool capital = false, small = false, odd = false;
	unsigned changes = 0;

	if (s.n < 10 || s.n > (part ? 12 : 10) || !is_word(s))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		bool big = s.p[i] >= 'A' && s.p[i] <= 'Z';

		if (i) {
			bool was_big = s.p[i - 1] >= 'A' && s.p[i - 1] <= 'Z';
			bool was_digit = is_digit(s.p[i - 1]);

			odd |= (was_big && big) || (was_digit && !is_digit(s.p[i]));
			changes += was_big != big || was_digit != is_digit(s.p[i]);
		}
		capital |= big;
		small |= s.p[i] >= 'a' && s.p[i] <= 'z';
	}
	return capital && small && odd && (!part || changes >= 4);
}

/*
 * Eight as Python tries with whether one can write in a directory (tempfile._get_default_tempdir()), of small
 * letters, digits and '_': with a digit before something else are nine in ten, and hardly one is hexadecimal.
 */
static bool is_eight(struct str s)
{
	bool odd = false, hex = true;

	if (s.n != 8 || !is_word(s))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] >= 'A' && s.p[i] <= 'Z')
			return false;
		hex &= is_hex(s.p[i]);
		odd |= i && is_digit(s.p[i - 1]) && !is_digit(s.p[i]);
	}
	return odd && !hex;
}

/* The same behind what its maker begins with (mkstemp(prefix="wgunicorn-")), and all that is there of a word. */
static bool eight_at(struct str s)
{
	return s.n >= 8 && is_eight((struct str){ s.p, 8 }) &&
	       (s.n == 8 || (!is_alnum(s.p[8]) && s.p[8] != '_'));
}

/* Programs that are known to put a fixed word before so many random characters. */
static bool made_by(struct str name, struct str dir, size_t *fixed, size_t *random)
{
	static const struct {
		const char *prefix;
		size_t random;
		const char *dir; /* ends so */
		bool strict;     /* six as in no word: words begin so, too */
	} makers[] = {
		{ "tmp.", 10, "", false }, /* mktemp(1) */
		{ "tmp", 8, "", false },   /* Python's tempfile */
		{ "cc", 6, "", false },    /* gcc */
		{ "t", 6, ".git", false }, /* git init and clone: are there symbolic links? */
		{ "sed", 6, "", true },    /* sed -i */
		{ "sort", 6, "", true },   { "php", 6, "", true }, /* what was uploaded */
		{ "XX", 6, "", true },                             /* perl -i */
		{ "st", 6, "", true }, /* strip, objcopy and ar of binutils */
		{ "zi", 6, "", true }, /* zip */
		{ "rustc", 6, "", true },  { "rmeta", 6, "", true }, /* rustc's, too */
	};

	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		*fixed = strlen(makers[i].prefix);
		*random = makers[i].random;
		if (ends_with(dir, makers[i].dir) && str_starts(name, makers[i].prefix) &&
		    name.n >= *fixed + *random &&
		    is_word((struct str){ name.p + *fixed, *random }) &&
		    (name.n == *fixed + *random || !is_alnum(name.p[*fixed + *random])) &&
		    (!makers[i].strict || is_six((struct str){ name.p + *fixed, *random }, false)))
			return true;
	}
	return false;
}

/* ---- a name ---- */

static void put_any(struct buf *out, size_t n)
{
	while (n--)
		buf_putc(out, '?');
}

static const char a_time[] = "a time in the name";
static const char a_message[] = "a message's id in the name";
static const char random_name[] = "a random name, made anew each time";

/* Where so many hexadecimal digits begin, letters among them, that are the word's end; its length: nowhere. */
static size_t find_hex(struct str p)
{
	bool letters = false, digits = false, mixed = false;
	size_t at = p.n;

	while (at && is_hex(p.p[at - 1])) {
		digits |= is_digit(p.p[--at]);
		mixed |= letters && is_digit(p.p[at]);
		letters |= !is_digit(p.p[at]);
	}
	/* old1764000000123456789: the letter is the word's, and a number is as long as it is. */
	return p.n - at >= HEX_RANDOM && digits && mixed ? at : p.n;
}

/* As Java's createTempFile and Go's CreateTemp put in, of any length, behind a word. */
static size_t find_number(struct str p)
{
	size_t at = p.n;

	while (at && is_digit(p.p[at - 1]))
		at--;
	return at && p.n - at >= NUMBER_LONG && !is_digit(p.p[0]) ? at : p.n;
}

/* As PHP's sessions are called: of its 26 digits to the base of 32 that is so in 199 of 200. */
static bool is_token(struct str s)
{
	size_t changes = 0;

	if (s.n < TOKEN_LONG || !all(s, is_alnum))
		return false;
	for (size_t i = 1; i < s.n; i++)
		changes += is_digit(s.p[i]) != is_digit(s.p[i - 1]);
	return changes >= TOKEN_MIXED;
}

/* As "%lx" writes a process's. */
static bool is_hex_number(struct str s)
{
	bool letters = false, digits = false;

	for (size_t i = 0; i < s.n; i++) {
		if (!is_hex(s.p[i]) || isupper((unsigned char)s.p[i]))
			return false;
		digits |= is_digit(s.p[i]);
		letters |= !is_digit(s.p[i]);
	}
	return s.n >= 4 && s.n <= 8 && letters && digits;
}

/* numbers: those of two digits and more are others another time, as hexadecimal ones are that look like no word. */
static void put_word(struct buf *out, struct str p, bool numbers)
{
	if (numbers && is_hex_number(p) && (p.n == 8 || is_digit(p.p[0]))) {
		buf_puts(out, "[0-9a-f]*");
		return;
	}
	for (size_t i = 0; i < p.n;) {
		size_t n = 0;

		while (i + n < p.n && is_digit(p.p[i + n]))
			n++;
		if (numbers && n > 1)
			buf_puts(out, "[0-9]*");
		else
			shape_escape(out, (struct str){ p.p + i, n + !n });
		i += n + !n;
	}
}

/* whole: it is all of the name. */
static const char *put_piece(struct buf *out, struct str p, bool whole, enum shape_use use,
			     bool numbers)
{
	size_t hex = use >= SHAPE_TEMPORARY ? find_hex(p) : p.n;
	size_t number = use >= SHAPE_TEMPORARY ? find_number(p) : p.n;

	if (p.n >= HEX_LONG && all(p, is_hex)) {
		put_any(out, p.n);
		return "a hash in the name";
	}
	if (use >= SHAPE_MADE && shape_is_queued(p)) {
		put_any(out, p.n);
		return a_message;
	}
	if (use >= SHAPE_MADE && is_time(p)) {
		buf_putc(out, '1');
		put_any(out, p.n - 1);
		return a_time;
	}
	if (use >= SHAPE_MADE && is_six(p, use >= SHAPE_TEMPORARY && !whole)) {
		put_any(out, 6);
		return random_name;
	}
	if (use >= SHAPE_MADE && is_hex_time(p)) {
		buf_puts(out, "[5-7]");
		put_any(out, p.n - 1);
		return a_time;
	}
	if ((use >= SHAPE_MADE && hex == p.n && is_token(p)) ||
	    (use >= SHAPE_TEMPORARY && !whole && is_ten(p, true))) {
		put_any(out, p.n);
		return random_name;
	}
	if (number < p.n) {
		shape_escape(out, (struct str){ p.p, number });
		buf_puts(out, "[0-9]*");
		return random_name;
	}
	put_word(out, (struct str){ p.p, hex }, numbers);
	put_any(out, p.n - hex);
	return hex < p.n ? random_name : NULL;
}

/* The word that its maker begins with, and then so many random characters. */
static const char *put_made(struct buf *out, struct str name, size_t fixed, size_t random)
{
	shape_escape(out, (struct str){ name.p, fixed });
	put_any(out, random);
	shape_escape(out, (struct str){ name.p + fixed + random, name.n - fixed - random });
	return random_name;
}

static size_t digits_at(struct str s, size_t at)
{
	size_t n = 0;

	while (at + n < s.n && is_digit(s.p[at + n]))
		n++;
	return n;
}

static bool is_date(struct str s, size_t at)
{
	return digits_at(s, at) == 8 && s.p[at] == '2' && s.p[at + 1] == '0' && s.p[at + 4] < '2' &&
	       s.p[at + 6] < '4';
}

/* Ruby's Tempfile: the day, the process, and seven digits to the base of 36 or fewer. */
static const char *put_dated(struct buf *out, struct str name)
{
	for (size_t i = 0, pid, end; i < name.n; i++) {
		if ((i && is_digit(name.p[i - 1])) || !is_date(name, i))
			continue;
		pid = digits_at(name, i + 9);
		end = i + 9 + pid + 1;
		if (end >= name.n || name.p[i + 8] != '-' || !pid || name.p[end - 1] != '-')
			continue;
		while (end < name.n && is_alnum(name.p[end]))
			end++;
		if (end - (i + 9 + pid + 1) > 7 || end == i + 9 + pid + 1)
			continue;
		shape_escape(out, (struct str){ name.p, i });
		buf_puts(out, "20");
		put_any(out, 6);
		buf_puts(out, "-[0-9]*-*");
		shape_escape(out, (struct str){ name.p + end, name.n - end });
		return random_name;
	}
	return NULL;
}

/* One of them after another; the last that is made anew says why. */
static const char *put_pieces(struct buf *out, struct str name, enum shape_use use, bool numbers)
{
	const char *why = NULL;

	for (size_t i = 0; i < name.n;) {
		struct str p = piece_at(name, i), rest = { name.p + i, name.n - i };
		const char *said;
		size_t fixed;

		if ((!i || !is_alnum(name.p[i - 1])) && is_uuid(rest)) {
			for (const char *c = uuid; *c; c++)
				buf_putc(out, *c == 'x' ? '?' : '-');
			i += sizeof(uuid) - 1;
			why = "a UUID in the name";
			continue;
		}
		if (use == SHAPE_GONE && i && !is_alnum(name.p[i - 1]) && eight_at(rest)) {
			put_any(out, 8);
			i += 8;
			why = random_name;
			continue;
		}
		if (use >= SHAPE_MADE && (!i || !is_alnum(name.p[i - 1])) && mail_id(rest)) {
			size_t end = i + mail_id(rest);

			for (; i < end; i++)
				buf_putc(out, name.p[i] == '-' ? '-' : '?');
			why = a_message;
			continue;
		}
		fixed = use < SHAPE_TEMPORARY              ? 0 :
			use == SHAPE_GONE && is_tmp_hex(p) ? 3 :
							     six_behind(p);
		if (fixed && i + fixed > 1) {
			shape_escape(out, (struct str){ p.p, fixed });
			put_any(out, p.n - fixed);
			i += p.n;
			why = random_name;
			continue;
		}
		said = put_piece(out, p, p.n == name.n, use, numbers);
		why = said ? said : why;
		i += p.n;
	}
	return why;
}

const char *shape_of(struct buf *out, struct str name, struct str dir, enum shape_use use)
{
	const char *why;
	size_t fixed, random;

	if (use >= SHAPE_TEMPORARY && made_by(name, dir, &fixed, &random))
		return put_made(out, name, fixed, random);
	if ((use >= SHAPE_TEMPORARY && is_ten(name, false)) ||
	    (use == SHAPE_GONE && is_eight(name)))
		return put_made(out, name, 0, name.n);
	why = use >= SHAPE_TEMPORARY ? put_dated(out, name) : NULL;
	if (why)
		return why;
	why = put_pieces(out, name, use, false);
	if (why != random_name && why != a_time)
		return why;
	/* What is called by chance or by the moment has the process's number in its name, and the like. */
	out->n = 0;
	return put_pieces(out, name, use, true);
}

bool shape_is_spread(struct str name)
{
	return name.n == 2 && all(name, is_hex);
}

/* git's, and Go's, which have a letter behind a '-'. */
bool shape_is_object(struct str name)
{
	size_t n = 0;

	while (n < name.n && is_hex(name.p[n]))
		n++;
	return n >= HEX_LONG && (n == name.n || !is_alnum(name.p[n]));
}

bool shape_number(struct str name, size_t *at, size_t *n)
{
	size_t end = name.n;

	while (end && !is_digit(name.p[end - 1]))
		end--;
	for (*at = end; *at && is_digit(name.p[*at - 1]);)
		--*at;
	*n = end - *at;
	return *n >= 2;
}

bool shape_numbers(struct buf *out, struct str name, shape_keep_fn *keeps, const void *ctx)
{
	bool found = false;

	for (size_t i = 0; i < name.n;) {
		struct str p = piece_at(name, i);
		bool number = all(p, is_digit) && !keeps(ctx, p);

		found |= (number && p.n > 1) || is_hex_number(p);
		if (number)
			buf_puts(out, "[0-9]*");
		else if (is_hex_number(p))
			buf_puts(out, "[0-9a-f]*");
		else
			shape_escape(out, p);
		i += p.n;
	}
	return found;
}

bool shape_is_part(struct str name, size_t at, size_t n)
{
	if (at + n < name.n && is_alnum(name.p[at + n]))
		return true;
	while (at && is_alnum(name.p[at - 1]))
		if (is_digit(name.p[--at]))
			return true;
	return false;
}

/* Small letters alone: a word that somebody chose, and another one means another thing. */
static bool is_chosen(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 'a' || s.p[i] > 'z')
			return false;
	return true;
}

bool shape_of_both(struct buf *out, struct str a, struct str b)
{
	size_t i = 0, k = 0, differ = 0;

	while (i < a.n && k < b.n) {
		struct str x = piece_at(a, i), y = piece_at(b, k);
		bool numbers = all(x, is_digit) && all(y, is_digit);

		i += x.n;
		k += y.n;
		if (str_eq(x, y)) {
			shape_escape(out, x);
			continue;
		}
		if (differ++ || !is_alnum(x.p[0]) || !is_alnum(y.p[0]) || is_chosen(x) ||
		    is_chosen(y) || (!numbers && x.n != y.n))
			return false;
		if (numbers)
			buf_puts(out, "[0-9]*");
		else
			put_any(out, x.n);
	}
	return i == a.n && k == b.n && differ == 1;
}
