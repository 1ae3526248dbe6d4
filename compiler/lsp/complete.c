/* SPDX-License-Identifier: Apache-2.0 */
/* What may stand at a place, by the words before it. What is offered is known to the tables. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/lsp/names.h"
#include "compiler/oci/profile.h"
#include "compiler/rules/rules.h"
#include "compiler/tables/tables.h"
#include "grammar/apparmor_library.h"

/* CompletionItemKind. */
enum kind {
	KIND_CALL = 3,      /* Function */
	KIND_ARGUMENT = 5,  /* Field */
	KIND_VARIABLE = 6,  /* Variable */
	KIND_SET = 9,       /* Module */
	KIND_KEY = 10,      /* Property */
	KIND_VALUE = 12,    /* Value */
	KIND_KEYWORD = 14,  /* Keyword */
	KIND_FILE = 17,     /* File */
	KIND_CONSTANT = 21, /* Constant */
};

struct completing {
	struct lsp_request *q;
	const struct lsp_asked *asked;
	struct lsp_lines lines;
	uint32_t begin; /* what is written so far of the word, up to the place */
	unsigned n;
};

static void offer(struct completing *c, struct str word, enum kind kind, const char *detail)
{
	struct json_writer *w = &c->q->w;
	struct str typed = { c->asked->text.p + c->begin, c->asked->offset - c->begin };

	/* The client sifts what is left; what cannot be meant is not sent. */
	if (c->n >= LSP_COMPLETIONS_MAX ||
	    (typed.n && (!word.n || str_fold(word.p[0]) != str_fold(typed.p[0]))))
		return;
	if (!c->n++) {
		json_open(w, NULL, '{');
		json_bool(w, "isIncomplete", false);
		json_open(w, "items", '[');
	}
	json_open(w, NULL, '{');
	json_string(w, "label", word);
	json_number(w, "kind", (uint64_t)kind);
	json_optional(w, "detail", detail);
	json_open(w, "textEdit", '{');
	lsp_put_range(w, "range", &c->lines, c->begin, c->asked->offset);
	json_string(w, "newText", word);
	json_close(w, '}');
	json_close(w, '}');
}

static void offer_word(struct completing *c, const char *word, enum kind kind, const char *detail)
{
	offer(c, str_c(word), kind, detail);
}

/* ---- from the tables ---- */

static void offer_rows(struct completing *c, unsigned where)
{
	size_t n;
	const struct lsp_word_row *rows = lsp_word_rows(c->asked->language, &n);

	for (size_t i = 0; i < n; i++)
		if (rows[i].where & where)
			offer_word(c, rows[i].word, KIND_KEYWORD, rows[i].text);
}

static void offer_calls(struct completing *c)
{
	for (size_t i = 0; i < syscall_count(); i++)
		offer_word(c, syscall_at(i)->name, KIND_CALL, "system call");
}

static void offer_domain(struct completing *c, const char *domain, bool brief)
{
	const struct domain_info *d = domain ? domain_find(domain) : NULL;

	for (size_t i = 0; d && i < d->rows; i++) {
		struct constant_row row = constant_at(d->first + i);
		const char *name = brief && row.brief ? row.brief : row.name;

		if (*name)
			offer_word(c, name, KIND_CONSTANT, d->what);
	}
}

static void offer_capabilities(struct completing *c)
{
	for (unsigned i = 0; i < CAPABILITY_NR; i++)
		offer_word(c, capability_name(i), KIND_CONSTANT, "capability");
}

static void offer_arches(struct completing *c)
{
	for (enum arch a = 0; a < ARCH_NR; a++)
		offer_word(c, arch_info(a)->name, KIND_CONSTANT, "architecture");
}

static void offer_sets(struct completing *c)
{
	struct set_list sets;

	lsp_sets_of(c->q, c->asked, &sets);
	vec_each(&sets.sets, set) {
		struct str what = set_summary(set);
		offer_word(c, set->name, KIND_SET, str_dup(c->q->session.arena, what));
	}
}

/* ---- policies ---- */

static const struct syscall_info *call_at(struct str name, enum arch *a)
{
	const struct syscall_info *sys = syscall_by_name(name);

	for (*a = 0; sys && *a < ARCH_NR && sys->nr[*a] < 0;)
		(*a)++;
	return sys && *a < ARCH_NR ? sys : NULL;
}

