/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What pale knows of the kernel: architectures, system calls with their numbers and typed
 * arguments, named constants, capabilities, limits. Read-only data, generated at build time
 * from the .def and .tsv files beside this header (one row a line); nothing is owned.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler/base/str.h"
#include "compiler/base/suggest.h"

enum arch {
#define ARCH(id, name, alias, oci, go, audit, family, bits, be, base, cache) ARCH_##id,
#include "compiler/tables/arches.def"
#undef ARCH
	ARCH_NR
};

struct arch_info {
	const char *name;   /* as in policies */
	const char *alias;  /* another spelling that policies may use; "" for none */
	const char *oci;    /* SCMP_ARCH_* */
	const char *go;     /* the name in Docker's includes.arches (moby: goToNative) */
	uint32_t audit;     /* AUDIT_ARCH_*, seccomp_data.arch */
	const char *family; /* see arch_family(); names the BPF file: NAME.<family>.bpf */
	unsigned bits;      /* of a register in seccomp_data that may hold something: 32 or 64 */
	bool big_endian;
	uint32_t nr_base;
	uint16_t cache; /* KERNEL_VERSION_OF; see arch_caches() */
};

const struct arch_info *arch_info(enum arch a);
/*
 * Does a kernel of that version (KERNEL_VERSION_OF) answer calls that its filters always allow
 * without running them (kernel/seccomp.c seccomp_cache_check_allow())?
 */
bool arch_caches(enum arch a, uint16_t kernel);
/*
 * The machine family that decides calls of `a` where these architectures (ARCH_BIT) are listed:
 * arch_info()'s, but arm without aarch64 is its own: such a policy is for 32-bit machines.
 */
const char *arch_family(enum arch a, unsigned listed);
/* Name or alias (also the kernel's `uname -m` spellings); -1 when there is none. */
int arch_find(struct str name);
int arch_native(void); /* of this build */
#define ARCH_BIT(a) (1u << (a))

/*
 * Which architecture decides a call with this seccomp_data.arch and .nr: x32 numbers are told
 * from x86_64 ones by bit 30 (0x40000000 <= nr; -1 belongs to x86_64). *nr loses the base.
 * -1: none that the table knows.
 */
int arch_of_call(uint32_t audit, uint32_t *nr);

/* ---- system calls ---- */

enum arg_kind {
	ARG_NUMBER,
	ARG_FD,
	ARG_POINTER,
	ARG_ENUM,       /* one of `domain` */
	ARG_FLAGS,      /* bits of `domain` */
	ARG_ENUM_FLAGS, /* an enumeration under enum_mask, flags above it (socket's type) */
	ARG_POLY,       /* meaning depends on another argument (prctl's arg2) */
	ARG_KIND_NR
};

struct arg_info {
	const char *name;  /* the kernel's (SYSCALL_DEFINE) */
	const char *alias; /* the manual page's where it differs; NULL */
	enum arg_kind kind;
	uint8_t width; /* bits the kernel really looks at: 16 (umode_t), 32 or 64 */
	bool is_signed;
	const char *domain; /* of constants ("af", "prot"); NULL: none */
	uint64_t enum_mask; /* ENUM_FLAGS */
	const char *
		source; /* kernel file that shows the effective width, where it is not the declared type's; NULL */
};

#define KERNEL_VERSION_OF(major, minor) ((uint16_t)((major) << 8 | (minor)))

struct syscall_info {
	const char *name;
	int32_t nr[ARCH_NR]; /* without the architecture's base; -1: not there */
	uint16_t since
		[ARCH_NR]; /* KERNEL_VERSION_OF: first release that has it there; 0: before 2.6.12 */
	unsigned on;       /* ARCH_BIT(): where it is there */
	uint8_t nargs;     /* on most architectures; see syscall_args() */
	uint8_t late, mux; /* rows of its own in libseccomp.tsv and multiplexed.tsv, from 1 on */
	uint8_t name_n;    /* bytes of its name */
	uint16_t own;      /* rows of its own arguments begin there, one for each of ... */
	unsigned owners;   /* ARCH_BIT(): ... those that take others than most */
	const struct arg_info *args;
	const char *note; /* for `pale show`; NULL */
};

extern const uint16_t tables_level; /* the newest kernel this table knows: 7.3 */

size_t syscall_count(void);
const struct syscall_info *syscall_at(size_t i);             /* in name order */
size_t syscall_index(const struct syscall_info *s);          /* its place there */
const struct syscall_info *syscall_by_name(struct str name); /* NULL: no such call anywhere */
const struct syscall_info *syscall_by_nr(enum arch a, uint32_t nr); /* nr without base */
uint32_t syscall_end(enum arch a); /* one past the highest number there, without base */
/* The first number from `nr` on that is a call there, without base; UINT32_MAX: none is left.
 * Numbers have wide holes: mips64el begins at 5000, arm has a few from 0xf0000 on. */
