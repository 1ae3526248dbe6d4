/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Shared by the files that parse a profile, compiler/oci/parse*.c: every value is looked at where it
 * stands, and what is wrong becomes a fault. The texts are the JSON's; all else lives in the arena.
 */
#include "compiler/oci/profile.h"

struct parser {
	struct arena *arena;
	struct oci_profile *out;
	const struct oci_read_options *opt; /* never NULL */
	enum arch host; /* whose errno numbers their names are, and whose filter it becomes */
	uint32_t at;    /* the entry being read; OCI_NO_ENTRY */
	size_t names;   /* so far */
	struct oci_fault spare; /* what does not go into the list any more */
};

/* ---- parse_values.c ---- */

/* A fault of the entry being read, or of the profile. `stops`: no container starts. Never NULL. */
struct oci_fault *parse_fault(struct parser *p, enum oci_fault_kind kind, struct span span,
			      bool stops);
/* A fault of the text as JSON: whoever decodes it gives up, whatever entries are in force. */
struct oci_fault *parse_decode_fault(struct parser *p, enum oci_fault_kind kind,
				     const struct json *j, const char *key);
/* One of pale's own bounds is passed; said once. */
void parse_too_many(struct parser *p, struct span span, const char *what, uint64_t most);
bool parse_expect(struct parser *p, const struct json *j, enum json_kind kind, const char *what);
/* o[key] where it is there and of this kind. */
const struct json *parse_member(struct parser *p, const struct json *o, const char *key,
				enum json_kind kind);
/* An element that is to be a string: Go makes "" of null. */
bool parse_element(struct parser *p, const struct json *j, const char *what, struct str *out);
/* Absent is 0, as in Go. false: no reader takes it. */
bool parse_number(struct parser *p, const struct json *o, const char *key, uint64_t *out);
/* The first element; NULL: it is no array, or empty. */
const struct json *parse_items(const struct json *array);
/* Why the entry being read, or part of it, does nothing: becomes a comment. */
void parse_drop(struct parser *p, const char *why);

/* ---- parse_keys.c ---- */

void parse_keys(struct parser *p, const struct json *object, const char *const *known);
/* Those of the objects around linux.seccomp: of other keys there nothing is said. */
void parse_outer_keys(struct parser *p, const struct json *object, const char *key);

/* ---- parse_actions.c ---- */

struct written { /* an action and the two ways to write its errno */
	const struct json *object;
	const char *action, *number, *name;
	struct str *by_name; /* set where the name decides */
};

/* false: there is none, or none that a runtime knows. */
bool parse_verdict(struct parser *p, const struct written *w, struct verdict *out);
/* `handed`: libseccomp gets to see it. */
void parse_errno_range(struct parser *p, const struct written *w, const struct verdict *v,
		       bool handed);
void parse_default(struct parser *p);

/* ---- parse_arches.c ---- */

/* `others`: the architectures that other rows have. */
bool parse_leads_family(enum arch a, unsigned others);
void parse_arches(struct parser *p);
/* Those of the options, of what parse_arches() has read. true: the machine's own was not listed. */
bool parse_choose_arches(struct parser *p);

/* ---- parse_gates.c ---- */

/* When e->json is in force (e->gate, e->asks), and the declared architectures that it speaks to then. */
void parse_gate(struct parser *p, struct oci_entry *e);

/* ---- parse_entries.c ---- */

void parse_entries(struct parser *p, const struct json *calls);
/* The rules of what was read, for the architectures that were chosen. */
void parse_rules_again(struct parser *p);
/* Where the runtime loses the profile: what it does not come to stops nothing. */
void parse_lost(struct parser *p);
/* handover.c: the rules that a runtime makes of one name. false: more than pale takes. */
bool oci_add_rules(struct arena *a, struct oci_profile *p, uint32_t entry,
		   const struct oci_word *name);
