/* SPDX-License-Identifier: Apache-2.0 */
/*
 * strace's output (-f, -ff, -t, -y, -Y and their like) as what ptrace would have recorded: calls at
 * their entry, arguments by the reader that `pale sim` has.
 */
#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/file/strace.h"
#include "compiler/policy/policy.h"
#include "learn/replay/replaying.h"
#include "learn/replay/strace_files.h"

enum {
	TASKS_MAX = 1 << 20,
	MAKERS_MAX = 64,       /* of a task whose own maker is not known yet, and so on */
	PENDING_MAX = 64 << 20 /* bytes of calls whose end is to come */
};

struct strace_task {
	uint64_t key;
	uint64_t leader; /* the key of the first thread of its process */
	struct buf pending;
	const char *cwd; /* NULL: not known */
	enum arch arch;
	model_program by;                  /* what it runs; 0: not known yet, */
	VEC(struct recorded_made) unknown; /* and meanwhile its calls: who made it tells whose */
	uint64_t maker;                    /* the key of that one; 0: it has not told yet */
	model_program first;               /* what that ran then; 0: what its own maker did */
	bool ended;                        /* another one can have its number */
};

struct strace_replay {
	VEC(struct strace_task) tasks;
	struct table by_key;
	size_t pending;
	bool started;    /* the first execve is over */
	bool counts;     /* the table of -C has begun */
	uint64_t first;  /* time of the first call */
	uint64_t now;    /* of the line at hand */
	uint64_t passed; /* of times that are since the line before */
	uint64_t day;    /* time of day: days that are over */
	struct strace_files files;
	struct strace_sockets sockets;
	struct strace_pidfds pidfds;
};

struct strace_replay *strace_replay_new(struct replay *r)
{
	return ARENA_NEW(r->s->arena, struct strace_replay);
}

void strace_replay_file(struct replay *r)
{
	r->strace->passed = r->strace->day = r->strace->now = 0;
	r->strace->counts = false;
}

/* ---- time ---- */

/* "05:17:52.080970", "1700000000.08", or since the line before "0.000013". */
static uint64_t read_time(struct strace_replay *t, struct str s)
{
	uint64_t fields[3] = { 0 }, unit = 1000000000, part = 0, seconds;
	size_t n = 0, i = 0;

	for (; i < s.n && s.p[i] != '.'; i++) {
		if (s.p[i] == ':' ? ++n == 3 : fields[n] > UINT32_MAX)
			return t->now;
		if (s.p[i] != ':')
			fields[n] = fields[n] * 10 + (uint64_t)(s.p[i] - '0');
	}
	for (i++; i < s.n && unit > 1 && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
		unit /= 10;
		part += unit * (uint64_t)(s.p[i] - '0');
	}
	seconds = n == 2 ? fields[0] * 3600 + fields[1] * 60 + fields[2] : fields[0];
	part += seconds * 1000000000;
	if (n == 2) { /* after midnight the day begins anew */
		if (part + t->day + UINT64_C(43200000000000) < t->now)
			t->day += UINT64_C(86400000000000);
		return part + t->day;
	}
	if (seconds < 100000000) /* no time since 1970 */
		return t->passed += part;
	return part;
}

static uint64_t since(const struct strace_replay *t)
{
	return t->now > t->first ? t->now - t->first : 0;
}

static void keep_time(struct replay *r, struct str text)
{
	struct strace_replay *t = r->strace;

	if (text.n)
		t->now = read_time(t, text);
	if (text.n && !memchr(text.p, ':', text.n) && !t->passed && !r->r->run.started_ns)
		r->r->run.started_ns = t->now;
	if (!t->first)
		t->first = t->now;
	if (since(t) > r->r->run.duration_ns)
		r->r->run.duration_ns = since(t);
}

/* ---- tasks ---- */

static struct strace_task *find_task(struct replay *r, uint64_t key)
{
	struct strace_replay *t = r->strace;
	struct table_walk w = table_start(hash_bytes(HASH_START, &key, sizeof(key)));
	size_t at;

	while ((at = table_next(&t->by_key, &w)) != TABLE_END)
		if (t->tasks.v[at].key == key)
			return &t->tasks.v[at];
	return NULL;
}

/* Of -ff each file is a task's own. NULL: there are too many. */
static struct strace_task *task_of(struct replay *r, struct str pid)
{
	struct strace_replay *t = r->strace;
	struct strace_task fresh = { .arch = r->opt.arch };
	struct strace_task *known;