static bool is_operator(struct str w)
{
	return w.n && (strchr("=!<>&|", w.p[0]) || str_is(w, "has") || str_is(w, "lacks") ||
		       str_is(w, "any") || str_is(w, "{") || str_is(w, ".."));
}

/* The argument that what stands before the place is compared with: the last that is one. */
static const struct arg_info *compared(const struct lsp_around *l, size_t from,
				       const struct syscall_info *sys, enum arch a)
{
	unsigned n;
	const struct arg_info *args = syscall_args(sys, a, &n);

	for (size_t i = l->before.n; i-- > from + 1;) {
		int at = syscall_arg_find(sys, a, l->before.v[i]);
		if (at >= 0 && (unsigned)at < n)
			return &args[at];
	}
	return NULL;
}

static bool is_in_list(const struct lsp_around *l)
{
	for (size_t i = l->before.n; i-- > 0;) {
		if (str_is(l->before.v[i], "}"))
			return false;
		if (str_is(l->before.v[i], "{"))
			return true;
	}
	return false;
}

static void complete_condition(struct completing *c, const struct lsp_around *l)
{
	enum arch a;
	size_t at = 0;
	const struct syscall_info *sys = call_at(lsp_opener(l, &at), &a);
	struct str last = lsp_behind(l, 0);
	unsigned n;

	if (!sys)
		return;
	if (is_operator(last) || is_in_list(l)) {
		const struct arg_info *arg = compared(l, at, sys, a);
		offer_domain(c, arg ? arg->domain : NULL, false);
		return;
	}
	const struct arg_info *args = syscall_args(sys, a, &n);
	for (unsigned i = 0; i < n; i++) {
		offer_word(c, args[i].name, KIND_ARGUMENT, args[i].domain);
		if (args[i].alias)
			offer_word(c, args[i].alias, KIND_ARGUMENT, args[i].domain);
	}
	offer_rows(c, LSP_COND);
}

static bool is_verdict(struct str w)
{
	static const char *const words[] = { "allow", "deny",   "errno", "kill", "kill-process",
					     "log",   "notify", "trace", "trap", "kill-thread" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_is(w, words[i]))
			return true;
	return false;
}

/* Behind the word of a resource, or of a header line. True: something may stand there. */
static bool complete_list(struct completing *c, const struct lsp_around *l, struct str first)
{
	if (lsp_in_statement(l, "capability"))
		offer_capabilities(c);
	else if (lsp_in_statement(l, "network"))
		offer_domain(c, "af", true), offer_domain(c, "sock_type", true);
	else if (lsp_in_statement(l, "namespace"))
		offer_domain(c, "ns", true);
	else if (lsp_in_statement(l, "signal") && !str_is(first, "allow"))
		offer_domain(c, "signal", true);
	else if (lsp_in_statement(l, "limit"))
		offer_domain(c, "rlimit", true);
	else if (str_is(first, "arch") || lsp_in_statement(l, "host") ||
		 (str_is(first, "when") && lsp_in_statement(l, "arch")))
		offer_arches(c);
	else if (str_is(first, "use") && !lsp_in_statement(l, "except"))
		offer_sets(c);
	else
		return false;
	return true;
}

static void offer_verdicts(struct completing *c)
{
	size_t n;
	const struct lsp_word_row *rows = lsp_word_rows(LSP_PALE, &n);

	for (size_t i = 0; i < n; i++)
		if (is_verdict(str_c(rows[i].word)))
			offer_word(c, rows[i].word, KIND_KEYWORD, rows[i].text);
}

static void complete_pale(struct completing *c, const struct lsp_around *l)
{
	struct str first = l->before.n ? l->before.v[0] : str_c(NULL), last = lsp_behind(l, 0);

	if (l->quoted)
		return;
	if (l->parens)
		complete_condition(c, l);
	else if (!l->before.n)
		offer_rows(c, l->depth ? LSP_RULE : LSP_TOP);
	else if (str_is(last, "errno"))
		offer_domain(c, "errno", false);
	else if (str_is(first, "default") || str_is(first, "unknown") || str_is(first, "foreign"))
		offer_verdicts(c);
	else if (str_is(first, "layers"))
		offer_word(c, "seccomp", KIND_VALUE, NULL),
			offer_word(c, "apparmor", KIND_VALUE, NULL);
	else if (complete_list(c, l, first))
		return;
	else if (str_is(first, "when") || str_is(last, "quiet") || str_is(last, "owner"))
		offer_rows(c, LSP_RULE);
	else if (is_verdict(first) || lsp_in_statement(l, "except"))
		offer_calls(c);
}

