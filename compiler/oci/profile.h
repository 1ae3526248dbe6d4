/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A profile as it is parsed: what one entry of the JSON says, what is wrong with it, and the words
 * of the format. For the rooms of runtimes and of writing, and for the linter.
 */
#include "compiler/oci/oci.h"

enum { OCI_ERRNO_MAX = 4094 }; /* libseccomp's: src/db.c wants less than MAX_ERRNO */

struct oci_action {
	const char *name; /* SCMP_ACT_ERRNO */
	enum verdict_kind kind;
};
extern const struct oci_action
	oci_actions[]; /* ends with a NULL name; the first of a kind is written */

const struct oci_action *oci_action_find(struct str name);
const char *oci_action_name(enum verdict_kind kind);
int oci_arch_find(struct str scmp_name); /* SCMP_ARCH_X86 -> ARCH_I386; -1 */
int oci_host_find(struct str go_name);   /* amd64 -> ARCH_X86_64; -1 */

struct oci_arch_word { /* SCMP_ARCH_* of the runtime specification */
	const char *name;
	bool big_endian;
	unsigned runc;       /* the first that takes it, OCI_VERSION(); OCI_NEVER */
	unsigned libseccomp; /* likewise; crun takes what its library knows */
};
#define OCI_NEVER UINT32_MAX
extern const struct oci_arch_word oci_arch_words[]; /* ends with a NULL name */
const struct oci_arch_word *oci_arch_word_find(struct str name);
bool oci_arch_taken(const struct oci_runtime *rt,
		    const struct oci_arch_word *w); /* w may be NULL */

extern const char oci_flag_log[];          /* SECCOMP_FILTER_FLAG_LOG */
extern const char *const oci_flag_names[]; /* SECCOMP_FILTER_FLAG_*; ends with NULL */
bool oci_flag_taken(const struct oci_runtime *rt, struct str name);
/* Does a null among the objects of a config.json ('syscalls', 'args') make it lose the whole filter? */
bool oci_null_loses(const struct oci_runtime *rt);
/* Does the engine hand 'flags' on (not in a config.json, which has passed it)? Docker before 23 does not. */
bool oci_flags_handed(const struct oci_runtime *rt, bool in_config);

/* The keys that Docker, Podman and the runtimes read; each list ends with NULL. */
extern const char *const oci_profile_keys[],
	*const oci_entry_keys[], *const oci_arg_keys[], *const oci_gate_keys[],
								*const oci_row_keys[];
/* The key of the list that a member's key is, as Go matches them; NULL. */
const char *oci_key_find(const struct json *member, const char *const *keys);

/* "4.8" -> KERNEL_VERSION_OF(4, 8): two numbers up to 255, not both 0 (moby profiles/seccomp). */
int oci_kernel_parse(struct str s, uint16_t *out);
/* "CAP_SYS_ADMIN" -> its number; -1: engines compare letter by letter. */
int oci_capability_find(struct str name);
enum oci_op { OCI_NE, OCI_LT, OCI_LE, OCI_EQ, OCI_GE, OCI_GT, OCI_MASKED_EQ, OCI_OP_NR };
extern const char *const oci_op_names[OCI_OP_NR];

struct oci_arg {
	uint8_t index; /* 0..5 */
	enum oci_op op;
	uint64_t mask;  /* MASKED_EQ: JSON's value; else all ones */
	uint64_t value; /* MASKED_EQ: JSON's valueTwo, masked as libseccomp does */
	uint64_t two;   /* JSON's valueTwo as it is written */
	struct span span;
};

/* What the text compares with, for MASKED_EQ the mask: JSON's `value`. */
static inline uint64_t oci_arg_written(const struct oci_arg *a)
{
	return a->op == OCI_MASKED_EQ ? a->mask : a->value;
}

/* includes and excludes of an entry, Docker's `when`. */
struct oci_gate {
	uint64_t caps, no_caps;          /* all of these; none of these */
	uint16_t min_kernel, max_kernel; /* >= min; < max; 0: no bound */
	unsigned hosts, no_hosts;        /* ARCH_BIT(); hosts 0: any */
	bool never;                      /* other hosts, no capability at all: never in force */
};

