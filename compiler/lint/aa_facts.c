/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/lint/aa_facts.h"

#include <string.h>

#include "compiler/base/bug.h"

/* The include in the file at hand, through however many others. */
static const struct aa_stmt *way_in(const struct aa_from *from)
{
	while (from->parent)
		from = from->parent;
	return from->include;
}

struct span aa_place(const struct aa_use *use)
{
	return use->from ? way_in(use->from)->head : use->stmt->head;
}

struct aa_told *aa_told_of(struct lint *l, enum diag_id id, const struct aa_use *use)
{
	vec_each(&l->aa->told, t)
		if (t->id == id && t->stmt == use->stmt)
			return t;
	return NULL;
}

static bool same_span(struct span x, struct span y)
{
	return x.source == y.source && x.begin == y.begin && x.end == y.end;
}

void aa_tell_instead(struct lint *l, struct aa_told *t, struct span place, const char *text)
{
	diag_text(l->ds, t->diag, "%s", text);
	vec_each(&t->diag->labels, label)
		if (label->again && same_span(label->span, place)) {
			label->span = t->diag->span;
			t->diag->span = place;
			return;
		}
}

/* The rule comes in by another include, or is one of another profile. */
static void tell_again(struct lint *l, struct aa_told *t, struct span place)
{
	enum { LABELS_MAX = 1000 }; /* GitHub takes no more of SARIF */

	diag_also(l->ds, t->diag, l->aa->profile->label);
	if (same_span(t->diag->span, place))
		return;
	vec_each(&t->diag->labels, label)
		if (label->again && same_span(label->span, place))
			return;
	if (t->diag->labels.n < LABELS_MAX)
		diag_again_as(l->ds, t->diag, place, "and here");
	else
		t->more++;
}

struct diag *aa_tell(struct lint *l, enum diag_id id, const struct aa_use *use, const char *fmt,
		     ...)
{
	struct aa_told *known = aa_told_of(l, id, use);
	struct span place = aa_place(use);
	struct diag *d;
	va_list ap;

	if (known) {
		tell_again(l, known, place);
		return NULL;
	}
	va_start(ap, fmt);
	d = diag_add(l->ds, id, place, "%s", arena_vprintf(l->arena, fmt, ap));
	va_end(ap);
	if (use->from)
		diag_note(l->ds, d, use->stmt->head, "the rule, which this includes");
	vec_push(l->aa->arena, &l->aa->told,
		 ((struct aa_told){ .id = id, .stmt = use->stmt, .diag = d }));
	return d;
}

/* An access as it was read; of a text that is none, right is false. */
struct read_access {
	struct str text;
	struct sources *sources; /* where it stands */
	struct aa_access access;
	bool right;
};

struct aa_accesses {
	struct arena *arena;
	VEC(struct read_access) list;
	struct table table; /* their texts */
};

struct aa_accesses *aa_accesses_new(struct arena *a)
{
	struct aa_accesses *all = ARENA_NEW(a, struct aa_accesses);

	all->arena = a;
	return all;
}

/* Reading hangs on the text alone, and rules ask the same of each profile. Good until the next. */
static const struct read_access *read_once(struct lint *l, const char *access)
{
	struct aa_accesses *all = l->aa->accesses;
	struct str text = str_c(access);
	uint64_t hash = hash_str(text);
	struct table_walk walk = table_start(hash);

	for (size_t at; (at = table_next(&all->table, &walk)) != TABLE_END;)
		if (str_eq(all->list.v[at].text, text))
			return &all->list.v[at];
	struct read_access read = { .sources = sources_new(all->arena) };
	struct diags *ds = diags_new(all->arena, read.sources);
	struct source *src = source_add(read.sources, "<access>", text);

	read.text = src->text;
	read.right = aa_access_read(all->arena, src, &read.access, ds);
	table_add(all->arena, &all->table, hash, all->list.n);
	vec_push(all->arena, &all->list, read);
	return &all->list.v[all->list.n - 1];
}

