/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SJ: the form of a JSON profile. What is told here are facts about the readers: Go's
 * encoding/json (Docker, runc, containerd), crun, libseccomp.
 */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/lint/internal.h"

/* ---- walking ---- */

static const struct json *get(const struct json *o, const char *key)
{
	const struct json *v = json_get_fold(o, key);

	return v && v->kind != JSON_NULL ? v : NULL;
}

/* The elements of o[key], where that is an array: for (v = items(o, key); v; v = v->next). */
static const struct json *items(const struct json *o, const char *key)
{
	const struct json *v = get(o, key);

	return v && v->kind == JSON_ARRAY ? v->first : NULL;
}

/* Every element of every entry's "args". */
#define each_arg(p, s, v)                                             \
	for (const struct json *s = items((p)->json, "syscalls"); s; s = s->next) \
		for (const struct json *v = items(s, "args"); v; v = v->next)

#define each_entry(p, s) \
	for (const struct json *s = items((p)->json, "syscalls"); s; s = s->next)

static struct str shown(struct lint *l, const struct json *v)
{
	return span_text(l->ds->sources, v->span);
}

/* The row that --list-rules and --explain show; grammar/json.c does the work while it reads. */
void sj_json_syntax(struct lint *l, enum diag_id id)
{
	(void)l, (void)id;
}

/* ---- keys ---- */

static const char *const root_keys[] = { "defaultAction", "defaultErrnoRet", "architectures",
					 "archMap",	  "syscalls",	     "flags",
					 "listenerPath",  "listenerMetadata", NULL };
static const char *const entry_keys[] = { "name", "names",    "action",	  "errnoRet", "args",
					  "comment", "includes", "excludes", NULL };
static const char *const arg_keys[] = { "index", "value", "valueTwo", "op", NULL };
static const char *const filter_keys[] = { "caps", "arches", "minKernel", NULL };
static const char *const map_keys[] = { "architecture", "subArchitectures", NULL };

typedef void key_fn(struct lint *l, struct group *g, const struct json *o,
		    const char *const *known);

static void check_keys(struct lint *l, struct group *g, key_fn *fn)
{
	const struct profile *p = l->profile;

	fn(l, g, p->json, root_keys);
	for (const struct json *m = items(p->json, "archMap"); m; m = m->next)
		fn(l, g, m, map_keys);
	each_entry(p, s) {
		fn(l, g, s, entry_keys);
		for (const struct json *v = items(s, "args"); v; v = v->next)
			fn(l, g, v, arg_keys);
		fn(l, g, get(s, "includes"), filter_keys);
		fn(l, g, get(s, "excludes"), filter_keys);
	}
}

/* json_get_fold() on an object of one member: the one definition of how keys match. */
static const char *match_key(const struct json *m, const char *const *known, bool *exact)
{
	struct json one = *m, object = { .kind = JSON_OBJECT, .first = &one, .count = 1 };

	one.next = NULL;
	for (; *known; known++) {
		*exact = str_is(m->key, *known);
		if (json_get_fold(&object, *known))
			return *known;
	}
	return NULL;
}

/* Keys that only containers-common reads (rule SJ023), and those that are plainly remarks. */
static bool is_podman_key(struct str key)
{
	return str_is(key, "errno") || str_is(key, "defaultErrno");
}

static bool is_remark(struct str key)
{
	return !key.n || key.p[0] == '$' || key.p[0] == '_' || key.p[0] == '/' ||
	       key.p[0] == '#' || str_ieq(key, STR("comment")) || str_ieq(key, STR("description"));
}

static void collect_unknown(struct lint *l, struct group *g, const struct json *o,
			    const char *const *known)
{
	bool exact;

	(void)l;
	if (!o || o->kind != JSON_OBJECT)
		return;
	for (const struct json *m = o->first; m; m = m->next)
		if (!match_key(m, known, &exact) && !is_podman_key(m->key) && !is_remark(m->key))
			group_add(g, m->key, m->key_span);
}

