/* SPDX-License-Identifier: Apache-2.0 */
/* The heads of profiles and hats: name, attachment, xattrs, identities, flags (profile.h, flagvals). */
#include <string.h>

#include "compiler/rules/rules_read.h"
#include "compiler/base/bug.h"

enum flag_value { VALUE_NONE, VALUE_PATH, VALUE_IPC, VALUE_SIGNAL, VALUE_ERROR };

static const struct flag_row {
	const char *word;
	enum flag_value value;
	unsigned bit;
	enum aa_release since;
} flag_rows[] = {
#define FLAG(word, bit, since)              { word, VALUE_NONE, bit, AA_RELEASE_##since },
#define FLAG_VALUE(word, value, bit, since) { word, VALUE_##value, bit, AA_RELEASE_##since },
#include "compiler/rules/classes.def"
};

static const unsigned exclusions[][2] = {
	{ AA_FLAG_CHROOT_RELATIVE, AA_FLAG_NAMESPACE_RELATIVE },
	{ AA_FLAG_MEDIATE_DELETED, AA_FLAG_DELEGATE_DELETED },
	{ AA_FLAG_ATTACH, AA_FLAG_NO_ATTACH },
	{ AA_FLAG_ATTACH_IPC, AA_FLAG_NO_ATTACH },
	{ AA_FLAG_CHROOT_ATTACH, AA_FLAG_CHROOT_NO_ATTACH },
};

struct head {
	const struct aa_reader *rd;
	struct aa_header *out;
	const struct aa_item *at;
	bool failed;
};

static struct diag *tell(struct head *h, enum diag_id id, struct span sp, const char *text)
{
	h->failed = true;
	return aa_say(h->rd, id, sp, "%s", text);
}

/* ---- flags ---- */

static const struct flag_row *find_flag(struct head *h, struct str word, struct span sp)
{
	struct suggest s;
	struct diag *d;

	for (size_t i = 0; i < ARRAY_SIZE(flag_rows); i++) {
		const struct flag_row *f = &flag_rows[i];

		if (f->value ? str_starts(word, f->word) : str_is(word, f->word))
			return f;
	}
	h->failed = true;
	d = aa_say(h->rd, DIAG_PL342, sp, "profiles have no flag '%s'", aa_safe(h->rd, word));
	if (!diag_suggest_start(h->rd->diags, &s, word))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(flag_rows); i++)
		suggest_offer(&s, str_c(flag_rows[i].word));
	if (!diag_suggest(h->rd->diags, d, sp, &s))
		diag_help(h->rd->diags, d,
			  "there are enforce complain kill unconfined prompt default_allow audit "
			  "attach_disconnected mediate_deleted and others");
	return NULL;
}

static const char *flag_name(unsigned bit)
{
	for (size_t i = 0; i < ARRAY_SIZE(flag_rows); i++)
		if (flag_rows[i].bit & bit)
			return flag_rows[i].word;
	return "";
}

unsigned aa_mode_flag(struct str word)
{
	for (size_t i = 0; i < ARRAY_SIZE(flag_rows); i++)
		if (!flag_rows[i].value && str_is(word, flag_rows[i].word))
			return flag_rows[i].bit & AA_FLAG_MODES;
	return 0;
}

/* What of the flags before it a flag excludes; 0: nothing. */
static unsigned excluded(unsigned before, unsigned bit)
{
	unsigned modes = before & AA_FLAG_MODES;

	if (bit & AA_FLAG_MODES && modes && modes != bit)
		return modes;
	for (size_t i = 0; i < ARRAY_SIZE(exclusions); i++)
		for (int side = 0; side < 2; side++)
			if (bit & exclusions[i][side] && before & exclusions[i][!side])
				return exclusions[i][!side];
	return 0;
}

static int error_number(struct str name)
{
	for (uint64_t n = 1; n <= 133; n++) {
		const char *known = constant_name("errno", n, ARCH_X86_64);

		if (known && str_ieq(name, str_c(known)))
			return (int)n;
	}
	if (str_ieq(name, STR("EWOULDBLOCK")))
		return 11;
	if (str_ieq(name, STR("EDEADLOCK")))
		return 35;
	return str_ieq(name, STR("ENOTSUP")) ? 95 : -1;
}

static void tell_second(struct head *h, struct span sp, const char *word)
{
	diag_help(h->rd->diags,
		  tell(h, DIAG_PL342, sp,
		       arena_printf(h->rd->arena, "a second '%s' that gives something else", word)),
		  "keep one");
}

static void give_number(struct head *h, int *where, int n, const char *word, struct span sp)
{
	if (n < 0)
		h->failed = true;
	else if (*where && *where != n)
		tell_second(h, sp, word);
	else
		*where = n;
}

