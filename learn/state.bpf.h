/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the programs of trace.bpf.c share: constants of the loader, and the maps. */
#ifndef LEARN_STATE_BPF_H
#define LEARN_STATE_BPF_H

#include <stdbool.h>

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "learn/record/address.h"
#include "learn/trace.h"

/* ---- set by the loader before load ---- */

const volatile __u32 cgroups_nr;           /* cgroups that there may come to be; 0: none */
const volatile __u32 pids_nr;              /* processes that run already */
const volatile __u32 pids[TRACE_WATCHED];  /* in the loader's pid namespace */
const volatile __u64 pidns_dev, pidns_ino; /* of the loader */
const volatile __u32 mntns_ino;            /* likewise */
const volatile bool border;                /* of cgroups: what is outside is told apart */
const volatile __u64 cookie;               /* by which our own events of perf's are known */
const volatile bool no_files;              /* calls alone; programs, and what tells of their libc */
const volatile bool ring_serves;           /* by an accept of a ring a process is known to serve */
const volatile bool sees_asked;            /* whom the kernel asks about is seen where it asks */
const volatile bool is_steady;             /* no program is interrupted by another one's task */
const volatile bool marks_by_task;         /* marks are task storage: all the tp_btf programs */
const volatile __u32 o_direct;             /* O_DIRECT, which each architecture has its own of */
const volatile struct trace_call calls[TRACE_CALLS];
const volatile struct trace_rule rules[TRACE_RULES];
const volatile __u16 selected[TRACE_SELECTORS]; /* of socketcall(2): a call's index; 0: none */
const volatile __u8 returns[TRACE_NRS]; /* a call of this number, by whatever ABI, has a rule */
const volatile __u8 looks[TRACE_CALLS]; /* enum trace_looks */

/* ---- shared while it runs ---- */

__u32 target;   /* the blocked child, in the loader's pid namespace */
__u64 start_ns; /* when the target's exec happened; without one: when recording began */
/* Tasks in or below these are recorded. A place is taken, or given to another one, at any time. */
__u32 cgroups_used;
__u64 cgroup_ids[TRACE_WATCHED]; /* 0: none, or one is made anew */
__u32 cgroup_levels[TRACE_WATCHED];
__u8 cgroup_seen[TRACE_WATCHED]; /* a task was recorded in it */
__u32 home_mntns;                /* border: the mount namespace of the first one inside */
__u32 near_mntns; /* the last one that a task outside was in, other than the loader's, */
__u32 near_pid;   /* and its process, in the loader's pid namespace */
__u32 near_tgid;  /* the same, as the kernel itself knows it */
__u64 maker_inos[TRACE_MAKERS]; /* the programs of that one and of those that started it */
__u32 maker_devs[TRACE_MAKERS];
char maker_paths[TRACE_MAKERS + 1][TRACE_MAKER]; /* as the host calls them; "": not known */
char maker_word[TRACE_MAKER]; /* how the first one was called, where it runs a copy in memory */
__u64 blob_sizes;             /* AppArmor's, in the kernel; 0: it is off, or not told */
__u8 wrote;                   /* no_files: a file was opened to be written, or named anew */
__u32 again_used;
__u64 picked;                    /* tasks of `pids` that were found */
__u32 fsuid_first;               /* of the first task that used a file, plus 1; 0: none yet */
__u32 fsuids_differ;             /* another one acted as somebody else */
__u64 stacks[TRACE_STACKS / 64]; /* near(): a bit each, which stays */

enum {                /* of a thread id */
       IS_MARKED = 1, /* there is a mark of the task */
       IS_NOTED = 2,  /* it is among `ours` */
};

enum about { /* of an object that a call names */
	     ABOUT_DIR = 1,
	     ABOUT_NOT_OWNED = 2, /* by whom the task acts as */
	     ABOUT_SOCKET = 4,    /* connected or sent to */
};

struct mark {       /* one recorded task */
	__u32 call; /* the call it is in, if that has a rule, or call_now() cannot tell */
	__u8 rule;
	__u8 early;     /* args hold the names of what is asked: names[0..2], and the value */
	__u8 followed;  /* from a process on that was named, in whatever cgroup */
	__u8 nnamed;    /* what the call is about to change, of `named` */
	__u8 about[2];  /* enum about */
	__u8 error;     /* of the call that returns */
	__u8 script;    /* what is being executed is one */
	__u64 named[2]; /* ids of BASEs */
	__u64 args[8];  /* six; none is 0 */
};

