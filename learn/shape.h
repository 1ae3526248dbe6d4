/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * SHAPE: names that are made anew each time, by what they look like: whole words of a known form, never a
 * part of one. Text in, glob out.
 */
#include "compiler/base/str.h"

/* One component of a path as a glob of AppArmor's that stands for it alone. */
void shape_escape(struct buf *out, struct str s);

enum shape_use {
	SHAPE_USED,
	SHAPE_MADE,      /* by the run */
	SHAPE_TEMPORARY, /* where everybody puts such files */
	SHAPE_GONE       /* and gone again, anywhere */
};

/*
 * The glob of a name in which words are random or numbers of a moment: a UUID, 32 hexadecimal digits
 * and more; in what was made a time since the epoch, in hexadecimal, too, a message's id of Exim's or Postfix's, 20
 * letters and digits mixed, and mkstemp(3)'s six, where no word looks so; in what is temporary also six
 * behind or before something else that look like a word with a digit, or right behind letters and like no words written
 * together, ten of both cases that look like no word, 12 hexadecimal digits and more at a word's end, nine digits and
 * more behind a word, and what mktemp(1), Python's tempfile, Perl's File::Temp, Ruby's Tempfile and others of
 * makers[] put in; in what is gone what Python tries a directory with. Beside a time and random characters numbers are others, too. dir:
 * the name of the directory that it is in. NULL: none is; else why, and the glob is in out.
 */
const char *shape_of(struct buf *out, struct str name, struct str dir, enum shape_use use);

/* Two hexadecimal digits, as of directories that objects are spread over. */
bool shape_is_spread(struct str name);
/* 32 hexadecimal digits or more and nothing else in the word. */
bool shape_is_object(struct str name);
/* A message's of Postfix's, which are spread by their first digit. */
bool shape_is_queued(struct str name);

/* A number in a name: [*at, *at + *n). */
bool shape_number(struct str name, size_t *at, size_t *n);
/*
 * Words that are numbers, one of two digits or of four to eight hexadecimal ones among them, but for those that
 * keeps() says are no others another time. False: there is none.
 */
typedef bool shape_keep_fn(const void *ctx, struct str digits);
bool shape_numbers(struct buf *out, struct str name, shape_keep_fn *keeps, const void *ctx);
/* Does a word go on behind it, or has one more digits before it? Then it is a part of something. */
bool shape_is_part(struct str name, size_t at, size_t n);

/*
 * Two names made by two runs at one place: the same words but for one, which has as many letters or
 * is a number in both, and is not small letters alone. False: they are not one name; else the glob is in out.
 */
bool shape_of_both(struct buf *out, struct str a, struct str b);
