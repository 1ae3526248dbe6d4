/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AppArmor's other classes: rules that the recording has as such, those that calls and files imply,
 * and what is said where neither is there.
 */
#include <linux/sched.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/base/table.h"
#include "compiler/rules/rules.h"
#include "learn/proposal.h"
#include "learn/record/rule.h"

#define OWN " peer=@{profile_name}"

struct asked { /* rules of one object, as one */
	struct rule_parts parts;
	uint64_t count, first_ns;
	const uint64_t *in;
	const char *why; /* beside the evidence; NULL */
};

struct asking {
	struct proposal *p;
	VEC(struct asked) list;
	struct table by_rest; /* its places in the list */
};

/* The rule of this object; NULL: there is none yet. */
static struct asked *find(const struct asking *k, const struct rule_parts *parts)
{
	struct table_walk w = table_start(hash_str(parts->rest));
	size_t at;

	while ((at = table_next(&k->by_rest, &w)) != TABLE_END)
		if (k->list.v[at].parts.class == parts->class &&
		    str_eq(k->list.v[at].parts.rest, parts->rest))
			return &k->list.v[at];
	return NULL;
}

static void add(struct asking *k, struct str text, const struct asked *how)
{
	struct asked fresh = *how, *x;

	if (!rule_split(k->p->a, text, &fresh.parts))
		BUG("recordings hold rules alone, and what is made here is one");
	x = find(k, &fresh.parts);
	if (!x) {
		table_add(k->p->a, &k->by_rest, hash_str(fresh.parts.rest), k->list.n);
		vec_push(k->p->a, &k->list, fresh);
		return;
	}
	x->parts.perms |= fresh.parts.perms;
	x->count = count_add(x->count, fresh.count);
	x->first_ns = fresh.first_ns < x->first_ns ? fresh.first_ns : x->first_ns;
	x->in = recording_join_runs(k->p->a, k->p->r, x->in, fresh.in);
	x->why = x->why ? x->why : fresh.why;
}

/* ---- what files and calls imply ---- */

/*
 * Files below /proc/PID of another process that the kernel opens or reads only for who may read that
 * one as its tracer does, or who may trace it (fs/proc/base.c, task_mmu.c: ptrace_may_access(),
 * mm_access(), lock_trace() with PTRACE_MODE_READ or PTRACE_MODE_ATTACH).
 */
enum mediated { MEDIATED_NOT, MEDIATED_READ, MEDIATED_TRACE };

static enum mediated mediated_as(struct str path)
{
	static const char *const reads[] = { "auxv",      "environ", "io",    "maps",
					     "numa_maps", "pagemap", "smaps", "smaps_rollup",
					     "stat",      "wchan" };
	static const char *const traces[] = { "mem", "personality", "stack", "syscall" };
	const char *base = memrchr(path.p, '/', path.n);

	/* Paths of a recording end in a NUL byte. */
	if (!base || strstr(path.p, "/net/"))
		return MEDIATED_NOT;
	if (strstr(path.p, "/fdinfo/") || strstr(path.p, "/map_files/"))
		return MEDIATED_READ;
	for (size_t i = 0; i < ARRAY_SIZE(reads); i++)
		if (!strcmp(base + 1, reads[i]))
			return MEDIATED_READ;
	for (size_t i = 0; i < ARRAY_SIZE(traces); i++)
		if (!strcmp(base + 1, traces[i]))
			return MEDIATED_TRACE;
	return MEDIATED_NOT;
}

/* All of one kind; the first of them as an example. */
static void add_looks(struct asking *k, enum mediated as, bool ours)
{
	static const char *const rules[][2] = {
		[MEDIATED_READ] = { "ptrace read", "ptrace (read, readby)" OWN },
		[MEDIATED_TRACE] = { "ptrace trace", "ptrace (trace, tracedby)" OWN },
	};
	struct asked all = { .first_ns = UINT64_MAX };
	const struct recorded_file *first = NULL;
	BUF_AUTO why = { 0 };
	size_t n = 0;

	vec_each(&k->p->r->files, f) {
		if (!f->peers || f->ours != ours || mediated_as(f->path) != as)
			continue;
		all.in = n++ ? recording_join_runs(k->p->a, k->p->r, all.in, f->in) : f->in;
		all.count = count_add(all.count, f->count);
		all.first_ns = f->first_ns < all.first_ns ? f->first_ns : all.first_ns;
		first = first ? first : f;
	}
	if (!first)
		return;
	buf_puts(&why, "by opening ");
	buf_safe(&why, first->path);
	if (n > 1)
		buf_printf(&why, " and %zu more", n - 1);
	if (!ours)
		buf_puts(&why, "; of whichever profile, which was not seen");
	all.why = buf_keep(k->p->a, &why);
	add(k, str_c(rules[as][ours]), &all);
}