struct value_state {
	__u32 distinct;
	__u32 over;
};

struct arg_key {
	__u32 call, arg;
};

struct mapping { /* what lies at an address */
	__u64 end;
	__u64 file; /* 0: none */
};

struct dentry;
/* Of a walk: a dentry's name, and what is above it, as they have lain side by side so far. */
struct link {
	struct dentry *parent;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	__u32 hash, len;
#else
	__u32 len, hash;
#endif
	const void *name;
};

struct scratch {                      /* what an open of a known file comes by is in front */
	__u64 busy;                   /* a program uses this scratch */
	__u64 second, shelved;        /* the other one is in use; was, before this was taken */
	volatile __u64 dentry, mount; /* where a walk is */
	volatile __u64 plain;         /* plain() */
	__u64 print[2];               /* fingerprint() */
	__u64 parent;
	__u64 last;  /* id of the path that was recorded last; 0: none was */
	__u64 asked; /* O_* of the open under way */
	__u16 flags;
	__u8 kind, perms;
	__u16 away; /* elsewhere(): TRACE_ELSEWHERE, with TRACE_ROOTED; or 0 */
	union {     /* as in struct trace_path_key */
		struct {
			__u8 more, pad;
			__u16 root;
		};
		__u32 about;
	};
	__u8 not_owned;
	__u32 again;      /* struct trace_path's at, of the path that was recorded last */
	__u32 off, len;   /* of the text to intern */
	struct link link; /* what a walk reads where it is */
	__u64 next_id;
	struct trace_ask_key ask;
	volatile __u64 text, vfs; /* addresses, on their way to a function that takes scalars */
	volatile __u64 other_text, other_vfs;
	struct mark call; /* a mark as it is when its call ends */
	struct trace_path_key key;
	struct trace_path val;
	char word[64];            /* a short text that is looked through, */
	__u32 at;                 /* up to here */
	char buf[2 * TRACE_PATH]; /* paths are written from the middle to the front */
};

/*
 * What was recorded before, and need only be counted: an argument's value, or several, by themselves, and
 * a path by what was seen of it in the kernel (fingerprint()). Where two are to have one place the later
 * has it.
 */
#define KNOWNS 512
struct known {
	__u64 print[2]; /* none is 0 and 0 */
	__u64 id;       /* of a path */
	__u32 again;
};

#define MAP(name_, type_, key_, value_, max_)                                                      \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_##type_);                                                \
		__type(key, key_);                                                                 \
		__type(value, value_);                                                             \
		__uint(max_entries, max_);                                                         \
	} name_ SEC(".maps")

_Static_assert(TRACE_SERVING == TRACE_CALLS, "calls while serving stand behind the others");

MAP(counts, PERCPU_ARRAY, __u32, struct trace_counts, 2 * TRACE_CALLS / TRACE_PACKED);
MAP(bits, PERCPU_HASH, struct arg_key, struct trace_bits, 1024);
MAP(distinct, HASH, struct arg_key, struct value_state, 1024);
MAP(values, HASH, struct trace_value_key, struct trace_uses, TRACE_VALUES_ALL);
MAP(tuples, HASH, struct trace_tuple_key, struct trace_uses, TRACE_TUPLES);
MAP(addresses, HASH, struct address, struct trace_count, 1024);
MAP(ports_kept, ARRAY, __u32, __u32,
    ADDRESS_GROUPS + ADDRESS_OPS * ADDRESS_TYPES); /* behind: abstract names */
