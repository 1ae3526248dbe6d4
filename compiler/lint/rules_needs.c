/* SPDX-License-Identifier: Apache-2.0 */
/* SC: what runtimes, C libraries and tools need, and what breaks without it (needs.def). */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/lint/facts.h"
#include "compiler/lint/internal.h"
#include "compiler/oci/fix.h"
#include "compiler/oci/runtime/runtime.h"
#include "grammar/json_cut.h"

/* ---- architectures ---- */

#define X86_64 ARCH_BIT(ARCH_X86_64)
#define LOADER                                                                                     \
	(X86_64 | ARCH_BIT(ARCH_AARCH64) | ARCH_BIT(ARCH_RISCV64) | ARCH_BIT(ARCH_S390X) |         \
	 ARCH_BIT(ARCH_PPC64LE) | ARCH_BIT(ARCH_MIPS64EL) | ARCH_BIT(ARCH_LOONGARCH64))
#define I386    ARCH_BIT(ARCH_I386)
#define ARM     ARCH_BIT(ARCH_ARM)
#define NARROW  (I386 | ARM)
#define FSTATAT (LOADER & ~ARCH_BIT(ARCH_LOONGARCH64)) /* glibc calls statx there */

/* The machines' own architectures, on which programs are most likely run. */
static unsigned natives(const struct facts *f)
{
	unsigned own = f->arches & LOADER;

	return own ? own : f->arches;
}

/* " on aarch64", where it is not so on each of those that have the call; in the arena. */
static const char *on_arches(struct lint *l, unsigned arches)
{
	const char *out = "";

	if (!(natives(l->facts) & ~arches))
		return "";
	for (unsigned a = 0; a < ARCH_NR; a++)
		if (arches & ARCH_BIT(a))
			out = arena_printf(l->arena, "%s%s%s", out, *out ? ", " : " on ",
					   arch_info((enum arch)a)->name);
	return out;
}

static bool kills(struct verdict v)
{
	return v.kind == VERDICT_KILL_PROCESS || v.kind == VERDICT_KILL_THREAD ||
	       v.kind == VERDICT_TRAP;
}

static bool is_named(const struct lint *l, int runtime, unsigned since, unsigned before)
{
	return !l->runtime || ((int)l->runtime->kind == runtime && l->runtime->version >= since &&
			       (!before || l->runtime->version < before));
}

/* What a runtime ends with where its call gets this answer: seen with runc 1.1.5 and crun 1.8.1. */
static const char *last_words(struct lint *l, int runtime, const char *words, struct verdict v)
{
	BUF_AUTO text = { 0 };

	if (v.kind == VERDICT_KILL_THREAD && runtime == OCI_RUNC)
		return "one of its threads is killed, and it hangs";
	if (v.kind == VERDICT_TRAP && runtime == OCI_RUNC)
		return "a crash dump of Go: SIGSYS, bad system call";
	if (kills(v))
		return "killed by SIGSYS, status 159";
	buf_printf(&text, "\"%s%s\"", words, strerror(v.data));
	char *says = buf_keep(l->arena, &text);
	char *first = says + 1 + strlen(words);
	if (runtime == OCI_RUNC && *first >= 'A' && *first <= 'Z') /* Go's own table of errors */
		*first = (char)(*first - 'A' + 'a');
	return says;
}

/* What is needed is allowed, in a profile. */
static void allow_all(struct lint *l, struct diag *d, const struct group *calls)
{
	if (!l->profile)
		return;
	oci_fix_allow(l->profile, l->ds, d, calls);
	diag_fix_means(d, FIX_UNSAFE, FIX_LOOSER);
}

static void allow_one(struct lint *l, struct diag *d, const char *call)
{
	struct group g = GROUP(l);

	group_add(&g, str_c(call), NO_SPAN);
	allow_all(l, d, &g);
}

/* A filter with an errno that libseccomp does not take is never loaded: SJ016 says that. */
static unsigned loaded_on(struct lint *l, const char *call, unsigned on)
{
	for (unsigned a = 0; a < ARCH_NR && l->facts->json; a++) {
		if (!(on & ARCH_BIT(a)))
			continue;
		struct verdict v = facts_refusal(l->facts, call, (enum arch)a);
		if (v.kind == VERDICT_ERRNO && v.data > OCI_ERRNO_MAX)
			on &= ~ARCH_BIT(a);
	}
	return on;
}

/* Names that break something, and those that runc's stub answers with ENOSYS all the same. */
struct needs {
	struct group real, stubbed;
	unsigned on; /* architectures of the real ones */
	const char *effect;
};

static void add_need(struct lint *l, struct needs *n, const char *call, unsigned arches,
		     const char *effect)
{
	unsigned stubbed = facts_stubbed(l->facts, call);

	if (!arches)
		return;
	if (!(arches & ~stubbed)) {
		group_add(&n->stubbed, str_c(call), l->facts->dflt_span);
		return;
	}
	n->on |= arches & ~stubbed;
	if (group_add(&n->real, str_c(call), facts_span(l->facts, call)) && !*n->effect && *effect)
		n->effect = arena_printf(l->arena, "; without %s %s", call, effect);
}

#define NEEDS(l) ((struct needs){ .real = GROUP(l), .stubbed = GROUP(l), .effect = "" })

