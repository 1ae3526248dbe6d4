/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A system call as it ends: the files it meant, the more so where it failed behind the kernel's question. */
#ifndef LEARN_ENDS_BPF_H
#define LEARN_ENDS_BPF_H

#include "learn/calls.bpf.h"

static __always_inline int exit_open(struct mark *m, const volatile struct trace_rule *r, int fd)
{
	__u64 asked = r->at >= 0 ? arg_at(m, r->at) : 0;
	struct scratch *s = scratch_get();

	if (!s)
		return 0;
	if (r->flags[0] & TRACE_HOW && bpf_probe_read_user(&asked, sizeof(asked), (void *)asked)) {
		count_loss(TRACE_LOSS_UNRESOLVED);
		return 0;
	}
	s->asked = asked;
	if (r->path[0] >= 0 && !sees_asked && is_below_proc(arg_at(m, r->path[0])))
		look(arg_at(m, r->path[0]), asked & TRACE_O_PATH ? LOOK_BASE : 0);
	return record_fd(fd, 0);
}

/* One that failed for what is opened itself; of creat(2) without flags of its own. */
static __always_inline int exit_unopened(struct mark *m, const volatile struct trace_rule *r)
{
	__u64 how[3] = { TRACE_O_CREAT | TRACE_O_TRUNC | 1, 0, 0 };
	__u32 perms;

	if (r->path[0] < 0)
		return 0;
	if (r->at >= 0)
		how[0] = arg_at(m, r->at);
	if (r->flags[0] & TRACE_HOW &&
	    (bpf_probe_read_user(how, sizeof(how), (void *)how[0]) || how[2] & TRACE_IN_ROOT)) {
		count_loss(TRACE_LOSS_UNRESOLVED);
		return 0;
	}
	perms = trace_open_perms(how[0]);
	if (!perms || !trace_opens(m->error, how[0], how[2], o_direct))
		return 0;
	return record_join(r->fd[0] >= 0 ? (int)arg_at(m, r->fd[0]) : -1, arg_at(m, r->path[0]), 0,
			   perms | TRACE_FOLLOW << 16);
}

/*
 * Whether a lock asks for w too hangs on its kind alone: apparmor_file_lock() in its lsm.c.
 * F_UNLCK asks for k as well.
 */
static __always_inline int exit_lock(struct mark *m, const volatile struct trace_rule *r)
{
	__u32 command = (__u32)arg_at(m, r->at), perms = r->perms[0];
	__s16 type = 0;

	if (r->op == TRACE_OP_FLOCK) {
		if ((command & ~TRACE_LOCK_NB) == TRACE_LOCK_EX)
			perms |= TRACE_W;
	} else if (command == TRACE_F_SETLEASE) {
		type = (__s16)m->args[2];
	} else if (!trace_is_lock(command)) {
		return 0;
	} else if (bpf_probe_read_user(&type, sizeof(type), (void *)m->args[2])) {
		count_loss(TRACE_LOSS_UNRESOLVED);
	}
	if (type == TRACE_F_WRLCK)
		perms |= TRACE_W;
	return record_fd((int)arg_at(m, r->fd[0]), perms);
}

static long on_vma(struct task_struct *t, struct vm_area_struct *vma, struct mapping *found)
{
	(void)t;
	found->end = BPF_CORE_READ(vma, vm_end);
	found->file = (__u64)BPF_CORE_READ(vma, vm_file);
	return 0;
}

/*
 * Each file between the addresses. While other threads change mappings they hold the lock that
 * bpf_find_vma() only tries, and compilers at run time do little else: told, but no loss.
 */
ALONE int record_mapped(__u64 begin, __u64 end, __u32 perms)
{
	struct mapping found = {};

	if (!bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_find_vma)) {
		count_loss(TRACE_UNSEEN_EXEC);
		return 0;
	}
	for (int i = 0; i < 8 && begin < end; i++) {
		long err = bpf_find_vma(bpf_get_current_task_btf(), begin, on_vma, &found, 0);

		if (err == -ENOENT) /* unmapped by another thread since */
			return 0;
		if (err)
			break;
		if (found.file)
			record_file(found.file, perms);
		begin = found.end;
	}
	if (begin < end)
		count_loss(TRACE_UNSEEN_EXEC);
	return 0;
}

ALONE int record_pair(__u64 from, __u64 to, __u32 op)
{
	struct trace_pair_key k = {};
	__u64 one = 1;

	if (!from || !to)
		return 0; /* counted already */
	k.from = from;
	k.to = to;
	k.op = op;
	if (bpf_map_update_elem(&pairs, &k, &one, BPF_ANY))
		count_loss(TRACE_LOSS_PATHS);
	return 0;
}