MAP(caps, HASH, struct trace_cap_key, struct trace_count, 4096);
MAP(signals, HASH, struct trace_signal_key, struct trace_count, 4096);
MAP(signals_beyond, PERCPU_ARRAY, __u32, struct trace_counts, 4 * TRACE_SIGNAL_WAYS / TRACE_PACKED);
MAP(paths, HASH, struct trace_path_key, struct trace_path, 16384);
MAP(again, ARRAY, __u32, __u64, 1); /* uses of what is in `knowns`; the loader makes it larger */
MAP(knowns, PERCPU_ARRAY, __u32, struct known, KNOWNS);
MAP(pairs, HASH, struct trace_pair_key, __u64, 16384);
MAP(asks, HASH, struct trace_ask_key, struct trace_count, 4096);
MAP(ours, LRU_HASH, __u64, __u8, 16384); /* tasks that are recorded, by pid_key() */
MAP(runs, PERCPU_ARRAY, __u32, __u64, TRACE_EVENTS);
MAP(losses, PERCPU_ARRAY, __u32, __u64, TRACE_LOSS_NR);
MAP(scratches, PERCPU_ARRAY, __u32, struct scratch, 2);
MAP(marks_by_tid, HASH, __u32, struct mark, 65536);
MAP(marked, ARRAY, __u32, __u64, TRACE_TIDS / 32); /* by thread id: two bits */

/* Of `marked`: the word with a task's two bits. */
static __always_inline __u64 *marked_word(__u32 tid)
{
	__u32 i = tid / 32;

	return bpf_map_lookup_elem(&marked, &i);
}

static __always_inline __u32 marked_bits(__u32 tid)
{
	__u64 *word = marked_word(tid);

	return word ? (__u32)(*word >> tid % 32 * 2) & (IS_MARKED | IS_NOTED) : 0;
}

static __always_inline struct trace_count *counter_at(void *map, __u32 i)
{
	__u32 at = i / TRACE_PACKED;
	struct trace_counts *some = bpf_map_lookup_elem(map, &at);

	return some ? &some->of[i % TRACE_PACKED] : NULL;
}
struct { /* wakes the loader: somebody is inside */
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} mntns_met SEC(".maps");
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct mark);
} marks SEC(".maps");

/*
 * A function that is verified once, by itself, and not along every path that leads to it: that keeps
 * the programs far below the verifier's limit, and their start short. Such a function takes scalars
 * only; the rest travels in the scratch. Of these and of APART at most seven may be under way at once.
 */
#define ALONE __attribute__((noinline))
/* What few calls come to: what the others pay for is short, and keeps no registers. */
#define APART static __attribute__((noinline))

static __always_inline void count_loss(__u32 what)
{
	__u64 *n = bpf_map_lookup_elem(&losses, &what);

	if (n)
		(*n)++;
}

/* Bounds an index where the verifier sees it: the compiler must not reason the mask away. */
static __always_inline __u32 bounded(__u32 i, __u32 mask)
{
	asm volatile("%0 &= %1" : "+r"(i) : "r"(mask));
	return i;
}

static __always_inline __u64 since_start(void)
{
	return start_ns ? bpf_ktime_get_ns() - start_ns : 0; /* 0: a runtime's, before that */
}

static __always_inline struct known *known_at(__u64 a, __u64 b)
{
	__u32 i = (__u32)(a ^ a >> 9 ^ b ^ b >> 3) % KNOWNS;

	return bpf_map_lookup_elem(&knowns, &i);
}

/* NULL: it is not, or is to be counted where it was the first time. */
static __always_inline struct known *known_again(__u64 a, __u64 b)
{
	struct known *k = known_at(a, b);
	__u64 *n;

	if (!k || k->print[0] != a || k->print[1] != b)
		return NULL;
	n = bpf_map_lookup_elem(&again, &k->again);
	if (n)
		__sync_fetch_and_add(n, 1);
	return n ? k : NULL;
}

static __always_inline void know(__u64 a, __u64 b, __u32 again, __u64 id)
{
	struct known *k = known_at(a, b);

	if (!k)
		return;
	k->print[0] = a;
	k->print[1] = b;
	k->id = id;
	k->again = again;
}

static __always_inline __u32 again_take(void)
{
	return __sync_fetch_and_add(&again_used, 1);
}

/* In a hash of counts. Of two tasks that come first at once one finds the other's. False: there is no room. */
static __always_inline bool count_up(void *map, const void *key)
{
	struct trace_count *c = bpf_map_lookup_elem(map, key), fresh = { 1, 0 };

	if (!c) {
		fresh.first_ns = since_start();
		if (!bpf_map_update_elem(map, key, &fresh, BPF_NOEXIST))
			return true;
		c = bpf_map_lookup_elem(map, key);
	}
	if (c)
		__sync_fetch_and_add(&c->count, 1);
	return c;
}

#endif