/* What holds under some runtimes only is no more than news. */
static void tell_stubbed(struct lint *l, enum diag_id id, const struct group *g, const char *what)
{
	struct diag *d;

	if (!g->hits.n || l->runtime) /* the stub is there */
		return;
	d = diag_add(l->ds, id, group_span(g),
		     "%s: %s, under crun and runc before 1.0.0-rc93 only: "
		     "later ones answer ENOSYS above the highest number that the profile names",
		     group_list(g), what);
	group_rest(l->ds, d, g);
	diag_severity(l->ds, d, SEVERITY_INFO);
	diag_help(
		l->ds, d,
		"\"defaultErrnoRet\": 38, or an entry with errnoRet 38, says it for every runtime");
}

RULE(SC160, "exec-refused", ERROR, BOTH, sc_exec_refused, "execve is refused, so nothing starts",
     "The filter is in force before the program's first instruction, which execve gets to: where "
     "that is refused nothing starts. runc: 'exec PROGRAM: operation not permitted'; crun: 'exec "
     "container process'.\n\n"
     "Way out: allow execve.")

/* ---- starting ---- */

void sc_exec_refused(struct lint *l, enum diag_id id)
{
	struct diag *d;
	unsigned on;

	if (!l->facts || !l->facts->has_default)
		return;
	on = loaded_on(l, "execve", facts_refused(l->facts, "execve") & natives(l->facts));
	if (!on)
		return;
	bool crun = l->runtime && l->runtime->kind == OCI_CRUN;
	struct verdict v = facts_refusal(l->facts, "execve", (enum arch)__builtin_ctz(on));
	d = diag_add(l->ds, id, facts_span(l->facts, "execve"),
		     "'execve' is refused%s: nothing starts under this filter (%s: %s)",
		     on_arches(l, on), crun ? "crun" : "runc",
		     crun ? last_words(l, OCI_CRUN, "exec container process: ", v) :
			    last_words(l, OCI_RUNC, "exec PROGRAM: ", v));
	diag_help(l->ds, d, "%s",
		  l->facts->json ? "allow execve" : "use start-run, or allow execve");
	allow_one(l, d, "execve");
}

/* Rows of starts.def that the same versions of a runtime make at the same time: those like `like`. */
struct starter {
	const struct oci_start *like;
	struct group calls;
	unsigned on;
	const char *words; /* that it ends with, of the first */
};

static bool is_like(const struct oci_start *x, const struct oci_start *y)
{
	return x->runtime == y->runtime && x->since == y->since && x->before == y->before &&
	       x->when == y->when;
}

/* Where the call is refused so that the runtime dies of it. */
static unsigned start_dies(struct lint *l, const struct oci_start *s, unsigned or_refused)
{
	unsigned on = facts_refused(l->facts, s->call) & natives(l->facts) & LOADER;

	on = loaded_on(l, s->call, on);
	for (unsigned a = 0; a < ARCH_NR; a++)
		if (on & ARCH_BIT(a) &&
		    !oci_start_fails(s, facts_refusal(l->facts, s->call, (enum arch)a),
				     !(or_refused & ARCH_BIT(a))))
			on &= ~ARCH_BIT(a);
	return on;
}

/* The runtime's words for an errno go on behind those of the table, which has what is the same. */
static const char *start_words(struct lint *l, const struct oci_start *s, struct verdict v)
{
	return kills(v) ? last_words(l, s->runtime, "", v) :
			  arena_printf(l->arena, "\"%s ...\"", s->words);
}

static void collect_starts(struct lint *l, struct starter *w)
{
	const struct oci_start *s;

	for (size_t i = 0; (s = oci_start_at(i)); i++) {
		/* execve is another rule's: nothing starts at all. */
		if (!is_named(l, s->runtime, s->since, s->before) || !is_like(s, w->like) ||
		    !strcmp(s->call, "execve"))
			continue;
		unsigned or_refused = *s->or ? facts_refused(l->facts, s->or) : 0;
		unsigned on = start_dies(l, s, or_refused);
		if (!on)
			continue;
		w->on |= on;
		if (group_add(&w->calls, str_c(s->call), facts_span(l->facts, s->call)) &&
		    !w->words)
			w->words = start_words(
				l, s,
				facts_refusal(l->facts, s->call, (enum arch)__builtin_ctz(on)));
		if (or_refused & on)
			group_add(&w->calls, str_c(s->or), facts_span(l->facts, s->or));
	}
}

static const char *version_text(struct lint *l, unsigned v)
{
	if (v & 0xff)
		return arena_printf(l->arena, "%u.%u.%u", v >> 16, v >> 8 & 0xff, v & 0xff);
	return arena_printf(l->arena, "%u.%u", v >> 16, v >> 8 & 0xff);
}

/* "runc", "runc (1.3 and later)", "crun (before 1.28)" */
static const char *starter_name(struct lint *l, const struct oci_start *s)
{
	const char *name = s->runtime == OCI_RUNC ? "runc" : "crun";

	if (s->since)
		return arena_printf(l->arena, "%s (%s and later)", name, version_text(l, s->since));
	if (s->before)
		return arena_printf(l->arena, "%s (before %s)", name, version_text(l, s->before));
	return name;
}

