/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A rule of AppArmor as a statement (profile.h) becomes one with types: its class, permissions as
 * bits, conditions by name, numbers as the kernel gets them. Every word is looked up in
 * classes.def for the release that the text is read for; each fault is told with its place, why,
 * and a way out. Globs stay text where they hold variables, and are parsed where they do not.
 *
 * What 5.0.2's parser takes is taken, and what it refuses is an error; what it takes and reads as
 * something else than it says (`port=(80 81)`, "rtmin+5x") is told as high.
 */
#include "compiler/rules/profile.h"
#include "compiler/tables/tables.h"

struct aa_reader {
	struct arena *arena; /* owns what is read */
	struct diags *diags;
	struct aa_target target;
	/* NULL: none are known, and globs with variables stay text. Those undeclared are told elsewhere. */
	const struct glob_variables *variables;
	/* Only what is wrong is asked for: globs that cannot be are NULL, but those of executions. */
	bool check;
	/* NULL; with `check`: patterns that were found to be right; else all that were parsed */
	struct aa_known *known;
	bool policy;                /* of a policy's own text, where rules end with ';' */
	const struct aa_from *from; /* the way of what is read; aa_rule_read takes the use's */
};

/* A word that may be a glob. */
struct aa_text {
	const struct aa_word *word; /* NULL: not said */
	const struct glob *glob;    /* NULL: not said, of unknown variables, or see `check` */
};

/* ---- permissions, by class; of files w alone, without what it implies ---- */

/* EXEC comes with a transition. */
enum { PERM_R = 1, PERM_W = 2, PERM_A = 4, PERM_L = 8, PERM_K = 16, PERM_M = 32, PERM_X = 64 };

enum {
	AA_NET_CREATE = 1 << 0,
	AA_NET_BIND = 1 << 1,
	AA_NET_LISTEN = 1 << 2,
	AA_NET_ACCEPT = 1 << 3,
	AA_NET_CONNECT = 1 << 4,
	AA_NET_SHUTDOWN = 1 << 5,
	AA_NET_GETATTR = 1 << 6,
	AA_NET_SETATTR = 1 << 7,
	AA_NET_GETOPT = 1 << 8,
	AA_NET_SETOPT = 1 << 9,
	AA_NET_SEND = 1 << 10,
	AA_NET_RECEIVE = 1 << 11,
	AA_NET_ALL = (AA_NET_RECEIVE << 1) - 1,
	/* Those that have a peer. */
	AA_NET_PEER = AA_NET_SEND | AA_NET_RECEIVE | AA_NET_CONNECT | AA_NET_ACCEPT,
};
enum {
	AA_PTRACE_TRACE = 1 << 0,
	AA_PTRACE_READ = 1 << 1,
	AA_PTRACE_TRACEDBY = 1 << 2,
	AA_PTRACE_READBY = 1 << 3,
};
enum { AA_SIGNAL_SEND = 1 << 0, AA_SIGNAL_RECEIVE = 1 << 1 };
enum {
	AA_DBUS_SEND = 1 << 0,
	AA_DBUS_RECEIVE = 1 << 1,
	AA_DBUS_BIND = 1 << 2,
	AA_DBUS_EAVESDROP = 1 << 3,
};
enum {
	AA_MQUEUE_READ = 1 << 0,
	AA_MQUEUE_WRITE = 1 << 1,
	AA_MQUEUE_CREATE = 1 << 2,
	AA_MQUEUE_DELETE = 1 << 3,
	AA_MQUEUE_OPEN = 1 << 4,
	AA_MQUEUE_GETATTR = 1 << 5,
	AA_MQUEUE_SETATTR = 1 << 6,
};
enum { AA_USERNS_CREATE = 1 << 0 };
enum { AA_URING_OVERRIDE_CREDS = 1 << 0, AA_URING_SQPOLL = 1 << 1 };

/* ---- conditions ---- */

