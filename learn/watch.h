/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The eBPF backend's two halves, attaching and waiting (trace_bpf.c) and reading the maps
 * (read_bpf.c), share this and nobody else does. Only where BPF programs are built.
 */
#include <bpf/libbpf.h>

/* Generated: its style is not ours to warn about. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include "trace.skel.h"
#pragma GCC diagnostic pop

#include "learn/backend.h"

#define PROGRAMS 16

struct watch {
	struct trace_bpf *skel;
	struct {
		const char *path;
		int events; /* its cgroup.events; -1: it is gone */
		bool is_inhabited;
	} cgroups[LEARN_WATCHED];
	size_t ncgroups;
	struct bpf_link *links[PROGRAMS];
	unsigned nlinks;
	bool sees_caps;
	bool wants_end; /* capabilities are to be seen at the end of the kernel's function */
	bool no_btf;
	bool unmapped; /* libbpf found that arrays cannot be mapped */
	bool midway;   /* what is watched ran before the programs were attached */
	int cpus;
	int tracefs;     /* where perf's events have their numbers; -1: not open */
	uint64_t unread; /* times that the kernel did not answer when the maps were read */
};

/* Opens what tells of the cgroups' processes; 0, or -errno: -ENODEV one is gone. */
int watch_cgroups(struct watch *w);
/* Where a cgroup is in its hierarchy, for the programs: 0 or -errno. */
int watch_place(const char *cgroup, uint64_t *id, unsigned *depth);

/* Waits for the end of what is recorded, and takes snapshots meanwhile: wait_bpf.c. 0 or -errno. */
int watch_wait(struct watch *w, const struct learn_options *opt, struct target *t, struct model *m);

/* What is counted while the programs are attached: capabilities, and what was missed. */
void watch_read_running(struct watch *w, struct model *m);
/* And the rest, which adds to it. What the kernel does not answer is a loss. 0 or -errno. */
int watch_read_maps(struct watch *w, const struct learn_options *opt, struct model *m);
/* One of enum trace_loss, over all CPUs. */
uint64_t watch_sum(struct watch *w, uint32_t which);
