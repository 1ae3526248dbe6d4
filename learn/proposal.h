/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A proposal while it is being made: shared by the propose_*.c, each of which adds one kind of
 * statement. Everything lives in the arena of propose().
 */
#include "compiler/policy/policy.h"
#include "grammar/ast_build.h"
#include "learn/elsewhere.h"
#include "learn/propose.h"
#include "learn/trace.h"

/* CLONE_NEW* of clone; CLONE_NEWTIME's bit is the signal's there */
#define PROPOSAL_NEW_FLAGS 0x7e020000u
/* and of clone3: with CLONE_NEWTIME and CLONE_EMPTY_MNTNS */
#define PROPOSAL_NEW_FLAGS3 (PROPOSAL_NEW_FLAGS | 0x80 | UINT64_C(0x2000000000))

struct proposal {
	struct arena *a;
	const struct recording *r;
	const struct recording *whole; /* before anything was left out or made another's */
	const struct propose_options *opt;
	struct diags *ds;
	struct ast_body *body;
	struct ast_body sets;         /* that stand below the policy */
	enum arch on;                 /* where it was recorded: r may be of another architecture */
	const struct elsewhere *said; /* what that took; NULL: nothing */
	unsigned arches;              /* ARCH_BIT of those seen */
	uint64_t foreign;             /* calls of none of them: no kernel has them */
	bool one_arch;
	bool mux_sockets; /* i386's socketcall was used: it cannot be refused for the calls themselves */
	const char *group; /* heading to put above the next statement */
	bool done[ARCH_NR][TRACE_NRS];
	bool whole_by_set[ARCH_NR][TRACE_NRS]; /* with any arguments */
};

struct set_use {
	const struct ast_stmt *set;
	size_t worth; /* seen calls that it saves */
	struct ast_word *except;
};

struct set_list {
	VEC(const struct ast_stmt *) list;
	size_t unread; /* files and directories that are there and cannot be read */
};

/* Has it a number there that a recording can hold? Of mips64el none has, nor have arm's own calls. */
static inline bool proposal_numbers(const struct syscall_info *s, enum arch a)
{
	return s && s->nr[a] >= 0 && s->nr[a] < RECORDING_NRS;
}

/* proposal.c: the policy being made, and statements with their evidence */
const struct recorded_call *proposal_call(const struct proposal *p, enum arch a, const char *name);
bool proposal_saw(const struct proposal *p, const char *name);
/* Does the policy count on AppArmor? Else it can have none of its rules: a second policy is a filter alone. */
bool proposal_on_apparmor(const struct proposal *p);
/* Is it made of what others have written down, or is one of its runs? */
bool proposal_replayed(const struct recording *r);
struct ast_stmt *proposal_add(struct proposal *p, enum ast_stmt_kind kind);
struct ast_stmt *proposal_header(struct proposal *p, enum ast_header h);
struct ast_stmt *proposal_add_call(struct proposal *p, struct ast_verdict v, const char *name,
				   struct ast_cond *cond);
struct ast_verdict proposal_allow(struct proposal *p);
struct ast_verdict proposal_nosys(struct proposal *p);
const char *proposal_time(struct arena *a, uint64_t ns);
/* in: the runs, where there are several. */
const char *proposal_evidence(struct proposal *p, uint64_t count, uint64_t first_ns,
			      const uint64_t *in);
/* The same of a file, which runs without files say nothing of. */
const char *proposal_file_evidence(struct proposal *p, uint64_t count, uint64_t first_ns,
				   const uint64_t *in);
/* Of what was there when the recording began, and not seen to be used or made. */
const char *proposal_held(struct proposal *p, const uint64_t *in);

/* proposal.c: a list with commas, in lines of some length. */
void proposal_list(struct proposal *p, struct ast_comment **to, const struct buf *list);

/* proposal.c: values as policies write them (policy/spell.h); flags: bit by bit */
struct ast_value *proposal_flags(struct proposal *p, uint64_t v, const struct arg_info *arg,
				 enum arch a);
struct ast_value *proposal_value(struct proposal *p, uint64_t v, const struct arg_info *arg,
				 enum arch a);
const char *proposal_short_name(struct proposal *p, const char *domain, const char *prefix,
				uint64_t v);

