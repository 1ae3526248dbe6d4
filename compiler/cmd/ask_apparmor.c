/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/cmd/ask_apparmor.h"

#include "compiler/apparmor/needs.h"
#include "compiler/base/bug.h"
#include "compiler/cmd/check_apparmor.h"
#include "compiler/file/kind.h"

bool apparmor_asked(struct session *s, const struct options *o, const char *path)
{
	struct source *src;
	const struct file_kind *k;

	if (source_load(s->sources, path, &src))
		return false;
	k = kind_of_file(src->text, path);
	bool said = o->at[OPT_TARGET_RELEASE].number || o->at[OPT_TARGET_A].number ||
		    o->at[OPT_TARGET_B].number;
	return k == kind_apparmor || (said && k->format == INPUT_PALE && k != kind_policy);
}

enum asks_what asks_what(char *const *texts)
{
	for (; *texts; texts++)
		if (aa_access_is_path(str_c(*texts)) || aa_access_is(str_c(*texts)))
			return ASKS_POLICY;
	return ASKS_CALLS;
}

const char *apparmor_options_given(const struct options *o)
{
	static const struct {
		enum option_id id;
		const char *name;
	} own[] = { { OPT_PROFILE, "profile" },   { OPT_TARGET_RELEASE, "target" },
		    { OPT_TARGET_A, "target-a" }, { OPT_TARGET_B, "target-b" },
		    { OPT_INCLUDE, "include" },   { OPT_FEATURES, "features" } };

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (o->at[own[i].id].given)
			return own[i].name;
	return NULL;
}