/* What the kernel said that it was about to change (named.bpf.h) was changed. */
static __always_inline __u64 record_named(struct scratch *s, __u64 id, __u32 perms, __u32 about)
{
	s->parent = id;
	s->kind = TRACE_LEAF;
	s->perms = (__u8)perms;
	s->flags = (about & ABOUT_DIR ? TRACE_DIR : 0) | (about & ABOUT_SOCKET ? TRACE_SOCKET : 0);
	s->not_owned = !!(about & ABOUT_NOT_OWNED);
	s->off = 0;
	s->len = 0;
	s->last = 0;
	intern();
	return s->last;
}

/* What was changed, by both its names where there are two. */
struct changed {
	__u64 named[2];
	__u32 about[2];
	__u32 perms[2];
	__u32 op;
	bool exchanged;
};

/*
 * A rename asks about both names as of what is moved, and where two are exchanged of the other too
 * (apparmor_path_rename()).
 */
static __always_inline int record_changed(struct scratch *s, const struct changed *c)
{
	__u32 about = c->about[0];
	__u64 from;

	if (c->op == TRACE_OP_LINK) /* also of a directory, which it fails for: aa_path_link() */
		about &= ~(__u32)ABOUT_DIR;
	if (c->exchanged) {
		record_named(s, c->named[1], c->perms[0], c->about[1]);
		record_named(s, c->named[0], c->perms[1], c->about[1]);
	}
	from = record_named(s, c->named[0], c->perms[0], about);
	if (!c->named[1])
		return 0;
	record_named(s, c->named[1], c->perms[1], about);
	return c->op == TRACE_OP_LINK ? record_pair(from, s->last, c->op) : 0;
}

static __always_inline int exit_named(struct mark *m, const volatile struct trace_rule *r,
				      struct scratch *s, __u32 at)
{
	struct changed c = {
		.named = { m->named[0], m->nnamed > 1 ? m->named[1] : 0 },
		.about = { m->about[0], m->about[1] },
		.perms = { r->perms[0], r->perms[1] },
		.op = r->op,
		.exchanged = r->op == TRACE_OP_RENAME && at & TRACE_EXCHANGE,
	};

	if (r->flags[0] & TRACE_DIR)
		c.about[0] |= ABOUT_DIR; /* what is made is not there yet */
	if (r->flags[0] & TRACE_SOCKET)
		c.about[0] |= ABOUT_SOCKET;
	return record_changed(s, &c);
}

static __always_inline int exit_path(struct mark *m, const volatile struct trace_rule *r)
{
	__u32 flags = r->flags[0], at = r->at >= 0 ? (__u32)arg_at(m, r->at) : 0,
	      perms = r->perms[1];
	int dir = r->fd[0] >= 0 ? (int)arg_at(m, r->fd[0]) : -1;
	struct scratch *s = scratch_get();
	__u64 from;

	if (!s)
		return 0;
	if (flags & TRACE_SYMLINK && !sees_asked)
		look(m->args[0], LOOK_TARGET);
	if (m->nnamed)
		return exit_named(m, r, s, at);
	if (m->error == TRACE_EISDIR)
		flags |= TRACE_DIR;
	if (r->op != TRACE_OP_RENAME)
		flags = trace_at(flags, at);
	else if (at & TRACE_EXCHANGE)
		perms = r->perms[0];
	record_join(dir, arg_at(m, r->path[0]), 0, r->perms[0] | flags << 16);
	if (r->path[1] < 0)
		return 0;
	from = s->last;
	dir = r->fd[1] >= 0 ? (int)arg_at(m, r->fd[1]) : -1;
	record_join(dir, arg_at(m, r->path[1]), 0, perms | r->flags[1] << 16);
	return record_pair(from, s->last, r->op);
}

static __always_inline int exit_pin(struct mark *m, const volatile struct trace_rule *r)
{
	struct scratch *s = scratch_get();
	__u64 text = 0;

	if (!s || (__u32)arg_at(m, r->at) != TRACE_OBJ_PIN)
		return 0;
	if (m->nnamed)
		return exit_named(m, r, s, 0);
	if (bpf_probe_read_user(&text, sizeof(text), (void *)arg_at(m, r->path[0]))) {
		count_loss(TRACE_LOSS_UNRESOLVED);
		return 0;
	}
	return record_join(-1, text, 0, r->perms[0] | r->flags[0] << 16);
}

static __always_inline int exit_bind(struct mark *m, const volatile struct trace_rule *r)
{
	struct scratch *s = scratch_get();

	if (!sees_asked) /* behind the family; more than is written there is no name of /proc's */
		look(arg_at(m, r->path[0]) + 2, r->flags[0] & TRACE_MADE ? LOOK_KEPT : 0);
	if (s && m->nnamed)
		return exit_named(m, r, s, 0);
	return record_unix(r->flags[0] & TRACE_MADE ? ADDRESS_BIND : ADDRESS_CONNECT,
			   (__u32)m->args[0], arg_at(m, r->path[0]),
			   (__u32)arg_at(m, r->path[0] + 1), r->perms[0] | r->flags[0] << 16);
}