bool oci_gate_open(const struct oci_gate *g, const struct environment *env);
bool oci_gate_any(const struct oci_gate *g);                                 /* always open */
bool oci_gate_exclusive(const struct oci_gate *x, const struct oci_gate *y); /* never both */
bool oci_gate_implies(const struct oci_gate *x, const struct oci_gate *y);   /* x open: y too */

/* What other rules leave to one: of few there is anything to say. */
struct oci_limits {
	VEC(const struct oci_gate *) unless; /* swallowed where one of these is open */
	VEC(const struct oci_gate *) within; /* cut: only where all of these are open as well */
	VEC(const struct oci_rule *) except; /* cut: what matches one of these is theirs */
};

/* One rule as a runtime hands it to libseccomp: a name, conditions that all hold. */
struct oci_rule {
	struct str name;
	const struct syscall_info *sys; /* that has the name; never NULL in `rules` */
	struct str
		handed; /* the JSON's name that libseccomp gets; empty: with the rule before it */
	const struct oci_arg *args;
	const struct oci_arg *written; /* as in the JSON; args may be cut to 32 bits */
	struct oci_limits *limits;     /* NULL: none; oci_limits_of() */
	uint32_t nargs, nwritten;
	struct span span;
	uint32_t entry;  /* index in `entries` */
	unsigned arches; /* ARCH_BIT(): it speaks about */
	bool dropped;
	bool listed;  /* in `swallowed` */
	bool derived; /* not in the JSON: what libseccomp makes of the rule before it */
};

const struct oci_limits *oci_limits_of(const struct oci_rule *r); /* never NULL */

/*
 * A name that has no number on the declared architectures. It says nothing there, and yet libseccomp
 * gets it, under a pseudo number, and may build another filter for it.
 */
struct oci_stranger {
	struct oci_rule rule; /* handed, entry and written alone */
	size_t before;        /* it goes before this one of `rules` */
};

struct oci_word {
	struct str text;
	struct span span;
	const struct syscall_info *sys; /* NULL: not in the table, or no call's name */
};

/* Does the runtime's libseccomp have a number for the name, be it another architecture's? */
bool oci_name_known(const struct oci_runtime *rt, const struct oci_word *name);

enum oci_asks { OCI_ASKS_CAPS, OCI_ASKS_KERNEL, OCI_ASKS_HOST, OCI_ASKS_NR };

struct oci_entry { /* one element of `syscalls` */
	const struct json *json;
	const struct json *list; /* its `names`, where that is an array; NULL */
	struct span action_span; /* the entry's where it has no action */
	struct verdict verdict;
	struct str errno_name; /* Podman's, which is another number on other machines; else empty */
	const struct oci_gate *gate;   /* never NULL */
	struct span asks[OCI_ASKS_NR]; /* where the gate does; NO_SPAN: it does not */
	struct str comment;
	VEC(struct oci_word) names; /* without empty ones */
	VEC(struct oci_arg) args;
	bool readable;   /* action and arguments are what a runtime accepts */
	bool stops;      /* no container starts where it is in force */
	bool is_default; /* says what the default says: runtimes leave it out */
	bool always;     /* no condition that libseccomp keeps: a mask of 0 is none */
	bool splits;     /* an index is repeated: each condition is a rule of its own */
	unsigned arches; /* declared architectures that it speaks to */
};

enum oci_fault_kind {
#define FAULT(kind, id, severity) OCI_FAULT_##kind,
#include "compiler/oci/faults.def"
#undef FAULT
	OCI_FAULT_NR
};

#define OCI_NO_ENTRY UINT32_MAX

struct oci_fault { /* what is wrong with the text; report_*.c have the words */
	enum oci_fault_kind kind;
	/* the runtime that was asked about, or the engine before it, starts no container; with an
	 * entry: where that is in force */
	bool stops;
	uint32_t entry; /* index; OCI_NO_ENTRY: of the profile, or wrong whatever is in force */
	struct span span, other; /* other: NO_SPAN, or a second place */
	struct str word;         /* what is told about, as written */
	const char *key;         /* the member that it is about; NULL */
	enum json_kind want;     /* TYPE */
	uint64_t number;
};

enum oci_winner { OCI_NOBODY, OCI_FIRST, OCI_SECOND };

