/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What access.c and the readers of each kind of access share; nobody else includes it. */
#include "compiler/apparmor/access.h"

enum { ACCESS_WORDS_MAX = 64 };

struct access_word {
	struct str text; /* its quotes and escapes taken off, but of what reads as a rule */
	struct span span;
	bool quoted;
};

struct reading {
	struct arena *arena;
	struct diags *diags;
	const struct source *source;
	struct access_word words[ACCESS_WORDS_MAX];
	size_t n;
};

/* ---- access_read.c ---- */
struct span access_span(const struct reading *r, size_t begin, size_t end);
/* Tells; false. */
bool access_fault(struct reading *r, struct span sp, const char *what, const char *help);
bool access_vague(struct reading *r, const char *what, const char *help); /* the whole of it */
bool access_is_blank(char c);
/* The word at `at`, up to a blank; what is behind it. */
size_t access_bare(struct reading *r, size_t at, struct access_word *w);
/* `quotes`: a word may stand in them. What reads as a rule has its own. False: told. */
bool access_words(struct reading *r, bool quotes);
/* From the root on, and such as the kernel asks about. */
bool access_is_path(struct reading *r, struct str path, struct span sp);

/* What reads as a rule does. */
bool access_one_bit(uint64_t bits);
/*
 * The words as a rule of AppArmor's, whose reader knows them all; what is wrong is told in it.
 * `lead` stands for the first word, `set`, where there is one, in front of the third.
 */
const struct aa_rule *access_as_rule(struct reading *r, const char *lead, const char *set);
/* The word as the one text that it stands for. */
bool access_literal(struct reading *r, const struct aa_word *w, struct str *out);
/* The one value of a condition, "" where it is not said. */
bool access_value(struct reading *r, const struct aa_cond *c, struct str *out);
/* The label of whom it is done to, from that condition. */
bool access_label(struct reading *r, const struct aa_cond *c, struct aa_access *out);

typedef bool access_read_fn(struct reading *r, struct aa_access *out);
/* ---- access_rule.c ---- */
access_read_fn access_cap, access_network, access_ptrace, access_signal, access_socket,
	access_uring, access_userns;
/* ---- access_mount.c ---- */
access_read_fn access_mount, access_pivot;
/* ---- access_object.c ---- */
access_read_fn access_change_hat, access_change_profile, access_dbus, access_mqueue, access_unix;
