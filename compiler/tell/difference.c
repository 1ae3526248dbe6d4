/* SPDX-License-Identifier: Apache-2.0 */
/* One difference of resource rules: its place as text, and where it goes. */
#include "compiler/tell/decided.h"
#include "compiler/tell/diff_rules.h"

const char *const diff_kinds[RESOURCE_NR] = {
	[RESOURCE_PROGRAM] = "program",
	[RESOURCE_FILES] = "files",
	[RESOURCE_CAPABILITIES] = "capabilities",
	[RESOURCE_SOCKETS] = "sockets",
	[RESOURCE_SIGNALS] = "signals",
	[RESOURCE_LIMITS] = "limits",
	[RESOURCE_LOG] = "log of refusals",
	[RESOURCE_PROFILE] = "profile",
	[RESOURCE_MOUNT] = "mounts",
	[RESOURCE_PIVOT_ROOT] = "pivot_root",
	[RESOURCE_PTRACE] = "ptrace",
	[RESOURCE_UNIX] = "unix sockets",
	[RESOURCE_DBUS] = "dbus",
	[RESOURCE_MQUEUE] = "message queues",
	[RESOURCE_USERNS] = "user namespaces",
	[RESOURCE_IO_URING] = "io_uring",
	[RESOURCE_CHANGE_PROFILE] = "change_profile",
};

const char *difference_header(struct comparing *c, const struct side *s, enum ast_header header,
			      const char *missing)
{
	BUF_AUTO text = { 0 };

	if (!put_header_line(&text, c->session->sources, s->p, header)) {
		put_place(&text, c->session->sources, s->p->span);
		buf_puts(&text, missing);
	}
	return buf_keep(c->arena, &text);
}

void put_uncounted(struct buf *out, const struct sources *sources, const struct policy *p)
{
	if (put_header_line(out, sources, p, AST_HEADER_LAYERS))
		return;
	put_place(out, sources, p->span);
	buf_puts(out, ": no layers line, so AppArmor is not counted on");
}

const char *difference_layers(struct comparing *c, const struct side *s)
{
	BUF_AUTO text = { 0 };

	put_uncounted(&text, c->session->sources, s->p);
	return buf_keep(c->arena, &text);
}

const char *difference_by(struct comparing *c, const struct side *s, const struct origin *o)
{
	BUF_AUTO text = { 0 };

	if (!o && s->stance == STANCE_OPEN)
		return difference_layers(c, s);
	if (o) {
		put_rule(&text, c->session->sources, o);
	} else {
		put_place(&text, c->session->sources, s->p->span);
		buf_puts(&text, ": no rule");
	}
	return buf_keep(c->arena, &text);
}

void difference_add(struct comparing *c, const struct diff_resource *r)
{
	struct diff_resource whole = *r;

	whole.profile = whole.access = "";
	vec_push(c->arena, &c->out->resources, whole);
	c->out->has[r->change] = true;
}

void difference_not_decided(struct comparing *c, enum resource_kind kind, const char *reason)
{
	struct diff_resource r = { .change = CHANGE_UNDECIDED,
				   .kind = kind,
				   .about = diff_kinds[kind],
				   .path = "",
				   .a = "",
				   .b = "",
				   .by_a = "",
				   .by_b = "",
				   .reason = reason };

	difference_add(c, &r);
}

void diff_sort_resources(struct arena *a, struct diff *d)
{
	__typeof__(d->resources) sorted = { 0 };

	for (enum change change = 0; change < CHANGE_NR; change++)
		vec_each(&d->resources, r)
			if (r->change == change)
				vec_push(a, &sorted, *r);
	d->resources = sorted;
}
