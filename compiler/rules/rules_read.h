/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What rules.c, rules_words.c and the readers of each class share; nobody else includes it. */
#include "compiler/rules/rules.h"

/* What stands behind a class's keyword, in this order: permissions, words, conditions, a group. */
enum {
	TAKES_PERMS = 1 << 0, /* a word or a list */
	TAKES_WORDS = 1 << 1, /* words behind the permissions */
	TAKES_GROUP = 1 << 2, /* peer=( ) at the end */
	TAKES_NAME = 1 << 3,  /* one word at the end */
};

/* One rule while it is read. */
struct aa_read {
	const struct aa_reader *rd;
	struct aa_rule *rule;
	const char *keyword;      /* as written: "remount" */
	const struct aa_item *at; /* the next item; NULL: the end */
	struct span prev;         /* of the last item taken */
	struct span broken;       /* behind it a line ended, and the rule went on; end 0: nowhere */
	bool failed;
};

struct aa_perm_row {
	enum aa_class class;
	const char *word;
	unsigned bits;
	enum aa_release since;
};

/* ---- rules_read.c ---- */
void aa_next(struct aa_read *r);
/* Marks the rule as failed, and adds an error. Never NULL. */
struct diag *aa_fault(struct aa_read *r, enum diag_id id, struct span sp, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* What the parser takes, and reads as something else: a finding, no error. */
struct diag *aa_misread(struct aa_read *r, struct span sp, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* With the includes by which it came in; once where several profiles include it. Never NULL. */
struct diag *aa_add(const struct aa_reader *rd, enum diag_id id, enum severity severity,
		    struct span sp, const char *text);
struct diag *aa_say(const struct aa_reader *rd, enum diag_id id, struct span sp, const char *fmt,
		    ...) __attribute__((format(printf, 4, 5)));
const char *aa_safe(const struct aa_reader *rd, struct str s); /* for messages */
/* "'%s' ... since": tells that a word is newer than the target. True: it may be used. */
bool aa_since(const struct aa_reader *rd, struct span sp, struct str word, const char *what,
	      enum aa_release since);
/*
 * The next item cannot stand here. One that begins on a later line than the item before it is
 * told as a missing ','; else `expected` is what could stand here.
 */
void aa_unexpected(struct aa_read *r, const char *expected);
const char *aa_item_text(struct aa_read *r, const struct aa_item *i); /* as written, cut, safe */
bool aa_missing_comma(struct aa_read *r, const struct aa_item *i);
void aa_end(struct aa_read *r); /* nothing may follow */

/* ---- rules_words.c ---- */
const struct aa_perm_row *aa_perm_find(enum aa_class c, struct str word);
bool aa_is_word(const struct aa_item *i);                         /* an unquoted word */
bool aa_is_reserved(const struct aa_reader *rd, struct str word); /* a word of the language */
/* Letters are permissions only where a blank, a line's end or ',' follows: does one here? */
bool aa_ends_mode(const struct aa_reader *rd, const struct aa_item *i);
/* A word that the parser takes for a path, as it knows it for nothing else: "foo". */
bool aa_is_name(const struct aa_reader *rd, const struct aa_item *i);
bool aa_only_variable(const struct aa_word *w); /* "@{V}", "@V", and nothing behind it */
/* Permissions, words, conditions and a group as the class's shape has them; words go to `words`. */
struct aa_words_read {
	const struct aa_item *perms; /* NULL: none are written */
	const struct aa_item *words[2];
	unsigned nwords;
	const struct aa_item *name;
};
bool aa_read_shape(struct aa_read *r, unsigned shape, struct aa_words_read *out);
bool aa_read_conds(struct aa_read *r); /* as many as stand here */
/* Does the parser compile the rule? */
bool aa_is_built(const struct aa_read *r);
/* The word as a glob: parsed where it holds no variable. False: told. */
bool aa_glob(struct aa_read *r, const struct aa_word *w, enum glob_kind kind, struct aa_text *out);
/* As glob_parse(), of what the reader knows. */
const struct glob *aa_parse_glob(const struct aa_reader *rd, struct str text, enum glob_kind kind,
				 struct glob_fault *fault);
bool aa_glob_word(const struct aa_reader *rd, const struct aa_word *w, enum glob_kind kind,
		  bool built, struct aa_text *out);
struct str aa_plain(const struct aa_reader *rd, const struct aa_word *w); /* escapes read */
void aa_no_group(struct aa_read *r, const char *name);
/* Is every byte one of the letters that file permissions are written with? */
bool aa_is_mode(struct str s);

/* ---- rules_ipc.c ---- */
/* A signal's number as in struct aa_signal_rule; -1: told. */
int aa_signal_number(const struct aa_reader *rd, struct str name, struct span sp);

/* ---- readers, each behind its keyword ---- */
void aa_read_all(struct aa_read *r);
void aa_read_capability(struct aa_read *r);
void aa_read_change_profile(struct aa_read *r);
void aa_read_dbus(struct aa_read *r);
void aa_read_file(struct aa_read *r);
void aa_read_io_uring(struct aa_read *r);
void aa_read_link(struct aa_read *r);
void aa_read_mount(struct aa_read *r);
void aa_read_mqueue(struct aa_read *r);
void aa_read_network(struct aa_read *r);
void aa_read_path(struct aa_read *r); /* a file rule without a keyword */
void aa_read_pivot_root(struct aa_read *r);
void aa_read_ptrace(struct aa_read *r);
void aa_read_rlimit(struct aa_read *r);
void aa_read_signal(struct aa_read *r);
void aa_read_unix(struct aa_read *r);
void aa_read_userns(struct aa_read *r);