void sj_unknown_field(struct lint *l, enum diag_id id)
{
	static const char *const *const all[] = { root_keys, entry_keys, arg_keys, filter_keys,
						  map_keys };
	struct group g = GROUP(l);
	struct suggest near;
	struct diag *d;

	if (!l->profile)
		return;
	check_keys(l, &g, collect_unknown);
	if (!g.hits.n)
		return;
	suggest_start(&near, g.hits.v[0].text);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		for (const char *const *k = all[i]; *k; k++)
			suggest_offer(&near, str_c(*k));
	d = diag_add(l->ds, id, group_span(&g), "no runtime reads the %s %s here: %s skipped in silence",
		     PLURAL(g, "key", "keys"), group_list(&g), PLURAL(g, "it is", "they are"));
	if (near.best.p)
		diag_help(l->ds, d, "did you mean \"" PRISTR "\"?", STRARG(near.best));
	else
		diag_help(l->ds, d, "remove it; the place for a remark is an entry's \"comment\"");
	group_labels(l->ds, d, &g);
}

static void collect_case(struct lint *l, struct group *g, const struct json *o,
			 const char *const *known)
{
	bool exact;

	(void)l;
	if (!o || o->kind != JSON_OBJECT)
		return;
	for (const struct json *m = o->first; m; m = m->next)
		if (match_key(m, known, &exact) && !exact)
			group_add(g, m->key, m->key_span);
}

void sj_key_case(struct lint *l, enum diag_id id)
{
	struct group g = GROUP(l);
	struct diag *d;

	if (!l->profile)
		return;
	check_keys(l, &g, collect_case);
	if (!g.hits.n)
		return;
	d = diag_add(l->ds, id, group_span(&g),
		     "%s %s differently from the specification: Go folds case, crun and jq do not",
		     group_list(&g), PLURAL(g, "is spelt", "are spelt"));
	diag_help(l->ds, d, "use the specification's spelling");
	group_labels(l->ds, d, &g);
}

static void collect_duplicates(struct lint *l, const struct json *v, struct group *g)
{
	for (const struct json *m = v->first; m; m = m->next) {
		if (v->kind == JSON_OBJECT && m->duplicate)
			group_add(g, m->key, m->key_span);
		collect_duplicates(l, m, g); /* the reader has bounded the depth */
	}
}

void sj_duplicate_key(struct lint *l, enum diag_id id)
{
	struct group g = GROUP(l);
	struct diag *d;

	if (!l->root)
		return;
	collect_duplicates(l, l->root, &g);
	if (!g.hits.n)
		return;
	d = diag_add(l->ds, id, group_span(&g),
		     "%s %s twice in one object: the last value counts, the first is lost",
		     group_list(&g), PLURAL(g, "stands", "stand"));
	diag_help(l->ds, d, "keep one; unite what both say");
	group_labels(l->ds, d, &g);
}

/* ---- types and numbers ---- */

static void check_type(struct lint *l, enum diag_id id, const struct json *o, const char *key,
		       enum json_kind want)
{
	const struct json *v = get(o, key);

	if (!v || v->kind == want)
		return;
	diag_help(l->ds,
		  diag_add(l->ds, id, v->span, "\"%s\" is %s here, and the readers want %s: they "
			   "refuse the whole profile", key, json_kind_name(v->kind),
			   json_kind_name(want)),
		  "write %s", json_kind_name(want));
}

static void check_words(struct lint *l, enum diag_id id, const struct json *o, const char *key)
{
	check_type(l, id, o, key, JSON_ARRAY);
	for (const struct json *v = items(o, key); v; v = v->next)
		if (v->kind != JSON_STRING && v->kind != JSON_NULL)
			diag_help(l->ds,
				  diag_add(l->ds, id, v->span,
					   "\"%s\" holds strings, and this is %s", key,
					   json_kind_name(v->kind)),
				  "write a string");
}

static void check_entry_types(struct lint *l, enum diag_id id, const struct json *s)
{
	static const char *const filters[] = { "includes", "excludes" };

	if (s->kind != JSON_OBJECT) {
		diag_help(l->ds,
			  diag_add(l->ds, id, s->span, "an entry of \"syscalls\" is an object, and "
				   "this is %s", json_kind_name(s->kind)),
			  "write {\"names\": [...], \"action\": \"SCMP_ACT_ALLOW\"}");
		return;
	}
	check_words(l, id, s, "names");
	check_type(l, id, s, "name", JSON_STRING);
	check_type(l, id, s, "action", JSON_STRING);
	check_type(l, id, s, "args", JSON_ARRAY);
	for (const struct json *v = items(s, "args"); v; v = v->next)
		check_type(l, id, v, "op", JSON_STRING);
	for (size_t i = 0; i < ARRAY_SIZE(filters) && !l->profile->in_config; i++) {
		check_type(l, id, s, filters[i], JSON_OBJECT);
		check_words(l, id, get(s, filters[i]), "caps");
		check_words(l, id, get(s, filters[i]), "arches");
	}
}

