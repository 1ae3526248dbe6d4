/* SPDX-License-Identifier: Apache-2.0 */
/* Accesses as text. */
#include "compiler/apparmor/access.h"

#include <string.h>

#include "compiler/base/bug.h"

enum { ACCESS_WORDS_MAX = 64 };

struct access_word {
	struct str text; /* its quotes and escapes taken off */
	struct span span;
};

struct reading {
	struct arena *arena;
	struct diags *diags;
	const struct source *source;
	struct access_word words[ACCESS_WORDS_MAX];
	size_t n;
};

static struct span span_at(const struct reading *r, size_t begin, size_t end)
{
	return (struct span){ r->source->id, (uint32_t)begin, (uint32_t)end };
}

static bool fault(struct reading *r, struct span sp, const char *what, const char *help)
{
	struct diag *d = diag_add(r->diags, DIAG_PL372, sp, "%s", what);

	diag_help(r->diags, d, "%s", help);
	return false;
}

/* ---- words ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Behind the word, or 0: told. */
static size_t read_quoted(struct reading *r, size_t at, struct access_word *w)
{
	struct str t = r->source->text;
	char *text = arena_alloc(r->arena, t.n);
	size_t n = 0, i = at + 1;

	for (; i < t.n && t.p[i] != '"'; i++) {
		if (t.p[i] == '\\') {
			i++;
			if (i >= t.n || (t.p[i] != '"' && t.p[i] != '\\')) {
				fault(r, span_at(r, i - 1, i), "only '\\\"' and '\\\\' are escapes",
				      "write the character itself");
				return 0;
			}
		}
		text[n++] = t.p[i];
	}
	if (i >= t.n) {
		fault(r, span_at(r, at, t.n), "a quote is not closed", "end the word with '\"'");
		return 0;
	}
	w->text = (struct str){ text, n };
	w->span = span_at(r, at, i + 1);
	return i + 1;
}

static size_t read_bare(struct reading *r, size_t at, struct access_word *w)
{
	struct str t = r->source->text;
	size_t i = at;

	while (i < t.n && !is_blank(t.p[i]))
		i++;
	w->text = (struct str){ t.p + at, i - at };
	w->span = span_at(r, at, i);
	return i;
}

static bool read_words(struct reading *r)
{
	struct str t = r->source->text;
	size_t i = 0;

	for (;;) {
		while (i < t.n && is_blank(t.p[i]))
			i++;
		if (i >= t.n)
			return true;
		if (r->n == ACCESS_WORDS_MAX)
			return fault(r, span_at(r, i, t.n), "an access has at most 64 words",
				     "put a path that holds blanks in quotes");
		struct access_word *w = &r->words[r->n++];
		i = t.p[i] == '"' ? read_quoted(r, i, w) : read_bare(r, i, w);
		if (!i)
			return false;
	}
}

/* ---- what they say ---- */

/* A "." or ".." between slashes, or nothing between them. */
static bool is_unasked(struct str path)
{
	size_t from = 1;

	for (size_t i = 1; i <= path.n; i++) {
		if (i < path.n && path.p[i] != '/')
			continue;
		struct str part = { path.p + from, i - from };
		if ((!part.n && i < path.n) || str_is(part, ".") || str_is(part, ".."))
			return true;
		from = i + 1;
	}
	return false;
}

static bool read_path(struct reading *r, size_t at, const char *missing, struct str *out)
{
	const struct access_word *w = &r->words[at];

	if (at >= r->n)
		return fault(r, r->words[r->n - 1].span, missing, "such as: open /etc/passwd r");
	if (!w->text.n || w->text.p[0] != '/')
		return fault(r, w->span, "a path begins with '/'", "write it from the root on");
	if (is_unasked(w->text))
		return fault(r, w->span,
			     "the kernel asks about no path that holds '//', '/./' or '/../'",
			     "write the path that it leads to");
	*out = w->text;
	return true;
}