	if (str_u64(pid, &fresh.key) || fresh.key > UINT32_MAX)
		fresh.key = UINT64_C(1) << 32 | r->files;
	known = find_task(r, fresh.key);
	if (known)
		return known;
	if (t->tasks.n == TASKS_MAX)
		return NULL;
	table_add(r->s->arena, &t->by_key, hash_bytes(HASH_START, &fresh.key, sizeof(fresh.key)),
		  t->tasks.n);
	fresh.leader = fresh.key;
	vec_push(r->s->arena, &t->tasks, fresh);
	return &t->tasks.v[t->tasks.n - 1];
}

static uint64_t leader_of(struct replay *r, uint64_t pid)
{
	const struct strace_task *task = find_task(r, pid);

	return task ? task->leader : 0;
}

static void drop_pending(struct strace_replay *t, struct strace_task *task)
{
	t->pending -= task->pending.n;
	buf_free(&task->pending);
	task->pending = (struct buf){ 0 };
}

static void keep_pending(struct replay *r, struct strace_task *task, const char *begin,
			 const char *end)
{
	size_t n = (size_t)(end - begin);

	drop_pending(r->strace, task);
	if (r->strace->pending + n > PENDING_MAX) {
		r->r->run.losses.paths_unresolved++; /* all else is known by now */
		return;
	}
	buf_add(&task->pending, begin, n);
	if (task->pending.failed)
		arena_no_memory(r->s->arena);
	r->strace->pending += n;
}

/* ---- by which program ---- */

static void note_made(struct replay *r, struct strace_task *task, const struct strace_called *c)
{
	struct recorded_made fresh = {
		.arch = c->arch, .nr = c->nr, .count = 1, .first_ns = since(r->strace)
	};

	if (task->by) {
		model_made(r->m, task->by, c->arch, c->nr, 1, fresh.first_ns);
		return;
	}
	vec_each(&task->unknown, known)
		if (known->arch == c->arch && known->nr == c->nr) {
			known->count++;
			return;
		}
	vec_push(r->s->arena, &task->unknown, fresh);
}

/* What the task did while that was not known is that program's. */
static void settle_made(struct replay *r, struct strace_task *task, model_program by)
{
	vec_each(&task->unknown, c)
		model_made(r->m, by, c->arch, c->nr, c->count, c->first_ns);
	task->unknown.n = 0;
}

static model_program others(struct replay *r)
{
	return model_program_of(r->m, (struct str){ NULL, 0 });
}

/* No more is told of it: what its makers, one after the other, had begun with. */
static void end_unknown(struct replay *r, struct strace_task *task)
{
	const struct strace_task *from = task;

	if (!task->unknown.n)
		return;
	for (unsigned i = 0; i < MAKERS_MAX && from && !from->first; i++)
		from = from->maker ? find_task(r, from->maker) : NULL;
	settle_made(r, task, from && from->first ? from->first : others(r));
}

/* Another task than the one that ended. */
static void begin_anew(struct replay *r, struct strace_task *task)
{
	end_unknown(r, task);
	task->by = task->first = 0;
	task->maker = 0;
	task->ended = false;
}

/*
 * What it executes; of a script that is the script itself, as strace shows no more. The first exec of
 * all is the command's own, as it stands among its calls.
 */
static void note_program(struct replay *r, struct strace_task *task)
{
	model_ref file = r->strace->files.executed;
	bool first = task == r->strace->tasks.v && !task->by && !r->r->run.midway;

	task->by = file ? model_program_of(r->m, r->r->files.v[file - 1].path) : others(r);
	if (first)
		settle_made(r, task, task->by);
}

/* ---- calls ---- */

/* The flags that a structure begins with: an address alone was none that could be read. */
static void record_pointed(struct replay *r, const struct strace_line *l,
			   const struct strace_called *c)
{
	const char *domain = recording_args_in(c->arch, c->nr);

	for (unsigned i = 0; i < 6 && i < l->nargs; i++) {
		uint64_t value;

		if (!(c->call.args >> i & 1) || !l->args[i].n || l->args[i].p[0] != '{')
			continue;
		if (strace_flags(l->args[i], domain, c->arch, &value))
			model_value(r->m, c->arch, c->nr, i, value, 1);
		else
			replay_bad(r, &r->value,
				   arena_printf(r->s->arena, "flags of '%s' could not be read",
						c->sys->name));
	}
}