static void give_error(struct head *h, struct str name, struct span sp)
{
	int n = error_number(name);
	struct suggest s;
	struct diag *d;

	give_number(h, &h->out->error, n, "error=", sp);
	if (n >= 0)
		return;
	d = aa_say(h->rd, DIAG_PL136, sp, "no error is called '%s'", aa_safe(h->rd, name));
	if (!diag_suggest_start(h->rd->diags, &s, name))
		return;
	constant_suggest("errno", &s);
	if (!diag_suggest(h->rd->diags, d, sp, &s))
		diag_help(h->rd->diags, d, "names are as in errno(3): EACCES");
}

static void give_path(struct head *h, struct str *where, struct str path, const char *word,
		      struct span sp)
{
	if (where->n && !str_eq(*where, path)) {
		tell_second(h, sp, word);
		return;
	}
	*where = path;
	if (str_starts(path, "/") || str_starts(path, "@{"))
		return;
	diag_help(h->rd->diags,
		  tell(h, DIAG_PL134, sp,
		       arena_printf(h->rd->arena, "the path '%s' is not absolute",
				    aa_safe(h->rd, path))),
		  "begin it with '/'");
}

static void give_value(struct head *h, const struct flag_row *f, struct str word,
		       const struct aa_word *w)
{
	struct span sp = w->span;
	size_t skip = strlen(f->word);
	struct str value = { word.p + skip, word.n - skip };

	switch (f->value) {
	case VALUE_NONE: break;
	case VALUE_PATH:
		h->out->disconnected_by = w;
		give_path(h, &h->out->disconnected, value, f->word, sp);
		break;
	case VALUE_IPC:
		h->out->ipc_by = w;
		give_path(h, &h->out->ipc, value, f->word, sp);
		break;
	case VALUE_ERROR: give_error(h, value, sp); break;
	case VALUE_SIGNAL:
		give_number(h, &h->out->kill_signal, aa_signal_number(h->rd, value, sp), f->word,
			    sp);
		break;
	}
}

static void read_flag(struct head *h, const struct aa_word *w)
{
	struct str word = aa_plain(h->rd, w);
	const struct flag_row *f = find_flag(h, word, w->span);
	unsigned other;
	struct diag *d;

	if (!f)
		return;
	if (!aa_since(h->rd, w->span, word, " as a flag", f->since)) {
		h->failed = true;
		return;
	}
	other = excluded(h->out->flags, f->bit);
	if (other) {
		d = tell(h, DIAG_PL342, w->span,
			 arena_printf(h->rd->arena, "'%s' and '%s' exclude each other",
				      flag_name(other), f->word));
		diag_rule(h->rd->diags, d, DIAG_AP112);
		diag_help(h->rd->diags, d, "keep one of them");
		return;
	}
	h->out->flags |= f->bit;
	give_value(h, f, word, w);
}

static void read_flags(struct head *h)
{
	const struct aa_item *i = h->at;

	if (!i->values)
		diag_help(h->rd->diags, tell(h, DIAG_PL342, i->span, "no flags stand here"),
			  "leave the parentheses out, or write flags=(complain)");
	for (const struct aa_word *w = i->values; w; w = w->next)
		read_flag(h, w);
	h->at = i->next;
}

/* ---- name ---- */

/* `:ns:name` or `:ns://name`; the name alone where there is no namespace. */
static void split_name(struct head *h, const struct aa_word *w)
{
	struct str s = aa_plain(h->rd, w);
	const char *end;

	h->out->name = s;
	if (s.n && s.p[0] == '&') {
		diag_help(h->rd->diags,
			  tell(h, DIAG_PL341, w->span, "a profile's name does not begin with '&'"),
			  "that stands in targets: it stacks a profile on this one");
		return;
	}
	if (s.n && s.p[0] == ':') {
		end = s.n > 1 ? memchr(s.p + 1, ':', s.n - 1) : NULL;
		if (!end || end == s.p + 1) {
			diag_help(h->rd->diags,
				  tell(h, DIAG_PL341, w->span,
				       "the namespace has no name, or no end"),
				  "write :namespace:name");
			return;
		}
		h->out->ns = (struct str){ s.p + 1, (size_t)(end - s.p) - 1 };
		s = (struct str){ end + 1, s.n - (size_t)(end + 1 - s.p) };
		if (str_starts(s, "//"))
			s = (struct str){ s.p + 2, s.n - 2 };
		h->out->name = s;
	}
	if (!s.n)
		diag_help(h->rd->diags, tell(h, DIAG_PL341, w->span, "the profile has no name"),
			  "write: profile NAME { ... }");
}