bool apparmor_options_fit(const struct options *o, enum asks_what what)
{
	static const struct {
		enum option_id id;
		unsigned fits;
		const char *name;
	} own[] = {
		{ OPT_PROFILE, ASKS_APPARMOR, "--profile" },
		{ OPT_TARGET_RELEASE, ASKS_APPARMOR | ASKS_POLICY, "--target" },
		{ OPT_INCLUDE, ASKS_APPARMOR, "--include" },
		{ OPT_FEATURES, ASKS_APPARMOR | ASKS_POLICY, "--features" },
		{ OPT_RAW, ASKS_CALLS | ASKS_POLICY | ASKS_APPARMOR, "--raw" },
		{ OPT_SIM_AS, ASKS_CALLS | ASKS_POLICY, "--as" },
		{ OPT_LOADED_AS, ASKS_CALLS | ASKS_POLICY, "--as" },
		{ OPT_RUNTIME, ASKS_CALLS | ASKS_POLICY, "--runtime" },
		{ OPT_SYSTEMD, ASKS_CALLS, "--systemd" },
		{ OPT_ARCH, ASKS_CALLS | ASKS_POLICY, "--arch" },
		{ OPT_ARCHES, ASKS_CALLS | ASKS_POLICY, "--arch" },
		{ OPT_POLICY, ASKS_CALLS | ASKS_POLICY, "--policy" },
		{ OPT_CAPS, ASKS_CALLS | ASKS_POLICY, "--caps" },
		{ OPT_KERNEL, ASKS_CALLS | ASKS_POLICY, "--kernel" },
		{ OPT_HOST, ASKS_CALLS | ASKS_POLICY, "--host" },
		{ OPT_SETS, ASKS_CALLS | ASKS_POLICY, "--sets" },
		{ OPT_POLICY_A, ASKS_CALLS | ASKS_POLICY, "--policy-a" },
		{ OPT_POLICY_B, ASKS_CALLS | ASKS_POLICY, "--policy-b" },
		{ OPT_PROFILE_A, ASKS_APPARMOR, "--profile-a" },
		{ OPT_PROFILE_B, ASKS_APPARMOR, "--profile-b" },
		{ OPT_TARGET_A, ASKS_APPARMOR | ASKS_POLICY, "--target-a" },
		{ OPT_TARGET_B, ASKS_APPARMOR | ASKS_POLICY, "--target-b" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (o->at[own[i].id].given && !(own[i].fits & what)) {
			usage_error(o->command, "%s says nothing of %s", own[i].name,
				    what == ASKS_APPARMOR     ? "an AppArmor file" :
				    own[i].fits & ASKS_POLICY ? "calls" :
								"a file that is not AppArmor's");
			return false;
		}
	return true;
}

/* ---- which profile ---- */

struct choosing {
	const char *asked; /* NULL: not said */
	struct suggest near;
	const struct aa_profile *found;
	VEC(const struct aa_profile *) all;
};

/* A child or hat by its label, or by its own name, "^h" too, where no other one has it. */
static void look_at(struct arena *a, struct choosing *c, const struct aa_profile *p)
{
	if (p->reach != AA_REACH_LIVE)
		return;
	vec_push(a, &c->all, p);
	vec_each(&p->children, child)
		look_at(a, c, *child);
}

static unsigned count_named(struct choosing *c)
{
	unsigned n = 0;

	vec_each(&c->all, p) {
		suggest_offer(&c->near, (*p)->label);
		if (str_is((*p)->label, c->asked)) {
			c->found = *p;
			return 1;
		}
		if (str_is((*p)->name, c->asked) ||
		    ((*p)->hat && c->asked[0] == '^' && str_is((*p)->name, c->asked + 1))) {
			c->found = *p;
			n++;
		}
	}
	return n;
}

/* The names as help, twenty at most. */
static void list_names(struct session *s, struct diag *d, const struct choosing *c)
{
	enum { NAMES_MAX = 20 };
	BUF_AUTO names = { 0 };

	for (size_t i = 0; i < c->all.n && i < NAMES_MAX; i++) {
		buf_puts(&names, i ? ", '" : "'");
		buf_safe(&names, c->all.v[i]->label);
		buf_putc(&names, '\'');
	}
	if (c->all.n > NAMES_MAX)
		buf_printf(&names, " and %zu more", c->all.n - NAMES_MAX);
	diag_help(s->diags, d, "--profile NAME: %s", names.p ? names.p : "");
}

static const struct aa_profile *choose(struct session *s, const struct aa_policy *policy,
				       const struct source *src, struct choosing *c)
{
	struct span whole = { src->id, 0, 0 };
	struct diag *d;
	unsigned n;

	vec_each(&policy->profiles, p)
		look_at(s->arena, c, *p);
	if (!c->all.n) {
		d = diag_add(s->diags, DIAG_PL373, whole, "the file holds no profile");
		diag_help(s->diags, d, "ask a file that includes it");
		return NULL;
	}
	if (!c->asked) {
		if (policy->profiles.n == 1)
			return policy->profiles.v[0];
		d = diag_add(s->diags, DIAG_PL373, policy->profiles.v[1]->stmt->head,
			     "the file holds %zu profiles", policy->profiles.n);
		list_names(s, d, c);
		return NULL;
	}
	suggest_start(&c->near, str_c(c->asked));
	n = count_named(c);
	if (n == 1)
		return c->found;
	if (n)
		d = diag_add(s->diags, DIAG_PL373, whole, "%u profiles are called '%s'", n,
			     str_safe(s->arena, c->asked));
	else
		d = diag_add(s->diags, DIAG_PL373, whole, "no profile is called '%s'" PRINEAR,
			     str_safe(s->arena, c->asked), NEARARG(c->near));
	list_names(s, d, c);
	return NULL;
}

/* ---- reading ---- */

static int release_asked(struct session *s, const struct options *o,
			 const struct option_value *target, struct aa_asked *out)
{
	uint64_t releases = target->number;
	struct apparmor_target *named;

	*out = (struct aa_asked){ .release = AA_RELEASE_5_0 };
	if (!target->given)
		return EXIT_OK;
	if (!releases || releases & (releases - 1))
		return usage_error(o->command, "of an AppArmor file one release is asked: "
					       "--target apparmor=5.0");
	for (unsigned r = 0; r < AA_RELEASE_NR; r++)
		if (releases >> r & 1)
			out->release = (enum aa_release)r;
	out->target = named = ARENA_NEW(s->arena, struct apparmor_target);
	*named = (struct apparmor_target){ .release = out->release, .kernel = target->kernel };
	return EXIT_OK;
}

/* Notes are check's; what changes an answer is told. */
static void tell_graver(struct session *s, const struct diags *own)
{
	struct diags graver = *own;

	graver.list.n = 0;
	graver.list.v = arena_alloc(s->arena, (own->list.n + 1) * sizeof(*graver.list.v));
	vec_each(&own->list, d)
		if ((*d)->severity < SEVERITY_INFO)
			graver.list.v[graver.list.n++] = *d;
	diags_take(s->diags, &graver);
}

int apparmor_reading_open(struct session *s, const struct options *o,
			  const struct option_value *target, struct apparmor_reading *out)
{
	int status = release_asked(s, o, target, &out->asked);

	if (!status)
		status = apparmor_checks_open(s, o, target, &out->checks);
	if (!status)
		out->asked.kernel = out->checks.features;
	return status;
}

int apparmor_read(struct session *s, const struct apparmor_reading *r, const char *path,
		  struct apparmor_opened *out)
{
	struct aa_library *library = r->checks.library;
	struct source *src;
	int err = source_load(s->sources, path, &src);

	if (err)
		return input_unreadable(s, path, err);
	struct diags *own = diags_new(s->arena, s->sources);
	const struct aa_file *file = aa_parse_source(s->arena, src, own);
	struct aa_policy *policy;
	bool takes = aa_check(s->arena, library, file, &r->asked, &policy, own) == AA_CHECK_TAKES &&
		     !own->errors;
	tell_graver(s, own);
	if (!takes)
		return EXIT_FOUND;
	out->source = src;
	out->again = diags_new(s->arena, s->sources); /* what is told now was told by the check */
	out->policy = policy;
	return EXIT_OK;
}

int apparmor_open(struct session *s, const struct options *o, const char *path,
		  struct apparmor_opened *out)
{
	struct apparmor_reading reading;
	int status = apparmor_reading_open(s, o, &o->at[OPT_TARGET_RELEASE], &reading);

	return status ? status : apparmor_read(s, &reading, path, out);
}

const struct aa_profile *apparmor_choose(struct session *s, const char *name,
					 const struct apparmor_opened *opened)
{
	struct choosing c = { .asked = name };

	return choose(s, opened->policy, opened->source, &c);
}

int apparmor_open_profile(struct session *s, const struct apparmor_opened *opened,
			  const struct aa_profile *p, struct aa_asking *out)
{
	if (aa_asking_open(s->arena, NULL, opened->policy, p, opened->again, out) &&
	    !opened->again->errors)
		return EXIT_OK;
	tell_graver(s, opened->again);
	return EXIT_FOUND;
}

int apparmor_asking(struct session *s, const struct options *o, const char *path,
		    struct aa_asking *out)
{
	struct apparmor_opened opened;
	int status = apparmor_open(s, o, path, &opened);

	if (status)
		return status;
	const struct aa_profile *p = apparmor_choose(s, o->at[OPT_PROFILE].text, &opened);
	return p ? apparmor_open_profile(s, &opened, p, out) : EXIT_FOUND;
}

int apparmor_asking_policy(struct session *s, const struct options *o, const struct policy *p,
			   struct access_of *out)
{
	struct aa_asking *q = ARENA_NEW(s->arena, struct aa_asking);
	struct aa_asking *older = ARENA_NEW(s->arena, struct aa_asking);
	struct apparmor_reading r;
	int status = apparmor_reading_open(s, o, &o->at[OPT_TARGET_RELEASE], &r);

	*out = (struct access_of){ .policy = p };
	if (status || !(p->layers & LAYER_APPARMOR))
		return status;
	if (!aa_asking_policy(s->arena, NULL, p, &r.asked, s->diags, q))
		return EXIT_FOUND;
	out->q = q;
	struct aa_asked asked = { .release = AA_RELEASE_3_0, .kernel = r.asked.kernel };
	if (!r.asked.target && aa_asking_policy(s->arena, NULL, p, &asked, s->diags, older))
		out->older = older;
	return EXIT_OK;
}

void apparmor_no_accesses(struct session *s, const char *text, const char *what)
{
	struct diag *d = diag_add(s->diags, DIAG_PL396, NO_SPAN,
				  "'%s' is an access, and %s decides calls alone",
				  str_safe(s->arena, text), what);

	diag_help(s->diags, d,
		  "ask an AppArmor profile, or a policy that counts on AppArmor, as it is");
}
