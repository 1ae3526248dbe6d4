/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/asks.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "compiler/base/bug.h"
#include "compiler/rules/rules.h"
#include "grammar/apparmor_print.h"

#define OWN " peer=@{profile_name}"

enum { KIND_ANY, KIND_FILE, KIND_DIR };

/* What mount(2) carries in its upper half, and the kernel takes off (fs/namespace.c, path_mount). */
#define MGC_VALUE 0xc0ed0000u
#define MGC_MASK  0xffff0000u
#define CHANGES   (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)

struct asking {
	struct model *m;
	const struct ask *a;
	struct buf out;
	bool lost;
};

/* ---- names ---- */

static void put_glob(struct buf *out, const char *path, unsigned kind)
{
	size_t n = strlen(path);
	BUF_AUTO whole = { 0 };
	bool quoted;

	while (n > 1 && path[n - 1] == '/')
		n--;
	buf_add(&whole, path, n);
	if (kind == KIND_DIR && n > 1)
		buf_putc(&whole, '/');
	buf_putc(out, ' ');
	aa_print_literal(out, (struct str){ whole.p, whole.n });
	if (kind != KIND_ANY || n == 1)
		return;
	/* A directory, whose name ends in a slash then, or a file. */
	quoted = out->n && out->p[out->n - 1] == '"';
	out->n -= quoted;
	buf_puts(out, quoted ? "{,/}\"" : "{,/}");
}

/* As the kernel asks about it: with a slash where it is a directory. */
static void put_path(struct asking *k, const struct ask_name *n, unsigned kind)
{
	char path[PATH_MAX + 1];
	struct stat st;

	if (!n->text || !*n->text) {
		k->lost = true;
		return;
	}
	if (!n->base) {
		put_glob(&k->out, n->text, n->flags & TRACE_DIR ? KIND_DIR : KIND_FILE);
		return;
	}
	if (!model_path(n->base, n->text, n->flags, path) ||
	    !model_leads_as_then(k->m, n->base, n->text, n->flags, k->a->first_ns)) {
		k->lost = true;
		return;
	}
	if (kind == KIND_ANY && !(n->flags & TRACE_ELSEWHERE) && !stat(path, &st))
		kind = S_ISDIR(st.st_mode) ? KIND_DIR : KIND_FILE;
	put_glob(&k->out, path, kind);
}

static bool is_path(const struct ask_name *n)
{
	return n->text && *n->text == '/';
}

/* ---- mounts ---- */

static void put_option(struct buf *out, unsigned bits)
{
	const char *name = aa_mount_option(bits);

	if (name)
		buf_printf(out, ", %s", name);
}

/* In the order of the kernel's own records (mount.c, audit_mnt_flags). */
static void put_options(struct buf *out, unsigned flags)
{
	unsigned with_all = flags & (MS_BIND | CHANGES) ? flags & MS_REC : 0;

	buf_puts(out, flags & MS_RDONLY ? " options=(ro" : " options=(rw");
	flags &= ~(unsigned)(MS_RDONLY | MS_REC);
	for (unsigned bit = 1; bit; bit <<= 1)
		if (flags & bit)
			put_option(out, bit | (bit & (MS_BIND | CHANGES) ? with_all : 0));
	buf_putc(out, ')');
}

/* Which of its flags count hangs on what is done (lsm.c, apparmor_sb_mount). */
static void put_mount(struct asking *k)
{
	const struct ask_name *onto = &k->a->names[0], *from = &k->a->names[1],
			      *type = &k->a->names[2];
	unsigned flags = (unsigned)k->a->value;

	if ((flags & MGC_MASK) == MGC_VALUE)
		flags &= ~MGC_MASK;
	buf_puts(&k->out, "mount");
	if (flags & MS_REMOUNT) {
		put_options(&k->out, flags);
		from = NULL;
	} else if (flags & MS_BIND) {
		put_options(&k->out, flags & (MS_BIND | MS_REC));
	} else if (flags & CHANGES) {
		put_options(&k->out, flags & (CHANGES | MS_REC | MS_SILENT));
		from = NULL;
	} else if (flags & MS_MOVE) {
		put_options(&k->out, MS_MOVE);
	} else {
		if (type->text && *type->text) {
			buf_puts(&k->out, " fstype=");
			aa_print_literal(&k->out, str_c(type->text));
		}
		put_options(&k->out, flags);
		if (from->text && *from->text && !is_path(from)) {
			buf_putc(&k->out, ' ');
			aa_print_literal(&k->out, str_c(from->text));
		} else if (is_path(from)) {
			put_path(k, from, KIND_FILE);
		}
		buf_puts(&k->out, " ->");
		put_path(k, onto, KIND_DIR);
		return;
	}
	if (from)
		put_path(k, from, KIND_ANY);
	buf_puts(&k->out, " ->");
	put_path(k, onto, KIND_ANY);
}

