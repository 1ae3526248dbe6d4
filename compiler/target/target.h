/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What policies are compiled to: targets.def has a row for each, with the function that makes its
 * artifacts, in memory, and the one that asks its loader about them. Sets of targets are a bit a
 * row, so that nothing outside a target's own file knows it by name.
 */
#include "compiler/oci/oci.h"
#include "compiler/policy/policy.h"

struct apparmor_target;
struct target;

/* ---- compiling ---- */

struct artifact {
	const struct target *target;
	const char *name;  /* "web.x86_64.bpf" */
	const char *about; /* behind "NAME: " */
	struct buf bytes;  /* the caller frees them */
	bool is_part;      /* one filter with the artifact before it */
};

struct compilation {
	struct diags *diags; /* what is made lives in its arena */
	unsigned targets; /* that were asked for, TARGETS_ALL too; 0: all of the policy's layers */
	struct source *weights;     /* NULL: none */
	bool weights_told;          /* what is wrong with them was said for a first family */
	struct oci_runtime runtime; /* that loads what is for containers */
	bool approximate;
	const struct apparmor_target *apparmor; /* apparmor/needs.h; NULL: none is named */
	bool quiet; /* what an artifact is about is told to nobody: what it costs is not measured */
	bool log_only; /* the policies given are policy_logging()'s: artifacts refuse nothing */
	/* The same policies with their conditions on the environment, for targets that carry them. */
	const struct policies *kept;
	VEC(struct artifact) artifacts;
};

/* ---- asking loaders ---- */

enum target_says {
	TARGET_TAKES,
	TARGET_REFUSES,
	TARGET_UNASKED,  /* the system is short of something */
	TARGET_UNDECIDED /* by none of its answers: told */
};

struct target_answer {
	const char *of; /* "bpf x86_64" */
	enum target_says says;
	const char *detail; /* "" or what is known of it besides */
};

/* One policy, or one file, before the loaders. */
struct target_check {
	struct diags *diags; /* why something is refused; all else lives in its arena */
	const struct oci_runtime *runtime; /* that loads what is for containers */
	const char *const *includes;       /* -I, NULL-ended; may be NULL */
	unsigned
		releases; /* of AppArmor, a bit for each enum aa_release; 0: the one that is installed */
	uint16_t kernel; /* that its profiles are for, KERNEL_VERSION_OF; 0: not said */
	bool json_told;  /* what is to be said of JSON was said for one dialect */
	VEC(struct target_answer) answers;
};

void target_answer(struct target_check *c, const char *of, enum target_says says,
		   const char *detail);

/* ---- the table ---- */

enum target_how {
	TARGET_TEXT = 0,
	TARGET_BINARY = 1 << 0,
	TARGET_KEEPS_WHEN = 1 << 1, /* it can say `when` itself; others are for one environment */
	TARGET_CONTAINER = 1 << 2,  /* a container runtime loads it, and starts under it */
	TARGET_NAMED = 1 << 3, /* it is written only where its name asks for it: not of "all" */
};

/* 0, or -1 with diagnostics. */
typedef int target_write_fn(struct compilation *c, const struct target *t, const struct policy *p);
/* Adds answers, and diagnostics where one is not TARGET_TAKES. */
typedef void target_check_fn(struct target_check *c, const struct target *t,
			     const struct policy *p);

struct target {
	const char *name;
	unsigned layer; /* LAYER_* */
	const char *suffix;
	unsigned how; /* TARGET_* */
	target_write_fn *write;
	target_check_fn *check;
	const char *what;
};

#define TARGET(name, layer, suffix, how, write, check, what)                                       \
	target_write_fn write;                                                                     \
	target_check_fn check;
#include "compiler/target/targets.def"
#undef TARGET

#define TARGET_BIT(i) (1u << (i))
enum { TARGETS_ALL = 1 << 30 }; /* "all", beside those that are named */

const struct target *target_at(size_t i); /* NULL past the last */
/* Those of which all of `how` is so. */
unsigned targets_how(unsigned how);
/* Those of the layers, also what is written by its name alone. */
unsigned targets_in(unsigned layers);
/* Those that are asked for; all of the layers where none was named, or "all" is among them. */
unsigned targets_of(unsigned asked, unsigned layers);
/* "docker,bpf", or "all", added to *targets: 0; -EINVAL and the word that is none. */
int targets_read(const char *list, unsigned *targets, struct str *wrong);
/* "docker, oci or bpf" */
void targets_print(struct buf *out, unsigned targets, const char *last);

/*
 * Adds the artifacts of one policy. 0; -1 with diagnostics: one error, in whatever target, and
 * none is to be written.
 */
int targets_write(struct compilation *c, const struct policy *p);

/* "web", and "web.log-only": what refuses nothing does not take the place of what does. */
const char *target_name(const struct compilation *c, const struct policy *p);
/* Behind what is said of an artifact: "", or that it enforces nothing. */
const char *target_force(const struct compilation *c);

/* ---- logging ---- */

/* Has the policies' refusals logged (PL130 where no layer of one does); NULL: none. */
void targets_log_refusals(const struct policies *of, struct diags *ds);
/* Puts policy_logging() in the place of each, and of c->kept's, and says what that means. */
void targets_log_only(struct compilation *c, const struct policies *of);

/* ---- files that are a target's own already, as they stand ---- */

/* Raw BPF, the kernel's checks; instructions that no call reaches are told (PL284). */
void asis_program(struct target_check *c, struct source *src);
/* JSON, through the libseccomp that is installed; env decides its conditions. */
void asis_profile(struct target_check *c, const struct source *src, struct str text,
		  const struct environment *env);