/* Sets say what a policy is started by; a policy that names one is not blamed for the others. */
static bool is_meant_for(const struct lint *l, int runtime)
{
	bool any = false, it = false;

	if (!l->policy)
		return true;
	vec_each(&l->policy->calls, r) {
		const char *set = r->origin->set;
		if (!set || strncmp(set, "start-", 6) != 0)
			continue;
		any = true;
		it |= !strncmp(set, runtime == OCI_RUNC ? "start-runc" : "start-crun", 10);
	}
	return it || !any;
}

static const char *start_effect(enum oci_start_when when)
{
	return when == OCI_START_EXEC ?
		       "for a program that joins a container: exec and health checks fail" :
	       when == OCI_START_PLAIN ?
		       "under the filter: no container starts without no-new-privileges" :
	       when == OCI_START_USER ?
		       "under the filter: without no-new-privileges no container starts whose user "
		       "is not root" :
		       "under the filter: no container starts";
}

static void tell_start(struct lint *l, enum diag_id id, const struct oci_start *like)
{
	struct starter w = { .like = like, .calls = GROUP(l) };
	bool plain = like->when == OCI_START_PLAIN || like->when == OCI_START_USER;

	collect_starts(l, &w);
	if (!w.calls.hits.n)
		return;
	struct diag *d =
		diag_add(l->ds, id, group_span(&w.calls),
			 "%s %s refused%s, and %s itself calls %s %s (%s)", group_list(&w.calls),
			 PLURAL(w.calls, "is", "are"), on_arches(l, w.on), starter_name(l, like),
			 PLURAL(w.calls, "it", "them"), start_effect(like->when), w.words);
	group_rest(l->ds, d, &w.calls);
	allow_all(l, d, &w.calls);
	if (!is_meant_for(l, like->runtime))
		diag_severity(l->ds, d, SEVERITY_INFO);
	if (like->when == OCI_START_EXEC && like->runtime == OCI_RUNC)
		diag_help(l->ds, d,
			  "give them an errno, or start containers with no-new-privileges");
	else if (l->facts->json)
		diag_help(l->ds, d, "allow %s%s", group_list(&w.calls),
			  plain ? ", or start containers with no-new-privileges" : "");
	else
		diag_help(l->ds, d, "use start-%s;",
			  like->runtime == OCI_CRUN ? "crun" :
			  plain                     ? "runc" :
						      "runc-nnp");
}

/* One finding for all calls that the same versions make. */
static void tell_starts(struct lint *l, enum diag_id id, enum oci_start_when when)
{
	const struct oci_start *s;

	if (!l->facts || !l->facts->has_default)
		return;
	for (size_t i = 0; (s = oci_start_at(i)); i++) {
		size_t first = 0;
		if (s->when != when)
			continue;
		while (!is_like(oci_start_at(first), s))
			first++;
		if (first == i)
			tell_start(l, id, s);
	}
}

RULE(SC161, "runtime-start", WARNING, BOTH, sc_runtime_start,
     "calls that runc or crun make under the filter are refused",
     "With noNewPrivileges a runtime loads the filter last, and still calls something under it: "
     "runc 1.1 close, fstatfs, getdents64, openat and write, runc 1.3 and later fstat, statx and "
     "one of openat2 and readlinkat too. One of them refused, and no container starts; the finding "
     "quotes what the runtime says (compiler/oci/runtime/starts.def: each call was refused alone, "
     "with EPERM and ENOSYS). Info for policies that use the start set of something else.\n\n"
     "Way out: allow them; in a policy, use start-runc-nnp or start-runc.")

void sc_runtime_start(struct lint *l, enum diag_id id)
{
	tell_starts(l, id, OCI_START_RUN);
}

RULE(SC162, "runtime-start-plain", WARNING, BOTH, sc_runtime_start_plain,
     "calls that runc or crun make without no-new-privileges are refused",
     "Without noNewPrivileges, which is Docker's own default, a runtime loads the filter first and "
     "sets up user, capabilities and directory under it: runc needs capset, setgid, setgroups and "
     "others, crun setresuid and others. One of them refused, and no container starts so. Where "
     "the user is not root runc gives it the standard streams: fchown refused with EPERM does, "
     "with ENOSYS or EACCES it does not (1.4 neither with EINVAL).\n\n"
     "Way out: allow them (in a policy: use start-runc, start-crun), or start containers with "
     "--security-opt no-new-privileges.")

void sc_runtime_start_plain(struct lint *l, enum diag_id id)
{
	tell_starts(l, id, OCI_START_PLAIN);
	tell_starts(l, id, OCI_START_USER);
}

RULE(SC176, "runtime-exec", INFO, BOTH, sc_runtime_exec,
     "calls that runc or crun make for a program that joins a container are refused",
     "'podman exec', 'crun exec' and health checks start a program in a container that runs. crun "
     "loads the filter first there, with no-new-privileges too, and then sets up groups, user and "
     "capabilities under it: openat and read of /proc/self/setgroups, statx (ENOSYS does), "
     "setgroups, fchown of the standard streams (EPERM does), fstat from 1.28 on. One of them "
     "refused, and the container runs but nobody gets in. runc's exec calls nothing that its run "
     "does not need.\n\n"
     "Way out: none is needed where nobody is to get in; else allow them (in a policy: use "
     "start-crun).")

void sc_runtime_exec(struct lint *l, enum diag_id id)
{
	tell_starts(l, id, OCI_START_EXEC);
}