void sj_wrong_type(struct lint *l, enum diag_id id)
{
	if (l->root->kind != JSON_OBJECT) {
		diag_help(l->ds,
			  diag_add(l->ds, id, l->root->span, "a profile is an object, and this is %s",
				   json_kind_name(l->root->kind)),
			  "write {\"defaultAction\": ..., \"syscalls\": [...]}");
		return;
	}
	check_type(l, id, l->profile->json, "defaultAction", JSON_STRING);
	check_words(l, id, l->profile->json, "architectures");
	check_words(l, id, l->profile->json, "flags");
	check_type(l, id, l->profile->json, "archMap", JSON_ARRAY);
	check_type(l, id, l->profile->json, "syscalls", JSON_ARRAY);
	each_entry(l->profile, s)
		check_entry_types(l, id, s);
}

static void check_number(struct lint *l, enum diag_id id, const struct json *o, const char *key)
{
	const struct json *v = get(o, key);
	struct diag *d;

	if (!v || (v->kind == JSON_NUMBER && v->is_u64))
		return;
	d = diag_add(l->ds, id, v->span, "\"%s\" must be a whole number from 0 to 2^64-1, and '"
		     PRISTR "' is not: the readers refuse the whole profile", key,
		     STRARG(v->kind == JSON_NUMBER || v->kind == JSON_STRING ?
			    shown(l, v) : str_c(json_kind_name(v->kind))));
	if (v->kind == JSON_NUMBER && v->is_i64)
		diag_help(l->ds, d, "a negative argument of 32 bits is written as %u",
			  (uint32_t)v->i64);
	else if (v->kind == JSON_STRING && !strcmp(key, "errnoRet"))
		diag_help(l->ds, d, "the number, without quotes: ENOSYS is 38, EPERM is 1");
	else
		diag_help(l->ds, d, "write it in decimal, without quotes, point or exponent");
}

void sj_bad_number(struct lint *l, enum diag_id id)
{
	static const char *const keys[] = { "index", "value", "valueTwo" };

	if (!l->profile)
		return;
	check_number(l, id, l->profile->json, "defaultErrnoRet");
	each_entry(l->profile, s) {
		check_number(l, id, s, "errnoRet");
		for (const struct json *v = items(s, "args"); v; v = v->next)
			for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
				check_number(l, id, v, keys[i]);
	}
}

/* A double has 53 bits of mantissa; what stands in fewer significant bits survives. */
static bool fits_double(uint64_t n)
{
	while (n && !(n & 1))
		n >>= 1;
	return n < 1ull << 53;
}

void sj_lossy_integer(struct lint *l, enum diag_id id)
{
	static const char *const keys[] = { "value", "valueTwo" };
	struct group g = GROUP(l);
	struct diag *d;

	if (!l->profile)
		return;
	each_arg(l->profile, s, v) {
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
			const struct json *n = get(v, keys[i]);

			if (n && n->kind == JSON_NUMBER && n->is_u64 && !fits_double(n->u64))
				group_add(&g, n->text, n->span);
		}
	}
	if (!g.hits.n)
		return;
	d = diag_add(l->ds, id, group_span(&g),
		     "%s %s no double: tools that hold numbers as doubles (jq 1.6, JavaScript) "
		     "change %s when they rewrite this file", group_list(&g),
		     PLURAL(g, "fits", "fit"), PLURAL(g, "it", "them"));
	diag_help(l->ds, d, "edit this file only with tools that keep 64-bit integers");
	group_labels(l->ds, d, &g);
}

/* ---- actions, architectures, operators, flags ---- */

