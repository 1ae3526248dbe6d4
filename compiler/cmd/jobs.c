/* SPDX-License-Identifier: Apache-2.0 */
/* A pipe a process; the number of the next item lies in memory that all of them have. */
#include "compiler/cmd/jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	HELD_MAX = 16 << 20, /* bytes that wait for their turn: more are left in the pipes */
	READ_STEP = 1 << 16,
	SAID_MAX = 1 << 20,  /* of what an item's process said before it was ended */
	PIPE_ROOM = 1 << 20, /* the most that users get (pipe(7)) */
};

/* In memory of all processes. A process says what it is about to take before it takes it. */
struct shared {
	_Atomic size_t next;
	_Atomic size_t at[JOBS_MAX];
};

struct head { /* of what was made of an item, and of what was said */
	size_t item, made, said;
};

struct process {
	pid_t pid; /* 0: it has ended, and */
	int status;
	int fd;
	int said; /* its standard error */
	struct buf in;
	size_t begin; /* what was taken of it ends there */
};

struct run {
	const struct jobs *jobs;
	struct shared *shared;
	struct process of[JOBS_MAX];
	unsigned n;
	size_t next, held;
	bool no_memory;
};

/* ---- a process ---- */

static bool take_next(struct run *r, unsigned self, size_t *item)
{
	*item = atomic_load(&r->shared->next);
	do {
		if (*item >= r->jobs->to)
			return false;
		atomic_store(&r->shared->at[self], *item);
	} while (!atomic_compare_exchange_strong(&r->shared->next, item, *item + 1));
	return true;
}

static bool write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		p += done;
		n -= (size_t)done;
	}
	return true;
}

/* All that lies there, at most `most`. False: it cannot be read. */
static bool read_said(int fd, size_t most, struct buf *out)
{
	size_t begun = out->n;
	char chunk[4096];
	ssize_t n = 1;

	while (n > 0 && out->n - begun < most) {
		n = pread(fd, chunk, sizeof(chunk), (off_t)(out->n - begun));
		if (n > 0)
			buf_add(out, chunk, (size_t)n);
		if (out->failed)
			return false;
	}
	return n >= 0;
}

static bool forget_said(void)
{
	return !ftruncate(STDERR_FILENO, 0) && !lseek(STDERR_FILENO, 0, SEEK_SET);
}

static _Noreturn void work(struct run *r, unsigned self, int fd)
{
	struct buf out = { 0 };
	struct head head;

	while (take_next(r, self, &head.item)) {
		out.n = 0;
		buf_add(&out, &head, sizeof(head));
		r->jobs->work(r->jobs->who, head.item, &out);
		head.made = out.n - sizeof(head);
		if (out.failed || !read_said(STDERR_FILENO, SIZE_MAX, &out))
			_exit(1);
		head.said = out.n - sizeof(head) - head.made;
		memcpy(out.p, &head, sizeof(head));
		if (!write_all(fd, out.p, out.n) || (head.said && !forget_said()))
			_exit(1);
	}
	_exit(0);
}

static bool start(struct run *r, unsigned self)
{
	struct process *p = &r->of[self];
	pid_t parent = getpid();
	int ends[2];

	p->said = memfd_create("pale", MFD_CLOEXEC);
	if (p->said < 0)
		return false;
	if (pipe2(ends, O_CLOEXEC)) {
		close(p->said);
		return false;
	}
	p->fd = ends[0];
	p->pid = fork();
	if (!p->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		for (unsigned i = 0; i <= self; i++)
			close(r->of[i].fd);
		if (dup2(p->said, STDERR_FILENO) < 0)
			_exit(1);
		work(r, self, ends[1]);
	}
	close(ends[1]);
	if (p->pid < 0) {
		close(p->fd);
		close(p->said);
		p->pid = 0;
		return false;
	}
	fcntl(p->fd, F_SETPIPE_SZ, PIPE_ROOM); /* a wish */
	return true;
}

/* ---- what they made ---- */

static bool whole(const struct process *p, struct head *head)
{
	size_t there = p->in.n - p->begin;

	if (there < sizeof(*head))
		return false;
	memcpy(head, p->in.p + p->begin, sizeof(*head));
	return there - sizeof(*head) >= head->made + head->said;
}

