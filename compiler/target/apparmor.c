/* SPDX-License-Identifier: Apache-2.0 */
/* An AppArmor profile: written by apparmor_write(), and asked about by apparmor_parser. */
#include "compiler/apparmor/apparmor.h"

#include "compiler/apparmor/needs.h"
#include "compiler/apparmor/parser.h"
#include "compiler/target/target.h"

int target_apparmor_write(struct compilation *c, const struct target *t, const struct policy *p)
{
	struct arena *arena = c->diags->arena;
	struct apparmor_options opt = { .complain = c->log_only };
	struct artifact a = { .target = t };

	if (apparmor_write(arena, p, &opt, &a.bytes, c->diags))
		return -1;
	apparmor_tell_kernel(arena, p, c->diags);
	a.name = arena_printf(arena, "%s.%s", target_name(c, p), t->suffix);
	a.about = arena_printf(arena,
			       "%zu bytes; profile %s: %zu file, %zu capability, %zu network, "
			       "%zu signal, %zu limit rules%s",
			       a.bytes.n, apparmor_profile_name(arena, p), p->files.n, p->caps.n,
			       p->networks.n, p->signals.n, p->limits.n, target_force(c));
	vec_push(arena, &c->artifacts, a);
	return 0;
}

static void ask(struct target_check *c, const char *of, const struct source *src, struct span whole)
{
	struct parser_question q = { src->text, src, whole, c->includes };
	enum parser_answer answer = parser_ask(&q, c->diags);

	if (answer == PARSER_NOT_THERE)
		diag_add(c->diags, DIAG_PL143, whole, "there is no apparmor_parser here to ask");
	if (answer == PARSER_TAKES)
		target_answer(c, of, TARGET_TAKES, "apparmor_parser takes it");
	else
		target_answer(c, of, answer == PARSER_REFUSES ? TARGET_REFUSES : TARGET_UNASKED,
			      "");
}

void target_apparmor_check(struct target_check *c, const struct target *t, const struct policy *p)
{
	struct arena *a = c->diags->arena;
	struct apparmor_options opt = { 0 };
	BUF_AUTO out = { 0 };

	if (apparmor_write(a, p, &opt, &out, c->diags)) {
		target_answer(c, t->name, TARGET_REFUSES, "");
		return;
	}
	apparmor_tell_kernel(a, p, c->diags);
	const char *name = arena_printf(a, "<profile of " PRISTR ">", STRARG(p->name));
	ask(c, t->name, source_add(c->diags->sources, name, (struct str){ out.p, out.n }), p->span);
}