/* ---- programs ---- */

enum start_scope { EVERY, DYNAMIC, OLDER, NEWER };

static const struct need {
	enum { NEED_START, NEED_START_NEWER, NEED_TWIN, NEED_PROBE, NEED_IGNORED } kind;
	unsigned arches;
	enum start_scope scope;
	const char *call, * or, *effect,
		*newer; /* or: what does as well, the older twin, what stands beside */
} needs[] = {
#define START(arches, scope, call, or, effect, newer)                                              \
	{ NEED_START, arches, scope, call, or, effect, newer },
#define START_NEWER(arches, scope, call, or, effect, newer)                                        \
	{ NEED_START_NEWER, arches, scope, call, or, effect, newer },
#define TWIN(newer, older, effect)       { NEED_TWIN, 0, EVERY, newer, older, effect, "" },
#define PROBE(call)                      { NEED_PROBE, 0, EVERY, call, "", "", "" },
#define IGNORED(refused, beside, effect) { NEED_IGNORED, 0, EVERY, refused, beside, effect, "" },
#include "compiler/lint/needs.def"
#undef START
#undef START_NEWER
#undef TWIN
#undef PROBE
#undef IGNORED
};

#define each_need(n, which)                                                                        \
	(const struct need *n = needs; n < needs + ARRAY_SIZE(needs); n++) if (n->kind == (which))

RULE(SC140, "startup-set", ERROR, JSON, sc_startup_set, "calls without which no program starts",
     "Calls without which a glibc program does not start, each measured by refusing it alone "
     "(Debian 12 and 13, x86_64, glibc 2.36 and 2.41; needs.def): on x86_64 without arch_prctl "
     "every program ends with 'cannot set up thread-local storage' or 'Cannot allocate TLS block', "
     "EPERM and ENOSYS alike, and so it does anywhere without mprotect, or without both brk and "
     "mmap (error). The others are the dynamic loader's, whose code is the same on all 64-bit "
     "machines: without them static programs start and dynamic ones do not (warning). 2.36's "
     "loader needs newfstatat, 2.41's fstat in its place. Of i386 and arm it is told where the "
     "profile is for such a machine alone: set_thread_area and set_tls, mmap2, and statx, after "
     "which only ENOSYS leads to fstatat64.")

/* Where what a start needs is refused so that nothing else does in its place. */
static unsigned start_missing(struct lint *l, const struct need *n)
{
	unsigned on = n->arches & natives(l->facts),
		 missing = facts_refused(l->facts, n->call) & on;
	unsigned loud = 0;

	if (n->kind == NEED_START_NEWER)
		loud = facts_loud(l->facts, n->call, missing);
	if (*n->or)
		missing &= facts_refused(l->facts, n->or);
	return missing | loud;
}

/* "the words" of a program that does not start, and those of a later glibc's. */
static const char *loader_words(struct lint *l, const struct need *n)
{
	return !*n->newer ?
		       arena_printf(l->arena, "\"%s\"", n->effect) :
		       arena_printf(l->arena, "\"%s\"; glibc 2.41: \"%s\"", n->effect, n->newer);
}

static const char *whose_loader(unsigned scopes)
{
	return scopes == 1u << OLDER ? "glibc 2.36's dynamic loader" :
	       scopes == 1u << NEWER ? "glibc 2.41's dynamic loader" :
				       "only static programs start, the dynamic loader";
}

void sc_startup_set(struct lint *l, enum diag_id id)
{
	struct group g = GROUP(l);
	const struct need *first = NULL;
	unsigned on = 0, every = 0, scopes = 0;
	struct diag *d;

	if (!l->facts || !l->facts->has_default)
		return;
	for (const struct need *n = needs; n < needs + ARRAY_SIZE(needs); n++) {
		unsigned missing = n->kind == NEED_START || n->kind == NEED_START_NEWER ?
					   start_missing(l, n) :
					   0;
		if (!missing)
			continue;
		on |= missing;
		scopes |= 1u << n->scope;
		every |= n->scope == EVERY ? missing : 0;
		group_add(&g, str_c(n->call), facts_span(l->facts, n->call));
		if (*n->or &&missing & facts_refused(l->facts, n->or))
			group_add(&g, str_c(n->or), facts_span(l->facts, n->or));
		first = first ? first : n;
	}
	if (!first)
		return;
	if (every) {
		d = diag_add(l->ds, id, group_span(&g),
			     "%s %s missing: no glibc program starts%s (%s)", group_list(&g),
			     PLURAL(g, "is", "are"), on_arches(l, every), loader_words(l, first));
	} else {
		d = diag_add(l->ds, id, group_span(&g),
			     "%s %s missing%s: %s does not come to an end (%s)", group_list(&g),
			     PLURAL(g, "is", "are"), on_arches(l, on), whose_loader(scopes),
			     loader_words(l, first));
		diag_severity(l->ds, d, SEVERITY_WARNING);
	}
	group_rest(l->ds, d, &g);
	diag_help(l->ds, d, "allow %s", group_list(&g));
	allow_all(l, d, &g);
}

/* Where a program may have children: a filter that names none of these is not meant for one. */
static unsigned with_processes(struct facts *f)
{
	static const char *const calls[] = { "clone", "fork", "vfork", "wait4", "waitid" };
	unsigned on = 0;

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		on |= facts_some(f, calls[i]);
	return on;
}