/* Of a tree that hangs nowhere yet nothing is said but where it goes. */
static void put_move(struct asking *k)
{
	buf_puts(&k->out, "mount options=(rw, move)");
	if (!(k->a->value & TRACE_EMPTY_PATH) && k->a->names[1].text && *k->a->names[1].text)
		put_path(k, &k->a->names[1], KIND_ANY);
	buf_puts(&k->out, " ->");
	put_path(k, &k->a->names[0], KIND_ANY);
}

static void put_pivot(struct asking *k)
{
	buf_puts(&k->out, "pivot_root oldroot=");
	put_path(k, &k->a->names[1], KIND_DIR);
	/* The blank that stands before a path is none behind '='. */
	if (!k->lost)
		memmove(k->out.p + sizeof("pivot_root oldroot=") - 1,
			k->out.p + sizeof("pivot_root oldroot="),
			k->out.n-- - sizeof("pivot_root oldroot="));
	put_path(k, &k->a->names[0], KIND_DIR);
}

/* ---- the rest ---- */

/*
 * What the kernel asks for: a file, whose path begins at no root. With attach_disconnected it is below
 * '/', and without that no rule allows it.
 */
static void record_queue(struct asking *k, struct str path, unsigned flags)
{
	struct access how = { .count = k->a->count, .first_ns = k->a->first_ns };

	how.perms = flags & O_CREAT ? PERM_W : 0;
	how.perms |= (flags & O_ACCMODE) != O_WRONLY ? PERM_R : 0;
	how.perms |= (flags & O_ACCMODE) != O_RDONLY ? PERM_W : 0;
	model_file(k->m, path, &how);
}

static void put_queue(struct asking *k)
{
	unsigned flags = (unsigned)k->a->value;
	BUF_AUTO name = { 0 };

	if (!k->a->names[0].text || !*k->a->names[0].text) {
		k->lost = true;
		return;
	}
	buf_puts(&k->out, "mqueue (");
	if (k->a->rule->at < 0) {
		buf_puts(&k->out, "delete");
	} else {
		buf_puts(&k->out, flags & O_CREAT ? "create, open" : "open");
		if ((flags & O_ACCMODE) != O_WRONLY)
			buf_puts(&k->out, ", read");
		if ((flags & O_ACCMODE) != O_RDONLY)
			buf_puts(&k->out, ", write");
	}
	buf_puts(&k->out, ") type=posix ");
	buf_printf(&name, "/%s", k->a->names[0].text + (*k->a->names[0].text == '/'));
	aa_print_literal(&k->out, (struct str){ name.p, name.n });
	if (k->a->rule->at >= 0 && !name.failed)
		record_queue(k, (struct str){ name.p, name.n }, flags);
}

/* Whoever asks about itself is asked, too, from the other side (ipc.c, aa_may_ptrace). */
static void put_trace(struct asking *k, bool read)
{
	bool ours = k->a->value & TRACE_ASK_OURS;

	if (ours)
		buf_puts(&k->out,
			 read ? "ptrace (read, readby)" OWN : "ptrace (trace, tracedby)" OWN);
	else
		buf_puts(&k->out, read ? "ptrace (read)" : "ptrace (trace)");
}

/* Are there as many names of this kind as are kept, and this is none of them? Then the rule is for any. */
static bool is_one_too_many(const struct asking *k, size_t head)
{
	size_t n = 0;

	vec_each(&model_recording(k->m)->rules, x) {
		if (str_eq(x->text, (struct str){ k->out.p, k->out.n }))
			return false;
		n += x->text.n > head && !memcmp(x->text.p, k->out.p, head) &&
		     memmem(x->text.p, x->text.n, "addr=", 5);
	}
	return n >= TRACE_VALUES;
}

/* A name with zero bytes in it, which no text can hold, is written up to the first. */
static void put_abstract(struct asking *k, const char *name, size_t n)
{
	BUF_AUTO text = { 0 };

	buf_printf(&text, "@%s", name);
	aa_print_literal(&k->out, (struct str){ text.p, text.n });
	if (strlen(name) == n)
		return;
	if (k->out.p[k->out.n - 1] == '"') {
		k->out.n--;
		buf_puts(&k->out, "**\"");
	} else {
		buf_puts(&k->out, "**");
	}
}

