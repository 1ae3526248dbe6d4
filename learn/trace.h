/* SPDX-License-Identifier: Apache-2.0 OR (GPL-2.0-only OR BSD-2-Clause) */
#pragma once
/*
 * What the kernel half (trace.bpf.c) and its loader (trace_bpf.c) agree on: sizes, keys, values,
 * and the rules that say what of a call is worth looking at. The ptrace backend follows the same
 * rules, so both record the same facts. Plain types only: this is read by the BPF compiler too.
 */
#include <linux/types.h>

#include "learn/record/address.h"
#include "learn/record/kept.h"

/* ABIs by which a task may enter the kernel; index of a call: abi * TRACE_NRS + nr. */
enum { TRACE_NATIVE, TRACE_X32, TRACE_COMPAT, TRACE_ABIS };
#define TRACE_NRS        1024    /* numbers per ABI; a power of two; beyond: counted as odd */
#define TRACE_CALLS      4096    /* TRACE_ABIS * TRACE_NRS rounded up to a power of two */
#define TRACE_SERVING    4096    /* in an index: made by a process that serves; TRACE_CALLS */
#define TRACE_NO_CALL    0xffffu /* not an index: outside any call (a page fault, say) */
#define TRACE_RING_SETUP 425     /* io_uring_setup, by every ABI's numbers */
#define TRACE_RING_ENTER 426
#define TRACE_RULES      128
#define TRACE_VALUES     32  /* RECORDING_VALUES_MAX */
#define TRACE_TEXT       120 /* bytes of a path in one key, all hashed; longer paths are chained */
#define TRACE_PATH       4096
#define TRACE_MAKERS     3   /* RUN_MAKERS: a container's first process and who started it */
#define TRACE_MAKER      256 /* bytes of the path of such a one's program, with its NUL */
#define TRACE_WATCHED    32  /* LEARN_WATCHED: cgroups, or processes, watched at once */
#define TRACE_STEPS      4   /* components and mounts of one step of a walk */
#define TRACE_STRIDE     16  /* steps */
#define TRACE_WALK       40  /* strides: more components than TRACE_PATH bytes have */
#define TRACE_PROGRAMS   256 /* whose calls are told apart: TRACE_BY_*, and RECORDING_PROGRAMS */
#define TRACE_STACKS     (1u << 18) /* stacks of tasks that are told apart */
#define TRACE_TIDS       (1u << 22) /* PID_MAX_LIMIT of include/linux/threads.h */

/* Whose a call is: the number of a program that a process runs, */
enum {
	TRACE_BY_UNKNOWN, /* not looked at yet, */
	TRACE_BY_OTHERS,  /* which has no number of its own */
	TRACE_BY_FIRST,
};

/* AppArmor's letters: PERM_* of policy.h. */
enum {
	TRACE_R = 1,
	TRACE_W = 2,
	TRACE_A = 4,
	TRACE_L = 8,
	TRACE_K = 16,
	TRACE_M = 32,
	TRACE_X = 64,
	TRACE_NAMED = 128, /* none of them: a name that was given, of what is asked */
};