static const char clone_entry[] =
	"{ \"names\": [\"clone\"], \"action\": \"SCMP_ACT_ALLOW\", \"args\": [{ \"index\": 0, "
	"\"value\": 2114060288, \"valueTwo\": 0, \"op\": \"SCMP_CMP_MASKED_EQ\" }] }";

RULE(SC152, "fork-missing", HIGH, JSON, sc_fork_missing, "fork() cannot work",
     "glibc's fork() has been the clone call for two decades; the calls fork and vfork do not "
     "replace it. bash: 'fork: Operation not permitted'. Told where the profile lists fork, vfork, "
     "wait4 or waitid and so means a program with children.")

void sc_fork_missing(struct lint *l, enum diag_id id)
{
	unsigned on;

	if (!l->facts || !l->facts->has_default)
		return;
	on = facts_refused(l->facts, "clone") & with_processes(l->facts) & natives(l->facts);
	if (!on)
		return;
	struct diag *d =
		diag_add(l->ds, id, facts_span(l->facts, "clone"),
			 "'clone' is missing%s: glibc's fork() is clone, so a shell says \"fork: "
			 "Operation not permitted\"; listed fork and vfork do not help it",
			 on_arches(l, on));
	diag_help(l->ds, d,
		  "allow 'clone', without its CLONE_NEW* flags (MASKED_EQ, mask 2114060288)");
	if (l->facts->arches & ARCH_BIT(ARCH_S390X)) /* its flags stand in another argument */
		return;
	oci_fix_add_entry(l->profile, l->ds, d, clone_entry);
	diag_fix_call(l->ds, d, STR("clone"));
	diag_fix_means(d, FIX_UNSAFE, FIX_LOOSER);
}

RULE(SC127, "clone3-eperm", HIGH, BOTH, sc_clone3_refused,
     "clone3 refused with something else than ENOSYS",
     "glibc 2.34 and later create threads by clone3 and fall back to clone on ENOSYS alone, on "
     "every architecture; EPERM makes pthread_create fail (python: can't start new thread). "
     "Measured on Debian 12. Info where clone3 lies above every number that the profile names: "
     "runc answers ENOSYS there by itself, crun and runc before 1.0.0-rc93 do not.\n\n"
     "Way out: answer clone3 with ENOSYS (38).")

void sc_clone3_refused(struct lint *l, enum diag_id id)
{
	struct needs n = NEEDS(l);
	struct diag *d;

	if (!l->facts || !l->facts->has_default)
		return;
	add_need(l, &n, "clone3",
		 facts_loud(l->facts, "clone3", with_processes(l->facts) & natives(l->facts)), "");
	tell_stubbed(l, id, &n.stubbed,
		     "refused, and not with ENOSYS: glibc 2.34 and later starts no "
		     "thread (\"can't start new thread\") instead of falling back to clone");
	if (!n.real.hits.n)
		return;
	enum arch first = (enum arch)__builtin_ctz(n.on);
	d = diag_add(l->ds, id, group_span(&n.real),
		     "'clone3' is refused%s, and not with ENOSYS: %s instead of falling "
		     "back to clone%s",
		     on_arches(l, n.on),
		     kills(facts_refusal(l->facts, "clone3", first)) ?
			     "a program that starts a thread by glibc 2.34 or later is killed" :
			     "glibc 2.34 and later starts no thread (\"can't start new thread\")",
		     n.on & facts_refused(l->facts, "clone") ? ", which is missing as well" : "");
	diag_help(l->ds, d, "%s",
		  l->facts->json ? "add an entry for clone3 with SCMP_ACT_ERRNO and errnoRet 38" :
				   "errno ENOSYS clone3;");
	if (!l->profile)
		return;
	oci_fix_errno(l->profile, l->ds, d, "clone3", 38);
	diag_fix_means(d, FIX_SAFE, FIX_ERRNO);
}

RULE(SC126, "clone3-open", HIGH, BOTH, sc_clone3_open, "clone filtered and clone3 allowed",
     "clone's flags are filtered, and clone3, whose flags stand in memory, is allowed. Way out: "
     "ENOSYS for clone3, on which libcs fall back to clone.")

void sc_clone3_open(struct lint *l, enum diag_id id)
{
	struct diag *d;

	/* Where it has another gate than clone's filter, that is meant. */
	if (!l->facts || !facts_clone3_past(l->facts))
		return;
	d = diag_add(l->ds, id, facts_span(l->facts, "clone3"),
		     "clone's flags are filtered and "
		     "'clone3' is allowed: its flags stand in memory, where no filter can look");
	diag_help(l->ds, d, "%s",
		  l->facts->json ? "answer clone3 with SCMP_ACT_ERRNO, errnoRet 38: "
				   "libcs then use clone" :
				   "errno ENOSYS clone3;");
	diag_note(l->ds, d, facts_span(l->facts, "clone"), "clone's filter");
	if (!l->profile)
		return;
	struct group g = GROUP(l);
	group_add(&g, STR("clone3"), NO_SPAN);
	oci_fix_cut_words(l->profile, l->ds, d, &g, entry_permits);
	oci_fix_errno(l->profile, l->ds, d, "clone3", 38);
	diag_fix_means(d, FIX_UNSAFE, FIX_TIGHTER);
}