/* An exec that failed, or only asked; one that was done leaves no mark of it. */
static __always_inline int exit_unexecuted(struct mark *m, const volatile struct trace_rule *r)
{
	__u32 at = r->at >= 0 ? (__u32)arg_at(m, r->at) : 0, flags = TRACE_FOLLOW | TRACE_TRIED;

	if (!m->error && !trace_only_asks(at))
		return 0;
	flags |= trace_if(m->error);
	return record_join(r->fd[0] >= 0 ? (int)arg_at(m, r->fd[0]) : -1, arg_at(m, r->path[0]), 0,
			   TRACE_X | trace_at(flags, at) << 16);
}

/* Each by itself, of s->call. */
#define LEAVE(what)                                                                                \
	ALONE int leave_##what(void)                                                               \
	{                                                                                          \
		struct scratch *s = scratch_get();                                                 \
		return s ? exit_##what(&s->call, rule_of(&s->call)) : 0;                           \
	}
LEAVE(unopened)
LEAVE(lock)
LEAVE(path)
LEAVE(bind)
LEAVE(pin)
LEAVE(ask)
LEAVE(unexecuted)

static __always_inline int record_return(struct mark *m, const volatile struct trace_rule *r)
{
	switch (r->op) {
	case TRACE_OP_OPEN: return leave_unopened();
	case TRACE_OP_MMAP:
		if (arg_at(m, r->path[0]) & PROT_EXEC && (int)arg_at(m, r->fd[0]) >= 0)
			return record_fd((int)arg_at(m, r->fd[0]), TRACE_M);
		return 0;
	case TRACE_OP_MPROTECT:
		if (!(arg_at(m, r->at) & PROT_EXEC))
			return 0;
		return record_mapped(m->args[0], m->args[0] + m->args[1], r->perms[0]);
	case TRACE_OP_FLOCK:
	case TRACE_OP_FCNTL: return leave_lock();
	case TRACE_OP_FD: return record_fd((int)arg_at(m, r->fd[0]), r->perms[0]);
	case TRACE_OP_PATH:
	case TRACE_OP_RENAME:
	case TRACE_OP_LINK: return leave_path();
	case TRACE_OP_PIN: return leave_pin();
	case TRACE_OP_EXEC: return leave_unexecuted();
	case TRACE_OP_BIND:
		/* A connect() under way (EINPROGRESS) has passed its hook too, but only for IP. */
		return leave_bind();
	default: return trace_is_early(r->op) ? exit_mount(m, r) : leave_ask();
	}
	return 0;
}

/* Of a call that failed: what the kernel named it had asked about, unless that was what refused it. */
static __always_inline bool was_asked(const struct mark *m, __u32 rule)
{
	return m->nnamed ? m->error != TRACE_EACCES :
			   trace_was_asked(&rules[bounded(rule, TRACE_RULES - 1)], m->error);
}

static __always_inline int on_return(bool btf, long ret)
{
	const volatile struct trace_rule *r;
	struct scratch *s;
	struct mark *m;
	__u32 call;
	__u8 rule;

	if (whose(btf, marked_bits(tid_of(btf, task_now(btf))) & IS_MARKED) != WORKLOADS)
		return 0;
	m = mark_find(btf);
	if (!m)
		return 0;
	call = m->call;
	m->call = TRACE_NO_CALL;
	if (!m->rule)
		return 0;
	rule = m->rule;
	m->rule = 0;
	m->error = ret < 0 && ret > -256 ? (__u8)-ret : 0;
	if (ret < 0 && ret > -4096 && !was_asked(m, rule))
		return 0;
	s = scratch_take();
	if (!s)
		return 0;
	s->ask.call = call;
	r = &rules[bounded(rule, TRACE_RULES - 1)];
	if (r->op == TRACE_OP_OPEN && !m->error) {
		exit_open(m, r, (int)ret);
	} else {
		s->call = *m;
		s->call.rule = rule;
		record_return(&s->call, rule_of(&s->call));
	}
	scratch_give(s);
	return 0;
}

APART int on_return_btf(long ret)
{
	return on_return(true, ret);
}

/* Of most calls nothing is asked behind their end: the number alone says that. */
static __always_inline int on_exit(bool btf, void *regs, long ret)
{
	if (!btf)
		return on_return(false, ret);
	if (tells_call() && !returns[(__u32)nr_of(regs) & (TRACE_NRS - 1)])
		return 0;
	return on_return_btf(ret);
}

#endif