/* What a successful call tells about files. */
enum trace_op {
	TRACE_OP_NONE,
	TRACE_OP_OPEN, /* the result is a descriptor; argument at: O_* (TRACE_HOW: lies in memory),
			* path[0], seen from fd[0]: the name, for people where there is no other, and
			* of one that failed */
	TRACE_OP_MMAP, /* fd[0] is mapped if the argument path[0] (prot) has PROT_EXEC */
	TRACE_OP_MPROTECT, /* perms[0] on what is mapped at path[0], if argument at has PROT_EXEC */
	TRACE_OP_FD,       /* perms[0] on the file behind fd[0] */
	TRACE_OP_FLOCK,    /* perms[0] behind fd[0], and W where argument at is an exclusive lock */
	TRACE_OP_FCNTL,    /* the same, where argument at is a command of locks or leases */
	TRACE_OP_PATH,     /* perms[0] on the path in argument path[0] seen from directory fd[0] */
	TRACE_OP_RENAME,   /* two such paths; argument at: RENAME_* */
	TRACE_OP_LINK,     /* two such paths: the second is a new name of the first */
	TRACE_OP_BIND,     /* a unix socket's address in argument path[0], length in the next */
	TRACE_OP_PIN, /* as PATH, where argument at is BPF_OBJ_PIN: the path's address lies at argument path[0] */
	TRACE_OP_EXEC, /* the exec event does it; of one that fails for want of a format: X */
	/* What AppArmor's other classes are asked (asks.h); in brackets what goes with it. */
	TRACE_OP_MOUNT,  /* paths: onto, from; argument 2: the file system [argument at] */
	TRACE_OP_UMOUNT, /* a path [argument at] */
	TRACE_OP_PIVOT,  /* paths: the new root, where the old one goes */
	TRACE_OP_MOVE,   /* paths: onto, from [argument at] */
	TRACE_OP_QUEUE,  /* argument path[0]: a queue's name [argument at] */
	TRACE_OP_RING,   /* argument path[0]: of io_uring [its flags] */
	TRACE_OP_PTRACE, /* argument at: a request; fd[0]: of whom [both, see TRACE_ASK_OURS] */
	TRACE_OP_LOOK,   /* argument path[0]: a name, which may lead by /proc/PID of another */
	TRACE_OP_PIDFD, /* as PEER; fd[0] is a descriptor of a process; argument at: setns(2)'s spaces */
	TRACE_OP_PEER, /* perms[0] R or W: fd[0], or fd[1], is read, or traced, where argument at is PR_SCHED_CORE */
	TRACE_OP_LABEL, /* no call's: a word for /proc/self/attr/ [1: of the next exec] */
	TRACE_OP_EXISTS, /* argument at: a signal, of which 0 is not sent; fd[0]: who is asked about */
	TRACE_OP_HELD,  /* likewise, and fd[0] is a descriptor of a process */
	TRACE_OP_ASKED, /* no call's: the kernel asked whether a process may be read [or traced] */
};

/* What arguments mean to both backends; the kernel's headers for BPF lack most of it. */
#define TRACE_O_ACCMODE    03
#define TRACE_O_CREAT      0100
#define TRACE_O_TRUNC      01000
#define TRACE_O_APPEND     02000
#define TRACE_O_PATH       010000000
#define TRACE_IN_ROOT      0x10 /* openat2(2) */
#define TRACE_LOCK_EX      2    /* flock(2) */
#define TRACE_LOCK_NB      4
#define TRACE_F_WRLCK      1 /* fcntl(2) */
#define TRACE_F_SETLEASE   1024
#define TRACE_OBJ_PIN      6          /* bpf(2) */
#define TRACE_EMPTY_PATH   4          /* move_mount(2), of what it moves */
#define TRACE_SPACES       0x7e020080 /* setns(2): CLONE_NEW* */
#define TRACE_SCHED_CORE   62         /* prctl(2) */
#define TRACE_AT_PERF      4          /* the flags of perf_event_open(2) */
#define TRACE_TRACEME      0          /* ptrace(2) */
#define TRACE_ATTACH       16
#define TRACE_SEIZE        0x4206
#define TRACE_EXCHANGE     2 /* renameat2(2) */
#define TRACE_EPERM        1
#define TRACE_ENOENT       2
#define TRACE_EIO          5
#define TRACE_ENXIO        6
#define TRACE_ENOEXEC      8
#define TRACE_EBADF        9
#define TRACE_EAGAIN       11
#define TRACE_ENOMEM       12
#define TRACE_EACCES       13
#define TRACE_EFAULT       14
#define TRACE_EBUSY        16
#define TRACE_EEXIST       17
#define TRACE_ENODEV       19
#define TRACE_ENOTDIR      20
#define TRACE_EISDIR       21
#define TRACE_EINVAL       22
#define TRACE_EMFILE       24
#define TRACE_ENOSPC       28
#define TRACE_EMLINK       31
#define TRACE_EDEADLK      35
#define TRACE_ENOTEMPTY    39
#define TRACE_ELOOP        40
#define TRACE_EOVERFLOW    75
#define TRACE_ELIBBAD      80
#define TRACE_EDQUOT       122
#define TRACE_NOFOLLOW     0x100 /* AT_*: unlinkat, fchownat, fchmodat2, linkat */
#define TRACE_REMOVEDIR    0x200
#define TRACE_FOLLOW_LINKS 0x400
#define TRACE_EXECVE_CHECK 0x10000 /* of execveat: may it be executed? */