bool aa_may_ask(struct lint *l, const char *access, struct aa_verdict *out)
{
	const struct read_access *read = read_once(l, access);
	struct diags *quiet = diags_new(l->arena, read->sources);

	if (!read->right || !aa_can_ask(l->aa->q, &read->access, quiet))
		return false;
	*out = aa_ask(l->aa->q, &read->access, FILE_OTHER);
	return true;
}

struct aa_access aa_reads(struct lint *l, const char *access)
{
	const struct read_access *read = read_once(l, access);

	BUG_ON(!read->right);
	return read->access;
}

struct aa_verdict aa_asks(struct lint *l, const char *access, enum file_who who)
{
	struct aa_access read = aa_reads(l, access);

	return aa_ask(l->aa->q, &read, who);
}

const char *aa_path_access(struct lint *l, struct str path, unsigned perm, enum file_who who)
{
	static const char *const whose[] = {
		[FILE_OTHER] = "other ", [FILE_OWNER] = "owner ", [FILE_WHO_NR] = ""
	};
	BUF_AUTO b = { 0 };

	buf_printf(&b, "%s %s", perm == PERM_X ? "exec" : "open", whose[who]);
	aa_access_put_path(&b, path);
	if (perm != PERM_X) {
		buf_putc(&b, ' ');
		aa_perms_put(&b, perm);
	}
	return buf_keep(l->arena, &b);
}

struct aa_verdict aa_asks_path(struct lint *l, struct str path, unsigned perm, enum file_who who)
{
	struct aa_access access = { .kind = perm == PERM_X ? AA_ACCESS_EXEC : AA_ACCESS_OPEN,
				    .who = who,
				    .path = path,
				    .perms = perm };

	return aa_ask(l->aa->q, &access, who);
}

bool aa_allows(const struct aa_verdict *v)
{
	return v->outcome == AA_ALLOWED || v->outcome == AA_ALLOWED_AUDITED;
}

bool aa_refuses(const struct aa_verdict *v)
{
	return v->outcome == AA_REFUSED || v->outcome == AA_KILLED;
}

const struct aa_use *aa_decides(const struct aa_verdict *v)
{
	vec_each(&v->rules, r)
		if (r->role == AA_ROLE_DECIDES && r->rule)
			return r->rule->use;
	return NULL;
}

bool aa_is_decided_by(const struct aa_verdict *v, const struct aa_use *use)
{
	vec_each(&v->rules, r)
		if (r->role != AA_ROLE_OUTRANKED && r->rule && r->rule->use == use)
			return true;
	return false;
}

const struct aa_spoken *aa_decider(const struct aa_verdict *v)
{
	vec_each(&v->rules, r)
		if (r->role == AA_ROLE_DECIDES)
			return r->rule && r->rule->use && r->rule->class != AA_CLASS_ALL ? r : NULL;
	return NULL;
}

void aa_tell_more(struct lint *l)
{
	vec_each(&l->aa->told, t)
		if (t->more)
			diag_note(l->ds, t->diag, t->diag->span, "and %zu more places", t->more);
}

bool aa_decided(struct lint *l, bool decided)
{
	l->aa->undecided |= !decided;
	return decided;
}

RULE(AP329, "profile-not-decided", INFO, APPARMOR, ap_profile_not_decided,
     "rules of the linter whose questions about a profile took too many states",
     "What a profile's rules mean together is an automaton, and rules of the linter walk it beside "
     "their own: at most 200,000 pairs of states a walk. Past that they tell what was met until then, or "
     "nothing, and this finding says so: that they are silent means nothing.\n\n"
     "Way out: fewer patterns with '**' in their midst, or child profiles.")
void ap_profile_not_decided(struct lint *l, enum diag_id id)
{
	struct diag *d;

	if (!l->aa->undecided)
		return;
	d = diag_add(
		l->ds, id, l->aa->profile->stmt->head,
		"not all that the linter asks of this profile is decided: it takes more than %d states",
		MACHINE_STATES_MAX);
	diag_help(l->ds, d, "fewer patterns with '**' in their midst, or child profiles");
}