RULE(SC129, "successor-missing", WARNING, JSON, sc_successor_missing,
     "a newer twin of an allowed call is refused",
     "An older call is allowed and its newer twin is refused with another errno than ENOSYS. "
     "Programs try the newer one first and fall back on ENOSYS only: without statx, coreutils' ls "
     "fails. Info for numbers above the highest one that the profile names, where runc answers "
     "ENOSYS by itself.")

void sc_successor_missing(struct lint *l, enum diag_id id)
{
	struct needs n = NEEDS(l);
	struct diag *d;

	if (!l->facts || !l->facts->has_default)
		return;
	for
		each_need(twin, NEED_TWIN)
			add_need(l, &n, twin->call,
				 facts_loud(l->facts, twin->call,
					    facts_always(l->facts, twin->or) & natives(l->facts)),
				 twin->effect);
	tell_stubbed(l, id, &n.stubbed,
		     "refused beside the older twin, and programs fall back on ENOSYS alone");
	if (!n.real.hits.n)
		return;
	d = diag_add(l->ds, id, group_span(&n.real),
		     "%s: the older %s allowed, the newer %s not%s; "
		     "programs fall back on ENOSYS, and this answers something else%s",
		     group_list(&n.real), PLURAL(n.real, "twin is", "twins are"),
		     PLURAL(n.real, "call is", "calls are"), on_arches(l, n.on), n.effect);
	group_rest(l->ds, d, &n.real);
	diag_help(l->ds, d, "allow %s beside the older %s", PLURAL(n.real, "it", "them"),
		  PLURAL(n.real, "one", "ones"));
	allow_all(l, d, &n.real);
}

static void add_probe(struct lint *l, struct needs *n, const char *call, const char *effect)
{
	if (!facts_named(l->facts, call))
		add_need(l, n, call, facts_loud(l->facts, call, natives(l->facts)), effect);
}

RULE(SC128, "enosys-hole", WARNING, JSON, sc_enosys_hole,
     "new calls refused with something else than ENOSYS",
     "Calls that are not listed answer something else than ENOSYS. Libcs and tools try new calls "
     "and go on without them on ENOSYS; on EPERM some of them fail. Named are those that were seen "
     "to (needs.def): ls without statx, 'test -r' without faccessat2, mv without renameat2. Where "
     "the default kills, every probe is deadly (high): rseq is every glibc program's. Info for "
     "numbers above the highest one that the profile names, where runc answers ENOSYS by "
     "itself.\n\n"
     "Way out: defaultErrnoRet 38, and an entry with errnoRet 1 for what is to fail loudly.")

static void answer_enosys(struct lint *l, struct diag *d)
{
	const struct json *profile = l->profile->json;
	const struct json *old = oci_member(profile, "defaultErrnoRet");

	if (l->profile->dflt.kind != VERDICT_ERRNO || l->profile->dflt_errno_name.n)
		return;
	if (old)
		diag_fix(l->ds, d, old->span, STR("38"));
	else
		json_fix_member(l->ds, d, profile, "\"defaultErrnoRet\": 38");
	diag_fix_means(d, FIX_UNSAFE, FIX_ERRNO);
}

/* What is not listed and breaks something: with an errno what was seen to, else every probe. */
void sc_enosys_hole(struct lint *l, enum diag_id id)
{
	struct needs n = NEEDS(l);
	bool killed;
	struct diag *d;

	if (!l->facts || !l->profile || !facts_refuses(l->facts))
		return;
	killed = kills(l->facts->dflt);
	for
		each_need(twin, NEED_TWIN) if (*twin->effect)
			add_probe(l, &n, twin->call, twin->effect);
	for
		each_need(probe, NEED_PROBE) if (killed) add_probe(l, &n, probe->call, "");
	tell_stubbed(l, id, &n.stubbed,
		     killed ? "not listed, so that a program that tries it is killed" :
			      "not listed, so that programs that go on without it on ENOSYS fail");
	if (!n.real.hits.n)
		return;
	if (killed)
		d = diag_add(l->ds, id, l->facts->dflt_span,
			     "what is not listed is killed%s, and programs "
			     "that only try whether a call is there die of it; not listed: %s",
			     on_arches(l, n.on), group_list(&n.real));
	else
		d = diag_add(l->ds, id, l->facts->dflt_span,
			     "%s%s, and programs that try a new call and "
			     "go on without it on ENOSYS fail; not listed: %s%s",
			     l->profile->errno_written ?
				     "what is not listed is refused, and not with ENOSYS" :
				     "no defaultErrnoRet: what is not listed answers EPERM",
			     on_arches(l, n.on), group_list(&n.real), n.effect);
	group_rest(l->ds, d, &n.real);
	if (killed)
		diag_severity(l->ds, d, SEVERITY_HIGH);
	if (l->operators) {
		diag_help(l->ds, d,
			  "an entry of their own with errnoRet 38: a SeccompProfile has no "
			  "'defaultErrnoRet'");
		return;
	}
	diag_help(l->ds, d,
		  "%s\"defaultErrnoRet\": 38, and what is to fail loudly in an entry of its "
		  "own with errnoRet 1",
		  killed ? "SCMP_ACT_ERRNO with " : "");
	if (!killed)
		answer_enosys(l, d);
}