enum {                       /* flags of a path */
       TRACE_FOLLOW = 1,     /* a symlink at its end is followed */
       TRACE_DIR = 2,        /* names a directory */
       TRACE_MOVED = 4,      /* may be a directory: look afterwards */
       TRACE_SCRIPT = 8,     /* executed, and not the program that runs: has a #! line */
       TRACE_HOW = 16,       /* of an open: its flags are the first word of a structure */
       TRACE_ELSEWHERE = 32, /* in a chroot or another mount namespace: not ours to look up */
       TRACE_NOW = 64,       /* the task stands still: what the name stands for can be looked up */
       TRACE_PEERS = 128,    /* below /proc/PID of another process than the one that opens it */
       TRACE_MADE = 256,     /* what the call makes, and so its maker's */
       TRACE_SYMLINK = 512,  /* made as a link to another name */
       TRACE_GIVEN = 1024,   /* to another owner */
       TRACE_SOCKET = 2048,  /* connected or sent to: what newer kernels alone ask */
       TRACE_ROOTED = 4096,  /* of those in a chroot: among our mounts */
       TRACE_TRIED = 8192,   /* executed, and nothing came of it: what would run it was not used */
       TRACE_IF_THERE = 16384,  /* of that, where it was a program at all, */
       TRACE_IF_REFUSED = 32768 /* and what would run it may not be executed */
};

/*
 * Of TRACE_OP_PEER, in the place of the first one's: who has CAP_PERFMON, or CAP_SYS_ADMIN, in the first user namespace is
 * not asked, unless the event shall send signals (kernel/events/core.c, perf_check_permission()).
 */
#define TRACE_UNLESS_PERFMON 1

/*
 * Of a rule with one name, or none, in the place of the second one's flags: by these errors alone the call fails
 * behind the question, whatever others of its kind do.
 */
enum {
	TRACE_AFTER_EBADF = 1,
	TRACE_AFTER_EINVAL = 2,
	TRACE_AFTER_EFAULT = 4,
	TRACE_AFTER_ENODEV = 8,
	TRACE_AFTER_ENOMEM = 16,
	TRACE_AFTER_EPERM = 32,
	TRACE_AFTER_EIO = 64,
	TRACE_AFTER_EBUSY = 128,
	TRACE_AFTER_EAGAIN = 256,
	TRACE_AFTER_ENOENT = 512,
	TRACE_AFTER_EMFILE = 1024,
	TRACE_AFTER_ENOSPC = 2048, /* and the like */
};

enum { TRACE_OURS = 1 }; /* of what is TRACE_PEERS: the process is recorded, too */

struct trace_rule {
	__u8 op;
	__s8 fd[2]; /* argument that holds the directory or descriptor; -1: the working directory */
	__s8 path[2]; /* argument with the path; -1: none */
	__u8 perms[2];
	__u16 flags[2];
	__s8 at; /* argument that holds the call's own flags; -1: none */
};

/* fcntl's F_SETLK, F_SETLKW, F_SETLK64, F_SETLKW64, F_OFD_SETLK, F_OFD_SETLKW */
static inline int trace_is_lock(__u32 cmd)
{
	return cmd == 6 || cmd == 7 || cmd == 13 || cmd == 14 || cmd == 37 || cmd == 38;
}

/* Flags of a path after the call's own AT_* were looked at. */
static inline __u32 trace_at(__u32 flags, __u32 at)
{
	if (at & TRACE_REMOVEDIR)
		flags |= TRACE_DIR;
	if (at & TRACE_NOFOLLOW)
		flags &= ~(__u32)TRACE_FOLLOW;
	if (at & TRACE_FOLLOW_LINKS)
		flags |= TRACE_FOLLOW;
	return flags;
}

/* Two arguments that mean something together, as one value: recording_args_of(). */
static inline __u64 trace_of(__u64 first, __u64 other)
{
	return first << 32 | (__u32)other;
}

/*
 * Did the exec that has come back only ask, since Linux 6.14? So do security modules then, of the file
 * itself alone (fs/exec.c, bprm_execve()).
 */
static inline int trace_only_asks(__u64 flags)
{
	return (flags & TRACE_EXECVE_CHECK) != 0;
}

/* setns(2) of a process: it looks at that one where these are namespaces (kernel/nsproxy.c, check_setns_flags()). */
static inline int trace_enters(__u32 spaces)
{
	return spaces && !(spaces & ~(__u32)TRACE_SPACES);
}

/*
 * Does a call of TRACE_OP_PEER ask about a process, by the argument at? prctl(2) by one option;
 * perf_event_open(2), whose fifth holds flags, where it is not told a cgroup (PERF_FLAG_PID_CGROUP).
 */