/* Two rules with different actions that match one call: libseccomp decides. */
struct oci_dispute {
	uint32_t first, second; /* indices in `rules`, as parsed */
	uint64_t args[6];       /* which both match */
	enum oci_winner winner; /* wherever both match; OCI_NOBODY: the more restrictive */
	bool asked;             /* libseccomp itself said so */
};

/* Two rules, of which libseccomp keeps the one without a condition. */
struct oci_swallowed {
	uint32_t winner, loser; /* indices in `rules`, as parsed */
};

struct oci_profile {
	const struct json *root;             /* the file */
	const struct oci_asked_calls *asked; /* NULL: the whole file is */
	const struct json *json;             /* the object that holds defaultAction */
	bool in_config;                      /* linux.seccomp of a config.json */
	struct oci_runtime runtime;          /* that `stops` is about ... */
	enum arch host;                      /* ... on this machine */
	bool has_default;
	struct verdict dflt;
	struct str dflt_errno_name; /* as in struct oci_entry */
	struct span dflt_span;      /* defaultAction's, or the profile's first byte */
	bool errno_written;         /* defaultErrnoRet */
	bool arches_written;        /* architectures or archMap */
	unsigned declared;      /* architectures written, in all rows; none: the machine's own */
	unsigned named;         /* those of `architectures` alone, */
	unsigned rows[ARCH_NR]; /* and of archMap's rows, by machine */
	unsigned listed;        /* architectures that the runtime gets */
	unsigned arches;        /* and the machine's own */
	struct span arches_span;
	struct span
		logs_span; /* SECCOMP_FILTER_FLAG_LOG, handed to the runtime; NO_SPAN: not there */
	VEC(struct oci_word) arch_names; /* every SCMP_ARCH word, as written */
	VEC(struct oci_entry) entries;
	VEC(struct oci_rule) rules; /* of readable entries */
	VEC(struct oci_stranger) strangers;
	VEC(struct oci_dispute) disputes;
	VEC(struct oci_swallowed) swallowed; /* rules of the JSON, each once, wherever in force */
	VEC(const char *) dropped;           /* comments: what was left out and why, by entry */
	VEC(uint32_t) dropped_entry;
	VEC(struct oci_fault) faults; /* by place; at most OCI_FAULTS_MAX of a kind */
	size_t nfaults[OCI_FAULT_NR]; /* how many there are */
	bool stops;                   /* no container starts, whatever entries are in force */
	bool podman;   /* an errno stands as a name as well, which engines read in two ways */
	bool lost;     /* the runtime reads it for none: the container starts, and has no filter */
	bool unusable; /* a bound of pale's is passed, or readers make different profiles of it */
};

enum { OCI_FAULTS_MAX = 1 << 18 };

/*
 * parse.c: JSON to entries and rules, every value looked at, and nothing said: what is wrong
 * stands in out->faults. `root` is the profile or a config.json that holds one. opt may be NULL.
 */
void oci_parse(struct arena *a, const struct json *root, const struct oci_read_options *opt,
	       struct oci_profile *out);
/*
 * The profile of `first` with other options: entries, rules and strangers as oci_parse() gives them.
 * Where the options change the architectures at most, the rest is that of `first`, with which entries
 * and rules may be shared.
 */
void oci_parse_as(struct arena *a, const struct oci_profile *first,
		  const struct oci_read_options *opt, struct oci_profile *out);
/*
 * report.c: faults as diagnostics. env: entries that are not in force in it (what it does not
 * know does not hold) stop nothing; NULL: any entry may be. Returns false where the profile cannot
 * be used: no container starts, or it is too large.
 */
bool oci_report(const struct oci_profile *p, const struct environment *env, struct diags *ds);
/* Is this name one of the calls that are asked for? */
bool oci_is_asked(const struct oci_profile *p, struct str name);
/* The profile object itself: the root, or linux.seccomp of a config.json. NULL: neither. */
const struct json *oci_profile_object(const struct json *root);
const struct json *oci_member(const struct json *object,
			      const char *key); /* null counts as absent */
/* Does runc put its ENOSYS stub before a filter with this default (patchbpf)? */
bool oci_stub_covers(enum verdict_kind dflt);
