/* SPDX-License-Identifier: Apache-2.0 */
/* Records of the kernel's log, by the readers that `pale why` has. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/file/audit.h"
#include "compiler/file/denied.h"
#include "compiler/file/journal.h"
#include "compiler/policy/policy.h"
#include "compiler/tell/denial.h"
#include "learn/replay/replaying.h"

#define PIDS_MAX 65536

/* ---- whose, and when ---- */

static bool have(const char *const *names, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_is(name, names[i]))
			return true;
	return false;
}

static void add_name(struct replay *r, struct str name)
{
	const char *safe = str_safe_of(r->s->arena, name);

	if (have(r->names.v, r->names.n, str_c(safe)))
		return;
	if (r->names.n == NAMES_MAX)
		r->more_names = true;
	else
		vec_push(r->s->arena, &r->names, safe);
}

static void add_pid(struct replay *r, struct str pid)
{
	if (pid.n && pid.n < 12 && r->pids.n < PIDS_MAX && !have(r->pids.v, r->pids.n, pid))
		vec_push(r->s->arena, &r->pids, str_dup(r->s->arena, pid));
}

static bool is_asked(const char *want, struct str is)
{
	return !want || str_is(is, want);
}

static bool is_pid(const struct replay *r, struct str pid)
{
	uint64_t n;

	return !r->opt.pid || (!str_u64(pid, &n) && n == r->opt.pid);
}

/* Nanoseconds since the log's first record. */
static uint64_t passed(struct replay *r, struct str line)
{
	uint64_t ns, serial;

	(void)audit_stamp(line, &ns, &serial);
	if (!r->begin_ns)
		r->begin_ns = ns;
	if (ns > r->end_ns)
		r->end_ns = ns;
	return ns ? replay_since(r, ns) : 0;
}

/* ---- seccomp ---- */

static struct str field(struct arena *a, struct str line, const char *key)
{
	struct str value;

	return audit_field(line, key, &value) ? audit_text(a, value) : (struct str){ "", 0 };
}

/* exe: what the task ran. */
static void add_call(struct replay *r, struct str line, struct audit_record *record, struct str exe)
{
	uint64_t since;

	int arch = arch_of_call(record->audit, &record->nr);

	if (arch < 0) {
		r->r->run.losses.unknown_abi++;
		return;
	}
	if (record->nr >= RECORDING_NRS) {
		r->r->run.odd_numbers++;
		return;
	}
	if (r->taken == 1 || (enum arch)arch < r->r->run.host)
		r->r->run.host = (enum arch)arch;
	since = passed(r, line);
	model_call(r->m, (enum arch)arch, record->nr, 1, since);
	if (!exe.n || *exe.p != '/' || exe.n >= TRACE_PATH)
		exe = (struct str){ NULL, 0 };
	model_made(r->m, model_program_of(r->m, exe), (enum arch)arch, record->nr, 1, since);
}

static void read_call(struct replay *r, struct arena *a, struct str line)
{
	struct audit_record record;
	const char *wrong = audit_read(line, &record);
	struct str comm = field(a, line, "comm"), exe = field(a, line, "exe");
	struct str pid = { "", 0 };

	if (wrong) {
		replay_bad(r, &r->bad, wrong);
		return;
	}
	(void)audit_field(line, "pid", &pid);
	if (!is_asked(r->opt.comm, comm) || !is_asked(r->opt.exe, exe) || !is_pid(r, pid)) {
		r->other++;
		return;
	}
	r->taken++;
	add_name(r, exe.n ? exe : comm);
	add_pid(r, pid);
	if (!r->r->run.program && *exe.p == '/') {
		r->r->run.program = str_dup(r->s->arena, exe);
		r->r->run.name = strrchr(r->r->run.program, '/') + 1;
	}
	add_call(r, line, &record, exe);
}

/* ---- AppArmor ---- */

