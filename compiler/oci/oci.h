/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Docker and OCI seccomp JSON, and the runtimes that load it. A profile as parsed: profile.h; what
 * a runtime makes of it: runtime/; a policy as JSON: write/.
 */
#include "compiler/decision/decision.h"
#include "compiler/policy/policy.h"
#include "grammar/json.h"

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

#define OCI_RUNTIME_DEFAULT "runc-1.1.5+libseccomp-2.5.4-1+deb12u1" /* what compile compiles for */
extern const char oci_runtime_default[];
/*
 * kind: the runtime that is meant where a name leaves it open ("debian12"); -1: any. 0; -EINVAL:
 * no runtime; -ERANGE: one that is older than those that pale knows.
 */
int oci_runtime_parse(struct str s, int kind, struct oci_runtime *out);
/* Was it loaded for real and compared with the model (runtimes.def)? */
bool oci_runtime_measured(const struct oci_runtime *rt);
/* The measured one that it is taken as; in the arena. */
const char *oci_runtime_name(struct arena *a, const struct oci_runtime *rt);
/* What is wrong with a name that oci_runtime_parse() answered so: "is no runtime; ..." */
const char *oci_runtime_wrong(struct arena *a, struct str s, int kind, int err);
/* "2.5.4-1+deb12u1", as --runtime takes it behind `libseccomp-`. */
const char *oci_libseccomp_name(struct arena *a, unsigned libseccomp);

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
/* The calls that somebody asks for: what is wrong with the entries of others is not told. */
struct oci_asked_calls {
	const struct str *names;
	size_t n;
};

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
	const struct oci_asked_calls *asked; /* NULL: the whole file is */
};
