/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A statement becomes a rule: its first word says the class, the class's reader the rest. Here
 * stand prefixes, too, and the classes that are a word or two.
 */
#include <string.h>

#include "compiler/rules/rules_read.h"
#include "compiler/base/bug.h"

/* ---- tables ---- */

static const struct {
	enum aa_release since;
	unsigned shape;
	bool owner;
} classes[AA_CLASS_NR] = {
#define CLASS(id, since, shape, owner) [AA_CLASS_##id] = { AA_RELEASE_##since, shape, owner },
#include "compiler/rules/classes.def"
};

static const struct keyword {
	const char *word;
	size_t n;
	enum aa_class class;
	void (*read)(struct aa_read *r);
} keywords[] = {
#define KEYWORD(word, class, fn) { word, sizeof(word) - 1, AA_CLASS_##class, fn },
#include "compiler/rules/classes.def"
};

const char *aa_class_name(enum aa_class c)
{
	if (c == AA_CLASS_RLIMIT)
		return "rlimit";
	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++)
		if (keywords[i].class == c)
			return keywords[i].word;
	return "";
}

static const struct keyword *find_keyword(const struct aa_item *i)
{
	if (!aa_is_word(i))
		return NULL;
	for (size_t k = 0; k < ARRAY_SIZE(keywords); k++)
		if (i->word.text.n == keywords[k].n &&
		    !memcmp(i->word.text.p, keywords[k].word, keywords[k].n))
			return &keywords[k];
	return NULL;
}

/* A word that an older release does not know may be a path there, or, as `all`, permissions. */
static bool is_path_yet(const struct aa_reader *rd, const struct keyword *k,
			const struct aa_item *first)
{
	const struct aa_item *behind = first->next;

	if (rd->target.release >= classes[k->class].since || !behind || behind->kind != AA_WORD)
		return false;
	return aa_is_mode(first->word.text) ||
	       (aa_is_word(behind) && aa_is_mode(behind->word.text));
}

enum aa_class aa_class_of(const struct aa_reader *rd, const struct aa_item *first)
{
	const struct keyword *k = first ? find_keyword(first) : NULL;

	return k && !is_path_yet(rd, k, first) ? k->class : AA_CLASS_FILE;
}

/* ---- prefixes ---- */

enum { RANK_PRIORITY, RANK_AUDIT, RANK_MODE, RANK_OWNER, RANK_NR };

static const struct prefix_word {
	const char *word;
	int rank;
	int value;
	enum aa_release since;
} prefix_words[] = {
	{ "priority", RANK_PRIORITY, 0, AA_RELEASE_4_1 },
	{ "audit", RANK_AUDIT, 0, AA_RELEASE_3_0 },
	{ "allow", RANK_MODE, AA_MODE_ALLOW, AA_RELEASE_3_0 },
	{ "deny", RANK_MODE, AA_MODE_DENY, AA_RELEASE_3_0 },
	{ "prompt", RANK_MODE, AA_MODE_PROMPT, AA_RELEASE_4_1 },
	{ "owner", RANK_OWNER, AA_OWNER_ONLY, AA_RELEASE_3_0 },
	{ "user", RANK_OWNER, AA_OWNER_ONLY, AA_RELEASE_3_0 },
	{ "other", RANK_OWNER, AA_OWNER_OTHER, AA_RELEASE_3_0 },
};

static const struct prefix_word *find_prefix(const struct aa_item *i)
{
	for (size_t k = 0; k < ARRAY_SIZE(prefix_words); k++)
		if (str_is(i->word.text, prefix_words[k].word))
			return &prefix_words[k];
	return NULL;
}

/* strtol() of what the scanner gives: a sign, digits. */
static bool read_priority(const struct aa_reader *rd, const struct aa_word *w, int *out)
{
	struct str t = w->text;
	bool minus = t.n && t.p[0] == '-';
	uint64_t v = 0;

	if (t.n && (t.p[0] == '-' || t.p[0] == '+'))
		t = (struct str){ t.p + 1, t.n - 1 };
	for (size_t i = 0; i < t.n && v <= AA_PRIORITY_MAX; i++)
		v = v * 10 + (uint64_t)(t.p[i] - '0');
	if (v <= AA_PRIORITY_MAX) {
		*out = minus ? -(int)v : (int)v;
		return true;
	}
	diag_help(rd->diags,
		  aa_say(rd, DIAG_PL337, w->span, "the priority %s is out of range",
			 aa_safe(rd, w->text)),
		  "priorities are %d to %d", AA_PRIORITY_MIN, AA_PRIORITY_MAX);
	return false;
}

