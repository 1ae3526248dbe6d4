/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * JSON (RFC 8259) as a linter needs it: every value with its bytes, integers exact to 64 bits,
 * duplicate keys kept in order, several errors in one run where recovery is possible.
 * Bounded: 16 MiB, nesting 200. Lives in the arena; strings are decoded copies.
 */
#include <stdbool.h>
#include <stdint.h>

#include "compiler/base/diag.h"
#include "compiler/base/source.h"

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_kind kind;
	bool boolean;
	bool is_u64, is_i64; /* NUMBER: which of the integer fields is exact */
	bool duplicate;      /* a member: an earlier one has the same key */
	uint32_t count;      /* of members or elements */
	struct span span;    /* the value, quotes and brackets included */
	struct span key_span;
	struct str key;  /* this value as a member: its key */
	struct str text; /* STRING: decoded UTF-8; NUMBER: as written */
	union {
		uint64_t u64;
		int64_t i64; /* of one that is not negative the same bits */
	};
	struct json *first; /* of the members of an object, elements of an array, in source order */
	struct json *next;
};

/* NULL when nothing could be read; look at ds->errors. */
struct json *json_parse(struct arena *a, struct source *src, struct diags *ds);
const struct json *json_get(const struct json *object,
			    const char *key); /* the last one wins, as in Go */
/* Is this the key, as Go's encoding/json matches them, whatever its case? */
bool json_key_folds(struct str key, const char *want);
/* The first of the members from m on whose key is this one so; NULL. */
const struct json *json_find_fold(const struct json *m, const char *key);
/* The last such member of an object. */
const struct json *json_get_fold(const struct json *object, const char *key);
const char *json_kind_name(enum json_kind k); /* "an object", "a string", ... */