static bool read_letters(struct reading *r, size_t at, unsigned *out)
{
	static const char letters[] = "rwamk";
	static const unsigned bits[] = { PERM_R, PERM_W, PERM_A, PERM_M, PERM_K };

	if (at >= r->n)
		return fault(r, r->words[r->n - 1].span, "what it is opened for is not said",
			     "behind the path: r, w, a (append), m (map to execute), k (lock)");
	const struct access_word *w = &r->words[at];
	for (size_t i = 0; i < w->text.n; i++) {
		const char *found = w->text.p[i] ? strchr(letters, w->text.p[i]) : NULL;
		if (!found)
			return fault(r, w->span, "a file is opened for r, w, a, m or k",
				     "'exec PATH' executes, 'link NEW OLD' links");
		*out |= bits[found - letters];
	}
	return *out || fault(r, w->span, "what it is opened for is not said", "such as: r");
}

static bool read_end(struct reading *r, size_t at)
{
	return at >= r->n || fault(r, r->words[at].span, "nothing may stand here",
				   "put a path that holds blanks in quotes");
}

static size_t read_who(const struct reading *r, struct aa_access *out)
{
	out->who = FILE_WHO_NR;
	if (r->n < 2)
		return 1;
	if (str_is(r->words[1].text, "owner"))
		out->who = FILE_OWNER;
	else if (str_is(r->words[1].text, "other"))
		out->who = FILE_OTHER;
	return out->who == FILE_WHO_NR ? 1 : 2;
}

static bool read_open(struct reading *r, struct aa_access *out)
{
	size_t at = read_who(r, out);

	return read_path(r, at, "a path is missing", &out->path) &&
	       read_letters(r, at + 1, &out->perms) && read_end(r, at + 2);
}

static bool read_exec(struct reading *r, struct aa_access *out)
{
	size_t at = read_who(r, out);

	out->perms = PERM_X;
	return read_path(r, at, "a path is missing", &out->path) && read_end(r, at + 1);
}

static bool read_link(struct reading *r, struct aa_access *out)
{
	size_t at = read_who(r, out);

	out->perms = PERM_L;
	return read_path(r, at, "the new name is missing", &out->path) &&
	       read_path(r, at + 1, "what it leads to is missing", &out->target) &&
	       read_end(r, at + 2);
}

/* ---- what rules say, too ---- */

/*
 * The words as a rule of AppArmor's, whose reader knows them all; what is wrong is told in it.
 * `lead` stands for the first word; the second of signal stays, and `set` is what the third is for.
 */
static const struct aa_rule *read_as_rule(struct reading *r, const char *lead, const char *set)
{
	struct aa_reader rd = { .arena = r->arena,
				.diags = r->diags,
				.target = { AA_RELEASE_5_0, ~0u, ~0u } };
	struct aa_use *use = ARENA_NEW(r->arena, struct aa_use);
	size_t errors = r->diags->errors;
	BUF_AUTO text = { 0 };

	buf_puts(&text, lead);
	for (size_t i = 1; i < r->n; i++)
		buf_printf(&text, " %s" PRISTR, set && i == 2 ? set : "",
			   STRARG(span_text(r->diags->sources, r->words[i].span)));
	buf_puts(&text, ",\n");
	struct source *src = source_add(r->diags->sources, "<access>",
					(struct str){ text.p ? text.p : "", text.n });
	const struct aa_file *file = aa_parse_source(r->arena, src, r->diags);
	if (r->diags->errors != errors)
		return NULL;
	const struct aa_stmt *st = file->stmts;
	if (!st || st->next || st->kind != AA_STMT_RULE || st->prefix) {
		fault(r, span_at(r, 0, r->source->text.n), "this is no one access",
		      "such as: 'cap chown', 'socket inet stream', 'signal send term peer=p'");
		return NULL;
	}
	*use = (struct aa_use){ .stmt = st, .class = aa_class_of(&rd, st->items) };
	return aa_rule_read(&rd, use);
}

static bool one_bit(uint64_t bits)
{
	return bits && !(bits & (bits - 1));
}