static void record_values(struct replay *r, const struct strace_line *l,
			  const struct strace_called *c)
{
	unsigned mask = c->call.args | (c->call.tuple & TRACE_TUPLE ? 7u : 0) |
			(c->call.of ? 1u << (c->call.of - 1) : 0);
	struct strace_values v;

	if (c->call.only && c->call.only <= l->nargs && str_is(l->args[c->call.only - 1], "NULL"))
		return;
	if (c->call.in) {
		record_pointed(r, l, c);
		return;
	}
	if (!mask)
		return;
	v = strace_values(r, l, c->sys, c->arch, mask);
	if ((v.given & mask) != mask)
		replay_bad(r, &r->value,
			   arena_printf(r->s->arena, "an argument of '%s' could not be read",
					c->sys->name));
	for (unsigned i = 0; i < 6; i++) {
		uint64_t value = c->call.wide >> i & 1 ? v.args[i] : (uint32_t)v.args[i];

		if (c->call.of)
			value = trace_of(v.args[i], v.args[c->call.of - 1]);
		if (c->call.args & v.given & 1u << i && (!c->call.of || (v.given & mask) == mask))
			model_value(r->m, c->arch, c->nr, i, value, 1);
	}
	if (c->call.tuple & TRACE_TUPLE && (v.given & 7) == 7) {
		uint64_t args[3] = { (uint32_t)v.args[0], (uint32_t)v.args[1],
				     (uint32_t)v.args[2] };

		model_tuple(r->m, c->arch, c->nr, args, 1);
	}
}

/* Which call: by its name, or "syscall_0x1c3" of one that strace has no name for. */
static bool find_call(struct str name, enum arch arch, struct strace_called *out)
{
	static const char nameless[] = "syscall_";
	uint64_t nr;

	*out = (struct strace_called){ .arch = arch };
	if (str_starts(name, nameless)) {
		name = (struct str){ name.p + sizeof(nameless) - 1, name.n - sizeof(nameless) + 1 };
		if (str_u64(name, &nr) || nr >= RECORDING_NRS)
			return false;
		out->nr = (uint32_t)nr;
		return true;
	}
	out->sys = syscall_by_name(name);
	if (!out->sys || out->sys->nr[arch] < 0 || out->sys->nr[arch] >= RECORDING_NRS)
		return false;
	out->nr = (uint32_t)out->sys->nr[arch];
	rules_of(arch, out->nr, &out->call, &out->rule);
	return true;
}

/* What strace does of itself until there is a program: it looks for one. */
static bool is_before(struct replay *r, const struct strace_line *l)
{
	struct strace_replay *t = r->strace;

	if (t->started)
		return false;
	if (str_is(l->name, "execve") && str_starts(l->result, "-1 "))
		return true;
	t->started = true;
	t->first = t->now;
	r->r->run.duration_ns = 0;
	if (str_is(l->name, "execve"))
		strace_program(r, l);
	else
		r->r->run.midway = true;
	return false;
}

/* Counted when it begins. False: it is no call. */
static bool enter_call(struct replay *r, const struct strace_line *l, struct strace_task *task,
		       struct strace_called *c)
{
	if (!find_call(l->name, task->arch, c)) {
		replay_bad(r, &r->bad,
			   arena_printf(r->s->arena, "'%s' is no call of %s",
					str_safe_of(r->s->arena, l->name),
					arch_info(task->arch)->name));
		return false;
	}
	r->taken++;
	strace_note_cwd(r, &r->strace->files, l, &task->cwd);
	model_call(r->m, c->arch, c->nr, 1, since(r->strace));
	note_made(r, task, c);
	if (c->sys)
		record_values(r, l, c);
	if (c->sys && c->call.address &&
	    !strace_record_address(r, &r->strace->sockets, l, c, since(r->strace)))
		replay_bad(r, &r->value,
			   arena_printf(r->s->arena, "the address of '%s' could not be read",
					c->sys->name));
	return true;
}

static bool makes_thread(const struct strace_line *l)
{
	for (unsigned i = 0; i < l->nargs; i++)
		if (memmem(l->args[i].p, l->args[i].n, "CLONE_THREAD", 12))
			return true;
	return false;
}

/*
 * "clone(...) = 8": the new task begins where its maker is, runs what that does, and may be of its
 * process. What the new one does can stand above.
 */