/* propose_calls.c: calls with what their arguments were, and those that were not seen but belong there */
const struct recorded_arg *proposal_arg(const struct recorded_call *c, int index);
/* Was one of these bits set in the call's first argument? */
bool proposal_had_flag(const struct proposal *p, const char *call, uint64_t flag);
struct ast_cond *propose_cond(struct proposal *p, const struct recorded_call *c,
			      const struct syscall_info *s, int *index);
struct ast_cond *propose_no_namespaces(struct proposal *p, const struct arg_info *arg, enum arch a);
bool propose_is_socket(const char *name);
void propose_calls(struct proposal *p, enum arch a);
void propose_implied(struct proposal *p, enum arch a, bool has_start);
/* names: NULL-ended; of those that no rule has yet. */
void propose_imply_calls(struct proposal *p, enum arch a, const char *const *names,
			 const char *why);

/*
 * propose_margin.c: what was not seen and comes with what was, as a set of its own that the policy
 * uses; to be called when all else that allows calls is there.
 */
void propose_margin(struct proposal *p, enum arch a);

/* propose_values.c: what the arguments of a call were, a comment each */
struct value_note {
	const char *prefix; /* what stands before; NULL */
	int bounded; /* the argument of which a rule has a condition, or had if it could; -1 */
};
void propose_note_values(struct proposal *p, struct ast_comment **to, const struct recorded_call *c,
			 const struct value_note *how);

/* propose_addresses.c: ports bound and connected by sockets of this kind */
void propose_note_addresses(struct proposal *p, struct ast_comment **to, uint64_t family,
			    uint64_t type);
/* Those of sockets that no call in the recording made. */
void propose_describe_addresses(struct proposal *p, struct ast_comment **to);

/* propose_phases.c: r: as it was recorded. */
void propose_describe_phases(struct proposal *p, const struct recording *r,
			     struct ast_comment **to);
void propose_describe_serving(struct proposal *p, const struct recording *r,
			      struct ast_comment **to);
void propose_serving(struct arena *a, const struct recording *r, struct recording *out);
void propose_imply_running(struct proposal *p, enum arch a);
void propose_loading(struct proposal *p, enum arch a);
/* Files, but for those that are not kept: of the second policy while serving. */
bool propose_wrote_files(const struct proposal *p);

/* propose_sockets.c */
void propose_sockets(struct proposal *p);

/* propose_rules.c: mount, ptrace and AppArmor's other classes; what of them has no rule, and why */
void propose_rules(struct proposal *p);
/* The flag under which what has no path from the root is looked up below '/', and why. */
void propose_attached(struct proposal *p);
/* What was done by which AppArmor is asked, where no rule says of what. */
void describe_unruled(struct proposal *p, struct ast_comment **to);
void describe_not_asked(struct proposal *p, struct ast_comment **to);

/* propose_sets.c: sets of which the run made every call, and those that start the program */
void propose_load_sets(struct proposal *p, const char *dir, struct set_list *out);
const struct ast_stmt *propose_find_set(const struct set_list *sets, const char *name);
bool propose_set_holds(const struct ast_stmt *set, const char *name);
bool propose_is_special(struct proposal *p, const char *name, enum arch a);
void propose_start(struct proposal *p, const struct set_use *u, enum arch a);
void propose_sets(struct proposal *p, const struct set_list *sets, enum arch a);

/* propose_runtime.c: what a container's runtime did, for the header */
void propose_describe_runtime(struct proposal *p, struct ast_comment **to);

/* propose_files.c */
/* Asked where the kernel accounts for memory, and not for what a call needs. */
bool proposal_is_noise(const struct recorded_capability *c);
/* Asked in silence where the owner of a file below /proc/sys/net reads it. */
bool proposal_reads_sysctl(const struct recording *r, const struct recorded_capability *c);
/*
 * Takes out what was asked for without need, as files and calls tell that are cut from r later: a
 * policy that has them already must get no more than they need, and no less.
 */
void propose_judge_capabilities(const struct proposal *p, struct recording *r);
/* Files of which no path is known, for the header. */
void propose_lost(struct proposal *p, struct ast_comment **to);
void propose_files(struct proposal *p);
void propose_capabilities(struct proposal *p);
/* Did a ring of io_uring get memory to lock? */
bool proposal_locks_rings(const struct proposal *p);
/* propose_signals.c */
void propose_signals(struct proposal *p);
/* How often calls were told to send the signal; 0: kill(2) with none. */
uint64_t proposal_sent(const struct proposal *p, int sig);