static inline int trace_asks_peer(int at, __u32 value)
{
	return at < 0 || (at == TRACE_AT_PERF ? !(value & 4) : value == TRACE_SCHED_CORE);
}

enum { TRACE_SENDTO = ADDRESS_SEND + 1, TRACE_SENDMSG, TRACE_SENDMMSG };

#define TRACE_MESSAGES      1024 /* of one sendmmsg(2): UIO_MAXIOV */
#define TRACE_MESSAGES_SOME 32   /* of them are looked through by one function */
#define TRACE_MESSAGE_SIZE                                                                         \
	64 /* of a struct mmsghdr, where words have 64 bits; half of it where they have 32 */

enum {
	TRACE_TUPLE = 1,
	TRACE_EARLY = 2,       /* its names may be gone, or mean others, when it has ended */
	TRACE_PACKED_ARGS = 4, /* socketcall(2): another call's, by argument 0, behind argument 1 */
	TRACE_PACKED_ALL = 8,  /* mmap(2) of i386: those of mmap2, behind argument 0 */
};

#define TRACE_PACKED_SENDMMSG 20 /* of socketcall(2): SYS_SENDMMSG */
#define TRACE_SELECTORS       32 /* of such a call, from 1 on; 0: mmap2 */

/*
 * Of an exec: what a script's first line or an ELF file names is not there, or is none that may run
 * (fs/binfmt_script.c, binfmt_elf.c), or nothing leads to the descriptor that a script has. So is the answer where the
 * name that was given leads to nothing, or may not be executed itself: with which flags it is to be looked at.
 */
static inline __u32 trace_if(__u32 error)
{
	switch (error) {
	case TRACE_ENOENT:
	case TRACE_ENOTDIR:
	case TRACE_ELOOP:
	case TRACE_EIO:
	case TRACE_ELIBBAD: return TRACE_IF_THERE;
	case TRACE_EACCES: return TRACE_IF_THERE | TRACE_IF_REFUSED;
	}
	return 0;
}

static inline __u32 trace_after(__u32 error)
{
	switch (error) {
	case TRACE_EBADF: return TRACE_AFTER_EBADF;
	case TRACE_EINVAL: return TRACE_AFTER_EINVAL;
	case TRACE_EFAULT: return TRACE_AFTER_EFAULT;
	case TRACE_ENODEV: return TRACE_AFTER_ENODEV;
	case TRACE_ENOMEM: return TRACE_AFTER_ENOMEM;
	case TRACE_EPERM: return TRACE_AFTER_EPERM;
	case TRACE_EIO: return TRACE_AFTER_EIO;
	case TRACE_EBUSY: return TRACE_AFTER_EBUSY;
	case TRACE_EAGAIN: return TRACE_AFTER_EAGAIN;
	case TRACE_ENOENT: return TRACE_AFTER_ENOENT;
	case TRACE_EMFILE: return TRACE_AFTER_EMFILE;
	case TRACE_ENOSPC:
	case TRACE_EDQUOT:
	case TRACE_EMLINK: return TRACE_AFTER_ENOSPC;
	}
	return 0;
}

/*
 * Did a call that failed so pass the question of whether it may? What names lead to is looked at
 * before it, and whether the file system can do it behind it (fs/namei.c, vfs_rmdir() and the like;
 * fs/exec.c), and of an open what is opened itself behind it (do_dentry_open(): a device that is not
 * there, a FIFO that nobody reads, a socket). Not by EACCES, which is also the answer no.
 */