/* A name without a keyword has to look like a path. */
static bool check_bare(struct head *h, const struct aa_stmt *st, bool child)
{
	const struct aa_item *i = st->items;
	struct str s = i->word.text;
	struct suggest near;
	struct diag *d;

	if (h->out->keyword || h->out->hat)
		return true;
	if (!child && s.n && strchr("/:", s.p[0]))
		return true;
	if (child)
		d = tell(h, DIAG_PL341, i->span, "a profile in a profile begins with 'profile'");
	else
		d = tell(h, DIAG_PL341, i->span,
			 arena_printf(h->rd->arena, "'%s' begins no profile", aa_safe(h->rd, s)));
	if (diag_suggest_start(h->rd->diags, &near, s)) {
		suggest_offer(&near, STR("profile"));
		suggest_offer(&near, STR("hat"));
		if (near.best.p && i->next && diag_suggest(h->rd->diags, d, i->span, &near))
			return false;
	}
	diag_help(h->rd->diags, d,
		  child ? "write profile or hat before the name" : "write profile before the name");
	return false;
}

/* Where the scanner stumbles between the keyword and the name. */
static bool check_start(struct head *h, const struct aa_item *keyword)
{
	const struct aa_item *name = keyword->next;

	if (!name || name->kind != AA_WORD)
		return true;
	if (aa_item_is(keyword, "^") && name->span.begin != keyword->span.end)
		diag_help(
			h->rd->diags,
			tell(h, DIAG_PL341, name->span, "a blank stands between '^' and the name"),
			"write ^NAME, or hat NAME");
	else if (!aa_item_is(keyword, "^") && !name->word.quoted &&
		 str_starts(name->word.text, "="))
		diag_help(h->rd->diags,
			  tell(h, DIAG_PL341, name->span, "a name does not begin with '='"),
			  "write the name in quotes, or without '='");
	return !h->failed;
}

static bool read_name(struct head *h, const struct aa_stmt *st, bool child)
{
	h->out->keyword = aa_item_is(h->at, "profile");
	h->out->hat = aa_item_is(h->at, "hat") || aa_item_is(h->at, "^");
	if (h->out->keyword || h->out->hat) {
		if (!check_start(h, h->at))
			return false;
		h->at = h->at->next;
	}
	if (!h->at || h->at->kind != AA_WORD) {
		diag_help(h->rd->diags, tell(h, DIAG_PL341, st->head, "the profile has no name"),
			  "write: profile NAME { ... }");
		return false;
	}
	if (!check_bare(h, st, child))
		return false;
	split_name(h, &h->at->word);
	h->out->name_glob.word = &h->at->word;
	h->at = h->at->next;
	return !h->failed;
}

/* Of a name "/a//b" the last part alone is what programs are matched with (local_name). */
static struct aa_word local_name(const struct aa_header *out)
{
	struct aa_word local = *out->name_glob.word;

	for (size_t i = local.text.n; i-- > 1;) {
		if (local.text.p[i] != '/' || local.text.p[i - 1] != '/')
			continue;
		local.text.p += i + 1;
		local.text.n -= i + 1;
		break;
	}
	return local;
}

bool aa_header_matches(const struct aa_reader *rd, const struct aa_header *h)
{
	struct aa_text text = { 0 };
	struct aa_word word;

	if (!h->name_glob.word)
		return true;
	word = h->attachment.word ? *h->attachment.word : local_name(h);
	return !glob_has_variable(word.text) || aa_glob_word(rd, &word, GLOB_PATH, true, &text);
}

static void match_name(struct head *h)
{
	struct aa_word local = local_name(h->out);
	struct aa_text text = { 0 };

	if (!aa_glob_word(h->rd, &local, GLOB_PATH, true, &text))
		h->failed = true;
	h->out->name_glob.glob = text.glob;
}

static void read_attachment(struct head *h)
{
	const struct aa_word *w = &h->at->word;

	if (!str_starts(w->text, "/") && !str_starts(w->text, "@{")) {
		diag_help(h->rd->diags,
			  tell(h, DIAG_PL341, w->span,
			       arena_printf(
				       h->rd->arena,
				       "'%s' is neither an attachment nor what may follow a name",
				       aa_safe(h->rd, w->text))),
			  "the path of the program that it is for begins with '/' or '@{'");
	} else if (!aa_glob_word(h->rd, w, GLOB_PATH, true, &h->out->attachment)) {
		h->failed = true;
	}
	h->at = h->at->next;
}

/* ---- conditions ---- */

static void check_xattr(struct head *h, const struct aa_item *i)
{
	struct aa_text text = { 0 };

	if (i->op == AA_OP_NONE || !i->values)
		return;
	if (i->op != AA_OP_EQ)
		diag_help(h->rd->diags,
			  aa_say(h->rd, DIAG_PL346, i->span, "the parser reads ':=' as '=' here"),
			  "write NAME=VALUE, or the name alone");
	if (i->values->quoted && !i->values->text.n)
		tell(h, DIAG_PL333, i->values->span, "an extended attribute's value is not empty");
	else if (i->values->next)
		diag_help(h->rd->diags,
			  tell(h, DIAG_PL333, i->values->next->span,
			       "an extended attribute has one value"),
			  "write one glob: {a,b}");
	else
		aa_glob_word(h->rd, i->values, GLOB_NAME, false, &text);
}

