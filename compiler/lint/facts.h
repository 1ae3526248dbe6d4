/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * FACTS: what a profile or a policy lets through, asked of its decision and never read off its
 * entries: four spellings of one filter have the same facts. A question is a call, perhaps with
 * a condition in the language of policies ("ioctl(cmd == TIOCSTI)"), and an architecture.
 *
 * JSON is taken as a runtime loads it (compiler/oci/runtime/model.h) whose libseccomp knows every name,
 * each architecture on the machine that runs it. Calls that two entries decide differently, or
 * that a listener or a tracer is asked about, are neither said to pass nor to be refused. Past
 * a budget nothing is said at all: facts->undecided. Everything lives in the arena given to
 * the reader.
 */
#include "compiler/decision/decision.h"
#include "compiler/policy/policy.h"
#include "grammar/json.h"

/* Nodes of the decision, and comparisons of entries of one call with each other. */
enum { FACTS_NODES = 1 << 20, FACTS_PAIRS = 1 << 22 };

struct facts {
	unsigned arches;     /* ARCH_BIT(): those it decides */
	bool arches_written; /* it names them */
	bool json;
	bool has_default;
	bool undecided;     /* a budget is passed: no question has an answer */
	const char *costly; /* the call with the most rules; NULL: no rule */
	size_t ncostly;     /* and how many */
	struct verdict dflt;
	struct verdict unknown; /* for numbers that the table (or the policy's level) lacks */
	struct span dflt_span;
	struct fact_engine *engine;
};

/* p: read for every machine, as engines read it; rt: as which runtime loads it, NULL: as the newest. NULL: for machines that the
 * table knows nothing of. The questions are a run's (questions.h); NULL: none are kept. */
struct oci_runtime;
struct questions;
struct oci_profile;
struct facts *facts_of_profile(struct arena *a, struct questions *questions,
			       const struct oci_profile *p, const struct oci_runtime *rt);
struct facts *facts_of_policy(struct arena *a, struct questions *questions, const struct policy *p,
			      struct diags *ds);

/* Nothing more is asked of them; f may be NULL. */
void facts_end(struct facts *f);

/* ---- calls ---- */

/* Architectures (of `arches`) on which the call exists. */
unsigned facts_has(const struct facts *f, const char *call);
/* Of those, where it passes: for some arguments in some environment; and for all in all. */
unsigned facts_some(struct facts *f, const char *call);
unsigned facts_always(struct facts *f, const char *call);
/* Where it passes for some arguments and not for others. */
unsigned facts_tested(struct facts *f, const char *call);
/* Where no arguments in any environment let it pass. */
unsigned facts_refused(struct facts *f, const char *call);
/* ... and a rule says so. */
unsigned facts_refused_by_rule(struct facts *f, const char *call);
/* Is there such a call, but this one? */
bool facts_refuses_by_rule(struct facts *f, const char *but);
/*
 * Of the architectures `on`, where a call is restricted, and where it has no number although it is
 * restricted on one: those where a multiplexer carries the call (socketcall, ipc) and lets it pass
 * whatever its arguments. *mux is the last such multiplexer.
 */
unsigned facts_carried_past(struct facts *f, const struct syscall_info *s, unsigned on,
			    const char **mux);
/* Where clone's flags are filtered, and clone3 passes without CAP_SYS_ADMIN. */
unsigned facts_clone3_past(struct facts *f);
/* Of what refuses it there: an answer that is no ENOSYS where there is one. */
struct verdict facts_refusal(struct facts *f, const char *call, enum arch a);
/* Of these architectures, where nothing of it passes and programs are told something else than
 * ENOSYS, on which they would try something older. */
unsigned facts_loud(struct facts *f, const char *call, unsigned arches);
/* Where runc's stub answers ENOSYS, because the profile names no number as high. */
unsigned facts_stubbed(struct facts *f, const char *call);
/* The place of the first rule of a call; the default's where there is none. */
struct span facts_span(const struct facts *f, const char *call);
/* Architectures on which a rule names it, whatever the rule says. */
unsigned facts_named(const struct facts *f, const char *call);
bool facts_refuses(const struct facts *f); /* what no rule names is refused */

/* ---- questions ---- */

struct fact_answer {
	unsigned some;   /* architectures on which a call that the question means passes */
	unsigned always; /* ... whatever its arguments, in every environment */
	unsigned known;  /* the call exists there */
	enum arch arch;  /* of the witness: the first of `some` */
	struct dd_point witness;
	unsigned fields; /* arguments worth telling: dd_fields() */
	bool with_caps;  /* none passes without capabilities: the witness holds the fewest */
};

/*
 * question: a call's name, or one with a condition. `gates`: capabilities separated by '|', and
 * "kernel V", that a call may be left to: it only counts where it passes without them. They are
 * known by their place, which is theirs as long as the questions are kept.
 */
struct fact_answer facts_ask(struct facts *f, const char *question, const char *gates);
/* Where is a call that the question means refused with an errno (for some arguments)? */
struct fact_answer facts_ask_errno(struct facts *f, const char *question);
/* "socket(AF_VSOCK)", "with CAP_CHOWN" in front where it needs one; in the arena. */
const char *facts_witness(struct facts *f, const struct fact_answer *w);
/* The call that a question is about. */
struct str facts_call(const char *question);