static inline int trace_was_asked(const volatile struct trace_rule *r, __u32 error)
{
	if (r->path[1] < 0 && r->flags[1])
		return (r->flags[1] & trace_after(error)) != 0;
	switch (r->op) {
	case TRACE_OP_EXEC: return error == TRACE_ENOEXEC || trace_if(error);
	case TRACE_OP_OPEN:
		return error == TRACE_EIO || error == TRACE_ENXIO || error == TRACE_EBUSY ||
		       error == TRACE_ENODEV || error == TRACE_EAGAIN || error == TRACE_EINVAL ||
		       error == TRACE_EOVERFLOW;
	case TRACE_OP_FLOCK: /* fs/locks.c: another has it */
	case TRACE_OP_FCNTL: return error == TRACE_EAGAIN || error == TRACE_EDEADLK;
	case TRACE_OP_MMAP: /* mm/util.c, vm_mmap_pgoff(): before the addresses are looked at */
		return error == TRACE_EEXIST || error == TRACE_ENOMEM || error == TRACE_EPERM ||
		       error == TRACE_ENODEV;
	case TRACE_OP_MPROTECT: return error == TRACE_ENOMEM; /* up to where nothing is mapped */
	case TRACE_OP_MOUNT:                                  /* fs/namespace.c, path_mount() */
		return error == TRACE_EPERM || error == TRACE_EBUSY || error == TRACE_EINVAL;
	case TRACE_OP_MOVE:
	case TRACE_OP_PIVOT: return error == TRACE_EBUSY || error == TRACE_EINVAL;
	case TRACE_OP_UMOUNT: return error == TRACE_EBUSY || error == TRACE_EAGAIN;
	case TRACE_OP_PATH:
	case TRACE_OP_RENAME:
	case TRACE_OP_LINK:
		/* A truncate(2) that follows links looks at what it found first (vfs_truncate()). */
		return error == TRACE_EPERM || error == TRACE_EBUSY ||
		       (error == TRACE_EISDIR && !(r->flags[0] & TRACE_FOLLOW)) ||
		       error == TRACE_ENOTEMPTY || error == TRACE_ENOSPC || error == TRACE_EMLINK ||
		       error == TRACE_EOVERFLOW || error == TRACE_EDQUOT;
	}
	return 0;
}

/*
 * Of an open, where its arguments tell: somebody has a lease of the file, or it has none of O_DIRECT (fs/open.c,
 * do_dentry_open()). Else it is they that are wrong, or a name that was not to be looked for (RESOLVE_CACHED).
 */
static inline int trace_opens(__u32 error, __u64 asked, __u64 resolve, __u64 direct)
{
	return error == TRACE_EAGAIN ? !resolve : error != TRACE_EINVAL || asked & direct;
}

/* What an open with these O_* asks for; the kernel's own is aa_map_file_to_perms(). */
static inline __u32 trace_open_perms(__u64 asked)
{
	__u32 mode = asked & TRACE_O_ACCMODE, perms = 0;

	if (asked & TRACE_O_PATH)
		return 0;
	if (mode == 0 || mode == 2)
		perms |= TRACE_R;
	if (mode == 1 || mode == 2)
		perms |= asked & TRACE_O_APPEND ? TRACE_A : TRACE_W;
	/* Mode 3 is neither, for ioctl only. These two ask for w whatever the mode. */
	if (asked & (TRACE_O_CREAT | TRACE_O_TRUNC))
		perms |= TRACE_W;
	return perms;
}

/* What such a rule asks of the name at path[0], or at the address there, where it writes or makes it. */
static inline int trace_writes(__u32 op, __u32 perms, __u64 asked)
{
	if (op == TRACE_OP_OPEN)
		perms = trace_open_perms(asked);
	else if (op != TRACE_OP_PATH && op != TRACE_OP_RENAME && op != TRACE_OP_BIND)
		return 0;
	return (perms & (TRACE_W | TRACE_A)) != 0;
}

/* What of a call shows that a process has started, and serves from there on (serves.def). */
enum trace_serves {
	TRACE_SERVES_NOT,
	TRACE_SERVES_NOW, /* that it is made: the boundary that was asked for */
	TRACE_SERVES_ACCEPT,
	TRACE_SERVES_ADD,    /* to an epoll, a socket that listens: it is remembered */
	TRACE_SERVES_EPOLL,  /* it waits for one that has such a socket */
	TRACE_SERVES_POLL,   /* for such a socket, among the first so many, */
	TRACE_SERVES_SELECT, /* by a number below */
	TRACE_SERVES_SEND, /* it tells the service's manager so, in the first bytes of a message */
	TRACE_SERVES_SENDMSG,
};
#define TRACE_POLLED     64
#define TRACE_SELECTED   256
#define TRACE_READY      64
#define TRACE_READY_LINE 0x0a52454144593d31 /* "\nREADY=1" */
#define TRACE_EPOLL_ADD  1
#define TRACE_EPOLL_MOD  3
#define TRACE_BY_READY   0xfffeu /* no call's index: by that message */