/* By flags of a call, of which `bit` makes a user namespace. */
static void add_userns(struct asking *k, const char *call)
{
	for (enum arch a = 0; a < ARCH_NR; a++) {
		const struct recorded_call *c = proposal_call(k->p, a, call);
		const struct recorded_arg *flags = c ? proposal_arg(c, 0) : NULL;
		struct asked all = { .first_ns = c ? c->first_ns : 0, .in = c ? c->in : NULL };

		if (!flags || !(flags->ones & CLONE_NEWUSER))
			continue;
		vec_each(&flags->values, v)
			if (v->value & CLONE_NEWUSER)
				all.count = count_add(all.count, v->count);
		all.why = arena_printf(k->p->a, "by %s", call);
		add(k, STR("userns create"), &all);
	}
}

static void gather_implied(struct asking *k)
{
	for (enum mediated as = MEDIATED_READ; as <= MEDIATED_TRACE; as++) {
		add_looks(k, as, true);
		add_looks(k, as, false);
	}
	add_userns(k, "unshare");
	add_userns(k, "clone");
}

static void gather(struct asking *k)
{
	vec_each(&k->p->r->rules, r)
		add(k, r->text, &(struct asked){ { 0 }, r->count, r->first_ns, r->in, NULL });
	if (!k->p->r->sent)
		gather_implied(k);
}

void propose_imply(struct arena *a, struct recording *r)
{
	struct proposal p = { .a = a, .r = r };
	struct asking k = { .p = &p };
	uint64_t *sent = ARENA_ARRAY(a, uint64_t, 65);

	gather_implied(&k);
	vec_each(&k.list, x) {
		struct recorded_rule rule = { rule_join(a, &x->parts), x->count, x->first_ns,
					      NULL };

		vec_push(a, &r->rules, rule);
	}
	for (int sig = 0; sig < 65; sig++)
		sent[sig] = proposal_sent(&p, sig);
	r->sent = sent;
	propose_judge_capabilities(&p, r);
}

/* ---- where it is asked ---- */

/* "6.12.1-amd64": 0x060c; 0: not told. */
static unsigned kernel_of(const struct recording *r)
{
	char *end;
	unsigned long major = r->run.kernel ? strtoul(r->run.kernel, &end, 10) : 0, minor;

	if (!major || major > 255 || *end != '.')
		return 0;
	minor = strtoul(end + 1, NULL, 10);
	return (unsigned)(major << 8 | (minor > 255 ? 255 : minor));
}

/*
 * Did the kernel of the recording ask for it? What it does not ask a policy for an older abi says
 * nothing of, and lets pass; and with such a rule no older parser could load the profile. What a log
 * of AppArmor's shows it did ask. NULL, or since when it is asked.
 */
static const char *not_asked(const struct proposal *p, const struct asked *x)
{
	unsigned kernel = kernel_of(p->r);

	if (strstr(p->r->run.backend, "apparmor"))
		return NULL;
	switch (x->parts.class) {
	case AA_CLASS_MQUEUE: return "no kernel asks for it yet";
	case AA_CLASS_USERNS:
		return kernel < AA_KERNEL_NAMES ? "since Linux 6.7 and AppArmor 4.0" : NULL;
	case AA_CLASS_IO_URING:
	case AA_CLASS_UNIX: /* its parser is the first whose abi has it */
		return kernel < AA_KERNEL_UNIX ? "since Linux 6.17 and AppArmor 5.0" : NULL;
	default: return NULL;
	}
}