enum aa_cond_id {
	AA_COND_ADDR,
	AA_COND_BUS,
	AA_COND_FSTYPE,
	AA_COND_INTERFACE,
	AA_COND_IP,
	AA_COND_LABEL,
	AA_COND_MEMBER,
	AA_COND_NAME,
	AA_COND_OLDROOT,
	AA_COND_OPTIONS,
	AA_COND_PATH,
	AA_COND_PEER,
	AA_COND_PORT,
	AA_COND_SET,
	AA_COND_TYPE,
	AA_COND_NR
};

struct aa_cond {
	enum aa_cond_id id : 8;
	enum aa_op op : 8; /* EQ, SET, IN */
	bool peer;         /* of the rule's peer=( ) */
	const struct aa_item *item;
	const struct aa_word *values; /* as written, one at least */
	VEC(struct aa_text) texts;    /* the values that are globs; of one value: one */
};

/* ---- what a rule of each class says ---- */

enum aa_exec {
	AA_EXEC_NONE,
	AA_EXEC_BARE, /* x, of a deny */
	AA_EXEC_IX,
	AA_EXEC_PX,
	AA_EXEC_PIX,
	AA_EXEC_PUX,
	AA_EXEC_CX,
	AA_EXEC_CIX,
	AA_EXEC_CUX,
	AA_EXEC_UX,
	AA_EXEC_NR
};

struct aa_file_rule {
	struct aa_text path;   /* not said: `file,`, which is /{**,} with rwlkm and ix */
	struct aa_text target; /* of an exec: behind `->` */
	struct aa_text link;   /* of l: to what a link may lead; not said: anywhere, as a subset */
	enum aa_exec exec;
	bool unsafe; /* the environment is passed on as it is: px, and `unsafe` */
	bool subset; /* a link has no more rights than what it leads to */
	bool all;    /* `file,` */
};

struct aa_ip {
	bool said, none; /* none: `ip=none` */
	bool v6;
	uint8_t bytes[16]; /* in network order; of v4 the first four */
};

struct aa_address {
	struct aa_ip ip;
	bool port_said;
	uint16_t from, to; /* both ends in it */
};

struct aa_network_rule {
	uint64_t families; /* bit N: AF_N */
	unsigned types;    /* bit N: SOCK_N as x86 numbers them */
	bool icmp;         /* of raw: ICMP alone; the kernel does not look at it */
	bool any;          /* no family, no type, no condition: all there are */
	struct aa_address own, peer;
};

enum aa_unix_addr { AA_ADDR_ANY, AA_ADDR_NONE, AA_ADDR_AUTO, AA_ADDR_GLOB };

struct aa_unix_rule {
	int type; /* SOCK_* as x86 numbers them; -1: any */
	enum aa_unix_addr addr, peer_addr;
};

enum aa_mount_kind { AA_MOUNT, AA_REMOUNT, AA_UMOUNT };

/* What one `options` says, in the bits of mount(2). */
struct aa_mount_flags {
	enum aa_op op;       /* EQ: these and no others; IN: of these, any */
	unsigned set, clear; /* asked for, and asked to be absent */
};

struct aa_mount_rule {
	enum aa_mount_kind kind;
	VEC(struct aa_mount_flags) flags; /* none: any */
	struct aa_text source;            /* of mount, in front of the arrow */
	struct aa_text point;             /* behind it; of remount and umount their word */
};

struct aa_pivot_rule {
	struct aa_text root;
	struct aa_text target; /* behind `->`; no parser does anything with it */
};

/* As the kernel numbers them on x86; 35: whether a process is there (kill(2) with 0). */
enum { AA_SIGNAL_EMT = 32, AA_SIGNAL_EXISTS = 35, AA_SIGNAL_RT = 128, AA_SIGNAL_NR = 161 };

struct aa_signal_rule {
	bool any;                               /* no set: all */
	uint64_t set[(AA_SIGNAL_NR + 63) / 64]; /* bit N: signal N; real-time ones from 128 on */
};

enum aa_mqueue_type { AA_MQUEUE_ANY, AA_MQUEUE_POSIX, AA_MQUEUE_SYSV };