static bool vague(struct reading *r, const char *what, const char *help)
{
	return fault(r, span_at(r, 0, r->source->text.n), what, help);
}

static bool read_cap(struct reading *r, struct aa_access *out)
{
	out->rule = read_as_rule(r, "capability", NULL);
	out->perms = 1;
	if (!out->rule)
		return false;
	return one_bit(out->rule->caps) ||
	       vague(r, "one capability is asked about", "such as: cap net_admin");
}

/* A socket of AF_UNIX hangs on unix rules, too. */
static bool read_socket(struct reading *r, struct aa_access *out)
{
	const struct aa_network_rule *n;

	out->rule = read_as_rule(r, "network", NULL);
	out->perms = AA_NET_CREATE;
	if (!out->rule)
		return false;
	n = &out->rule->network;
	if (out->rule->class != AA_CLASS_NETWORK || r->n != 3 || !one_bit(n->families) ||
	    !one_bit(n->types) || n->icmp)
		return vague(r, "one family and one type are asked about",
			     "such as: socket inet stream");
	if (!(n->families & 2))
		return true;
	diag_help(r->diags,
		  diag_add(r->diags, DIAG_PL374, r->words[1].span,
			   "sockets of the family unix are not answered yet"),
		  "other families are");
	return false;
}

/* Labels with a namespace, or of several profiles, are matched part by part. */
static bool read_peer(struct reading *r, struct aa_access *out)
{
	const struct aa_cond *c = aa_rule_cond(out->rule, AA_COND_PEER, false);
	struct diag *d;

	if (!c || !c->values || c->values->next)
		return vague(r, "whose process it is, is not said",
			     "peer=LABEL, or peer=unconfined");
	out->peer = c->values->text;
	for (size_t i = 0; i < out->peer.n; i++)
		if (strchr("*?[]{}^\\@&:", out->peer.p[i])) {
			d = diag_add(r->diags, DIAG_PL374, c->values->span,
				     "labels with patterns, namespaces or several profiles are not "
				     "answered yet");
			diag_help(r->diags, d, "name one profile by its label");
			return false;
		}
	return true;
}

static unsigned count_signals(const struct aa_signal_rule *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < AA_SIGNAL_NR; i++)
		n += (unsigned)(s->set[i / 64] >> i % 64 & 1);
	return n;
}

static bool read_signal(struct reading *r, struct aa_access *out)
{
	out->rule = read_as_rule(r, "signal", "set=");
	if (!out->rule)
		return false;
	out->perms = out->rule->perms;
	if (!one_bit(out->perms) || out->rule->signal.any || count_signals(&out->rule->signal) != 1)
		return vague(r, "send or receive, and one signal, are asked about",
			     "such as: signal send term peer=unconfined");
	return read_peer(r, out);
}

static bool read_ptrace(struct reading *r, struct aa_access *out)
{
	out->rule = read_as_rule(r, "ptrace", NULL);
	if (!out->rule)
		return false;
	out->perms = out->rule->perms;
	if (!one_bit(out->perms))
		return vague(r, "one of trace, read, tracedby and readby is asked about",
			     "such as: ptrace trace peer=unconfined");
	return read_peer(r, out);
}

static bool read_userns(struct reading *r, struct aa_access *out)
{
	out->rule = read_as_rule(r, "userns", NULL);
	out->perms = AA_USERNS_CREATE;
	return out->rule;
}

static bool read_uring(struct reading *r, struct aa_access *out)
{
	out->rule = read_as_rule(r, "io_uring", NULL);
	if (!out->rule)
		return false;
	out->perms = out->rule->perms;
	if (!one_bit(out->perms) || out->rule->conds.n)
		return vague(r, "sqpoll or override_creds is asked about, without a label",
			     "such as: io_uring sqpoll");
	return true;
}

typedef bool read_fn(struct reading *r, struct aa_access *out);

struct access_word_of {
	const char *word;
	enum aa_access_kind kind;
	read_fn *read; /* NULL: not answered yet */
};

