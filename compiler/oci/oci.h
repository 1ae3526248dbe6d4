/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Docker and OCI seccomp JSON. Writing: exactly the policy's meaning as the named runtime
 * loads it, with EQ and MASKED_EQ only, disjoint entries, none equal to the default; or an
 * error that names the rule. Reading: into a pale tree with `reg` comparisons, each statement
 * placed where it stood in the JSON.
 */
#include "compiler/decision/decision.h"
#include "compiler/policy/policy.h"
#include "grammar/json.h"

enum oci_dialect {
	OCI_DIALECT_DOCKER, /* archMap, includes/excludes */
	OCI_DIALECT_OCI,    /* linux.seccomp of the runtime specification */
};

#define OCI_VERSION(major, minor, patch) ((unsigned)(major) << 16 | (minor) << 8 | (patch))

struct oci_runtime { /* --runtime [docker-20.10+]runc-1.1.5+libseccomp-2.5.4[-1+deb12u1] */
	enum { OCI_RUNC, OCI_CRUN } kind;
	unsigned version;    /* OCI_VERSION(): the measured one that it is taken as */
	unsigned named;      /* the one that was named */
	unsigned libseccomp; /* likewise, LIBSECCOMP_DEBIAN12 ored in: which names it knows */
	unsigned docker;     /* the engine; 0: not said, 23 or later */
	bool near_engine;    /* an engine was named, but no measured one */
};

enum { OCI_CRUN_ARGS = 6 }; /* of an entry, that crun looks at */

extern const char oci_runtime_default[]; /* what compile compiles for */
/*
 * kind: the runtime that is meant where a name leaves it open ("debian12"); -1: any. 0; -EINVAL:
 * no runtime; -ERANGE: one that is older than those that pale knows.
 */
int oci_runtime_parse(struct str s, int kind, struct oci_runtime *out);
/* Was it loaded for real and compared with the model (runtimes.def)? */
bool oci_runtime_measured(const struct oci_runtime *rt);
/* The measured one that it is taken as. */
void oci_runtime_print(struct buf *out, const struct oci_runtime *rt);
/* What is wrong with a name that oci_runtime_parse() answered so: "is no runtime; ..." */
const char *oci_runtime_wrong(struct arena *a, struct str s, int kind, int err);
/* "2.5.4-1+deb12u1", as --runtime takes it behind `libseccomp-`. */
const char *oci_libseccomp_name(struct arena *a, unsigned libseccomp);

struct oci_write_options {
	enum oci_dialect dialect;
	struct oci_runtime runtime;
	bool approximate;  /* differences that never loosen become notes */
	unsigned limit_ms; /* for libseccomp to build its filter in; 0: 5000 */
	bool unbuilt;      /* it builds none: proved is the text alone (tests of many thousands) */
	unsigned plant;    /* 0; a test build plants encoding bug number `plant` (tests only) */
};

/* ---- what a runtime itself calls under the filter ---- */

enum oci_start_when {
	OCI_START_RUN,   /* in each container */
	OCI_START_PLAIN, /* in those without noNewPrivileges */
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

/* ---- writing ---- */

/*
 * 0, or -1 with diagnostics and `out` empty. Notes (names the runtime does not know, ...) are
 * diagnostics too. What was written has been proved (oci_prove()). The OCI dialect is the bare
 * object that stands under linux.seccomp in a config.json.
 */
int oci_write(struct arena *a, const struct policy *p, const struct oci_write_options *opt,
	      struct buf *out, struct diags *ds);

/*
 * Is the text, as the named runtime loads it and as the machine's libseccomp builds it, the
 * policy? For every call that the JSON claims (language.md, rule 5). 0, or -1 with a diagnostic:
 * a call on which they differ (PL229), or why it cannot be told (PL231, PL290). Not with
 * opt->approximate.
 */
int oci_prove(struct arena *a, const struct policy *p, const struct oci_write_options *opt,
	      struct str text, struct diags *ds);

/* "socket(0x28, 0, ...) on x86_64", "number 0x40000200 (...) on x86_64", "arch 0x1234 ..." */
void oci_print_call(struct buf *out, uint32_t audit, uint32_t nr, const uint64_t args[6]);

/* Does this JSON look like a seccomp profile (or a config.json that holds one)? */
bool oci_recognise(const struct json *root);
/*
 * The machines that a Docker profile is for, ARCH_BIT(): those with a row of archMap, and those
 * that an entry asks for, where without a row their own architecture is decided (moby/profiles
 * leaves the list empty, and libseccomp starts with the native one). 0: it has no archMap.
 */
unsigned oci_machines(const struct json *root);
struct oci_read_options {
	bool host_known;  /* else: this build's architecture, or the profile's first */
	enum arch host;   /* picks the row of archMap */
	bool every_host;  /* where no host is known: all rows, what differs as `when host` */
	const char *name; /* of the policy; NULL: from the file's name */
	bool docker;      /* the engine is known to ignore Podman's `errno` and `defaultErrno` */
	unsigned
		libseccomp; /* that loads it, as in struct oci_runtime; 0: the one installed here */
	bool unasked;       /* nobody is asked which of two entries decides: the more restrictive */
	bool tighter;       /* likewise, and it is told as what --approximate does */
	bool strict;        /* an error where libseccomp's answer is not known */
	bool as_runc; /* numbers without a name answer as its stub does: ENOSYS, not the default */
	const struct oci_runtime
		*runtime; /* that is to start the container; NULL: oci_runtime_default */
};

/* Calls that two entries with different actions match: which decides is up to libseccomp. */
struct oci_disputes;

/*
 * Reads a profile into a tree that means what a runtime loads (plain meaning: no ENOSYS stub).
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
 */
struct oci_overlaps;
struct oci_overlaps *oci_overlaps(struct arena *a, const struct json *root);
bool oci_overlap_next(const struct oci_overlaps *o, size_t *at, struct str *name,
		      struct oci_disputed *out);
/* One after the other, from *at = 0, what is disputed of a number, with arguments that show it. */
bool oci_disputed_next(const struct oci_disputes *ds, const struct environment *env, uint32_t audit,
		       uint32_t number, size_t *at, struct oci_disputed *out);

/*
 * Loads a JSON text through libseccomp in a child process (time limit in ms) as runc would on
 * a `native` machine, and returns the BPF it builds. env decides includes/excludes (what it
 * does not know does not hold). 0; -ETIMEDOUT; -EINVAL with *why; another -errno.
 */
struct cbpf;
int oci_libseccomp(struct arena *a, struct str json, enum arch native,
		   const struct environment *env, unsigned limit_ms, struct cbpf *out,
		   const char **why);

/* ---- what a runtime loads ---- */

struct oci_load_options {
	struct oci_runtime runtime;
	struct environment env; /* host_known */
	unsigned limit_ms;      /* for libseccomp; 0: 5000 */
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
/* Says that they must be known (PL131); -1. */
int oci_ask_environment(struct diags *ds, struct span span, unsigned fields);

/*
 * What the kernel holds when a container with this profile has started: the engine's part
 * (unless the JSON is a config.json, which has passed it), the runtime's and libseccomp's. 0, or
 * -1 with diagnostics: the container would not start, or what it would hold cannot be known here.
 */
int oci_load(struct arena *a, struct dd *d, const struct json *root,
	     const struct oci_load_options *opt, struct oci_loaded *out, struct diags *ds);