struct aa_mqueue_rule {
	enum aa_mqueue_type type;
	struct aa_text name; /* posix: a glob; sysv: digits; not said: all */
};

struct aa_limit_rule {
	int resource;   /* RLIMIT_* as x86 numbers them */
	uint64_t value; /* as the kernel gets it (nice: 0..39); UINT64_MAX: infinity */
};

struct aa_change_rule {
	struct aa_text exec;   /* at whose execution; not said: any, and at once */
	struct aa_text target; /* not said: ** */
	bool safe, unsafe;     /* as written */
};

struct origin; /* policy.h */

struct aa_rule {
	enum aa_class class;
	const struct aa_use *use;
	const struct origin *origin; /* of a policy's rule, which has no use; else NULL */
	struct aa_prefix prefix;
	unsigned perms; /* of its class; none written: what the class takes then */
	VEC(struct aa_cond) conds;
	union {
		struct aa_file_rule file;
		uint64_t caps; /* bit N: capability N; all bits: `capability,` */
		struct aa_network_rule network;
		struct aa_unix_rule unix_;
		struct aa_mount_rule mount;
		struct aa_pivot_rule pivot;
		struct aa_signal_rule signal;
		struct aa_mqueue_rule mqueue;
		struct aa_limit_rule limit;
		struct aa_change_rule change;
	};
};

/* "Px": the mode, and whether the environment is passed on as it is. One mode and nothing else. */
enum aa_exec aa_exec_of(struct str letters, bool *unsafe);

/* What `network FAMILY TYPE,` says, by x86's numbers; -1: the word is not written. */
void aa_network_of(int family, int type, struct aa_network_rule *out);

/* The first condition of that name and side; NULL: none. */
const struct aa_cond *aa_rule_cond(const struct aa_rule *r, enum aa_cond_id id, bool peer);

/*
 * Reads one rule. The use's prefix is taken as its blocks and its own words gave it
 * (aa_prefix_read). NULL: at least one error was told. Owner: the reader's arena.
 */
struct aa_rule *aa_rule_read(const struct aa_reader *reader, const struct aa_use *use);

/*
 * What stands in front of a rule or a block: order, words, numbers, releases. Adds to *out; false:
 * an error was told.
 */
bool aa_prefix_read(const struct aa_reader *rd, const struct aa_stmt *st, struct aa_prefix *out);

/* ---- the preamble, and the heads of profiles ---- */

/* `alias /a -> /b,`, `rewrite`. False: an error was told. */
bool aa_alias_read(const struct aa_reader *rd, const struct aa_stmt *st, struct aa_alias *out);

/* `abi <abi/5.0>,`: the file that it names; NULL: an error was told. */
const struct aa_word *aa_abi_read(const struct aa_reader *rd, const struct aa_stmt *st);

enum {
	AA_FLAG_ENFORCE = 1 << 0,
	AA_FLAG_COMPLAIN = 1 << 1,
	AA_FLAG_KILL = 1 << 2,
	AA_FLAG_UNCONFINED = 1 << 3,
	AA_FLAG_PROMPT = 1 << 4,
	AA_FLAG_DEFAULT_ALLOW = 1 << 5,
	AA_FLAG_AUDIT = 1 << 6,
	AA_FLAG_DEBUG = 1 << 7,
	AA_FLAG_INTERRUPTIBLE = 1 << 8,
	AA_FLAG_CHROOT_RELATIVE = 1 << 9,
	AA_FLAG_NAMESPACE_RELATIVE = 1 << 10,
	AA_FLAG_MEDIATE_DELETED = 1 << 11,
	AA_FLAG_DELEGATE_DELETED = 1 << 12,
	AA_FLAG_ATTACH = 1 << 13,
	AA_FLAG_ATTACH_IPC = 1 << 14,
	AA_FLAG_NO_ATTACH = 1 << 15,
	AA_FLAG_CHROOT_ATTACH = 1 << 16,
	AA_FLAG_CHROOT_NO_ATTACH = 1 << 17,
	/* At most one of them; none: enforce. */
	AA_FLAG_MODES = AA_FLAG_ENFORCE | AA_FLAG_COMPLAIN | AA_FLAG_KILL | AA_FLAG_UNCONFINED |
			AA_FLAG_PROMPT | AA_FLAG_DEFAULT_ALLOW,
};