static void pass_on(struct replay *r, const struct strace_line *l, const struct strace_task *maker)
{
	static const char *const makers[] = { "clone", "clone3", "fork", "vfork" };
	const char *cwd = maker->cwd; /* tasks move where there is a new one */
	uint64_t leader = maker->leader, key = maker->key;
	model_program by = maker->by;
	struct strace_task *child;
	size_t n = 0;

	while (n < l->result.n && l->result.p[n] >= '0' && l->result.p[n] <= '9')
		n++;
	for (size_t i = 0; n && i < ARRAY_SIZE(makers); i++) {
		if (!str_is(l->name, makers[i]))
			continue;
		child = task_of(r, (struct str){ l->result.p, n });
		if (child && !child->cwd)
			child->cwd = cwd;
		if (!child)
			continue;
		child->leader = makes_thread(l) ? leader : child->key;
		if (child->ended && child->maker)
			begin_anew(r, child);
		child->maker = key;
		child->first = by;
		if (by)
			settle_made(r, child, by);
		if (!child->by)
			child->by = by;
	}
}

/* task: where the tasks are may move with the next one. */
static void leave_call(struct replay *r, const struct strace_line *l, struct strace_task *task)
{
	struct strace_when when = { &task->cwd, since(r->strace), task->leader, leader_of,
				    &r->strace->pidfds };
	struct strace_called c;

	if (!find_call(l->name, task->arch, &c) || !c.sys)
		return;
	strace_note_socket(r, &r->strace->sockets, l, &c);
	strace_record_ask(r, l, &c, &when);
	strace_record_files(r, &r->strace->files, l, &c, &when);
	if (c.rule.op == TRACE_OP_EXEC && str_is(l->result, "0"))
		note_program(r, task);
	if (task->cwd || task->key <= UINT32_MAX) /* it has a number, and so have others */
		pass_on(r, l, task);
}

static void on_call(struct replay *r, const struct strace_line *l, struct strace_task *task)
{
	struct strace_called c;

	if (!is_before(r, l) && enter_call(r, l, task, &c))
		leave_call(r, l, task);
}

static void on_unfinished(struct replay *r, const struct strace_line *l, struct strace_task *task)
{
	struct strace_called c;

	if (!is_before(r, l) && enter_call(r, l, task, &c))
		keep_pending(r, task, l->name.p, l->end);
}

/* The end of a call that began before strace looked is one that was made, too. */
static void on_resumed(struct replay *r, const struct strace_line *l, struct strace_task *task)
{
	static const char ended[] = " <unfinished ...>) = ?";
	struct strace_line whole;
	struct strace_called c;

	if (!task->pending.n) {
		if (!r->strace->started)
			r->r->run.midway = r->strace->started = true;
		/* An exec by another thread of its process: to what is not told here. */
		if (enter_call(r, l, task, &c) && c.rule.op == TRACE_OP_EXEC)
			task->by = others(r);
		return;
	}
	if (str_starts((struct str){ l->rest, strlen(l->rest) }, ended)) { /* the task did, in it */
		drop_pending(r->strace, task);
		return;
	}
	r->strace->pending -= task->pending.n;
	buf_puts(&task->pending, l->rest);
	r->strace->pending += task->pending.n;
	if (task->pending.failed)
		arena_no_memory(r->s->arena);
	BUF_AUTO joined = task->pending; /* tasks move where there is a new one */
	r->strace->pending -= task->pending.n;
	task->pending = (struct buf){ 0 };
	strace_split(joined.p, &whole);
	whole.head.pid = l->head.pid; /* it was kept without what stands in front of a call */
	if (whole.kind == STRACE_CALL && str_eq(whole.name, l->name))
		leave_call(r, &whole, task);
	else
		replay_bad(r, &r->bad, "the end of a call that is not the one that began");
}

/* ---- signals ---- */

/* Is its sender among those that were traced? Where pids are not told, it is not known. */
static bool is_traced(const struct replay *r, const struct strace_line *l)
{
	const char *pid = strstr(l->rest, "si_pid=");
	uint64_t key = pid ? strtoul(pid + 7, NULL, 10) : 0;

	vec_each(&r->strace->tasks, t)
		if (key && t->key == key)
			return true;
	return false;
}

