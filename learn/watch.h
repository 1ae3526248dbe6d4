/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The eBPF backend's two halves, attaching and waiting (trace_bpf.c) and reading the maps
 * (read_bpf.c), share this and nobody else does. Only where BPF programs are built.
 */
#include <bpf/libbpf.h>
#include <limits.h>

/* Generated: its style is not ours to warn about. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include "trace.skel.h"
#pragma GCC diagnostic pop

#include "compiler/base/table.h"
#include "learn/backend.h"
#include "learn/events.h"
#include "learn/types.h"

#define PROGRAMS 32
enum { WATCH_PARTS = 2 };

/* How the programs are attached, best first: trace.bpf.c says what each is good for. */
enum tier { TIER_FENTRY, TIER_TP, TIER_BTF, TIER_RAW, TIERS };

/* Where capabilities are looked at; without a tracepoint of theirs, best first. */
enum caps_by { CAPS_LSM, CAPS_END, CAPS_NOT, CAPS_TRACEPOINT };

struct live;

struct watch {
	struct trace_bpf *skel; /* the maps, */
	/* And the programs, or these parts have them, which are loaded side by side: to prove them is most of a start. */
	struct trace_bpf *parts[WATCH_PARTS];
	struct bpf_program *programs[PROGRAMS]; /* those that are loaded, in their order */
	unsigned nprograms;
	struct types *types; /* while programs are loaded */
	struct {
		const char *path;
		int events; /* its cgroup.events; -1: it is gone */
		bool is_inhabited;
		bool is_containers; /* once it is gone another one may have its place */
	} cgroups[LEARN_WATCHED];
	size_t ncgroups;
	struct bpf_link *links[PROGRAMS];
	unsigned nlinks;
	bool sees_caps;
	bool finds;         /* the kernel itself tells where a symbol is, since Linux 5.16 */
	bool no_exits;      /* nothing is looked at behind a call's end */
	bool sees_names;    /* what calls change by name, where the kernel resolves it */
	bool sees_asked;    /* and whom it asks about before one process looks at another */
	bool casts;         /* programs read the kernel's memory as it lies, */
	bool no_casts;      /* unless this one's verifier refuses those that do */
	bool sees_requests; /* of rings of io_uring, where that is not to be had */
	enum tier tier;
	enum caps_by caps_by;
	bool no_btf;
	bool unmapped;           /* libbpf found that arrays cannot be mapped */
	struct ring_buffer *met; /* learn_options.border: wakes for another mount namespace */
	char maker[PATH_MAX];    /* the program of the runtime that was met; "": not known */
	uint32_t held_ns;        /* of those the one whose view is held; 0: none */
	bool midway;             /* what is watched ran before the programs were attached */
	int cpus;
	struct events events;   /* what drives the program, or counts beside it */
	const char *step;       /* that failed, of TIER_FENTRY's */
	const char *refused;    /* of a better tier: by what; NULL */
	const char *no_witness; /* why nobody says that nothing was missed; NULL */
	uint64_t calls;         /* that the programs saw */
	uint64_t counted;       /* and those that perf counted beside them */
	bool is_stopped;        /* nothing is counted any more */
	const char *serve_from; /* all serve since then, as the user said: by what; NULL */
	uint64_t serve_ns;      /* and since when, since the start */
	uint64_t unread;        /* times that the kernel did not answer when the maps were read */
};

/* Opens what tells of the cgroups' processes; 0, or -errno: -ENODEV one is gone. */
int watch_cgroups(struct watch *w);
/* From now on what is in the cgroup of that place is recorded: 0 or -errno. */
int watch_take(struct watch *w, size_t i);

/* When the wait is over: the view of the first one inside a container, if it could be held. */
void watch_view(struct watch *w, struct target *t);
/* Waits for the end of what is recorded, and takes snapshots meanwhile: wait_bpf.c. 0 or -errno. */
int watch_wait(struct watch *w, const struct learn_options *opt, struct target *t, struct model *m);

/* How many keys of paths there is room for: a file has one for each way of using it, one more where
 * its name is kept while a call may fail (named.bpf.h), and twice these where names are long; one more has each program. */
static inline __u32 watch_keys(const struct watch *w, size_t max_paths)
{
	return (__u32)(max_paths * (w->sees_names ? 6 : 4) + 256 + 2 * TRACE_PROGRAMS);
}

/* A look at the maps for whoever watches the run, if it is time to: live_bpf.c. */
void watch_live(struct watch *w, const struct learn_options *opt, struct model *m);
/* What that kept is given up. */
void watch_live_end(struct live *l);

/* What is counted while the programs are attached: capabilities, and what was missed. */
void watch_read_running(struct watch *w, struct model *m);
/* And the rest, which adds to it. What the kernel does not answer is a loss. 0 or -errno. */
int watch_read_maps(struct watch *w, const struct learn_options *opt, struct model *m);
/* The same for a look at the run while it goes on: tasks and losses up to now; `out` is empty. */
void watch_look_run(struct watch *w, struct recorded_run *out);
/* What is known of paths, as the map has it. */
struct piece {
	struct trace_path_key key;
	struct trace_path val;
	model_ref ref; /* what it became; 0: a part of others, or lost */
};

struct pieces {
	struct piece *v;
	size_t n;
	const struct table
		*by_id; /* their places, with the id for a hash; NULL: they are sorted by id */
};

/* NULL: it is not there. */
const struct piece *pieces_find(const struct pieces *all, uint64_t id);
/*
 * The text from p up the chain, up to its start or to the BASE above (*base is then that). False: a part
 * of it is not there.
 */
bool pieces_text(const struct pieces *all, const struct piece *p, const struct piece **base,
		 char out[TRACE_PATH + 1]);
#define WATCH_COUNTS 8
/*
 * Of a per-CPU array of counters the elements from one on, at most so many, of each those of all CPUs, in one
 * call. How many; 0: none, or not to be had so.
 */
uint32_t watch_read_counts(int fd, uint32_t from, struct trace_counts *v);
/* The i-th counter over all CPUs, of the element that it is in. */
struct trace_count watch_sum_counts(const struct watch *w, const struct trace_counts *v,
				    uint32_t i);
/* An element of a per-CPU array of numbers. */
uint64_t watch_sum_of(struct watch *w, int fd, uint32_t which);
/* One of enum trace_loss, over all CPUs. */
uint64_t watch_sum(struct watch *w, uint32_t which);

/* Opens and switches on the events that TIER_FENTRY's program lives on. 0 or -errno; -ENODATA: all
 * was permitted, and yet calls are not seen. */
int witness_drive(struct watch *w);
/* Has the calls of what is watched counted beside the programs of another tier: of a command, or of
 * one cgroup. Of anything else it is said that nothing does. */
void witness_call(struct watch *w, struct arena *a, const struct learn_options *opt,
		  const struct target *t);
/* The cgroup was made anew: its calls are counted no more. */
void witness_renewed(struct watch *w);
/* Before the maps are read, for a snapshot: what has been counted up to now. */
void witness_look(struct watch *w, struct recording *r);
/* The same in the end, while the programs are attached: from here on nothing is counted. */
void witness_stop(struct watch *w, struct recording *r);
/* After the maps were read: what was counted and not seen is a loss. */
void witness_compare(struct watch *w, struct recording *r);
