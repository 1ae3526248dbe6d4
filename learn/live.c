/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/live.h"

#include <string.h>

#include "learn/target.h"

bool live_due(const struct learn_options *opt)
{
	struct live *l = opt->live;

	if (!l || !l->ticks || *l->ticks == l->seen)
		return false;
	l->seen = *l->ticks;
	l->look.clock_ns = clock_ns();
	l->look.is_ending = opt->stop && *opt->stop;
	return true;
}

void live_add(struct live *l, enum live_kind kind, uint64_t first_ns, unsigned perms,
	      struct str name)
{
	struct live_look *k = &l->look;
	size_t at = k->n, n = name.n < LIVE_NAME ? name.n : LIVE_NAME - 1;

	while (at && k->newest[at - 1].first_ns < first_ns)
		at--;
	if (at == LIVE_NEWEST)
		return;
	if (k->n < LIVE_NEWEST)
		k->n++;
	memmove(&k->newest[at + 1], &k->newest[at], (k->n - 1 - at) * sizeof(k->newest[0]));
	k->newest[at] = (struct live_new){
		.first_ns = first_ns, .kind = kind, .perms = perms, .is_cut = n < name.n
	};
	memcpy(k->newest[at].name, name.p + (name.n - n), n);
}

bool live_made(struct live *l, enum arch a, uint32_t nr)
{
	uint64_t *word = &l->look.made_by[a][nr / 64], bit = UINT64_C(1) << nr % 64;
	bool fresh = !(*word & bit);

	*word |= bit;
	return fresh;
}

void live_model(struct live *l, struct model *m, uint64_t ns)
{
	const struct recording *r = model_recording(m);
	struct live_look *k = &l->look;

	k->ns = ns;
	k->made = k->calls = 0;
	vec_each(&r->calls, c) {
		const struct syscall_info *sys = syscall_by_nr(c->arch, c->nr);

		if (c->held || c->assumed)
			continue;
		k->made = count_add(k->made, c->count);
		k->calls++;
		if (live_made(l, c->arch, c->nr))
			live_add(l, LIVE_CALL, c->first_ns, 0, str_c(sys ? sys->name : "?"));
	}
	for (; l->files_known < r->files.n; l->files_known++) {
		const struct recorded_file *f = &r->files.v[l->files_known];

		if (!f->held)
			live_add(l, LIVE_FILE, f->first_ns, f->perms, f->path);
	}
	k->files = r->files.n;
	k->tasks = r->run.processes;
	k->lost.losses = r->run.losses;
	l->show(l->who, k);
}