/* Sent by a process (SI_USER, SI_TKILL, SI_QUEUE), as the ptrace backend tells them. */
static void on_signal(struct replay *r, const struct strace_line *l)
{
	static const char *const codes[] = { "si_code=SI_USER", "si_code=SI_TKILL",
					     "si_code=SI_QUEUE" };
	size_t n = strcspn(l->rest, " ");
	uint64_t sig;
	bool sent = false;

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		sent |= strstr(l->rest, codes[i]) != NULL;
	if (!sent || !r->strace->started)
		return;
	if (!strncmp(l->rest, "SIGRT_", 6))
		sig = 32 + strtoul(l->rest + 6, NULL, 10);
	else if (!strncmp(l->rest, "SIGRTMIN ", 9))
		sig = 32;
	else if (constant_find("signal", (struct str){ l->rest, n }, r->opt.arch, &sig) < 0)
		sig = 0;
	if (!sig || sig > 64)
		replay_bad(r, &r->bad, "no signal that pale knows");
	else
		model_signal(r->m,
			     &(struct signalled){ .signal = (int)sig,
						  .peer = is_traced(r, l) ? SIGNAL_OURS :
									    SIGNAL_UNKNOWN },
			     1, since(r->strace));
}

/* ---- lines ---- */

/* "[ Process PID=4711 runs in 32 bit mode. ]" */
static void on_own(struct replay *r, const struct strace_line *l)
{
	static const char mark[] = "[ Process PID=";
	const char *p = l->rest;
	struct strace_task *task;

	if (strncmp(p, mark, sizeof(mark) - 1) != 0)
		return;
	p += sizeof(mark) - 1;
	task = task_of(r, (struct str){ p, strspn(p, "0123456789") });
	if (!task || r->opt.arch != ARCH_X86_64)
		return;
	task->arch = strstr(p, "32 bit") ? ARCH_I386 : strstr(p, "x32") ? ARCH_X32 : ARCH_X86_64;
}

/*
 * "+++ superseded by execve in pid 8 +++": the number goes on, and the end of what that thread began
 * comes under it. False: it is another end.
 */
static bool take_over(struct replay *r, const struct strace_line *l, struct strace_task *task)
{
	static const char mark[] = "superseded by execve in pid ";
	const char *at = strstr(l->rest, mark);
	struct strace_task *from;
	uint64_t pid;

	if (!at)
		return false;
	at += sizeof(mark) - 1;
	from = str_u64((struct str){ at, strspn(at, "0123456789") }, &pid) ? NULL :
									     find_task(r, pid);
	if (!from || from == task)
		return false;
	task->pending = from->pending;
	from->pending = (struct buf){ 0 };
	from->ended = true;
	return true;
}

static bool is_asked(const struct replay *r, const struct strace_line *l)
{
	uint64_t pid;

	return (!r->opt.pid || (!str_u64(l->head.pid, &pid) && pid == r->opt.pid)) &&
	       (!r->opt.comm || str_is(l->head.comm, r->opt.comm));
}

static bool is_counts(struct strace_replay *t, const char *text)
{
	if (!t->counts)
		return t->counts = strace_begins_counts(text);
	return strace_is_count(text);
}

void strace_replay_line(struct replay *r, const char *text, bool cut)
{
	struct strace_task *task;
	struct strace_line l;

	strace_split(text, &l);
	if (l.kind == STRACE_NONE && !cut && is_counts(r->strace, text))
		return;
	if (l.kind == STRACE_NONE || cut) {
		replay_bad(r, &r->bad, cut ? "the line is too long" : "no line of strace's");
		return;
	}
	keep_time(r, l.head.time);
	if (l.kind == STRACE_OWN) {
		on_own(r, &l);
		return;
	}
	if (!is_asked(r, &l)) {
		r->other++;
		return;
	}
	task = task_of(r, l.head.pid);
	if (!task) {
		r->r->run.losses.untraced++;
		return;
	}
	if (task->ended && l.kind != STRACE_ENDED)
		begin_anew(r, task);
	switch (l.kind) {
	case STRACE_CALL: on_call(r, &l, task); return;
	case STRACE_UNFINISHED: on_unfinished(r, &l, task); return;
	case STRACE_RESUMED: on_resumed(r, &l, task); return;
	case STRACE_SIGNAL: on_signal(r, &l); return;
	case STRACE_ENDED:
		drop_pending(r->strace, task);
		task->ended = !take_over(r, &l, task);
		return;
	case STRACE_OWN:
	case STRACE_NONE: break;
	}
	BUG("no such line");
}

void strace_replay_end(struct replay *r)
{
	struct strace_replay *t = r->strace;

	vec_each(&t->tasks, task) {
		drop_pending(t, task);
		end_unknown(r, task);
	}
	r->r->run.processes = t->tasks.n;
	r->r->run.no_files = !t->files.decoded;
}