void sj_no_default_action(struct lint *l, enum diag_id id)
{
	const struct json *v, *calls;
	struct diag *d;

	if (!l->profile)
		return;
	v = get(l->profile->json, "defaultAction");
	if (v && (v->kind != JSON_STRING || v->text.n))
		return;
	calls = get(l->profile->json, "syscalls");
	if (calls && calls->count) {
		d = diag_add(l->ds, id, l->profile->dflt_span,
			     "no defaultAction: runc and crun refuse to start the container");
	} else {
		d = diag_add(l->ds, id, l->profile->dflt_span,
			     "no defaultAction and no rule: Docker takes this for no seccomp at all");
		diag_severity(l->ds, d, SEVERITY_HIGH);
	}
	diag_help(l->ds, d, "add \"defaultAction\": \"SCMP_ACT_ERRNO\"");
}

static void check_action(struct lint *l, enum diag_id id, const struct json *v)
{
	enum verdict_kind kind;
	struct suggest near;
	struct diag *d;

	if (v->kind != JSON_STRING || profile_action(v->text, &kind))
		return;
	d = diag_add(l->ds, id, v->span, "no runtime knows the action '" PRISTR "'",
		     STRARG(v->text));
	suggest_start(&near, v->text);
	for (size_t i = 0; profile_action_at(i); i++)
		suggest_offer(&near, str_c(profile_action_at(i)));
	if (near.best.p)
		diag_help(l->ds, d, "did you mean '" PRISTR "'?", STRARG(near.best));
	else
		diag_help(l->ds, d, "SCMP_ACT_ALLOW, _ERRNO, _KILL_PROCESS, _KILL_THREAD, _LOG, "
			  "_TRAP, _TRACE and _NOTIFY are known");
}

void sj_unknown_action(struct lint *l, enum diag_id id)
{
	const struct json *v;

	if (!l->profile)
		return;
	v = get(l->profile->json, "defaultAction");
	if (v && !(v->kind == JSON_STRING && !v->text.n))
		check_action(l, id, v);
	each_entry(l->profile, s) {
		v = get(s, "action");
		if (v)
			check_action(l, id, v);
		else if (s->kind == JSON_OBJECT)
			diag_help(l->ds,
				  diag_add(l->ds, id, s->span, "this entry has no action: the "
					   "runtimes refuse the profile"),
				  "add \"action\": \"SCMP_ACT_ALLOW\" (or what is meant)");
	}
}

/* libcontainer/seccomp/config.go, the keys of `archs`. */
static const char *const runc_arches[] = {
	"SCMP_ARCH_AARCH64",  "SCMP_ARCH_ARM",	     "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_MIPS",
	"SCMP_ARCH_MIPS64",   "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL",      "SCMP_ARCH_MIPSEL64",
	"SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PPC",    "SCMP_ARCH_PPC64",	      "SCMP_ARCH_PPC64LE",
	"SCMP_ARCH_RISCV64",  "SCMP_ARCH_S390",	     "SCMP_ARCH_S390X",	      "SCMP_ARCH_X32",
	"SCMP_ARCH_X86",      "SCMP_ARCH_X86_64",
};

static bool is_runc_arch(struct str word)
{
	for (size_t i = 0; i < ARRAY_SIZE(runc_arches); i++)
		if (str_is(word, runc_arches[i]))
			return true;
	return false;
}

static void help_arch(struct lint *l, struct diag *d, struct str word)
{
	int a = arch_find(word);
	struct suggest near;

	if (a >= 0) {
		diag_help(l->ds, d, "write \"%s\"", arch_info((enum arch)a)->oci);
		return;
	}
	suggest_start(&near, word);
	for (size_t i = 0; i < ARRAY_SIZE(runc_arches); i++)
		suggest_offer(&near, str_c(runc_arches[i]));
	if (near.best.p)
		diag_help(l->ds, d, "did you mean '" PRISTR "'?", STRARG(near.best));
	else
		diag_help(l->ds, d, "names look like SCMP_ARCH_X86_64 and SCMP_ARCH_AARCH64");
}

void sj_unknown_arch(struct lint *l, enum diag_id id)
{
	if (!l->profile)
		return;
	vec_each(&l->profile->arch_names, n) {
		struct diag *d;

		if (is_runc_arch(n->text))
			continue;
		d = diag_add(l->ds, id, n->span, "runc knows no architecture '" PRISTR
			     "' and does not start the container", STRARG(n->text));
		help_arch(l, d, n->text);
	}
}

