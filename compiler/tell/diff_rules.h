/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Inside of diff_resources(): two policies, kind by kind. */
#include "compiler/tell/diff.h"

enum {
	FAMILIES = 64, /* more than AF_MAX */
	TYPES = 16,    /* SOCK_TYPE_MASK */
	LIMITS = 16,
	CELLS_MAX = FAMILIES * TYPES,
};

/* What a file says of a kind of rule. */
enum stance {
	STANCE_SILENT, /* JSON, BPF: it is not what they are about */
	STANCE_OPEN,   /* no layer that the policy counts on asks: all passes */
	STANCE_RULES,
};

struct side {
	const struct decide *d;
	const struct policy *p; /* NULL: JSON, BPF */
	enum stance stance;     /* to the kind at hand */
};

struct comparing {
	struct session *session;
	struct arena *arena;
	struct diff *out;
	struct side a, b;
	unsigned kinds; /* that are compared by what they answer */
};

/* One difference; counted in the diff's `has`. */
void difference_add(struct comparing *c, const struct diff_resource *r);
void difference_not_decided(struct comparing *c, enum resource_kind kind, const char *reason);
/* "b.pale:3:5: capability chown;", or why there is no such line (origin NULL). */
const char *difference_by(struct comparing *c, const struct side *s, const struct origin *o);

/* A header line and its place; `missing` behind the policy's name where there is none. */
const char *difference_header(struct comparing *c, const struct side *s, enum ast_header header,
			      const char *missing);
/* Its layers line, or that it has none. */
const char *difference_layers(struct comparing *c, const struct side *s);

/* "every capability but chown", "capability chown, kill" */
const char *capability_names(struct arena *a, const bool *in);
/* "sockets: inet, inet6 (stream)", of FAMILIES times TYPES, of which all are `asked` about. */
const char *socket_names(struct arena *a, const bool *in, const bool *asked);
/* Who does not count on AppArmor: the `layers` line that says so. */
void put_uncounted(struct buf *out, const struct sources *sources, const struct policy *p);
