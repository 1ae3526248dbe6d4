/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/ask_ptrace.h"

#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "compiler/base/bug.h"
#include "learn/proc.h"
#include "learn/stopped.h"

struct ask_pending {
	struct trace_rule rule;
	struct ask ask;
	char text[3][TRACE_PATH + 1];
	char base[2][PATH_MAX];
};

/* False: it cannot be read. */
static bool take_text(const struct ask_stopped *s, struct ask_pending *p, int i, uint64_t addr)
{
	if (!addr)
		return true;
	if (s->read_text(s->tid, addr, p->text[i], TRACE_PATH) < 0)
		return false;
	p->ask.names[i].text = p->text[i];
	return true;
}

/* What a descriptor is of, as the kernel says. */
static bool take_held(const struct ask_stopped *s, struct ask_pending *p, int i, int fd)
{
	char link[32], proc[64];
	struct stat st;

	snprintf(link, sizeof(link), "fd/%d", fd);
	snprintf(proc, sizeof(proc), "/proc/%d/%s", (int)s->tid, link);
	if (!proc_link(s->tid, link, p->base[i]) || *p->base[i] != '/' || stat(proc, &st))
		return false;
	p->ask.names[i].text = p->base[i];
	p->ask.names[i].flags = S_ISDIR(st.st_mode) ? TRACE_DIR : 0;
	return true;
}

/* A name of a file system's, and where it is seen from. */
static bool take_name(const struct ask_stopped *s, struct ask_pending *p, int i)
{
	const struct trace_rule *r = &p->rule;
	int dir = r->fd[i] >= 0 ? (int)s->args[r->fd[i]] : -1, fd;
	char link[32] = "cwd";

	if (!take_text(s, p, i, s->args[r->path[i]]))
		return false;
	if (!p->ask.names[i].text)
		return true;
	fd = *p->text[i] ? stopped_self_fd(p->text[i]) : dir;
	if (fd >= 0)
		return take_held(s, p, i, fd);
	if (*p->text[i] == '/')
		strcpy(link, "root");
	else if (dir >= 0)
		snprintf(link, sizeof(link), "fd/%d", dir);
	p->ask.names[i].base = p->base[i];
	p->ask.names[i].flags = r->flags[i] | TRACE_NOW;
	if (proc_elsewhere(s->tid) != 0)
		p->ask.names[i].flags |= TRACE_ELSEWHERE;
	return proc_link(s->tid, link, p->base[i]) && *p->base[i] == '/';
}

static bool take_mount(const struct ask_stopped *s, struct ask_pending *p)
{
	const struct trace_rule *r = &p->rule;

	if (!take_name(s, p, 0))
		return false;
	if (r->path[1] >= 0 && !(r->op == TRACE_OP_MOVE && p->ask.value & TRACE_EMPTY_PATH) &&
	    !take_name(s, p, 1))
		return false;
	return r->op != TRACE_OP_MOUNT || take_text(s, p, 2, s->args[2]);
}

static uint64_t ours(const struct ask_stopped *s, uint64_t pid)
{
	return s->is_ours(s->tracer, (pid_t)pid) ? TRACE_ASK_OURS : 0;
}

static bool is_own(const struct ask_stopped *s, long long pid)
{
	return !pid || pid == s->tid || proc_field(s->tid, "status", "\nTgid:", "%lld") == pid;
}

static bool take_pidfd(const struct ask_stopped *s, struct ask_pending *p)
{
	char file[32], link[PATH_MAX];
	long long pid;

	if (p->rule.at >= 0 && !trace_enters((uint32_t)p->ask.value))
		return false;
	snprintf(file, sizeof(file), "fd/%d", (int)s->args[p->rule.fd[0]]);
	/* setns(2) takes others, and of a call that failed it may be anything. */
	if (!proc_link(s->tid, file, link) ||
	    (strcmp(link, "anon_inode:[pidfd]") != 0 && strncmp(link, "pidfd:[", 7) != 0))
		return false;
	snprintf(file, sizeof(file), "fdinfo/%d", (int)s->args[p->rule.fd[0]]);
	pid = proc_field(s->tid, file, "\nPid:", "%lld");
	p->ask.value = pid > 0 ? ours(s, (uint64_t)pid) : 0;
	return true;
}

/* False: nothing is asked. */
static bool take_trace(const struct ask_stopped *s, struct ask_pending *p)
{
	uint64_t request = (uint32_t)p->ask.value;

	if (request == TRACE_TRACEME)
		p->ask.value |= TRACE_ASK_OURS;
	else if (request == TRACE_ATTACH || request == TRACE_SEIZE)
		p->ask.value |= ours(s, s->args[p->rule.fd[0]]);
	else
		return false;
	return true;
}

