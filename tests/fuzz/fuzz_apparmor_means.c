/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles that check takes: what their file rules are together is built within its budget, every
 * class that a walk finds is what its witness is answered, and no two rules disagree.
 */
#include "compiler/apparmor/means.h"
#include "compiler/base/bug.h"
#include "tests/fuzz/apparmor_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct asking {
	struct aa_reader rd;
	const struct aa_policy *policy;
	struct aa_means_pool *pool;
};

static void ask(struct asking *k, const struct aa_files *files)
{
	struct arena *a = k->rd.arena;
	struct aa_means m =
		aa_means_build(k->pool, k->rd.target.release, files->list.v, files->list.n);

	if (!m.decided)
		return;
	struct machine_walk w = machine_walk(a, &m.machine, NULL, MACHINE_PATHS, false);
	vec_each(&w.found, f)
		BUG_ON(aa_means_path(&m, f->path) != aa_means_class(k->pool, f->a));
	struct aa_conflicts c = aa_means_conflicts(a, &m, files->list.v, files->list.n);
	vec_each(&c.list, one)
		BUG_ON(c.decided && !one->varies);
}

static void ask_profile(struct asking *k, const struct aa_profile *p)
{
	struct glob_variables vars = aa_profile_variables(k->rd.arena, k->policy, p);
	struct aa_files files = { .release = k->rd.target.release };

	k->rd.variables = &vars;
	vec_each(&p->uses, use) {
		const struct aa_rule *r =
			use->reach == AA_REACH_LIVE ? aa_rule_read(&k->rd, use) : NULL;
		if (r)
			aa_files_add(k->rd.arena, r, p, &files);
	}
	if (p->reach == AA_REACH_LIVE)
		ask(k, &files);
	vec_each(&p->children, child)
		ask_profile(k, *child);
}

static void ask_all(struct aa_library *lib, const struct aa_file *file, struct aa_asked *asked)
{
	struct arena *a = lib->arena;
	struct diags *ds = diags_new(a, lib->sources);
	struct asking k = { .rd = { .arena = a, .diags = ds } };

	k.policy = aa_expand(a, lib, file, asked, ds);
	k.rd.target = k.policy->target;
	k.pool = aa_means_pool_new(a);
	vec_each(&k.policy->profiles, p)
		ask_profile(&k, *p);
	BUG_ON(ds->errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(NULL);
	struct aa_library *lib = aa_library_new(a, sources_new(a), NULL, "/fuzz");
	struct diags *ds = diags_new(a, lib->sources);
	struct aa_asked asked = { 0 };

	if (size) {
		asked.release = fuzz_release(&data, &size);
		struct source *src = fuzz_files(lib, (struct str){ (const char *)data, size });
		const struct aa_file *file = aa_parse_source(a, src, ds);
		enum aa_checked says = aa_check(a, lib, file, &asked, NULL, ds);

		if (says == AA_CHECK_TAKES && !ds->errors)
			ask_all(lib, file, &asked);
	}
	arena_free(a);
	return 0;
}