/* Architectures on which all of "QUESTION + QUESTION" pass. */
static unsigned where_beside(struct lint *l, const char *beside)
{
	unsigned on = ~0u;

	while (*beside) {
		const char *end = strstr(beside, " + ");
		size_t n = end ? (size_t)(end - beside) : strlen(beside);
		const char *one = arena_printf(l->arena, "%.*s", (int)n, beside);

		on &= facts_ask(l->facts, one, "").some;
		beside += n + (end ? 3 : 0);
	}
	return on;
}

RULE(SC163, "ignored-refusal", HIGH, BOTH, sc_ignored_refusal,
     "a refusal that the C library does not look at",
     "glibc does not look at the answer of some calls: it goes on as if they had been made. "
     "rt_sigprocmask refused for SIG_BLOCK alone: pthread_create starts threads with whatever mask "
     "stood in memory; for SIG_SETMASK alone: with every signal blocked. futex refused for "
     "FUTEX_WAKE: a lock is never handed on. exit refused: a thread that ends spins. exit_group "
     "refused: a process with other threads does not end with glibc 2.36, which calls exit next; "
     "2.41 does not (SC165). Each was seen (Debian 12 and 13).\n\n"
     "Way out: allow the call whole.")

void sc_ignored_refusal(struct lint *l, enum diag_id id)
{
	if (!l->facts || !l->facts->has_default)
		return;
	const struct need *end = needs + ARRAY_SIZE(needs);
	for (const struct need *n = needs, *k; n < end; n = k) {
		k = n + 1;
		if (n->kind != NEED_IGNORED)
			continue;
		struct fact_answer no = facts_ask_errno(l->facts, n->call);
		unsigned both = no.some & where_beside(l, n->or);
		for (; k < end && !strcmp(k->call, n->call) && !strcmp(k->effect, n->effect); k++)
			both |= no.some & where_beside(l, k->or);
		if (!(both & natives(l->facts)))
			continue;
		struct str call = facts_call(n->call);
		const char *name = arena_printf(l->arena, PRISTR, STRARG(call));
		struct diag *d =
			diag_add(l->ds, id, facts_span(l->facts, name),
				 "%s is refused%s, and the C library ignores this error: %s",
				 facts_witness(l->facts, &no), on_arches(l, both), n->effect);
		diag_help(l->ds, d, "allow '%s' whole", name);
		if (facts_refused(l->facts, name) & natives(l->facts))
			allow_one(l, d, name);
	}
}

RULE(SC168, "signal-mask-refused", WARNING, BOTH, sc_signal_mask,
     "rt_sigprocmask is refused, which some programs die of",
     "rt_sigprocmask refused whole. Measured on Debian 12 with EPERM and ENOSYS: small programs "
     "with glibc 2.36 and musl 1.2.3 start threads (with an empty mask) and children and end as "
     "ever, but sigprocmask() answers with the error and nothing is blocked; Python's subprocess "
     "raises it, and nginx's workers abort (nss-systemd asserts that it can block signals), so "
     "that nothing is served. Told where children may be started. SC163 is about a part of it "
     "refused.\n\n"
     "Way out: allow the call.")

/* Whole: libcs tell it to those who ask, and some of those give up. */
void sc_signal_mask(struct lint *l, enum diag_id id)
{
	struct diag *d;
	unsigned on;

	if (!l->facts || !l->facts->has_default)
		return;
	on = facts_refused(l->facts, "rt_sigprocmask") & natives(l->facts) &
	     with_processes(l->facts);
	if (!on)
		return;
	bool dead = kills(facts_refusal(l->facts, "rt_sigprocmask", (enum arch)__builtin_ctz(on)));
	d = diag_add(l->ds, id, facts_span(l->facts, "rt_sigprocmask"),
		     "'rt_sigprocmask' is refused%s: %s", on_arches(l, on),
		     dead ? "a program that starts a thread or a child by a C library is killed" :
			    "threads start, but blocking a signal fails, and Python's subprocess "
			    "and nginx's workers (by nss-systemd) end of it");
	diag_help(l->ds, d, "allow rt_sigprocmask");
	allow_one(l, d, "rt_sigprocmask");
}

RULE(SC165, "exit-path", WARNING, BOTH, sc_exit_path, "no way for a program to end",
     "A process ends by exit_group, a thread by exit. With both refused glibc's _exit() runs into "
     "an instruction that faults: every program ends by SIGSEGV, whatever its work came to. glibc "
     "2.41 does so where exit_group alone is refused, 2.36 calls exit next (seen: Debian 12 and "
     "13).\n\n"
     "Way out: allow exit_group, and exit where there are threads.")

/* The ways out of a process: glibc tries one, 2.36 the other, and then an instruction that faults. */
void sc_exit_path(struct lint *l, enum diag_id id)
{
	struct diag *d;
	unsigned on;

	if (!l->facts || !l->facts->has_default)
		return;
	unsigned group = natives(l->facts) & facts_refused(l->facts, "exit_group");
	on = group & facts_refused(l->facts, "exit");
	if (!group)
		return;
	if (on)
		d = diag_add(l->ds, id, facts_span(l->facts, "exit_group"),
			     "'exit_group' and 'exit' are refused%s: "
			     "a program can only end by a signal (glibc: SIGSEGV)",
			     on_arches(l, on));
	else
		d = diag_add(l->ds, id, facts_span(l->facts, "exit_group"),
			     "'exit_group' is refused%s: with glibc 2.41 a program can only end "
			     "by a signal (SIGSEGV); 2.36 tries exit",
			     on_arches(l, group));
	diag_help(l->ds, d, "allow exit_group, and exit for threads");
	struct group g = GROUP(l);
	group_add(&g, STR("exit_group"), NO_SPAN);
	if (on)
		group_add(&g, STR("exit"), NO_SPAN);
	allow_all(l, d, &g);
}