uint32_t syscall_next(enum arch a, uint32_t nr);
/* The last below `nr`; UINT32_MAX: there is none. */
uint32_t syscall_before(enum arch a, uint32_t nr);
/* The arguments as this architecture takes them (order differs: clone, mmap, ...). */
const struct arg_info *syscall_args(const struct syscall_info *s, enum arch a, unsigned *nargs);
/* Index of an argument by the kernel's name, the manual's, or "arg0".."arg5"; -1: none. */
int syscall_arg_find(const struct syscall_info *s, enum arch a, struct str name);
/* A libc function or an old name for a call: "sigwait" -> "rt_sigtimedwait"; NULL. */
const char *syscall_alias(struct str name);
/* Where a call lives that exists only on architectures pale has no column for: "getxpid" ->
 * "alpha" (several: "arm,powerpc"); NULL: not such a name. */
const char *syscall_foreign_arches(struct str name);
/*
 * Does this libseccomp (major << 16 | minor << 8 | patch; 2.5.0 or later) know the name? One
 * that it does not know is skipped when a runtime loads a JSON profile. LIBSECCOMP_DEBIAN12
 * ored in: Debian 12's 2.5.4-1+deb12u1, which knows the calls up to Linux 6.7.
 */
#define LIBSECCOMP_DEBIAN12 0x80000000u
bool libseccomp_knows(unsigned version, struct str name);
bool libseccomp_knows_call(unsigned version, const struct syscall_info *s);
/* Does its table give the call a number there? Some names it knows before their number. */
bool libseccomp_numbers(unsigned version, const struct syscall_info *s, enum arch a);
/* The architectures where it does, as ARCH_BIT(). */
unsigned libseccomp_numbers_on(unsigned version, const struct syscall_info *s);
/* "2.5.5": the first release that knows the name; empty: all do, or none up to LIBSECCOMP_NEWEST. */
struct str libseccomp_since(struct str name);
/* And the first that has a number for it there. */
struct str libseccomp_since_on(const struct syscall_info *s, enum arch a);
#define LIBSECCOMP_NEWEST "2.6.1" /* whose table was read */
/* Which call `socketcall`/`ipc` makes for this first argument ("send" is none of its own); NULL. */
const char *multiplexed_call(struct str mux, unsigned selector);
/* The other way round: which of them makes this call, and for which first argument; NULL: neither. */
const char *multiplexer_of(struct str call, unsigned *selector);
const char *syscall_multiplexer(const struct syscall_info *s, unsigned *selector);
/* And back, where `a` has the multiplexer: 0, or -ENOENT. */
int multiplexed_by(const struct syscall_info *s, enum arch a, const char **mux, unsigned *selector);

/* ---- constants ---- */

/*
 * Domains are short lower-case words: af, sock_type, sock_flag, prot, map, open, clone, ns,
 * errno, signal, prctl, ioctl, capability, rlimit, ... (`pale list constants`).
 * Both spellings are found: "AF_INET" and "inet", "CAP_CHOWN" and "chown", "EPERM" and "eperm".
 * 0, -ENOENT, or -EXDEV: the name exists, but in another domain (*value is set).
 */
int constant_find(const char *domain, struct str name, enum arch a, uint64_t *value);
/* Full spelling of a value in a domain, NULL when it has none (the first row wins). */
const char *constant_name(const char *domain, uint64_t value, enum arch a);
struct constant_row {
	const char *domain;
	const char *name;      /* "AF_INET" */
	const char *brief;     /* "inet" */
	const uint64_t *value; /* by architecture */
	uint32_t arches;       /* ARCH_BIT() of those that have it */
};
/* The next row, from `from` on, whose whole name this is, in any domain; SIZE_MAX: none. */
size_t constant_named(struct str name, size_t from);
size_t constant_count(void);
struct constant_row constant_at(size_t i); /* grouped by domain */

struct domain_info {
	const char *name;
	const char *prefixes; /* that the short spelling leaves out, separated by commas: "AF_" */
	const char *what;     /* "socket address families" */
	size_t first, rows;   /* constant_at(first) ... */
};
size_t domain_count(void);
const struct domain_info *domain_at(size_t i); /* in name order */
const struct domain_info *domain_find(const char *name);

/* Feeds every name of a domain (both spellings) to a suggester. */
void constant_suggest(const char *domain, struct suggest *s);

const char *capability_name(unsigned cap); /* "net_admin"; NULL past the last */
int capability_find(struct str name);      /* "net_admin", "CAP_NET_ADMIN"; -1 */
#define CAPABILITY_NR 41