struct aa_header {
	bool keyword;             /* `profile` is written */
	bool hat;                 /* `hat`, `^` */
	struct str ns;            /* "" none */
	struct str name;          /* unescaped, variables not expanded */
	struct aa_text name_glob; /* the word; a name that is a path is an attachment, too */
	struct aa_text attachment;
	const struct aa_item *xattrs;     /* its conds are names and, each with a value, globs */
	const struct aa_word *identities; /* of all `+ identities=( )` together */
	unsigned flags;                   /* AA_FLAG_* */
	struct str disconnected, ipc;     /* attach_disconnected.path=, .ipc=; "" */
	const struct aa_word *disconnected_by, *ipc_by; /* the flags that give them */
	int kill_signal;                                /* as in aa_signal_rule; 0: none */
	int error;                                      /* errno as x86 numbers it; 0: none */
};

/*
 * What programs are matched with, the attachment or the name, once its variables are known, which
 * rd has: is it a pattern? Without variables that was asked when it was read. False: told.
 */
bool aa_header_matches(const struct aa_reader *rd, const struct aa_header *h);

/* The head of a profile or hat. `child`: it stands in another. False: an error was told. */
bool aa_header_read(const struct aa_reader *rd, const struct aa_stmt *st, bool child,
		    struct aa_header *out);

/* The mode, of AA_FLAG_MODES, that this word of `flags` is; 0: it is none. */
unsigned aa_mode_flag(struct str word);

/* By the first word of a rule; what is no keyword of the release is FILE. NULL: FILE. */
enum aa_class aa_class_of(const struct aa_reader *rd, const struct aa_item *first);

const char *aa_release_name(enum aa_release r); /* "4.1" */
/* Of a version, "4.1.8" or "5.0": the row that behaves as it. False: it is none, older than 3.0 or newer than 5.0. */
bool aa_release_of(struct str version, enum aa_release *out);
/* "" or what is to be said of a version that is read as another: "not measured: ...". */
const char *aa_release_doubt(struct str version);
const char *aa_class_name(enum aa_class c); /* "mount": its keyword */
/* Of one bit of a class that has words for permissions, the first of them; NULL: there is none. */
const char *aa_perm_name(enum aa_class c, unsigned bit);
/* The first option of mount that sets just these bits; NULL: there is none. */
const char *aa_mount_option(unsigned bits);
/* Of a number as kill(2) has it, 0 to 64, as struct aa_signal_rule has it. */
int aa_signal_of(int kernel);
/*
 * As that release's rules say it, "term", "rtmin+3"; NULL: no signal has this number. In the arena.
 */
const char *aa_signal_name(struct arena *a, enum aa_release release, int number);
/*
 * Of a socket family, by x86's number, "mctp", as all releases have it: their parsers make a rule of
 * it whatever the abi, and the kernel looks at the number (network.cc; security/apparmor/net.c).
 * NULL: rules have no word for it. In the arena.
 */
const char *aa_family_name(struct arena *a, int family);
/* Of a socket's type, by x86's number, in rules of NETWORK or UNIX; NULL: they have no word. */
const char *aa_type_name(enum aa_class c, int type);

/* How `set rlimit` says a limit: "cpu", and its smallest and largest value as the kernel gets it. */
struct aa_limit_form {
	char name[16];
	uint64_t least, most;
};

void aa_limit_form(int resource, struct aa_limit_form *out); /* RLIMIT_*, x86's number */
/* "set rlimit cpu <= 5s": the value lies within the form's, or is UINT64_MAX: infinity. */
void aa_limit_put(struct buf *out, int resource, uint64_t value);

/* "mrwalkx", what is set of them, in this order. */
void aa_perms_put(struct buf *out, unsigned perms);
/* PERM_* of a small letter of "mrwalkx"; 0: it is none. */
unsigned aa_perm_of(char letter);
