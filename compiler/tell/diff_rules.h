/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Inside of diff_resources(): both sides' rules of a kind as cells, one for each thing that can be
 * asked (a capability, a family and type, a signal in one direction, a permission on one path).
 */
#include "compiler/tell/diff.h"

enum {
	FAMILIES = 64, /* more than AF_MAX */
	TYPES = 16,    /* SOCK_TYPE_MASK */
	SIGNALS = 65,  /* 0: may it be sent one at all */
	LIMITS = 16,
	CELLS_MAX = FAMILIES * TYPES,
};

/* What a file says of a kind of rule. */
enum stance {
	STANCE_SILENT, /* JSON, BPF: it is not what they are about */
	STANCE_OPEN,   /* no layer that the policy counts on asks: all passes */
	STANCE_RULES,
};

enum answer { REFUSED, REFUSED_SILENTLY, LOGGED, ALLOWED };

extern const char *const answer_words[];

struct cell {
	bool allow, log, deny, quiet;
	const struct origin *lets, *refuses; /* the first of each */
};

struct side {
	const struct decide *d;
	const struct policy *p; /* NULL: JSON, BPF */
	enum stance stance;     /* to the kind at hand */
	bool unix_apart; /* its sockets of unix are compared with the rules of their own class */
	struct cell cells[CELLS_MAX];
};

struct comparing {
	struct session *session;
	struct arena *arena;
	struct diff *out;
	struct side a, b;
	unsigned objects; /* kinds from RESOURCE_MOUNT on that both have rules for, or one has */
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

void cell_mark(struct cell *cell, enum rule_action action, const struct origin *o);
/* What the rules of a cell answer together, and the one that decides (NULL: none speaks of it). */
enum answer cell_answer(const struct cell *cell, const struct origin **by);
enum change answer_change(enum answer a, enum answer b); /* for two that differ */
/* One statement, and the same use of its set? */
bool origin_same(const struct origin *x, const struct origin *y);

/* "every capability but chown", "capability chown, kill" */
const char *capability_names(struct arena *a, const bool *in);
/* "sockets: inet, inet6 (stream)", of FAMILIES times TYPES. */
const char *socket_names(struct arena *a, const bool *in);
void compare_capabilities(struct comparing *c);
void compare_sockets(struct comparing *c);
void compare_signals(struct comparing *c);
void compare_files(struct comparing *c);
void compare_programs(struct comparing *c);
/* w allows to append too, and ix to map (apparmor.d(5)). */
unsigned file_whole_perms(const struct file_rule *f);
/* What a rule says, as text without its place: equal texts are equal rules. */
const char *file_rule_text(struct arena *a, const struct policy *p, const struct file_rule *f);