struct trace_call {
	__u8 args; /* bit i: the value of argument i is recorded */
	__u8 wide; /* bit i: all 64 bits of it count */
	__u8 in;   /* 1: they are addresses, and the 64 bits there are the value */
	__u8 address; /* it takes one: ADDRESS_* of record/address.h, from 1 on; TRACE_SENDTO ...; 0: none */
	__u8 only;   /* where this argument, from 1, is not 0; 0: in every call */
	__u8 of;     /* 1 more than RECORDING's recording_args_of(); 0: none */
	__u8 tuple;  /* TRACE_TUPLE: arguments 0..2 belong together; TRACE_EARLY */
	__u8 rule;   /* index into the rules; 0: none */
	__u8 serves; /* enum trace_serves */
	__u8 names; /* it takes a name, which may lead by another process: TRACE_NAMES_*; 0: none */
	__s8 names_at; /* argument that holds AT_SYMLINK_NOFOLLOW; -1: none */
	__s8 names_dir; /* from which the name is seen; -1: the working directory, or a rule says it */
};

enum trace_looks { /* 0: that it was made is all */
		   TRACE_LOOKS = 1,
		   TRACE_LOOKS_NAME = 2,   /* its `names` */
		   TRACE_LOOKS_SERVES = 4, /* its `serves` */
		   TRACE_LOOKS_MANY = 8,   /* TRACE_SENDMMSG, also behind a pointer */
};

enum {
	TRACE_NAMES_FIRST = 1,  /* argument 0 */
	TRACE_NAMES_SECOND = 2, /* argument 1 */
	TRACE_NAMES_KEPT = 4,   /* what is last in it is not followed */
	TRACE_NAMES_BASE = 8,   /* names are seen from there afterwards */
};
#define TRACE_PROC_HEAD                                                                            \
	0x2f636f72702full /* "/proc/", as a little-endian number of the first bytes */
#define TRACE_PROC_MASK 0xffffffffffffull

struct trace_count {
	__u64 count;
	__u64 first_ns; /* since the target's exec */
};

/* Counters that are one element of an array: the kernel allocates each element by itself, on all CPUs. */
#define TRACE_PACKED 64
struct trace_counts {
	struct trace_count of[TRACE_PACKED];
};

struct trace_value_key {
	__u32 call; /* index of a call */
	__u32 arg;
	__u64 value;
};

#define TRACE_VALUES_ALL 16384 /* of all arguments, */
#define TRACE_TUPLES     1024  /* and several at once */
struct trace_uses {
	__u64 count;
	__u32 at; /* more of it stand in the map `again`, here */
	__u32 pad;
};

struct trace_bits { /* per CPU */
	__u64 ones, zeros;
};

struct trace_tuple_key {
	__u32 call;
	__u32 args[3];
};

struct trace_cap_key {
	__u32 call;
	__u32 cap;
};

/* A path is a chain of keys: each holds a piece of the text and the id of what stands before. */
enum trace_kind {
	TRACE_PIECE = 1,
	TRACE_BASE =
		2, /* a directory that texts are seen from; what the kernel is about to change */
	TRACE_LEAF =
		3, /* resolved; without a text of its own: the BASE before it, as it was used */
	TRACE_JOIN = 4, /* a text seen from the BASE up the chain */
	TRACE_LOST = 5, /* the end of a path too long to be had, or a text whose BASE is */
	TRACE_WORD = 6, /* a text that is no path */
};

struct trace_path_key {
	__u64 parent; /* id of the piece before; 0: this is the first */
	__u8 kind;    /* enum trace_kind */
	__u8 perms;
	__u16 flags;
	union {
		struct {
			__u8 more; /* TRACE_OURS */
			__u8 pad;
			__u16 root; /* with TRACE_ROOTED: so much of the BASE's path is that root's */
		};
		__u32 about; /* both */
	};
	char text[TRACE_TEXT]; /* zero padded */
};

struct trace_path {
	__u64 id;
	__u64 count;
	__u64 first_ns;
	__u32 not_owned; /* some access was not by the file's owner */
	/* Of what was written or made: the process that was the first, and its parent, as they call themselves. */
	__u32 pid, parent;
	__u32 at; /* more of `count` stand in the map `again`, here */
};

struct trace_pair_key { /* two paths of one call, by their ids */
	__u64 from, to;
	__u32 op; /* TRACE_OP_RENAME, TRACE_OP_LINK */
	__u32 pad;
};