struct known { /* what the policy that is updated has */
	VEC(struct rule_parts) list;
	struct table by_rest;            /* its places in the list */
	VEC(struct rule_parts) of_class; /* those that hold for all of theirs */
};

static void gather_known(struct proposal *p, struct known *k)
{
	vec_each(&p->r->rules_known, text) {
		struct rule_parts has;

		if (!rule_split(p->a, *text, &has))
			continue;
		if (!has.rest.n || str_is(has.rest, aa_class_name(has.class))) {
			vec_push(p->a, &k->of_class, has);
			continue;
		}
		table_add(p->a, &k->by_rest, hash_str(has.rest), k->list.n);
		vec_push(p->a, &k->list, has);
	}
}

/* Takes out what it has of it. False: all. */
static bool take_out_known(struct asked *x, const struct rule_parts *has)
{
	if (has->class != x->parts.class)
		return true;
	if (!x->parts.perms)
		return false;
	x->parts.perms &= ~has->perms;
	return x->parts.perms;
}

/* What the policy that is updated does not have of it. False: it has all. */
static bool is_missing(const struct proposal *p, const struct known *k, struct asked *x)
{
	struct table_walk w = table_start(hash_str(x->parts.rest));
	size_t at;

	vec_each(&k->of_class, has)
		if (!take_out_known(x, has))
			return false;
	while ((at = table_next(&k->by_rest, &w)) != TABLE_END)
		if (str_eq(k->list.v[at].rest, x->parts.rest) && !take_out_known(x, &k->list.v[at]))
			return false;
	return !p->r->no_rules;
}

static void put_rule(struct proposal *p, const struct asked *x, struct ast_stmt *st)
{
	st->rule = rule_parse(p->a, rule_join(p->a, &x->parts));
	BUG_ON(!st->rule);
	ast_comment_add(p->a, &st->trailing, "%s%s%s",
			proposal_evidence(p, x->count, x->first_ns, x->in), x->why ? ", " : "",
			x->why ? x->why : "");
}

void propose_rules(struct proposal *p)
{
	struct asking k = { .p = p };
	struct known known = { 0 };

	gather(&k);
	gather_known(p, &known);
	p->group = "mounts, tracing and what else AppArmor has classes of";
	vec_each(&k.list, x)
		if (!not_asked(p, x) && is_missing(p, &known, x))
			put_rule(p, x, proposal_add(p, AST_STMT_APPARMOR));
	p->group = NULL;
}

/* ---- the header ---- */

/*
 * Without the flag AppArmor refuses whatever has no path from the task's root, as nothing has that was
 * opened before its mount namespace was changed (path.c, aa_path_name: "disconnected").
 */
void propose_attached(struct proposal *p)
{
	struct sources *sources = sources_new(p->a);
	static const char flag[] = "apparmor flags=(attach_disconnected)";
	struct source *src;
	struct ast_stmt *st;
	bool moved = proposal_saw(p, "setns") || proposal_had_flag(p, "unshare", CLONE_NEWNS) ||
		     proposal_had_flag(p, "clone", CLONE_NEWNS) ||
		     proposal_had_flag(p, "clone3", CLONE_NEWNS);
	bool spaces = p->r->run.namespace_files;
	bool queue = false;

	vec_each(&p->r->rules, r)
		queue |= str_starts(r->text, "mqueue");
	if (!proposal_on_apparmor(p) || (!moved && !queue && !spaces))
		return;
	src = source_add(sources, "<header>", str_c(flag));
	st = proposal_header(p, AST_HEADER_APPARMOR);
	st->rule = aa_parse_rule(p->a, src,
				 (struct span){ .source = src->id, .end = sizeof(flag) - 1 }, flag,
				 diags_new(p->a, sources));
	BUG_ON(!st->rule);
	ast_comment_add(p->a, &st->trailing, "%s%s%s%s%s have no path, and are refused without it",
			moved ? "mount namespaces were changed: files opened before that" : "",
			moved && (queue || spaces) ? ", and " : "", queue ? "message queues" : "",
			queue && spaces ? " and " : "",
			spaces ? "namespaces that were opened" : "");
}

