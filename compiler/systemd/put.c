/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of a unit's policy, each with the place in the unit that says so. */
#include <string.h>

#include "compiler/systemd/filter_parts.h"

bool unit_refuses(const struct unit_writer *w, const struct syscall_info *s)
{
	return w->filter.calls && w->filter.calls[syscall_index(s)].in != w->filter.allows;
}

void unit_put_text(struct unit_writer *w, const char *text, struct span by)
{
	if (by.source == SOURCE_NONE)
		inner_put_ours(&w->out, text);
	else
		inner_put_for(&w->out, text, by);
}

void unit_put_arches(struct unit_writer *w, unsigned arches)
{
	const char *comma = "";

	for (unsigned i = 0; i < ARCH_NR; i++) {
		if (!(arches >> i & 1))
			continue;
		inner_put_ours(&w->out, comma);
		inner_put_ours(&w->out, arch_info((enum arch)i)->name);
		comma = ", ";
	}
}

void unit_put_rule(struct unit_writer *w, unsigned arches, const struct syscall_info *s,
		   const char *verdict, const char *condition, struct span by)
{
	unsigned on = arches & w->arches & s->on;
	bool part = on != (w->arches & s->on);

	if (!on)
		return;
	inner_put_ours(&w->out, "\t");
	if (part) {
		inner_put_ours(&w->out, "when arch ");
		unit_put_arches(w, on);
		inner_put_ours(&w->out, " { ");
	}
	unit_put_text(w, arena_printf(w->out.arena, "%s %s%s;", verdict, s->name, condition), by);
	inner_put_ours(&w->out, part ? " }\n" : "\n");
}

void unit_put(struct unit_writer *w, unsigned arches, const char *call, const char *verdict,
	      const char *condition)
{
	const struct syscall_info *s = syscall_by_name(str_c(call));

	if (s && !unit_refuses(w, s))
		unit_put_rule(w, arches, s, verdict, condition, w->by);
}

void unit_put_register(struct unit_writer *w, unsigned arches, const char *call,
		       const char *verdict, const char *condition)
{
	const char *reg = strstr(condition, "reg "), *from = condition;
	BUF_AUTO low = { 0 };

	unit_put(w, arches & ~ARCH_BIT(ARCH_X32), call, verdict, condition);
	for (; reg; reg = strstr(from, "reg ")) {
		buf_add(&low, from, (size_t)(reg - from));
		from = reg + 4;
	}
	buf_puts(&low, from);
	unit_put(w, arches & ARCH_BIT(ARCH_X32), call, verdict, low.p);
}
