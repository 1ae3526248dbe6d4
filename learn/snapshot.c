/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/snapshot.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compiler/base/clock.h"
#include "learn/target.h"

static bool is_due(struct snapshots *s)
{
	uint64_t now = clock_ns();
	sig_atomic_t wanted = s->wanted ? *s->wanted : 0;
	bool due = wanted != s->seen;

	if (s->every_ns && !s->next_ns)
		s->next_ns = now + s->every_ns;
	if (s->every_ns && now >= s->next_ns)
		due = true;
	if (due) {
		s->seen = wanted;
		s->next_ns = now + s->every_ns;
	}
	return due;
}

bool snapshot_begin(struct snapshots *s)
{
	int status;
	pid_t pid;

	if (!s || !s->keep)
		return false;
	if (s->child) {
		pid = waitpid(s->child, &status, WNOHANG);
		if (pid == s->child)
			snapshot_ended(s, pid, status);
		else if (!pid)
			return false;
		s->child = 0;
	}
	if (!is_due(s))
		return false;
	s->taken++;
	pid = fork();
	if (pid < 0)
		s->failed++;
	if (pid > 0)
		s->child = pid;
	return !pid;
}

void snapshot_end(struct snapshots *s, struct model *m)
{
	struct recording *r = model_recording(m);

	model_finish(m);
	r->run.unfinished = true;
	r->run.snapshot = s->taken;
	_exit(recording_saw_call(r) ? s->keep(s->who, r) : 0);
}

bool snapshot_ended(struct snapshots *s, pid_t pid, int status)
{
	if (!s || !s->child || pid != s->child)
		return false;
	s->failed += !WIFEXITED(status) || WEXITSTATUS(status);
	s->child = 0;
	return true;
}

void snapshot_wait(struct snapshots *s)
{
	int status;
	pid_t pid;

	if (!s || !s->child)
		return;
	do
		pid = waitpid(s->child, &status, 0);
	while (pid < 0 && errno == EINTR);
	if (pid > 0)
		snapshot_ended(s, pid, status);
	s->child = 0;
}
