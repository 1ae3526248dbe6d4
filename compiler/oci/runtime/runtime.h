/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What container runtimes do with a profile, and what they themselves call under it. */
#include "compiler/oci/oci.h"

/* ---- what a runtime itself calls under the filter ---- */

enum oci_start_when {
	OCI_START_RUN,   /* in each container */
	OCI_START_PLAIN, /* in those without noNewPrivileges */
	OCI_START_USER,  /* in these whose user is not root, and for a program that joins one */
	OCI_START_EXEC,  /* for a program that joins one that runs */
};

#define OCI_SPARES(err) (UINT64_C(1) << (err))

struct oci_start {
	int runtime;     /* oci_runtime's kind */
	unsigned since;  /* OCI_VERSION() of the first that makes the call; 0: from the start on */
	unsigned before; /* and of the first that does not any more; 0: all do */
	enum oci_start_when when;
	const char *call;
	const char * or ; /* tried where the call is refused with an errno; "": none */
	uint64_t spared;  /* OCI_SPARES() of the errnos with which it goes on, to `or` or without */
	const char *words; /* what the runtime dies with; "": it goes on, unless the call kills */
};
const struct oci_start *oci_start_at(size_t i); /* NULL past the last (starts.def) */
/* Does this runtime make the call? */
bool oci_start_made(const struct oci_start *s, const struct oci_runtime *rt);
/* Does it fail where the call is answered so, whatever its arguments, and may `or` pass? */
bool oci_start_fails(const struct oci_start *s, struct verdict v, bool or_passes);

/* ---- a profile as a policy ---- */

/* Calls that two entries with different actions match: which decides is up to libseccomp. */
struct oci_disputes;

/*
 * Reads a profile into a tree with `reg` comparisons that means what a runtime loads (plain meaning:
 * no ENOSYS stub), each statement placed where it stood in the JSON.
 * Entries that the runtimes ignore are kept as comments with the reason. NULL after an error.
 * opt may be NULL, and so may disputes; *disputes is NULL where entries are at one.
 */
struct ast_file *oci_read(struct arena *a, const struct json *root, struct source *src,
			  const struct oci_read_options *opt, const struct oci_disputes **disputes,
			  struct diags *ds);

struct oci_disputed {              /* one call that is disputed */
	struct span first, second; /* the two entries' names */
	struct verdict first_says, second_says;
	uint64_t args[6]; /* that both match */
	bool known;       /* the library was asked, and `says` is one answer */
	struct verdict says;
	const char *library; /* "2.5.4-1+deb12u1"; NULL: nobody was asked */
};
/* Is this call disputed in an environment (what it does not know may be anything)? NULL: no. */
bool oci_disputed_at(const struct oci_disputes *ds, const struct environment *env,
		     const struct call *c, struct oci_disputed *out);
/*
 * What entries of a profile dispute, one pair of entries after the other, from *at = 0; nobody is
 * asked. `name` and out->args are a call that both match. false: no more, or the profile is none.
 * p: of every machine; it is read again for the default runtime where it was for another.
 */
struct oci_overlaps;
struct oci_profile;
struct oci_overlaps *oci_overlaps(struct arena *a, const struct oci_profile *p);
bool oci_overlap_next(const struct oci_overlaps *o, size_t *at, struct str *name,
		      struct oci_disputed *out);
/* Says which of its entries have no effect beside one without a condition (SC108, SC109), but of
 * the names in `but`. */
struct group;
void oci_overlaps_tell(struct arena *a, const struct oci_overlaps *o, const struct group *but,
		       struct diags *ds);
/* One after the other, from *at = 0, what is disputed of a number, with arguments that show it. */
bool oci_disputed_next(const struct oci_disputes *ds, const struct environment *env, uint32_t audit,
		       uint32_t number, size_t *at, struct oci_disputed *out);

/* "'kill(0, 0x9)'": a call with all its arguments. */
void oci_print_witness(struct buf *out, struct str name, const uint64_t args[6]);

/* ---- what a runtime loads ---- */

/*
 * Loads a JSON text through libseccomp in a child process (time limit in ms) as runc would on
 * a `native` machine, and returns the BPF it builds. env decides includes/excludes (what it
 * does not know does not hold). 0; -ETIMEDOUT after cpu_s of a processor; -EINVAL with *why; another -errno.
 */
struct cbpf;
int oci_libseccomp(struct arena *a, struct str json, enum arch native,
		   const struct environment *env, unsigned cpu_s, struct cbpf *out,
		   const char **why);

struct oci_load_options {
	struct oci_runtime runtime;
	struct environment env;              /* host_known */
	unsigned limit_ms;                   /* for libseccomp; 0: 5 s of a processor */
	const struct oci_asked_calls *asked; /* NULL: the whole file is */
};

struct oci_model;
struct oci_loaded {
	dd_node root; /* what the kernel answers afterwards, in this environment */
	struct oci_model *model;
	dd_node disputed;  /* claim: entries with different actions match; libseccomp decides */
	dd_node undecided; /* the part of it for which no such library is here: root is a guess */
	unsigned open;     /* bit DD_CAPS, DD_SYSTEM: some calls hang on it, and env does not say */
	/* root is libseccomp's own filter, told by a diagnostic: */
	bool contradicts; /* entries contradict each other, and it chose */
	bool library;     /* it answers what no entry says */
};

/* The environment that oci_load() builds in: no capability and the newest kernel where env says
 * neither. What hangs on that is in `open`. */
struct environment oci_closed(const struct environment *env);
/* Fields of the environment that a node looks at and env leaves open. */
unsigned oci_open_fields(struct dd *d, dd_node n, const struct environment *env);
/* Says, where a call's entry asks for them, that they must be known (PL131); -1. */
int oci_ask_environment(struct diags *ds, const struct oci_profile *p, const struct call *c,
			unsigned fields);
/* Likewise of the machine. */
int oci_ask_machine(struct diags *ds, const struct oci_profile *p, const struct call *c);

/*
 * What the kernel holds when a container with this profile has started: the engine's part
 * (unless the JSON is a config.json, which has passed it), the runtime's and libseccomp's. 0, or
 * -1 with diagnostics: the container would not start, or what it would hold cannot be known here.
 */
int oci_load(struct arena *a, struct dd *d, const struct json *root,
	     const struct oci_load_options *opt, struct oci_loaded *out, struct diags *ds);

/* ---- what it does not load ---- */

/*
 * refuse.c: says (SC112) which rules libseccomp does not take beside others, so that no container
 * starts; or (PL131) that this hangs on what env leaves open. env NULL: any environment counts.
 * true: something was said, and nothing else is to be had of the profile. names may be NULL: the
 * calls that it is about.
 */
bool oci_refused(struct arena *a, const struct oci_profile *p, const struct environment *env,
		 struct group *names, struct diags *ds);
