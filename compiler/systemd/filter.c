/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/systemd/filter.h"

#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/systemd/filter_parts.h"
#include "compiler/systemd/settings.h"

enum { GROUPS_DEEP = 8 };

/* ---- lists of calls ---- */

static void list_name(struct unit_calls *l, struct str name, const struct unit_call *as,
		      unsigned depth)
{
	bool group = name.n && name.p[0] == '@' && depth < GROUPS_DEEP;
	const struct syscall_info *s = syscall_by_name(name);
	const char *list;

	for (unsigned i = 0; group && (list = unit_group(name, l->release, i)); i++)
		while (*list) {
			struct str word = { list, strcspn(list, " ") };

			if (!unit_group_lacks(name, word, l->release))
				list_name(l, word, as, depth + 1);
			list += word.n + (list[word.n] == ' ');
		}
	if (s)
		l->calls[syscall_index(s)] = *as;
}

/* The first line decides what the list is; later ones add to it, and with the other sign take away. */
static void take_line(struct arena *a, const struct deploy_setting *s, bool passes,
		      struct unit_calls *l)
{
	bool refuses = s->value.n && s->value.p[0] == '~';
	struct deploy_text word;
	uint32_t at = refuses;

	if (!s->value.n) {
		*l = (struct unit_calls){ .release = l->release };
		return;
	}
	if (!l->calls) {
		l->calls = ARENA_ARRAY(a, struct unit_call, syscall_count());
		l->allows = !refuses;
		l->by = s->over ? NO_SPAN : s->span;
		if (l->allows && passes)
			list_name(l, STR("@default"),
				  &(struct unit_call){ true, UNIT_UNSAID, l->by }, 0);
	}
	while (deploy_next_word(s, &at, &word)) {
		int error;
		struct str name = unit_call_word(word.text, &error);

		if (error == UNIT_BAD || (!refuses && error != UNIT_UNSAID))
			continue;
		list_name(l, name,
			  &(struct unit_call){ refuses != l->allows, error,
					       s->over ? NO_SPAN : word.span },
			  0);
	}
}

/* passes: it says what passes, where what every program needs is among it. */
static void read_calls(struct arena *a, const struct deployment *d, const char *key, bool passes,
		       struct unit_calls *l)
{
	vec_each(&d->settings, s)
		if (unit_executes(s->section) && str_is(s->key, key))
			take_line(a, s, passes, l);
}

/* ---- architectures ---- */

static unsigned read_arches(const struct deployment *d, unsigned local, enum arch native,
			    struct span *by)
{
	unsigned set = 0;

	vec_each(&d->settings, s) {
		struct deploy_text word;
		uint32_t at = 0;

		if (!unit_executes(s->section) || !str_is(s->key, "SystemCallArchitectures"))
			continue;
		if (!s->value.n)
			set = 0;
		while (deploy_next_word(s, &at, &word)) {
			int arch = str_ieq(word.text, STR("native")) ? (int)native :
								       unit_arch(word.text);

			if (arch < 0)
				continue;
			set |= ARCH_BIT(native) | (arch < ARCH_NR ? ARCH_BIT(arch) : 0);
			*by = s->over ? NO_SPAN : s->span;
		}
	}
	return set ? set & local : local;
}

/* ---- the policy ---- */

static const char *verdict_of(struct arena *a, int error)
{
	const char *name = error < 0 ? NULL : constant_name("errno", (uint64_t)error, ARCH_X86_64);

	if (name)
		return arena_printf(a, "errno %s", name);
	return error < 0 ? "kill-process" : arena_printf(a, "errno %d", error);
}

/* libseccomp has a call refused, or let pass, through socketcall and ipc, too. */
static void put_carried(struct unit_writer *w, const struct syscall_info *s, const char *verdict,
			struct span by)
{
	const struct syscall_info *mux;
	unsigned selector;
	const char *name;

	if (!(w->arches & ARCH_BIT(ARCH_I386)) || multiplexed_by(s, ARCH_I386, &name, &selector))
		return;
	mux = syscall_by_name(str_c(name));
	if (mux && !w->filter.calls[syscall_index(mux)].in)
		unit_put_rule(w, ARCH_BIT(ARCH_I386), mux, verdict,
			      arena_printf(w->out.arena, "(reg arg0 == %u)", selector), by);
}

static bool is_logged(const struct unit_writer *w, size_t i)
{
	return w->log.calls && w->log.calls[i].in == w->log.allows;
}