static bool tell_order(const struct aa_reader *rd, const struct aa_item *i, const char *why)
{
	diag_help(rd->diags,
		  aa_say(rd, DIAG_PL337, i->span, "'%s' %s", aa_safe(rd, i->word.text), why),
		  "in this order, each once: priority=N, audit, allow or deny or prompt, owner or "
		  "other");
	return false;
}

static void apply_prefix(struct aa_prefix *out, const struct prefix_word *w)
{
	if (w->rank == RANK_AUDIT)
		out->audit = true;
	if (w->rank == RANK_OWNER)
		out->owner = (enum aa_owner)w->value;
	if (w->rank != RANK_MODE)
		return;
	out->mode = (enum aa_mode)w->value;
	out->mode_said = w->value == AA_MODE_ALLOW;
}

bool aa_prefix_read(const struct aa_reader *rd, const struct aa_stmt *st, struct aa_prefix *out)
{
	int rank = -1;
	bool ok = true;

	for (const struct aa_item *i = st->prefix; i; i = i->next) {
		const struct prefix_word *w = find_prefix(i);

		BUG_ON(!w);
		if (!aa_since(rd, i->word.span, i->word.text, "", w->since)) {
			ok = false;
			continue;
		}
		if (w->rank == rank)
			ok = tell_order(rd, i, "is a second word of one kind");
		else if (w->rank < rank)
			ok = tell_order(rd, i, "stands too late");
		rank = w->rank;
		if (rank != RANK_PRIORITY)
			apply_prefix(out, w);
		else if (!read_priority(rd, i->values, &out->priority))
			ok = false;
	}
	if (ok && out->priority && st->kind == AA_STMT_BLOCK) {
		diag_help(rd->diags, aa_say(rd, DIAG_PL337, st->head, "a block has no priority"),
			  "write it in front of each rule of the block");
		ok = false;
	}
	return ok;
}

static struct diag *forbid(struct aa_read *r, const char *what, const char *help)
{
	struct diag *d = aa_fault(r, DIAG_PL337, r->rule->use->stmt->head, "%s rules have no %s",
				  r->keyword, what);

	diag_help(r->rd->diags, d, "%s", help);
	return d;
}

/* Its `owner` or `other`; NULL: neither. */
static const struct aa_item *says_owner(const struct aa_stmt *st)
{
	for (const struct aa_item *i = st->prefix; i; i = i->next)
		if (i->kind == AA_WORD && find_prefix(i) && find_prefix(i)->rank == RANK_OWNER)
			return i;
	return NULL;
}

static void forbid_owner(struct aa_read *r, const struct aa_item *owner)
{
	struct diag *d = forbid(r, "'owner' or 'other'", "only files have owners: leave it out");
	struct span sp = owner->span;
	struct str text;

	if (r->rd->from)
		return;
	sp.end = owner->next ? owner->next->span.begin : r->rule->use->stmt->items->span.begin;
	if (sp.end < owner->span.end)
		return;
	text = span_text(r->rd->diags->sources, sp);
	if (text.n && !memchr(text.p, '\n', text.n) && !memchr(text.p, '{', text.n))
		diag_fix(r->rd->diags, d, sp, STR(""));
}

/* What may stand before a rule of this class; what its blocks say it need not have. */
static void check_prefix(struct aa_read *r)
{
	const struct aa_prefix *p = &r->rule->prefix;
	enum aa_class c = r->rule->class;

	if (c == AA_CLASS_RLIMIT && (r->rule->use->stmt->prefix || p->priority))
		forbid(r, "prefix", "a limit is set, neither allowed nor denied: leave it out");
	else if (!classes[c].owner && says_owner(r->rule->use->stmt))
		forbid_owner(r, says_owner(r->rule->use->stmt));
	if (p->priority && (c == AA_CLASS_NETWORK || c == AA_CLASS_ALL))
		forbid(r, "priority", "leave 'priority=' out");
}

/* ---- the classes that are a word or two ---- */

void aa_read_all(struct aa_read *r)
{
	aa_end(r);
}