/* What was asked with success: by which call, with what, and of which names, by the ids of paths. */
struct trace_ask_key {
	__u32 call;
	__u32 what; /* TRACE_OP_*: the rule's, or PEER of a name that leads by another process */
	__u64 value;
	__u64 names[3]; /* 0: none, or it was lost and counted */
};
#define TRACE_RING_OTHERS                                                                          \
	(1ull << 32) /* of TRACE_OP_RING, instead of flags: a request by credentials that it kept */
#define TRACE_ASK_OURS   (1ull << 32) /* of a value: whom it is about is recorded, too */
#define TRACE_ASK_ATTACH 2            /* of TRACE_OP_ASKED: PTRACE_MODE_ATTACH */

/* A signal between processes of which one at least is recorded. */
enum { TRACE_SENT = 1, TRACE_RECEIVED = 2 };

enum trace_peer { TRACE_PEER_UNKNOWN, TRACE_PEER_OURS, TRACE_PEER_LABEL, TRACE_PEER_PROGRAM };

struct trace_signal_key {
	__u64 who; /* id of a WORD; 0: none */
	__u8 signal;
	__u8 ways; /* both: between two that are recorded */
	__u8 peer; /* enum trace_peer */
	__u8 pad[5];
};
#define TRACE_SIGNAL_WAYS 128 /* index of those of unknown peers: TRACE_SENT * this + signal ... */

/* The value of TRACE_OP_BIND, of an abstract name: ADDRESS_* of what was done, and of the socket. */
#define TRACE_ABSTRACT(op, type, n) ((__u64)(op) | (__u64)(type) << 8 | (__u64)(n) << 16)
#define TRACE_ABSTRACT_OTHERS                                                                      \
	0xffff /* its length: whichever there were beyond those that are kept */

static inline int trace_is_early(__u8 op)
{
	return op >= TRACE_OP_MOUNT && op <= TRACE_OP_MOVE;
}

/* What programs read of the kernel as it lies: by its types' numbers (kernel.bpf.h, READ()). */
#define TRACE_CASTS(X)                                                                             \
	X(TASK, task_struct)                                                                       \
	X(FILES, files_struct)                                                                     \
	X(FDTABLE, fdtable)                                                                        \
	X(FS, fs_struct)                                                                           \
	X(FILE, file)                                                                              \
	X(PATH, path)                                                                              \
	X(INODE, inode)                                                                            \
	X(DENTRY, dentry)                                                                          \
	X(MOUNT, mount)
#define CAST_NUMBER(name, type) CAST_##name,
enum trace_cast { TRACE_CASTS(CAST_NUMBER) CASTS };
#define CAST_PLACE 0x7ff0 /* of a helper: there is none of this number */

/* What drives the program on perf_swevent_event: perf's events, as it tells them apart. */
enum trace_event {
	TRACE_EVENT_ENTER,
	TRACE_EVENT_EXIT,
	TRACE_EVENT_FORK,
	TRACE_EVENT_PREPARE,
	TRACE_EVENT_EXEC,
	TRACE_EVENT_GONE,
	TRACE_EVENT_SIGNAL,
	TRACE_EVENT_CAPABLE,
	TRACE_EVENTS
};

enum trace_loss {
	TRACE_LOSS_CALLS, /* a number beyond the table of counters (not lost: only not named) */
	TRACE_LOSS_VALUES,
	TRACE_LOSS_PATHS,
	TRACE_LOSS_TRUNCATED,
	TRACE_LOSS_UNRESOLVED,
	TRACE_LOSS_ABI,
	TRACE_LOSS_TASKS,
	TRACE_LOSS_CAPS,
	TRACE_LOSS_BUSY,    /* what a program came for while another was on the same CPU */
	TRACE_LOSS_READS,   /* what an argument points to */
	TRACE_LOSS_LEFT,    /* recorded tasks that were moved out of the cgroup */
	TRACE_MEMORY,       /* not a loss: programs executed that have no path */
	TRACE_UNSEEN_EXEC,  /* not a loss: mprotect(PROT_EXEC) of what could not be looked up */
	TRACE_DISCONNECTED, /* not a loss: pipes, sockets, memory files opened by /proc/PID/fd */
	TRACE_NAMESPACES,   /* not a loss: namespaces opened by /proc/PID/ns */
	TRACE_BELOW,        /* not a loss: of another process below /proc, where names may begin */
	TRACE_TASKS,        /* not a loss: tasks seen */
	TRACE_LOSS_NR
};