static const char *const flags[] = {
	"SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
	"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", NULL
};

static void check_flag(struct lint *l, enum diag_id id, const struct json *v)
{
	struct suggest near;
	struct diag *d;

	if (v->kind != JSON_STRING)
		return;
	suggest_start(&near, v->text);
	for (size_t i = 0; flags[i]; i++) {
		if (str_is(v->text, flags[i]))
			return;
		suggest_offer(&near, str_c(flags[i]));
	}
	d = diag_add(l->ds, id, v->span, "no runtime knows the flag '" PRISTR "'",
		     STRARG(v->text));
	if (near.best.p)
		diag_help(l->ds, d, "did you mean '" PRISTR "'?", STRARG(near.best));
	else
		diag_help(l->ds, d, "SECCOMP_FILTER_FLAG_LOG, _SPEC_ALLOW, _TSYNC and "
			  "_WAIT_KILLABLE_RECV are known");
}

static void check_operator(struct lint *l, enum diag_id id, const struct json *arg)
{
	const struct json *v = get(arg, "op");
	struct suggest near;
	enum json_op op;
	struct diag *d;

	if (arg->kind != JSON_OBJECT || (v && v->kind != JSON_STRING) ||
	    (v && profile_op(v->text, &op)))
		return;
	d = diag_add(l->ds, id, v ? v->span : arg->span, "no runtime knows the operator '" PRISTR
		     "'", STRARG(v ? v->text : STR("")));
	suggest_start(&near, v ? v->text : STR(""));
	for (size_t i = 0; profile_op_at(i); i++)
		suggest_offer(&near, str_c(profile_op_at(i)));
	if (near.best.p)
		diag_help(l->ds, d, "did you mean '" PRISTR "'?", STRARG(near.best));
	else
		diag_help(l->ds, d, "SCMP_CMP_EQ, _NE, _LT, _LE, _GT, _GE and _MASKED_EQ are known");
}

void sj_unknown_operator(struct lint *l, enum diag_id id)
{
	if (!l->profile)
		return;
	for (const struct json *v = items(l->profile->json, "flags"); v; v = v->next)
		check_flag(l, id, v);
	each_arg(l->profile, s, v)
		check_operator(l, id, v);
}

void sj_arch_and_archmap(struct lint *l, enum diag_id id)
{
	const struct json *map, *list;
	struct diag *d;

	if (!l->profile || l->profile->in_config)
		return;
	map = get(l->profile->json, "archMap");
	list = get(l->profile->json, "architectures");
	if (!map || !map->count || !list || !list->count)
		return;
	d = diag_add(l->ds, id, list->key_span,
		     "both 'architectures' and 'archMap': Docker refuses the profile");
	diag_note(l->ds, d, map->key_span, "the other");
	diag_help(l->ds, d, "keep archMap: it follows the machine; architectures does not");
}

/* ---- entries ---- */

void sj_name_and_names(struct lint *l, enum diag_id id)
{
	struct group g = GROUP(l);
	struct diag *d;

	if (!l->profile || l->profile->in_config)
		return;
	each_entry(l->profile, s) {
		const struct json *name = get(s, "name"), *names = get(s, "names");

		if (!name || name->kind != JSON_STRING || !name->text.n)
			continue;
		if (!names || !names->count) {
			group_add(&g, name->text, name->span);
			continue;
		}
		d = diag_add(l->ds, id, name->key_span,
			     "both 'name' and 'names' in one entry: Docker refuses the profile");
		diag_note(l->ds, d, names->key_span, "the other");
		diag_help(l->ds, d, "move \"" PRISTR "\" into names", STRARG(name->text));
	}
	if (!g.hits.n)
		return;
	d = diag_add(l->ds, id, group_span(&g), "'name' is Docker's form of before 2016, read by "
		     "Docker alone: %s", group_list(&g));
	diag_severity(l->ds, d, SEVERITY_WARNING);
	diag_help(l->ds, d, "write \"names\": [...]");
}