static bool read_capability(struct aa_read *r)
{
	struct str name = r->at->word.text;
	struct suggest s;
	int cap = aa_is_word(r->at) ? capability_find(name) : -1;

	/* Policies may write CAP_KILL, too; profiles may not. */
	if (cap >= 0 && str_is(name, capability_name((unsigned)cap))) {
		r->rule->caps |= UINT64_C(1) << cap;
		aa_next(r);
		return true;
	}
	if (r->at->kind != AA_WORD) {
		aa_unexpected(r, "a capability's name");
		return false;
	}
	if (aa_missing_comma(r, r->at))
		return false;
	struct diag *d = aa_fault(r, DIAG_PL135, r->at->word.span, "no capability is called '%s'",
				  aa_safe(r->rd, name));
	if (!diag_suggest_start(r->rd->diags, &s, name))
		return false;
	for (unsigned c = 0; c < CAPABILITY_NR; c++)
		suggest_offer(&s, str_c(capability_name(c)));
	if (cap >= 0) {
		diag_help(r->rd->diags, d, "write '%s'", capability_name((unsigned)cap));
		diag_fix_word(r->rd->diags, d, r->at->word.span, name,
			      str_c(capability_name((unsigned)cap)));
	} else if (!diag_suggest(r->rd->diags, d, r->at->word.span, &s))
		diag_help(r->rd->diags, d,
			  "names are as in capabilities(7), in small letters and "
			  "without 'cap_'");
	return false;
}

void aa_read_capability(struct aa_read *r)
{
	if (!r->at)
		r->rule->caps = UINT64_MAX;
	while (r->at && read_capability(r))
		;
}

/* ---- a rule ---- */

/* A word that begins a line and is no path: what rule was meant? */
static void tell_unknown(struct aa_read *r)
{
	struct str name = r->at->word.text;
	struct suggest s;
	struct diag *d = aa_fault(r, DIAG_PL330, r->at->span, "no rule begins with '%s'",
				  aa_item_text(r, r->at));

	if (!diag_suggest_start(r->rd->diags, &s, name))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++)
		suggest_offer(&s, str_c(keywords[i].word));
	for (size_t i = 0; i < ARRAY_SIZE(prefix_words); i++)
		suggest_offer(&s, str_c(prefix_words[i].word));
	if (!diag_suggest(r->rd->diags, d, r->at->word.span, &s))
		diag_help(r->rd->diags, d,
			  "a rule is a path and what is allowed of it, or begins with its class: "
			  "capability, network, mount, ...");
}

/* `set rlimit`, and what has a keyword. */
static bool read_keyword(struct aa_read *r)
{
	const struct keyword *k = find_keyword(r->at);

	if (!k || is_path_yet(r->rd, k, r->at))
		return false;
	r->rule->class = k->class;
	r->keyword = k->word;
	if (!aa_since(r->rd, r->at->span, r->at->word.text, "", classes[k->class].since)) {
		r->failed = true;
		return true;
	}
	check_prefix(r);
	aa_next(r);
	k->read(r);
	aa_end(r);
	return true;
}

/* A word that is taken for a path has permissions behind it, and this one has not. */
static bool is_unknown(const struct aa_reader *rd, const struct aa_item *i)
{
	const struct aa_item *behind = i->next;

	if (i->kind != AA_WORD || (aa_is_word(i) && aa_is_reserved(rd, i->word.text)))
		return true;
	if (!aa_is_name(rd, i) || (behind && behind->span.begin == i->span.end))
		return false;
	return !aa_is_word(behind) || !aa_is_mode(behind->word.text);
}

struct aa_rule *aa_rule_read(const struct aa_reader *reader, const struct aa_use *use)
{
	struct aa_rule *rule = ARENA_NEW(reader->arena, struct aa_rule);
	struct aa_reader here = *reader, *rd = &here;
	struct aa_read r = { .rd = rd, .rule = rule, .keyword = "file", .at = use->stmt->items };

	here.from = use->from;
	rule->use = use;
	rule->prefix = use->prefix;
	rule->class = AA_CLASS_FILE;
	r.prev = use->stmt->head;
	if (!r.at) {
		struct diag *d = aa_fault(&r, DIAG_PL340, use->stmt->span, "a ',' without a rule");

		diag_help(rd->diags, d, "take the ',' away");
		return NULL;
	}
	r.prev = (struct span){ r.at->span.source, r.at->span.begin, r.at->span.begin };
	if (read_keyword(&r))
		return r.failed ? NULL : rule;
	if (is_unknown(rd, r.at)) {
		tell_unknown(&r);
		return NULL;
	}
	aa_read_path(&r);
	aa_end(&r);
	return r.failed ? NULL : rule;
}