RULE(SC145, "compat-open", INFO, BOTH, sc_compat_open, "x32 is declared",
     "x32 is a second set of numbers for the same machine. Few programs use it, kernels have it "
     "off unless asked, and where it is on, every allowed call is open a second time "
     "(CVE-2014-0038).")

/* ---- architectures ---- */

void sc_compat_open(struct lint *l, enum diag_id id)
{
	struct span span;

	if (!l->facts || !l->facts->arches_written || !(l->facts->arches & ARCH_BIT(ARCH_X32)))
		return;
	span = l->facts->dflt_span;
	if (l->profile)
		vec_each(&l->profile->arch_names, n)
			if (str_is(n->text, "SCMP_ARCH_X32"))
				span = n->span;
	struct diag *d = diag_add(l->ds, id, span,
				  "x32 is declared: every allowed call can be made a "
				  "second way; few kernels have x32 on and fewer programs use it");
	diag_help(l->ds, d, "leave x32 out unless x32 programs run here");
	if (!l->profile)
		return;
	oci_fix_cut_at(l->profile, l->ds, d, span);
	diag_fix_means(d, FIX_UNSAFE, FIX_TIGHTER);
}

/* A call of 32-bit architectures with 32-bit time, and its successor of Linux 5.1. */
static const char *const time64[][2] = {
	{ "clock_gettime", "clock_gettime64" },
	{ "clock_nanosleep", "clock_nanosleep_time64" },
	{ "futex", "futex_time64" },
	{ "ppoll", "ppoll_time64" },
	{ "pselect6", "pselect6_time64" },
	{ "recvmmsg", "recvmmsg_time64" },
	{ "rt_sigtimedwait", "rt_sigtimedwait_time64" },
	{ "timer_settime", "timer_settime64" },
	{ "timerfd_settime", "timerfd_settime64" },
	{ "utimensat", "utimensat_time64" },
};

RULE(SC146, "time64", WARNING, JSON, sc_time64,
     "32-bit architectures without the calls of 64-bit time",
     "Programs of 32 bits with 64-bit time (musl 1.2, time_t of Debian 13) call the *_time64 and "
     "*64 twins and fall back on ENOSYS alone.")

void sc_time64(struct lint *l, enum diag_id id)
{
	const unsigned narrow = ARCH_BIT(ARCH_I386) | ARCH_BIT(ARCH_ARM);
	struct needs n = NEEDS(l);
	struct diag *d;

	if (!l->facts || !facts_refuses(l->facts))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(time64); i++)
		if (!facts_named(l->facts, time64[i][1]))
			add_need(l, &n, time64[i][1],
				 facts_loud(l->facts, time64[i][1],
					    facts_always(l->facts, time64[i][0]) & narrow),
				 "");
	tell_stubbed(l, id, &n.stubbed,
		     "refused to 32-bit programs with 64-bit time, which fall back on "
		     "ENOSYS alone");
	if (!n.real.hits.n)
		return;
	d = diag_add(l->ds, id, group_span(&n.real),
		     "%s declared without %s: 32-bit programs with "
		     "64-bit time use %s and fall back on ENOSYS alone",
		     !(n.on & ARCH_BIT(ARCH_ARM)) ? "i386 is" :
		     n.on & ARCH_BIT(ARCH_I386)   ? "i386 and arm are" :
						    "arm is",
		     group_list(&n.real), PLURAL(n.real, "it", "them"));
	group_rest(l->ds, d, &n.real);
	diag_help(l->ds, d, "allow %s beside the older calls, or leave these architectures out",
		  PLURAL(n.real, "it", "them"));
	allow_all(l, d, &n.real);
}

RULE(SC164, "not-decided", INFO, BOTH, sc_not_decided, "conditions too complex to say what passes",
     "What a filter lets through is decided exactly, in a diagram of at most 1048576 nodes and "
     "with at most 4194304 comparisons of entries of one call. This one needs more: rules that ask "
     "what passes (SC12x, SC13x, SC14x, SC16x, SR2xx) say nothing.\n\n"
     "Way out: compare fewer arguments in one entry.")

/* ---- limits ---- */

void sc_not_decided(struct lint *l, enum diag_id id)
{
	if (!l->facts || !l->facts->undecided || (l->profile && l->profile->unusable))
		return; /* of what is unusable its own fault says why */
	const char *costly = l->facts->costly ? l->facts->costly : "none";
	diag_help(l->ds,
		  diag_add(l->ds, id, facts_span(l->facts, costly),
			   "what passes is not decided: that needs more than %d decision nodes or "
			   "%d comparisons of entries, and nothing is said of risks and needs; "
			   "'%s' has the most rules, %zu",
			   FACTS_NODES, FACTS_PAIRS, costly, l->facts->ncostly),
		  "compare fewer arguments in one entry, or write fewer entries for '%s'", costly);
}