static uint64_t constant_of(const char *domain, const char *prefix, struct str name)
{
	char text[32];
	uint64_t value;

	if (name.n > 20)
		return UINT64_MAX;
	snprintf(text, sizeof(text), "%s" PRISTR, prefix, STRARG(name));
	for (char *c = text; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return constant_find(domain, str_c(text), ARCH_X86_64, &value) < 0 ? UINT64_MAX : value;
}

static uint32_t number_of(const struct replay *r, const char *call)
{
	return (uint32_t)syscall_by_name(str_c(call))->nr[r->r->run.host];
}

/* A socket of that family and type was asked about, by whichever call. */
static bool add_socket(struct replay *r, const struct denied *d, uint64_t since)
{
	uint64_t args[3] = { constant_of("af", "AF_", d->family),
			     constant_of("sock_type", "SOCK_", d->type), 0 };
	uint32_t nr = number_of(r, "socket");

	if (args[0] == UINT64_MAX || args[1] == UINT64_MAX)
		return false;
	if (str_u64(d->protocol, &args[2]) || args[2] > UINT32_MAX)
		args[2] = 0;
	model_call(r->m, r->r->run.host, nr, 1, since);
	model_tuple(r->m, r->r->run.host, nr, args, 1);
	return true;
}

static bool add_signal(struct replay *r, const struct denied *d, uint64_t since)
{
	struct str asked = d->denied.n ? d->denied : d->requested;
	bool exists = str_is(d->signal, "exists");
	uint64_t sig = exists ? 0 : constant_of("signal", "SIG", d->signal);

	struct signalled what = { .signal = (int)sig,
				  .sent = str_is(asked, "send"),
				  .who = d->peer };

	if (sig == UINT64_MAX || (!what.sent && !str_is(asked, "receive")))
		return false;
	if (d->peer.n && str_eq(d->peer, d->profile)) {
		what.peer = SIGNAL_OURS;
		what.who = (struct str){ NULL, 0 };
	} else if (d->peer.n && d->peer.n <= SIGNAL_WHO) {
		what.peer = SIGNAL_LABEL;
	} else {
		what.who = (struct str){ NULL, 0 };
	}
	model_signal(r->m, &what, 1, since);
	if (!what.sent)
		return true;
	model_call(r->m, r->r->run.host, number_of(r, "kill"), 1, since);
	model_value(r->m, r->r->run.host, number_of(r, "kill"), 1, sig, 1);
	return true;
}

static bool add_capability(struct replay *r, const struct denied *d, uint64_t since)
{
	int cap = capability_find(d->capability);
	struct recorded_capability fresh = { .cap = (unsigned)cap,
					     .arch = r->r->run.host,
					     .nr = RECORDING_NO_CALL,
					     .count = 1,
					     .first_ns = since };

	if (cap < 0)
		return false;
	vec_each(&r->r->caps, c) {
		if (c->cap == fresh.cap) {
			c->count++;
			return true;
		}
	}
	vec_push(r->s->arena, &r->r->caps, fresh);
	return true;
}

static void add_file(struct replay *r, const struct denial *n, uint64_t since)
{
	struct access how = { .perms = n->access.perms,
			      .owned = n->access.who == FILE_OWNER,
			      .pid = replay_pid(n->d.pid),
			      .count = 1,
			      .first_ns = since };
	model_ref ref, old;

	if (n->d.name.p[0] != '/' || n->d.name.n >= TRACE_PATH) {
		r->r->run.disconnected++;
		return;
	}
	ref = model_file(r->m, n->access.path, &how);
	if (n->access.kind != AA_ACCESS_LINK || n->access.target.p[0] != '/' ||
	    n->access.target.n >= TRACE_PATH)
		return;
	how.perms = PERM_R;
	old = model_file(r->m, n->access.target, &how);
	model_linked(r->m, old, ref);
}

/* Of all other classes: the rule that allows it. */
static bool add_rule(struct replay *r, const struct denial *n, uint64_t since)
{
	BUF_AUTO text = { 0 };

	if (!n->rule.before)
		return false;
	denial_put_parts(&text, n, &n->rule, (1u << n->nperms) - 1);
	if (!text.n || text.failed)
		return false;
	buf_putc(&text, 0);
	return !text.failed && model_rule(r->m, text.p, 1, since);
}

static void add_denial(struct replay *r, const struct denial *n, uint64_t since)
{
	const struct denied *d = &n->d;
	bool kept = true;

	if (n->file)
		add_file(r, n, since);
	else if (d->capability.n)
		kept = add_capability(r, d, since);
	else if (d->signal.n)
		kept = add_signal(r, d, since);
	else if (d->family.n && !str_is(d->family, "unix"))
		kept = add_socket(r, d, since);
	else
		kept = add_rule(r, n, since);
	r->r->run.unkept += !kept;
}

static void read_denial(struct replay *r, struct arena *a, struct str line)
{
	struct denied d;
	struct denial n = { 0 };
	const char *wrong = denied_read(a, line, &d);

	if (!wrong && d.status == DENIED_OTHER)
		return;
	if (!wrong)
		wrong = denial_of(a, &d, &n);
	if (wrong) {
		replay_bad(r, &r->bad, wrong);
		return;
	}
	if (!is_asked(r->opt.comm, d.comm) || !is_asked(r->opt.profile, d.profile) ||
	    !is_pid(r, d.pid)) {
		r->other++;
		return;
	}
	r->taken++;
	add_name(r, d.profile);
	add_pid(r, d.pid);
	if (!r->r->run.name)
		r->r->run.name = str_dup(r->s->arena, d.profile);
	add_denial(r, &n, passed(r, line));
}

/* ---- lines ---- */

static void read_record(struct replay *r, struct arena *a, struct str line, bool cut)
{
	enum journal_origin from = JOURNAL_UNTOLD;
	bool record;

	if (journal_is(line)) {
		if (cut) {
			replay_bad(r, &r->bad, "the line is too long, and may hold a record");
			return;
		}
		journal_message(a, line, &line, &from);
	}
	record = audit_is_record(line);
	if (r->opt.from == REPLAY_AUDIT) {
		if (record)
			read_call(r, a, line);
		return;
	}
	if (!record && denied_is_record(line) && !denied_foreign(line, from))
		read_denial(r, a, line);
}

void log_replay_line(struct replay *r, struct str line, bool cut)
{
	struct arena *a = arena_scratch(r->s->arena);

	read_record(r, a, line, cut);
	arena_free(a);
}
