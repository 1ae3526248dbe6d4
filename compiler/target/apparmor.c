/* SPDX-License-Identifier: Apache-2.0 */
/* An AppArmor profile: written by apparmor_write(), and asked about by apparmor_parser. */
#include "compiler/apparmor/apparmor.h"

#include "compiler/apparmor/needs.h"
#include "compiler/apparmor/parser.h"
#include "compiler/apparmor/slow.h"
#include "compiler/target/target.h"

/* What loads it. */
static const char *for_whom(struct arena *a, const struct policy *p,
			    const struct apparmor_target *t)
{
	struct aa_need n = apparmor_need(p);

	if (t)
		return arena_printf(a, "%s, for AppArmor %s", apparmor_abi_of(t->release),
				    aa_release_name(t->release));
	return n.parser == AA_RELEASE_3_0 ?
		       "" :
		       arena_printf(a, "%s, for AppArmor %s or newer", apparmor_abi_of(n.abi),
				    aa_release_name(n.parser));
}

int target_apparmor_write(struct compilation *c, const struct target *t, const struct policy *p)
{
	struct arena *arena = c->diags->arena;
	struct apparmor_options opt = { .complain = c->log_only, .target = c->apparmor };
	struct artifact a = { .target = t };
	const char *whom;

	if (apparmor_write(arena, p, &opt, &a.bytes, c->diags))
		return -1;
	if (!c->apparmor || !c->apparmor->kernel)
		apparmor_tell_kernel(arena, p, c->diags);
	apparmor_tell_slow(arena, p, c->apparmor, c->diags);
	whom = for_whom(arena, p, c->apparmor);
	a.name = arena_printf(arena, "%s.%s", target_name(c, p), t->suffix);
	a.about = arena_printf(arena,
			       "%zu bytes; profile %s: %zu file, %zu capability, %zu network, "
			       "%zu signal, %zu limit, %zu other rules%s%s%s",
			       a.bytes.n, apparmor_profile_name(arena, p), p->files.n, p->caps.n,
			       p->networks.n, p->signals.n, p->limits.n, p->others.n,
			       *whom ? "; " : "", whom, target_force(c));
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

/* The release that is named: what of the policy it lacks was told when the profile was written. */
static bool is_installed(const struct apparmor_target *t, struct span whole, struct diags *ds)
{
	enum aa_release here;
	struct str version;

	return parser_version(whole, &version, ds) == PARSER_TAKES &&
	       aa_release_of(version, &here) && here == t->release;
}

static void check_for(struct target_check *c, const struct policy *p, const char *of,
		      const struct apparmor_target *target)
{
	struct arena *a = c->diags->arena;
	struct apparmor_options opt = { .target = target };
	BUF_AUTO out = { 0 };

	if (apparmor_write(a, p, &opt, &out, c->diags)) {
		target_answer(c, of, TARGET_REFUSES, "");
		return;
	}
	if (!target || !target->kernel)
		apparmor_tell_kernel(a, p, c->diags);
	apparmor_tell_slow(a, p, target, c->diags);
	if (target && !is_installed(target, p->span, c->diags)) {
		target_answer(c, of, TARGET_TAKES, "no parser of that release is here to ask");
		return;
	}
	if (!apparmor_parser_fits(p, c->diags)) {
		target_answer(c, of, TARGET_REFUSES, "");
		return;
	}
	const char *name = arena_printf(a, "<profile of " PRISTR ">", STRARG(p->name));
	ask(c, of, source_add(c->diags->sources, name, (struct str){ out.p, out.n }), p->span);
}

void target_apparmor_check(struct target_check *c, const struct target *t, const struct policy *p)
{
	if (!c->releases)
		check_for(c, p, t->name, NULL);
	for (unsigned r = 0; r < AA_RELEASE_NR; r++) {
		struct apparmor_target target = { (enum aa_release)r, c->kernel };

		if (c->releases >> r & 1)
			check_for(c, p,
				  arena_printf(c->diags->arena, "%s=%s", t->name,
					       aa_release_name(target.release)),
				  &target);
	}
}