/* ---- AppArmor's text ---- */

/* The files of the folder that is written so far, in each base directory, and folders by name. */
static void offer_files(struct completing *c, struct str typed)
{
	static const char *const folders[] = { "abi/", "abstractions/", "local/", "tunables/" };
	struct aa_library *library = lsp_library_of(c->q, c->asked);
	struct arena *a = c->q->session.arena;
	size_t folder = typed.n;

	while (folder && typed.p[folder - 1] != '/')
		folder--;
	for (size_t i = 0; i < ARRAY_SIZE(folders) && !folder; i++)
		offer_word(c, folders[i], KIND_FILE, NULL);
	for (size_t i = 0; library && folder && i < library->dirs.n; i++) {
		const struct aa_entry *e =
			aa_library_entry(library, arena_printf(a, "%s/" PRISTR, library->dirs.v[i],
							       (int)folder - 1, typed.p));
		if (!e || e->kind != AA_ENTRY_DIRECTORY)
			continue;
		vec_each(&e->paths, path)
			offer_word(c, *path + strlen(library->dirs.v[i]) + 1, KIND_FILE, NULL);
	}
}

static void offer_variables(struct completing *c)
{
	lsp_variables all;

	lsp_variables_of(c->q, c->asked, &all);
	vec_each(&all, v)
		if (v->stmt->op != AA_OP_ADD)
			offer(c, v->name, KIND_VARIABLE, v->source->name);
}

static const struct perm_row {
	const char *keyword, *word;
} perms[] = {
#define PERM(class, word, bits, since) { #class, word },
#include "compiler/rules/classes.def"
};

static const struct class_row {
	const char *keyword, *class;
} classes[] = {
#define KEYWORD(word, class, fn) { word, #class },
#include "compiler/rules/classes.def"
};

static const struct cond_row {
	const char *class, *word;
} conds[] = {
#define COND(class, side, word, id, value, ops, how, since) { #class, word "=" },
#include "compiler/rules/classes.def"
};

/* Which class the statement is of, by the first word that says one; NULL: none. */
static const char *class_of(const struct lsp_around *l)
{
	vec_each(&l->before, w)
		for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
			if (str_is(*w, classes[i].keyword))
				return classes[i].class;
	return NULL;
}

static void complete_class(struct completing *c, const struct lsp_around *l, const char *class)
{
	if (!strcmp(class, "CAPABILITY"))
		offer_capabilities(c);
	if (!strcmp(class, "RLIMIT"))
		offer_domain(c, "rlimit", true), offer_word(c, "rlimit", KIND_KEYWORD, NULL);
	if (!strcmp(class, "NETWORK"))
		offer_domain(c, "af", true), offer_domain(c, "sock_type", true);
	if (!strcmp(class, "SIGNAL") && lsp_in_statement(l, "set")) {
		offer_domain(c, "signal", true);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(perms); i++)
		if (!strcmp(perms[i].keyword, class))
			offer_word(c, perms[i].word, KIND_VALUE, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(conds); i++)
		if (!strcmp(conds[i].class, class))
			offer_word(c, conds[i].word, KIND_KEY, NULL);
}

static bool is_prefix(struct str w)
{
	static const char *const words[] = { "allow", "audit", "deny", "owner", "other", "prompt" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_is(w, words[i]))
			return true;
	return false;
}

static void complete_apparmor(struct completing *c, const struct lsp_around *l)
{
	struct str typed = { l->word.p, c->asked->offset - l->begin };
	const char *class = class_of(l);
	const char *at = typed.n ? memrchr(typed.p, '@', typed.n) : NULL;

	if (l->magic) {
		offer_files(c, typed);
	} else if (at && !memchr(at, '}', (size_t)(typed.p + typed.n - at))) {
		c->begin = (uint32_t)(at - c->asked->text.p);
		offer_variables(c);
	} else if (class) {
		complete_class(c, l, class);
	} else if (!l->before.n || is_prefix(lsp_behind(l, 0))) {
		offer_rows(c, l->depth ? LSP_RULE : LSP_TOP);
	}
}