static void read_xattrs(struct head *h, bool child)
{
	const struct aa_item *i = h->at;

	h->at = i->next;
	if (!str_is(i->word.text, "xattrs")) {
		diag_help(h->rd->diags,
			  tell(h, DIAG_PL341, i->span,
			       arena_printf(h->rd->arena, "profiles have no condition '%s'",
					    aa_safe(h->rd, i->word.text))),
			  "there is xattrs=( )");
		return;
	}
	if (child && h->out->hat && i->conds) {
		diag_help(h->rd->diags, tell(h, DIAG_PL341, i->span, "a hat has no xattrs"),
			  "a hat is changed to by the program itself: leave them out");
		return;
	}
	h->out->xattrs = i;
	for (const struct aa_item *c = i->conds; c; c = c->next)
		check_xattr(h, c);
}

static void add_identities(struct head *h, const struct aa_item *i)
{
	struct aa_word **end = (struct aa_word **)&h->out->identities;

	while (*end)
		end = &(*end)->next;
	for (const struct aa_word *w = i->values; w; w = w->next) {
		struct aa_word *copy = ARENA_NEW(h->rd->arena, struct aa_word);

		if (w->text.n && w->text.p[0] != '/' && memchr(w->text.p, ' ', w->text.n))
			diag_help(h->rd->diags,
				  tell(h, DIAG_PL333, w->span, "a blank in an identity"),
				  "paths alone may hold one");
		*copy = *w;
		copy->next = NULL;
		*end = copy;
		end = &copy->next;
	}
}

static void read_identities(struct head *h)
{
	const struct aa_item *plus = h->at, *i = plus->next;

	h->at = i;
	if (!aa_since(h->rd, plus->span, STR("+ identities="), "", AA_RELEASE_5_0)) {
		h->failed = true;
		h->at = NULL;
		return;
	}
	if (!i || i->kind != AA_COND || !str_is(i->word.text, "identities") || !i->parens ||
	    !i->values || i->op != AA_OP_EQ) {
		diag_help(h->rd->diags, tell(h, DIAG_PL341, plus->span, "'+' adds nothing"),
			  "write + identities=(NAME)");
		h->at = NULL;
		return;
	}
	add_identities(h, i);
	h->at = i->next;
}

static bool is_flags(const struct aa_item *i)
{
	if (!i)
		return false;
	return i->kind == AA_LIST || (i->kind == AA_COND && str_is(i->word.text, "flags") &&
				      i->op == AA_OP_EQ && i->parens);
}

static void tell_rest(struct head *h)
{
	const struct aa_item *i = h->at;
	const char *text = aa_safe(h->rd, span_text(h->rd->diags->sources, i->span));
	const char *help = "a head is: profile NAME /attachment xattrs=( ) flags=( ) {";

	if (i->kind == AA_COND && str_is(i->word.text, "flags"))
		help = is_flags(i) ? "all flags stand in one list: flags=(complain, audit)" :
				     "flags stand in parentheses: flags=(complain)";
	else if (i->kind == AA_COND && str_is(i->word.text, "identities"))
		help = "a '+' belongs in front: + identities=(NAME)";
	diag_help(h->rd->diags,
		  tell(h, DIAG_PL341, i->span,
		       arena_printf(h->rd->arena, "'%s' cannot stand here", text)),
		  "%s", help);
}

static bool no_prefix(struct head *h, const struct aa_stmt *st)
{
	if (!st->prefix)
		return true;
	diag_help(h->rd->diags,
		  tell(h, DIAG_PL337, st->prefix->span, "nothing stands in front of a profile"),
		  "write it in front of its rules, or of a block of them");
	return false;
}

bool aa_header_read(const struct aa_reader *rd, const struct aa_stmt *st, bool child,
		    struct aa_header *out)
{
	struct head h = { .rd = rd, .out = out, .at = st->items };

	memset(out, 0, sizeof(*out));
	if (!no_prefix(&h, st) || !read_name(&h, st, child))
		return false;
	if (h.at && h.at->kind == AA_WORD)
		read_attachment(&h);
	else
		match_name(&h); /* the name of one with an attachment is no pattern */
	if (h.at && h.at->kind == AA_GROUP)
		read_xattrs(&h, child);
	while (h.at && h.at->kind == AA_PLUS)
		read_identities(&h);
	if (is_flags(h.at))
		read_flags(&h);
	if (h.at && !h.failed)
		tell_rest(&h);
	return !h.failed;
}