void sj_empty_names(struct lint *l, enum diag_id id)
{
	struct diag *d;

	if (!l->profile)
		return;
	each_entry(l->profile, s) {
		const struct json *names = get(s, "names"), *name = get(s, "name");
		bool named = name && name->kind == JSON_STRING && name->text.n &&
			     !l->profile->in_config;

		for (const struct json *v = items(s, "names"); v; v = v->next)
			if (v->kind == JSON_NULL || (v->kind == JSON_STRING && !v->text.n))
				diag_help(l->ds,
					  diag_add(l->ds, id, v->span,
						   "an empty name: runc does not start the "
						   "container (\"empty string is not a valid "
						   "syscall\")"),
					  "remove it");
		if (s->kind != JSON_OBJECT || named || (names && (names->count ||
							       names->kind != JSON_ARRAY)))
			continue;
		d = diag_add(l->ds, id, names ? names->span : s->span,
			     "this entry names no call: it does nothing");
		diag_severity(l->ds, d, SEVERITY_WARNING);
		diag_help(l->ds, d, "name the calls, or remove the entry");
	}
}

void sj_arg_index(struct lint *l, enum diag_id id)
{
	if (!l->profile)
		return;
	each_arg(l->profile, s, v) {
		const struct json *i = get(v, "index");

		if (i && i->kind == JSON_NUMBER && i->is_u64 && i->u64 > 5)
			diag_help(l->ds,
				  diag_add(l->ds, id, i->span, "a call has six arguments, 0 to 5: "
					   "libseccomp refuses index " PRISTR, STRARG(i->text)),
				  "the first argument has index 0");
	}
}

/* ---- errno ---- */

static void check_errno_action(struct lint *l, enum diag_id id, const struct json *o,
			       const char *action_key, const char *errno_key)
{
	const struct json *action = get(o, action_key), *number = get(o, errno_key);
	enum verdict_kind kind;

	if (!number || !action || action->kind != JSON_STRING ||
	    !profile_action(action->text, &kind) || kind == VERDICT_ERRNO || kind == VERDICT_TRACE)
		return;
	diag_help(l->ds,
		  diag_add(l->ds, id, number->span, "%s with " PRISTR ": the specification says "
			   "that a runtime must refuse this; crun does, runc skips it",
			   errno_key, STRARG(action->text)),
		  "remove %s, or use SCMP_ACT_ERRNO", errno_key);
}

void sj_errno_on_wrong_action(struct lint *l, enum diag_id id)
{
	if (!l->profile)
		return;
	check_errno_action(l, id, l->profile->json, "defaultAction", "defaultErrnoRet");
	each_entry(l->profile, s)
		check_errno_action(l, id, s, "action", "errnoRet");
}

static void check_errno_range(struct lint *l, enum diag_id id, const struct json *v)
{
	if (!v || v->kind != JSON_NUMBER || !v->is_u64 || v->u64 <= 4095)
		return;
	diag_help(l->ds,
		  diag_add(l->ds, id, v->span, "an errno is at most 4095, the kernel cuts "
			   PRISTR " down%s", STRARG(v->text),
			   v->u64 > 32767 ? "; runc's 16-bit cast makes another number of it" : ""),
		  "EPERM is 1, ENOSYS is 38");
}

void sj_errno_range(struct lint *l, enum diag_id id)
{
	if (!l->profile)
		return;
	check_errno_range(l, id, get(l->profile->json, "defaultErrnoRet"));
	each_entry(l->profile, s)
		check_errno_range(l, id, get(s, "errnoRet"));
}

static void check_errno_zero(struct lint *l, enum diag_id id, const struct json *o,
			     const char *action_key, const char *errno_key)
{
	const struct json *action = get(o, action_key), *v = get(o, errno_key);

	if (!action || action->kind != JSON_STRING || !str_is(action->text, "SCMP_ACT_ERRNO") ||
	    !v || v->kind != JSON_NUMBER || !v->is_u64 || v->u64)
		return;
	diag_help(l->ds,
		  diag_add(l->ds, id, v->span, "errno 0 is success: the call is not made, and the "
			   "program believes that it was (a setuid() that keeps root)"),
		  "EPERM is 1, ENOSYS is 38");
}