/* ---- JSON ---- */

static void offer_list(struct completing *c, const char *const *words, enum kind kind)
{
	for (; *words; words++) {
		const struct lsp_word_row *row = lsp_word_find(LSP_JSON, str_c(*words));
		offer_word(c, *words, kind, row ? row->text : NULL);
	}
}

static void complete_key(struct completing *c, const struct lsp_json_around *l)
{
	struct str around = l->depth ? l->keys[l->depth - 1] : str_c(NULL);

	if (str_is(around, "syscalls"))
		offer_list(c, oci_entry_keys, KIND_KEY);
	else if (str_is(around, "args"))
		offer_list(c, oci_arg_keys, KIND_KEY);
	else if (str_is(around, "includes") || str_is(around, "excludes"))
		offer_list(c, oci_gate_keys, KIND_KEY);
	else if (str_is(around, "archMap"))
		offer_list(c, oci_row_keys, KIND_KEY);
	else if (l->depth == 1 || str_is(around, "seccomp"))
		offer_list(c, oci_profile_keys, KIND_KEY);
}

static void complete_json(struct completing *c, const struct lsp_json_around *l)
{
	if (!l->string)
		return;
	if (l->is_key)
		complete_key(c, l);
	else if (str_is(l->key, "action") || str_is(l->key, "defaultAction"))
		for (const struct oci_action *act = oci_actions; act->name; act++)
			offer_word(c, act->name, KIND_VALUE,
				   lsp_word_find(LSP_JSON, str_c(act->name))->text);
	else if (str_is(l->key, "op"))
		for (unsigned i = 0; i < OCI_OP_NR; i++)
			offer_word(c, oci_op_names[i], KIND_VALUE,
				   lsp_word_find(LSP_JSON, str_c(oci_op_names[i]))->text);
	else if (str_is(l->key, "names") || str_is(l->key, "name"))
		offer_calls(c);
	else if (str_is(l->key, "caps"))
		for (unsigned i = 0; i < CAPABILITY_NR; i++)
			offer_word(c, constant_name("capability", i, ARCH_X86_64), KIND_CONSTANT,
				   NULL);
	else if (str_is(l->key, "flags"))
		offer_list(c, oci_flag_names, KIND_VALUE);
	else if (str_is(l->key, "arches"))
		for (enum arch i = 0; i < ARCH_NR; i++)
			offer_word(c, arch_info(i)->go, KIND_CONSTANT, NULL);
	else if (str_is(l->key, "architectures") || str_is(l->key, "architecture") ||
		 str_is(l->key, "subArchitectures"))
		for (const struct oci_arch_word *w = oci_arch_words; w->name; w++)
			offer_word(c, w->name, KIND_CONSTANT, NULL);
}

/* ---- the answer ---- */

static void look(struct completing *c)
{
	const struct lsp_asked *asked = c->asked;
	struct lsp_around around;
	struct lsp_json_around json;

	if (asked->language == LSP_JSON) {
		lsp_look_around_json(asked->text, asked->offset, &json);
		c->begin = json.string ? json.begin : asked->offset;
		complete_json(c, &json);
		return;
	}
	if (asked->language == LSP_YAML)
		return;
	lsp_look_around(c->q->session.arena, asked->language, asked->text, asked->offset, &around);
	c->begin = around.begin;
	if (around.comment)
		return;
	if (asked->language == LSP_PALE)
		complete_pale(c, &around);
	else
		complete_apparmor(c, &around);
}

void lsp_complete(struct lsp_request *q)
{
	struct lsp_asked asked;
	struct completing c = { .q = q, .asked = &asked };

	if (!lsp_asked(q, &asked))
		return;
	lsp_lines_of(q->session.arena, asked.text, q->lsp->encoding, &c.lines);
	look(&c);
	if (c.n) {
		json_close(&q->w, ']');
		json_close(&q->w, '}');
	}
}