static const struct access_word_of kinds[] = {
	{ "open", AA_ACCESS_OPEN, read_open },
	{ "exec", AA_ACCESS_EXEC, read_exec },
	{ "link", AA_ACCESS_LINK, read_link },
	{ "cap", AA_ACCESS_RULE, read_cap },
	{ "socket", AA_ACCESS_RULE, read_socket },
	{ "signal", AA_ACCESS_RULE, read_signal },
	{ "ptrace", AA_ACCESS_RULE, read_ptrace },
	{ "change_profile", AA_ACCESS_NR, NULL },
	{ "userns", AA_ACCESS_RULE, read_userns },
	{ "io_uring", AA_ACCESS_RULE, read_uring },
	{ "mount", AA_ACCESS_NR, NULL },
	{ "remount", AA_ACCESS_NR, NULL },
	{ "umount", AA_ACCESS_NR, NULL },
	{ "pivot_root", AA_ACCESS_NR, NULL },
	{ "unix", AA_ACCESS_NR, NULL },
	{ "dbus", AA_ACCESS_NR, NULL },
	{ "mqueue", AA_ACCESS_NR, NULL },
};

/* NULL: told. */
static const struct access_word_of *kind_of_access(struct reading *r)
{
	const struct access_word *w = &r->words[0];
	BUF_AUTO safe = { 0 };
	struct suggest near;
	struct diag *d;

	suggest_start(&near, w->text);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (str_is(w->text, kinds[i].word))
			return &kinds[i];
		suggest_offer(&near, str_c(kinds[i].word));
	}
	buf_safe(&safe, w->text);
	d = diag_add(
		r->diags, DIAG_PL372, w->span,
		"there is no access '%s'; of an AppArmor profile accesses are asked, not calls",
		safe.p ? safe.p : "");
	if (!diag_suggest(r->diags, d, w->span, &near))
		diag_help(r->diags, d,
			  "such as: 'open /etc/passwd r', 'exec /bin/sh', 'cap chown'");
	return NULL;
}

bool aa_access_is(struct str text)
{
	size_t n = 0, next;
	bool known = false;

	while (n < text.n && !is_blank(text.p[n]))
		n++;
	for (next = n; next < text.n && is_blank(text.p[next]);)
		next++;
	struct str word = { text.p, n };
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		known |= str_is(word, kinds[i].word);
	if (!known || (next < text.n && text.p[next] == '('))
		return false;
	return next < text.n || !syscall_by_name(word);
}

bool aa_access_read(struct arena *a, const struct source *src, struct aa_access *out,
		    struct diags *ds)
{
	struct reading *r = ARENA_NEW(a, struct reading);
	const struct access_word_of *k;
	struct diag *d;

	r->arena = a;
	r->diags = ds;
	r->source = src;
	*out = (struct aa_access){ .source = src };
	if (!read_words(r))
		return false;
	if (!r->n)
		return fault(r, span_at(r, 0, src->text.n), "no access is said",
			     "such as: open /etc/passwd r");
	k = kind_of_access(r);
	if (k && k->read) {
		out->kind = k->kind;
		return k->read(r, out);
	}
	if (!k)
		return false;
	d = diag_add(ds, DIAG_PL374, r->words[0].span, "'%s' is not answered yet", k->word);
	diag_help(ds, d, "open, exec, link, cap, socket, signal, ptrace, userns and io_uring are");
	return false;
}

bool aa_access_path(struct arena *a, const struct source *src, struct aa_access *out,
		    struct diags *ds)
{
	struct reading *r = ARENA_NEW(a, struct reading);

	r->arena = a;
	r->diags = ds;
	r->source = src;
	r->words[r->n++] = (struct access_word){ src->text, span_at(r, 0, src->text.n) };
	*out = (struct aa_access){ .source = src,
				   .kind = AA_ACCESS_OPEN,
				   .who = FILE_WHO_NR,
				   .perms = PERM_R | PERM_W | PERM_A | PERM_M | PERM_K | PERM_L |
					    PERM_X };
	return read_path(r, 0, "a path is missing", &out->path);
}