void sj_errno_zero(struct lint *l, enum diag_id id)
{
	if (!l->profile)
		return;
	check_errno_zero(l, id, l->profile->json, "defaultAction", "defaultErrnoRet");
	each_entry(l->profile, s)
		check_errno_zero(l, id, s, "action", "errnoRet");
}

/* ---- includes and excludes ---- */

/* moby profiles/seccomp: two parts, each a uint8 in decimal, not both zero. */
static bool is_kernel_version(struct str s)
{
	unsigned part[2] = { 0 }, n = 0, digits = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.' && digits && !n) {
			n++;
			digits = 0;
			continue;
		}
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		part[n] = part[n] * 10 + (unsigned)(s.p[i] - '0');
		digits++;
		if (part[n] > 255)
			return false;
	}
	return n == 1 && digits && (part[0] || part[1]);
}

static void check_kernel(struct lint *l, enum diag_id id, const struct json *filter)
{
	const struct json *v = get(filter, "minKernel");

	if (!v || (v->kind == JSON_STRING && (!v->text.n || is_kernel_version(v->text))))
		return;
	diag_help(l->ds,
		  diag_add(l->ds, id, v->span, "minKernel is \"MAJOR.MINOR\", and " PRISTR
			   " is not: Docker refuses the profile", STRARG(shown(l, v))),
		  "write it as a string of two numbers: \"4.8\"");
}

void sj_minkernel_form(struct lint *l, enum diag_id id)
{
	if (!l->profile || l->profile->in_config)
		return;
	each_entry(l->profile, s) {
		check_kernel(l, id, get(s, "includes"));
		check_kernel(l, id, get(s, "excludes"));
	}
}

static void check_tokens(struct lint *l, enum diag_id id, const struct json *filter, bool includes)
{
	for (const struct json *v = items(filter, "arches"); v; v = v->next) {
		const struct arch_info *known = NULL;
		int a;

		if (v->kind != JSON_STRING)
			continue;
		for (int i = 0; i < ARCH_NR; i++)
			if (str_is(v->text, arch_info((enum arch)i)->oci))
				known = arch_info((enum arch)i);
		a = arch_find(v->text);
		if (!known && a >= 0 && !str_is(v->text, arch_info((enum arch)a)->go))
			known = arch_info((enum arch)a);
		if (!known && !str_starts(v->text, "SCMP_ARCH_"))
			continue;
		diag_help(l->ds,
			  diag_add(l->ds, id, v->span, "'" PRISTR "' is never the name of a host "
				   "here: %s", STRARG(v->text),
				   includes ? "it includes nothing" : "it excludes nothing"),
			  "these are Go's names%s%s: amd64, arm64, s390x, ...",
			  known ? ", here " : "", known ? known->go : "");
	}
}

void sj_filter_arch_token(struct lint *l, enum diag_id id)
{
	if (!l->profile || l->profile->in_config)
		return;
	each_entry(l->profile, s) {
		check_tokens(l, id, get(s, "includes"), true);
		check_tokens(l, id, get(s, "excludes"), false);
	}
}

/* Docker compares the string with those of the bounding set: CAP_ and capitals. */
static bool is_docker_cap(struct str s)
{
	int cap = capability_find(s);
	const char *name = cap >= 0 ? capability_name((unsigned)cap) : NULL;

	if (!name || !str_starts(s, "CAP_") || s.n != strlen(name) + 4)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] >= 'a' && s.p[i] <= 'z')
			return false;
	return true;
}

static void check_caps(struct lint *l, enum diag_id id, const struct json *filter)
{
	for (const struct json *v = items(filter, "caps"); v; v = v->next) {
		struct diag *d;
		int cap;

		if (v->kind != JSON_STRING || is_docker_cap(v->text))
			continue;
		cap = capability_find(v->text);
		d = diag_add(l->ds, id, v->span, "'" PRISTR "' never equals a capability: Docker "
			     "compares the text with names like CAP_SYS_ADMIN", STRARG(v->text));
		if (cap >= 0) {
			char *name = arena_strdup(l->arena, capability_name((unsigned)cap));

			for (char *c = name; *c; c++)
				if (*c >= 'a' && *c <= 'z')
					*c = (char)(*c - 'a' + 'A');
			diag_help(l->ds, d, "write \"CAP_%s\"", name);
		}
	}
}