/* Each call that has another answer than what is not listed. */
static void put_calls(struct unit_writer *w)
{
	bool log_else = !w->filter.allows && w->log.calls && !w->log.allows;

	for (size_t i = 0; i < syscall_count(); i++) {
		const struct syscall_info *s = syscall_at(i);
		const struct unit_call *c = w->filter.calls ? &w->filter.calls[i] : NULL;
		struct span by = c && c->in ? c->by : w->log.calls ? w->log.by : NO_SPAN;
		const char *verdict = NULL;

		if (c && c->in && !w->filter.allows)
			verdict = verdict_of(w->out.arena,
					     c->error == UNIT_UNSAID ? w->error : c->error);
		else if (!unit_refuses(w, s) && (w->filter.allows || is_logged(w, i) != log_else))
			verdict = is_logged(w, i) ? "log" : "allow";
		if (!verdict)
			continue;
		unit_put_rule(w, ~0u, s, verdict, "", by);
		if (c && c->in)
			put_carried(w, s, verdict, by);
	}
}

static void put_head(struct unit_writer *w, unsigned local, struct span arches_by)
{
	const char *dflt = w->filter.allows               ? verdict_of(w->out.arena, w->error) :
			   w->log.calls && !w->log.allows ? "log" :
							    "allow";
	struct span by = w->filter.calls ? w->filter.by : w->log.calls ? w->log.by : NO_SPAN;

	inner_put_ours(&w->out, "policy ");
	unit_put_text(w, "unit", by);
	inner_put_ours(&w->out, " {\n\tarch ");
	unit_put_arches(w, w->arches);
	inner_put_ours(&w->out, ";\n\t");
	unit_put_text(w, arena_printf(w->out.arena, "default %s;", dflt), by);
	inner_put_ours(&w->out, "\n\t");
	unit_put_text(w, arena_printf(w->out.arena, "unknown %s;", dflt), by);
	inner_put_ours(&w->out, "\n\t");
	unit_put_text(w, w->arches == local ? "foreign allow;" : "foreign kill-thread;", arches_by);
	inner_put_ours(&w->out, "\n");
}

static int read_error(const struct deployment *d)
{
	int error = UNIT_KILL;

	vec_each(&d->settings, s) {
		int said;

		if (!unit_executes(s->section) || !str_is(s->key, "SystemCallErrorNumber"))
			continue;
		said = s->value.n ? unit_error(s->value) : UNIT_KILL;
		error = said == UNIT_BAD ? error : said;
	}
	return error;
}

bool unit_filter(struct arena *a, const struct deployment *d, enum systemd_release r,
		 struct unit_filter *out)
{
	int here = arch_native();
	enum arch native = here < 0 ? ARCH_X86_64 : (enum arch)here;
	struct unit_writer w = {
		.out.arena = a, .error = read_error(d), .filter.release = r, .log.release = r
	};
	struct span arches_by = NO_SPAN;
	unsigned local = 0;
	size_t head;

	for (unsigned i = 0; i < ARCH_NR; i++)
		if (!strcmp(arch_info((enum arch)i)->family, arch_info(native)->family))
			local |= ARCH_BIT(i);
	w.arches = read_arches(d, local, native, &arches_by);
	read_calls(a, d, "SystemCallFilter", true, &w.filter);
	read_calls(a, d, "SystemCallLog", false, &w.log);
	put_head(&w, local, arches_by);
	head = w.out.text.n;
	put_calls(&w);
	unit_put_settings(&w, d);
	bool any = w.out.text.n > head || w.filter.allows || w.arches != local;
	inner_put_ours(&w.out, "}\n");
	vec_push(a, &w.out.at, INNER_OURS);
	const struct syscall_info *exec = syscall_by_name(STR("execve"));
	struct span at = unit_refuses(&w, exec) ? w.filter.calls[syscall_index(exec)].by : NO_SPAN;
	*out = (struct unit_filter){
		{ buf_keep(a, &w.out.text), w.out.at.n - 1 }, w.out.at.v, w.filter.allows, at
	};
	buf_free(&w.out.text);
	return any;
}

/* ---- capabilities ---- */

uint64_t unit_capabilities(const struct deployment *d, const struct deploy_setting **at)
{
	const uint64_t all = (UINT64_C(1) << CAPABILITY_NR) - 1;
	uint64_t set = all;

	*at = NULL;
	vec_each(&d->settings, s) {
		bool refuses = s->value.n && s->value.p[0] == '~';
		struct deploy_text word;
		uint32_t from = refuses;
		uint64_t sum = 0;

		if (!unit_executes(s->section) || !str_is(s->key, "CapabilityBoundingSet"))
			continue;
		while (deploy_next_word(s, &from, &word)) {
			int cap = str_ieq((struct str){ word.text.p, word.text.n < 4 ? 0 : 4 },
					  STR("CAP_")) ?
					  capability_find(word.text) :
					  -1;

			sum |= cap < 0 ? 0 : UINT64_C(1) << cap;
		}
		*at = s;
		if (!sum || set == all)
			set = refuses ? all & ~sum : sum;
		else
			set = refuses ? set & ~sum : set | sum;
	}
	return set & ~unit_settings_take(d);
}