static void drop(struct run *r, struct process *p, size_t bytes)
{
	p->begin += bytes;
	r->held -= bytes;
	if (p->begin < p->in.n / 2)
		return;
	p->in.n -= p->begin;
	memmove(p->in.p, p->in.p + p->begin, p->in.n);
	p->begin = 0;
}

/* Takes what is there of the next item, and of those whose process was given up too early. */
static bool take(struct run *r, struct process *p)
{
	struct head head;

	if (!whole(p, &head) || head.item > r->next)
		return false;
	if (head.item == r->next) {
		const char *made = p->in.p + p->begin + sizeof(head);

		r->jobs->take(r->jobs->who, head.item, (struct str){ made, head.made },
			      (struct str){ made + head.made, head.said });
		r->next++;
	}
	drop(r, p, sizeof(head) + head.made + head.said);
	return true;
}

static void lose_item(struct run *r, const struct process *p)
{
	BUF_AUTO said = { 0 };

	if (p)
		read_said(p->said, SAID_MAX, &said);
	r->jobs->lost(r->jobs->who, r->next++, p ? p->status : -1, (struct str){ said.p, said.n });
}

/* Its process has ended, or nobody is left who could have it while later ones are there. */
static bool lose(struct run *r)
{
	bool alive = false, later = false;

	for (unsigned i = 0; i < r->n; i++) {
		const struct process *p = &r->of[i];
		struct head head;

		later |= whole(p, &head);
		alive |= p->pid > 0;
		if (p->pid || atomic_load(&r->shared->at[i]) != r->next)
			continue;
		lose_item(r, p);
		return true;
	}
	if (alive || !later)
		return false;
	lose_item(r, NULL);
	return true;
}

static void end(struct process *p)
{
	close(p->fd);
	while (waitpid(p->pid, &p->status, 0) < 0)
		if (errno != EINTR) {
			p->status = -1; /* SIGCHLD is ignored: nobody knows */
			break;
		}
	p->pid = 0;
}

static void read_some(struct run *r, struct process *p)
{
	char chunk[READ_STEP];
	ssize_t n = read(p->fd, chunk, sizeof(chunk));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0)
		buf_add(&p->in, chunk, (size_t)n);
	r->held += n > 0 && !p->in.failed ? (size_t)n : 0;
	r->no_memory |= p->in.failed;
	if (n <= 0)
		end(p);
}

/* Whose next item is there has to wait when too much does: the item that is waited for is not his. */
static bool wait_for_some(struct run *r)
{
	struct pollfd polled[JOBS_MAX];
	struct process *of[JOBS_MAX];
	nfds_t n = 0;

	for (unsigned i = 0; i < r->n; i++) {
		struct process *p = &r->of[i];
		struct head head;

		if (!p->pid || (r->held > HELD_MAX && whole(p, &head)))
			continue;
		polled[n] = (struct pollfd){ .fd = p->fd, .events = POLLIN };
		of[n++] = p;
	}
	if (n && poll(polled, n, -1) < 0)
		return errno == EINTR;
	for (nfds_t i = 0; i < n; i++)
		if (polled[i].revents)
			read_some(r, of[i]);
	return n && !r->no_memory;
}

static void take_all(struct run *r)
{
	bool some = true;

	while (r->next < r->jobs->to && some) {
		some = false;
		for (unsigned i = 0; i < r->n; i++)
			while (r->next < r->jobs->to && take(r, &r->of[i]))
				some = true;
		some = some || (r->next < r->jobs->to && lose(r)) || wait_for_some(r);
	}
}

size_t jobs_run(const struct jobs *j)
{
	struct run r = { .jobs = j, .next = j->from };

	r.shared = mmap(NULL, sizeof(*r.shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	if (r.shared == MAP_FAILED)
		return j->from;
	atomic_init(&r.shared->next, j->from);
	for (unsigned i = 0; i < JOBS_MAX; i++)
		atomic_init(&r.shared->at[i], SIZE_MAX);
	while (r.n < j->processes && r.n < JOBS_MAX && start(&r, r.n))
		r.n++;
	take_all(&r);
	for (unsigned i = 0; i < r.n; i++) {
		if (r.of[i].pid) {
			kill(r.of[i].pid, SIGKILL); /* it has nothing more to do */
			end(&r.of[i]);
		}
		close(r.of[i].said);
		buf_free(&r.of[i].in);
	}
	munmap(r.shared, sizeof(*r.shared));
	return r.next;
}