void sj_cap_token(struct lint *l, enum diag_id id)
{
	if (!l->profile || l->profile->in_config)
		return;
	each_entry(l->profile, s) {
		check_caps(l, id, get(s, "includes"));
		check_caps(l, id, get(s, "excludes"));
	}
}

/* ---- the rest ---- */

void sj_valuetwo_unused(struct lint *l, enum diag_id id)
{
	if (!l->profile)
		return;
	each_arg(l->profile, s, v) {
		const struct json *op = get(v, "op"), *two = get(v, "valueTwo");
		enum json_op o;

		if (!two || two->kind != JSON_NUMBER || !two->is_u64 || !two->u64 || !op ||
		    op->kind != JSON_STRING || !profile_op(op->text, &o) || o == OP_MASKED_EQ)
			continue;
		diag_help(l->ds,
			  diag_add(l->ds, id, two->span, "valueTwo is read with "
				   "SCMP_CMP_MASKED_EQ alone; with " PRISTR " it does nothing",
				   STRARG(op->text)),
			  "remove it; a range takes two entries");
	}
}

static bool notifies(const struct profile *p, struct span *where)
{
	if (p->has_default && p->dflt.kind == VERDICT_NOTIFY) {
		*where = p->dflt_span;
		return true;
	}
	vec_each(&p->entries, e) {
		if (e->readable && e->verdict.kind == VERDICT_NOTIFY) {
			*where = e->action;
			return true;
		}
	}
	return false;
}

void sj_listener_meta(struct lint *l, enum diag_id id)
{
	const struct json *path, *meta;
	struct span where;

	if (!l->profile)
		return;
	path = get(l->profile->json, "listenerPath");
	meta = get(l->profile->json, "listenerMetadata");
	if (path && path->kind == JSON_STRING && path->text.n)
		return;
	if (meta && meta->kind == JSON_STRING && meta->text.n)
		diag_help(l->ds,
			  diag_add(l->ds, id, meta->span, "listenerMetadata without listenerPath: "
				   "the specification forbids it"),
			  "add listenerPath, or remove this");
	if (notifies(l->profile, &where))
		diag_help(l->ds,
			  diag_add(l->ds, id, where, "SCMP_ACT_NOTIFY without listenerPath: nobody "
				   "is there to answer, and runc does not start the container"),
			  "add \"listenerPath\": \"/path/to/socket\"");
}

/* o[key], unless o[instead] says the same to those who do not read it. */
static void collect_key(struct group *g, const struct json *o, const char *key, const char *instead)
{
	const struct json *v = instead && get(o, instead) ? NULL : get(o, key);

	if (v && (v->kind == JSON_STRING ? v->text.n > 0 : v->kind == JSON_NUMBER || v->count))
		group_add(g, v->key, v->key_span);
}

void sj_dialect_drift(struct lint *l, enum diag_id id)
{
	static const char *const docker[] = { "name", "includes", "excludes" };
	struct group podman = GROUP(l), drift = GROUP(l);
	struct diag *d;

	if (!l->profile)
		return;
	collect_key(&podman, l->profile->json, "defaultErrno", "defaultErrnoRet");
	if (l->profile->in_config)
		collect_key(&drift, l->profile->json, "archMap", NULL);
	each_entry(l->profile, s) {
		collect_key(&podman, s, "errno", "errnoRet");
		for (size_t i = 0; i < ARRAY_SIZE(docker) && l->profile->in_config; i++)
			collect_key(&drift, s, docker[i], NULL);
	}
	if (podman.hits.n) {
		d = diag_add(l->ds, id, group_span(&podman), "Podman alone reads %s: Docker, "
			     "containerd, runc and crun skip it and answer EPERM",
			     group_list(&podman));
		diag_help(l->ds, d, "write the number too: \"errnoRet\" or \"defaultErrnoRet\"");
	}
	if (drift.hits.n) {
		d = diag_add(l->ds, id, group_span(&drift), "Docker resolves %s before it writes a "
			     "config.json; a runtime skips %s here, and the rules apply always",
			     group_list(&drift), PLURAL(drift, "it", "them"));
		diag_help(l->ds, d, "write out what holds for this container");
		group_labels(l->ds, d, &drift);
	}
}