/* As af_unix.c of security/apparmor asks since Linux 6.17 (profile_bind_perm(), profile_peer_perm()). */
static void put_unix(struct asking *k)
{
	static const char *const perms[ADDRESS_OPS] = {
		[ADDRESS_BIND] = "bind",
		[ADDRESS_CONNECT] = "connect, send, receive",
		[ADDRESS_SEND] = "send",
	};
	static const char *const types[ADDRESS_TYPES] = {
		[ADDRESS_STREAM] = "stream",
		[ADDRESS_DGRAM] = "dgram",
		[ADDRESS_OTHER] = "seqpacket",
	};
	unsigned op = k->a->value & 0xff, type = k->a->value >> 8 & 0xff;
	size_t n = k->a->value >> 16 & 0xffff, head;
	const char *name = k->a->names[0].text;

	if (op == ADDRESS_CONNECT && type == ADDRESS_DGRAM)
		op = ADDRESS_SEND; /* as which unix_may_send() asks */
	buf_printf(&k->out, "unix (%s)", perms[op]);
	if (types[type])
		buf_printf(&k->out, " type=%s", types[type]);
	if (n == TRACE_ABSTRACT_OTHERS)
		return;
	head = k->out.n;
	buf_puts(&k->out, op == ADDRESS_BIND ? " addr=" : " peer=(addr=");
	if (!n)
		buf_puts(&k->out, "auto");
	else if (name && *name)
		put_abstract(k, name, n);
	else
		k->lost = true;
	if (op != ADDRESS_BIND)
		buf_putc(&k->out, ')');
	if (!k->out.failed && is_one_too_many(k, head))
		k->out.n = head;
}

/*
 * By which words AppArmor changes profiles (its lsm.c, do_setattr()): one rule allows it at once and at
 * the next exec. Hats ask no rule, and what else is written is other modules'.
 */
static void put_label(struct asking *k)
{
	static const struct {
		const char *word;
		bool stack, exec;
	} words[] = { { "changeprofile ", false, false },
		      { "permprofile ", false, false },
		      { "stack ", true, false },
		      { "exec ", false, true },
		      { "stack ", true, true } };
	const char *text = k->a->names[0].text;
	BUF_AUTO target = { 0 };

	for (size_t i = 0; text && i < ARRAY_SIZE(words); i++) {
		size_t n;

		if (words[i].exec != (k->a->value != 0) || !str_starts(str_c(text), words[i].word))
			continue;
		text += strlen(words[i].word);
		text += strspn(text, " ");
		n = strcspn(text, "\n");
		if (!n)
			return;
		buf_puts(&target, words[i].stack && *text != '&' ? "&" : "");
		buf_add(&target, text, n);
		buf_puts(&k->out, "change_profile -> ");
		aa_print_literal(&k->out, (struct str){ target.p, target.n });
		return;
	}
}

/* Of whose credentials a request is made the label is not kept; no variable may stand for it (io_uring.cc). */
static void put_ring(struct asking *k)
{
	if (k->a->value & TRACE_RING_OTHERS)
		buf_puts(&k->out, "io_uring (override_creds)");
	else if (k->a->value & IORING_SETUP_SQPOLL) /* without it nothing is asked */
		buf_puts(&k->out, "io_uring (sqpoll)");
}

static void put(struct asking *k)
{
	const struct trace_rule *r = k->a->rule;

	switch ((enum trace_op)r->op) {
	case TRACE_OP_MOUNT: put_mount(k); return;
	case TRACE_OP_UMOUNT:
		buf_puts(&k->out, "umount");
		put_path(k, &k->a->names[0], KIND_ANY);
		return;
	case TRACE_OP_PIVOT: put_pivot(k); return;
	case TRACE_OP_MOVE: put_move(k); return;
	case TRACE_OP_QUEUE: put_queue(k); return;
	case TRACE_OP_RING: put_ring(k); return;
	case TRACE_OP_BIND: put_unix(k); return;
	case TRACE_OP_LABEL: put_label(k); return;
	case TRACE_OP_PTRACE: put_trace(k, false); return;
	case TRACE_OP_ASKED: put_trace(k, !(k->a->value & TRACE_ASK_ATTACH)); return;
	case TRACE_OP_PIDFD:
	case TRACE_OP_PEER: put_trace(k, r->perms[0] == TRACE_R); return;
	default: return;
	}
}

void ask_record(struct model *m, const struct ask *a)
{
	struct asking k = { .m = m, .a = a };

	put(&k);
	buf_putc(&k.out, 0);
	if (k.out.failed)
		arena_no_memory(model_arena(m));
	if (k.out.n > 1 && (k.lost || !model_rule(m, k.out.p, a->count, a->first_ns)))
		model_recording(m)->run.losses.paths_unresolved++;
	buf_free(&k.out);
}