/* perf_event_open(2): sigtrap is a bit of what stands behind the first five words. */
static bool counts_unasked(const struct ask_stopped *s)
{
	const uint64_t caps = 1ull << CAP_PERFMON | 1ull << CAP_SYS_ADMIN, sigtrap = 1ull << 37;
	uint64_t bits;

	return s->read_memory(s->tid, s->args[0] + 5 * sizeof(bits), &bits, sizeof(bits)) &&
	       !(bits & sigtrap) && proc_is_capable(s->tid, caps);
}

static bool take_peer(const struct ask_stopped *s, struct ask_pending *p)
{
	pid_t pid = (pid_t)s->args[p->rule.fd[0]];

	if (!trace_asks_peer(p->rule.at, (uint32_t)p->ask.value) || pid < 0)
		return false; /* -1: of all, or of nobody */
	if (is_own(s, pid) && p->rule.fd[1] >= 0)
		pid = (pid_t)s->args[p->rule.fd[1]];
	if (p->rule.flags[0] & TRACE_UNLESS_PERFMON && counts_unasked(s))
		return false;
	p->ask.value = ours(s, (uint64_t)pid);
	return !is_own(s, pid);
}

struct ask_pending *ask_take(const struct ask_stopped *s, const struct trace_rule *r, bool *lost)
{
	struct ask_pending *p = calloc(1, sizeof(*p));
	uint32_t flags = 0;
	bool asks = true;

	*lost = !p;
	if (!p)
		return NULL;
	p->rule = *r;
	p->ask.rule = &p->rule;
	p->ask.value = r->at >= 0 ? s->args[r->at] : 0;
	switch ((enum trace_op)r->op) {
	case TRACE_OP_MOUNT:
	case TRACE_OP_UMOUNT:
	case TRACE_OP_PIVOT:
	case TRACE_OP_MOVE: *lost = !take_mount(s, p); break;
	case TRACE_OP_QUEUE: *lost = !take_text(s, p, 0, s->args[r->path[0]]); break;
	case TRACE_OP_RING: /* behind the numbers of entries (io_uring_setup(2)) */
		*lost = !s->read_memory(s->tid, s->args[r->path[0]] + 2 * sizeof(flags), &flags,
					sizeof(flags));
		p->ask.value = flags;
		break;
	case TRACE_OP_PTRACE: asks = take_trace(s, p); break;
	case TRACE_OP_PIDFD: asks = take_pidfd(s, p); break;
	case TRACE_OP_PEER: asks = take_peer(s, p); break;
	default: asks = false;
	}
	if (asks && !*lost)
		return p;
	free(p);
	return NULL;
}

void ask_give(struct model *m, struct ask_pending *p, uint64_t first_ns)
{
	p->ask.count = 1;
	p->ask.first_ns = first_ns;
	ask_record(m, &p->ask);
	free(p);
}

void ask_drop(struct ask_pending *p)
{
	free(p);
}

void ask_abstract(struct model *m, pid_t tid, const struct addressed *to, uint64_t first_ns)
{
	struct trace_rule rule = { .op = TRACE_OP_BIND };
	struct ask ask = { .rule = &rule, .count = 1, .first_ns = first_ns };
	uint32_t n = to->len > 3 ? to->len - 3 : 0;
	char name[sizeof(((struct sockaddr_un *)0)->sun_path) + 1] = "";

	if (to->len == 2 && to->op != ADDRESS_BIND)
		return;
	if (n >= sizeof(name))
		n = sizeof(name) - 1;
	if (n && !stopped_memory(tid, to->at + 3, name, n))
		*name = 0; /* told as lost */
	ask.names[0].text = name;
	ask.value = TRACE_ABSTRACT(to->op, address_type_of(tid, to->fd), n);
	ask_record(m, &ask);
}

bool ask_label(struct model *m, const struct ask_stopped *s, uint64_t first_ns)
{
	static const char *const names[] = { "current", "exec" };
	struct trace_rule rule = { .op = TRACE_OP_LABEL };
	struct ask ask = { .rule = &rule, .count = 1, .first_ns = first_ns };
	size_t n = s->args[2] < TRACE_PATH ? (size_t)s->args[2] : TRACE_PATH, len;
	char text[TRACE_PATH + 1], path[PATH_MAX], link[32];
	const char *attr;

	snprintf(link, sizeof(link), "fd/%d", (int)s->args[0]);
	if (!proc_link(s->tid, link, path) || !str_starts(str_c(path), "/proc/"))
		return true;
	attr = strstr(path, "/attr/");
	len = attr ? strlen(attr) : 0;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t most = strlen(names[i]);

		if (len <= most || strcmp(attr + len - most, names[i]) != 0 ||
		    attr[len - most - 1] != '/')
			continue;
		if (!s->read_memory(s->tid, s->args[1], text, n))
			return false;
		text[n] = 0;
		ask.value = i;
		ask.names[0].text = text;
		ask_record(m, &ask);
	}
	return true;
}
