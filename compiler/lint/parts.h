/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A filter call by call: what each of them comes to on the machine that runs it. Most calls come to
 * one of a few things, so that what is asked of a call is asked of its part, once: once a run, as
 * most profiles have most parts in common. Rules ask of every call there is, over and over: where it
 * passes is kept by call.
 */
#include "compiler/base/table.h"
#include "compiler/decision/decision.h"
#include "compiler/tables/tables.h"

struct call_part {        /* of calls that a filter treats alike */
	dd_node root;     /* what it answers */
	dd_node disputed; /* claim: entries disagree */
	dd_node sure;     /* claim: allowed or logged, and nobody disputes it */
	dd_node maybe;    /* claim: that, or entries disagree, or somebody is asked */
	dd_node errnos;   /* claim: surely refused with an errno; made when it is asked */
	bool has_errnos;
	bool tested; /* arguments decide whether it surely passes */
};

/*
 * One manager, and the parts that were met in it, for the profiles of a run one after the other:
 * equal ones are one node. Each may make as many nodes as in a manager of its own.
 */
struct part_store {
	const struct arena *of; /* whose scratch the rest is in */
	struct arena *arena;
	struct dd *dd; /* NULL: not yet */
	VEC(struct call_part) list;
	struct table places; /* of `list`, by root and disputed */
	struct {
		dd_node from, to;
		enum arch host;
	} * fixed;       /* what a node is on a machine; from 0, which is DD_FALSE: free */
	size_t profiles; /* that were decided in it */
	unsigned epoch;  /* how often it was emptied: nodes of another mean nothing */
	bool taken;      /* by one of them */
};

struct part_store *part_store_new(struct arena *a);
/* For one profile, whose nodes and places are good until it is given back; it is emptied where it
 * has grown, or where who had it before was kept from giving it back. */
void part_store_take(struct part_store *store, size_t budget);
void part_store_give_back(struct part_store *store);

struct call_sums {             /* of one call: ARCH_BIT(), of the architectures that have it */
	unsigned always, some; /* it surely passes, whatever its arguments; with some of them */
	unsigned maybe;        /* perhaps with some of them */
	unsigned tested;       /* with some, and arguments decide */
	unsigned stubbed;      /* runc's ENOSYS stands above it */
	uint32_t part;         /* in the store, where it is one on all of them */
	uint32_t *parts;       /* else by architecture; NULL: it is one */
};

struct call_parts {
	struct arena *arena;
	struct part_store *store;
	unsigned arches;        /* ARCH_BIT(): those that the filter decides */
	struct call_sums *sums; /* by call */
	bool lost;              /* a budget is passed: nothing here has a meaning */
};

/*
 * Of a diagram over calls and all else, DD_NONE: all is lost. `arches` as they are listed together:
 * what machine runs i386 hangs on the others.
 */
void parts_of_root(struct arena *a, struct part_store *store, dd_node root, unsigned arches,
		   struct call_parts *out);
/* Of a profile as a runtime loads it, by call and architecture (compiler/oci/runtime/model.h). */
struct oci_calls;
void parts_of_calls(struct arena *a, struct part_store *store, const struct oci_calls *calls,
		    unsigned arches, struct call_parts *out);

/* The call's part on one of `arches` that has it; NULL: a budget is passed. Stays where it is until
 * the next profile's parts are made. */
struct call_part *parts_at(struct call_parts *p, const struct syscall_info *s, enum arch a);

/* The machine on which calls of an architecture are looked at, where these are listed together. */
enum arch parts_host(enum arch a, unsigned arches);