void describe_not_asked(struct proposal *p, struct ast_comment **to)
{
	struct asking k = { .p = p };
	bool any = false;

	gather(&k);
	vec_each(&k.list, x) {
		const char *since = not_asked(p, x);
		BUF_AUTO safe = { 0 };

		if (!since)
			continue;
		if (!any)
			ast_comment_add(p->a, to,
					"done, but not asked for by the kernel here, so left out "
					"for the sake of older parsers:");
		any = true;
		buf_safe(&safe, rule_join(p->a, &x->parts));
		ast_comment_add(p->a, to, "  %s;  # %llux; %s", safe.p ? safe.p : "",
				(unsigned long long)x->count, since);
	}
}

static bool has_class(const struct proposal *p, const char *word)
{
	vec_each(&p->r->rules, x)
		if (str_starts(x->text, word))
			return true;
	return false;
}

/* /proc/PID/attr/current or exec, by which AppArmor changes profiles; apparmor/ may stand between. */
static bool is_label(struct str path)
{
	const char *attr;

	/* Paths of a recording end in a NUL byte. */
	if (!str_starts(path, "/proc/"))
		return false;
	attr = strstr(path.p, "/attr/");
	return attr &&
	       (!strcmp(attr, "/attr/current") || !strcmp(attr, "/attr/exec") ||
		!strcmp(attr, "/attr/apparmor/current") || !strcmp(attr, "/attr/apparmor/exec"));
}

/* The sockets of a message bus, by dbus-daemon(1) and systemd. */
static bool is_bus(struct str path)
{
	size_t n = path.n;

	return str_is(path, "/run/dbus/system_bus_socket") ||
	       (str_starts(path, "/run/user/") && n > 4 && !memcmp(path.p + n - 4, "/bus", 4));
}

static void describe_opened(struct proposal *p, struct ast_comment **to)
{
	bool labels = has_class(p, "change_profile"), buses = has_class(p, "dbus");

	vec_each(&p->r->files, f) {
		BUF_AUTO safe = { 0 };

		buf_safe(&safe, f->path);
		if (!labels && f->perms & (PERM_W | PERM_A) && is_label(f->path)) {
			labels = true;
			ast_comment_add(
				p->a, to,
				"%s was opened to be written, by which a task changes its profile or "
				"hat: to which was not seen, and takes change_profile",
				safe.p ? safe.p : "");
		}
		if (!buses && f->socket && is_bus(f->path)) {
			buses = true;
			ast_comment_add(
				p->a, to,
				"%s was connected to: what is sent there AppArmor is asked about by "
				"the bus, not by the kernel, so rules of dbus are not here",
				safe.p ? safe.p : "");
		}
	}
}

/* Calls that AppArmor asks about, and nothing of it is there: they failed, or could not be read. */
void describe_unruled(struct proposal *p, struct ast_comment **to)
{
	static const struct {
		const char *call;
		enum aa_class class;
	} calls[] = {
		{ "mount", AA_CLASS_MOUNT },
		{ "umount", AA_CLASS_MOUNT },
		{ "umount2", AA_CLASS_MOUNT },
		{ "pivot_root", AA_CLASS_PIVOT_ROOT },
		{ "move_mount", AA_CLASS_MOUNT },
		{ "ptrace", AA_CLASS_PTRACE },
		{ "process_vm_readv", AA_CLASS_PTRACE },
		{ "process_vm_writev", AA_CLASS_PTRACE },
		{ "mq_open", AA_CLASS_MQUEUE },
		{ "mq_unlink", AA_CLASS_MQUEUE },
	};
	struct asking k = { .p = p };
	BUF_AUTO text = { 0 };
	unsigned have = 0;

	gather(&k);
	vec_each(&k.list, x)
		have |= 1u << x->parts.class;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (proposal_saw(p, calls[i].call) && !(have >> calls[i].class & 1))
			buf_printf(&text, "%s%s", text.n ? ", " : "", calls[i].call);
	if (text.n)
		ast_comment_add(p->a, to,
				"no rule for AppArmor, which refuses them, here, as %s: %s",
				proposal_replayed(p->r) && !strstr(p->r->run.backend, "strace") ?
					"a replay tells too little of them" :
					"none was seen to succeed",
				text.p);
	describe_opened(p, to);
}
