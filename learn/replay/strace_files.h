/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Files of strace's calls. With -y it says what the kernel resolved a descriptor to; names that a
 * program gave stand as it gave them, below the working directory that -y shows.
 */
#include "compiler/file/strace.h"
#include "learn/replay/replaying.h"

struct strace_called { /* a call: sys NULL for one without a name */
	enum arch arch;
	uint32_t nr;
	const struct syscall_info *sys;
	struct trace_call call;
	struct trace_rule rule;
};

struct strace_files {
	bool decoded; /* a descriptor's path was there */
	size_t kept;  /* bytes of working directories */
	model_ref
		executed; /* what the last exec that succeeded has recorded; 0: its path is not known */
};

struct strace_socket {
	uint64_t inode;
	__u8 type; /* ADDRESS_STREAM ... */
};

struct strace_sockets { /* that the run made, by their inodes' numbers */
	VEC(struct strace_socket) list;
	struct table by_inode;
};

struct strace_pidfd { /* a descriptor of a process', that stands for another one */
	uint64_t leader, fd, pid;
};

struct strace_pidfds {
	VEC(struct strace_pidfd) list;
};

struct strace_when {
	const char **cwd; /* the task's, as it was shown last; NULL: not known */
	uint64_t since;
	uint64_t leader; /* the process that the task is a thread of */
	/* Of any task; 0: it is none of the log's. */
	uint64_t (*leader_of)(struct replay *r, uint64_t pid);
	struct strace_pidfds *pidfds;
};

/* What the arguments in `mask` are. */
struct strace_values strace_values(struct replay *r, const struct strace_line *l,
				   const struct syscall_info *sys, enum arch arch, unsigned mask);
/* An argument's value; `otherwise`: it could not be read. */
uint64_t strace_value(struct replay *r, const struct strace_line *l, const struct strace_called *c,
		      unsigned arg, uint64_t otherwise);

/* "{flags=A|B, ...}" as a number; false: something in it is neither a name of the domain nor one. */
bool strace_flags(struct str structure, const char *domain, enum arch arch, uint64_t *out);

/* A port that is bound or connected, of what shows the address; false: it could not be read. */
bool strace_record_address(struct replay *r, const struct strace_sockets *s,
			   const struct strace_line *l, const struct strace_called *c,
			   uint64_t since);
/* The type of a socket that a call has made, where -y shows which one that is. */
void strace_note_socket(struct replay *r, struct strace_sockets *s, const struct strace_line *l,
			const struct strace_called *c);

/* What the first execve says of the run. */
void strace_program(struct replay *r, const struct strace_line *l);
/* Working directories that the call shows (AT_FDCWD</d>), before it has an effect. */
void strace_note_cwd(struct replay *r, struct strace_files *f, const struct strace_line *l,
		     const char **cwd);
/* What such a call asked of AppArmor's other classes. */
void strace_record_ask(struct replay *r, const struct strace_line *l, const struct strace_called *c,
		       const struct strace_when *when);
/* Of a call that is over: it succeeded, or nothing is done. */
void strace_record_files(struct replay *r, struct strace_files *f, const struct strace_line *l,
			 const struct strace_called *c, const struct strace_when *when);
