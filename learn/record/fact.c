/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/record/fact.h"

#include <limits.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/rules/rules.h"
#include "learn/record/recording.h"
#include "learn/record/rule.h"

static const char *const kinds[FACT_NR] = {
#define FACT(kind, word) [FACT_##kind] = (word),
#include "learn/record/facts.def"
#undef FACT
};

#define RUNTIME "runtime" /* in front of a kind */
#define SERVE   "serve"
#define OTHERS  "others" /* in place of a program */

static const struct {
	unsigned flag;
	const char *word;
} file_flags[] = {
	{ FILE_OWNED, "owned" }, { FILE_ELSEWHERE, "elsewhere" }, { FILE_PEERS, "peers" },
	{ FILE_OURS, "ours" },   { FILE_SOCKET, "socket" },       { FILE_GONE, "gone" },
	{ FILE_SETID, "setid" }, { FILE_NUMBERED, "numbered" },   { FILE_POWERS, "powers" },
};

static const char *const lost_why[LOST_NR] = {
	[LOST_LONG] = "long", [LOST_LINK] = "link", [LOST_EXEC] = "exec"
};

const char *const address_ops[] = { "bind", "connect", "send" };
const char *const address_families[] = { "inet", "inet6" };
const char *const address_types[] = { "-", "stream", "dgram", "raw", "other" };
const char *const address_places[] = { "any",       "loopback",  "private", "link",
				       "multicast", "broadcast", "public" };

static const char *const signal_peers[SIGNAL_PEERS] = {
	[SIGNAL_OURS] = "ours", [SIGNAL_LABEL] = "label", [SIGNAL_PROGRAM] = "program"
};

_Static_assert(ARRAY_SIZE(address_ops) == ADDRESS_OPS &&
		       ARRAY_SIZE(address_families) == ADDRESS_FAMILIES &&
		       ARRAY_SIZE(address_types) == ADDRESS_TYPES &&
		       ARRAY_SIZE(address_places) == ADDRESS_PLACES,
	       "each has its word");

static const char letters[] = "rwalkmx"; /* in the order of PERM_* */

/* ---- a call ---- */

static void put_call(struct buf *out, const struct fact *f)
{
	const struct syscall_info *s = syscall_by_nr(f->arch, f->nr);

	if (s)
		buf_printf(out, " %s %s", arch_info(f->arch)->name, s->name);
	else
		buf_printf(out, " %s #%u", arch_info(f->arch)->name, f->nr);
}

static bool take_arch(struct line *w, enum arch *out)
{
	struct str word;
	int arch;

	if (!take_word(w, "the architecture", &word))
		return false;
	arch = arch_find(word);
	/* One spelling: not the kernel's other one. */
	if (arch < 0 || !str_is(word, arch_info((enum arch)arch)->name))
		return line_fail(w, word.p, "no architecture that this pale knows");
	*out = (enum arch)arch;
	return true;
}

/* "#N", for numbers that the table has no name for. */
static bool read_number(struct line *w, struct str word, struct fact *f)
{
	uint64_t nr;

	if (str_u64((struct str){ word.p + 1, word.n - 1 }, &nr) || nr >= RECORDING_NRS)
		return line_fail(w, word.p, "the number of a call is at most %u",
				 RECORDING_NRS - 1);
	f->nr = (uint32_t)nr;
	return true;
}

static bool take_call(struct line *w, struct fact *f)
{
	const struct syscall_info *s;
	struct str word;

	if (!take_arch(w, &f->arch) || !take_word(w, "the call", &word))
		return false;
	if (word.p[0] == '#')
		return read_number(w, word, f);
	s = syscall_by_name(word);
	if (!s)
		return line_fail(w, word.p, "no call that this pale knows");
	if (s->nr[f->arch] < 0 || s->nr[f->arch] >= RECORDING_NRS)
		return line_fail(w, word.p, "no call of %s", arch_info(f->arch)->name);
	f->nr = (uint32_t)s->nr[f->arch];
	return true;
}

/* Whose it is: the path of a program, or one of those beyond those that are told apart. */
static void put_by(struct buf *out, const struct fact *f)
{
	buf_putc(out, ' ');
	if (f->path.p)
		put_quoted(out, f->path);
	else
		buf_puts(out, OTHERS);
	put_call(out, f);
}

/* ---- its arguments ---- */

static void put_hex(struct buf *out, uint64_t v)
{
	buf_printf(out, " 0x%llx", (unsigned long long)v);
}

/* One that the call has: what its values mean stands in the table, and of no other. */
static bool take_argument(struct line *w, struct fact *f)
{
	const struct syscall_info *s;
	unsigned nargs = 0;
	const char *at;
	uint64_t n;

	if (!take_call(w, f))
		return false;
	at = w->rest.p;
	if (!take_number(w, "the argument", 5, &n))
		return false;
	f->index = (unsigned)n;
	s = syscall_by_nr(f->arch, f->nr);
	if (s)
		(void)syscall_args(s, f->arch, &nargs);
	if (!s)
		return line_fail(w, at, "of a call without a name no arguments are recorded");
	return n < nargs ||
	       line_fail(w, at, "'%s' has %u argument%s on %s, counted from 0", s->name, nargs,
			 nargs == 1 ? "" : "s", arch_info(f->arch)->name);
}

static bool take_values(struct line *w, struct fact *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!take_number(w, "the value", UINT64_MAX, &f->words[i]))
			return false;
	return true;
}

/* ---- files ---- */

static void put_perms(struct buf *out, const struct fact *f)
{
	buf_putc(out, ' ');
	put_quoted(out, f->path);
	buf_putc(out, ' ');
	for (unsigned i = 0; i < sizeof(letters) - 1; i++)
		if (f->perms >> i & 1)
			buf_putc(out, letters[i]);
	if (!f->perms)
		buf_putc(out, '-');
}

static void put_lost(struct buf *out, const struct fact *f)
{
	put_perms(out, f);
	buf_printf(out, " %s", lost_why[f->index]);
}

static void put_file(struct buf *out, const struct fact *f)
{
	put_perms(out, f);
	for (size_t i = 0; i < ARRAY_SIZE(file_flags); i++)
		if (f->flags & file_flags[i].flag)
			buf_printf(out, " %s", file_flags[i].word);
}

static void put_others(struct buf *out, const struct fact *f)
{
	buf_putc(out, ' ');
	put_quoted(out, f->path);
	buf_printf(out, " %llu", (unsigned long long)f->words[0]);
}

static bool read_perms(struct line *w, struct str word, unsigned *perms)
{
	size_t i = 0;

	*perms = 0;
	if (str_is(word, "-"))
		return true;
	for (unsigned bit = 0; bit < sizeof(letters) - 1; bit++)
		if (i < word.n && word.p[i] == letters[bit]) {
			*perms |= 1u << bit;
			i++;
		}
	return i == word.n ||
	       line_fail(w, word.p + i, "the rights are letters of '%s', in that order", letters);
}

static bool take_path(struct line *w, struct fact *f)
{
	if (!take_quoted(w, "the path", &f->path))
		return false;
	if (!f->path.n || f->path.p[0] != '/')
		return line_fail(w, w->rest.p, "the path in front of this is not absolute");
	return f->path.n <= PATH_MAX ||
	       line_fail(w, w->rest.p, "the path in front of this has more than %d bytes",
			 PATH_MAX);
}

static bool take_by(struct line *w, struct fact *f)
{
	return (take_if(w, OTHERS) || take_path(w, f)) && take_call(w, f);
}

/* Directories and patterns, and how many names in them were not used. */
static bool take_others(struct line *w, struct fact *f)
{
	if (!take_path(w, f))
		return false;
	if (f->path.p[f->path.n - 1] != '/' && !memchr(f->path.p, '*', f->path.n) &&
	    !memchr(f->path.p, '?', f->path.n) && !memchr(f->path.p, '[', f->path.n))
		return line_fail(w, w->rest.p,
				 "the path in front of this is no directory and no pattern");
	return take_number(w, "the number of names", UINT64_MAX, &f->words[0]);
}

static bool take_file(struct line *w, struct fact *f)
{
	struct str word;

	if (!take_path(w, f))
		return false;
	if (!take_word(w, "what was done", &word) || !read_perms(w, word, &f->perms))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(file_flags); i++)
		if (take_if(w, file_flags[i].word))
			f->flags |= file_flags[i].flag;
	return true;
}

static bool take_lost(struct line *w, struct fact *f)
{
	struct str word;

	if (!take_quoted(w, "the name", &f->path))
		return false;
	if (!f->path.n || f->path.n > PATH_MAX)
		return line_fail(w, w->rest.p, "the name in front of this is of 1 to %d bytes",
				 PATH_MAX);
	if (!take_word(w, "what was done", &word) || !read_perms(w, word, &f->perms) ||
	    !take_word(w, "why it was lost", &word))
		return false;
	while (f->index < LOST_NR && !str_is(word, lost_why[f->index]))
		f->index++;
	return f->index < LOST_NR ||
	       line_fail(w, word.p, "'long', 'link' or 'exec' is why it was lost");
}

/* ---- addresses ---- */

static bool take_word_of(struct line *w, const char *what, const char *const *words, unsigned n,
			 __u8 *out)
{
	struct str word;

	if (!take_word(w, what, &word))
		return false;
	for (*out = 0; *out < n; ++*out)
		if (str_is(word, words[*out]))
			return true;
	return line_fail(w, word.p, "no word for %s that this pale knows", what);
}

static void put_address(struct buf *out, const struct address *a)
{
	buf_printf(out, " %s %s %s", address_ops[a->op], address_families[a->family],
		   address_types[a->type]);
	if (a->others)
		buf_puts(out, " *");
	else
		buf_printf(out, " %u", a->port);
	buf_printf(out, " %s", address_places[a->place]);
}

static bool take_address(struct line *w, struct address *a)
{
	uint64_t port = 0;

	if (!take_word_of(w, "what was done", address_ops, ADDRESS_OPS, &a->op) ||
	    !take_word_of(w, "the family", address_families, ADDRESS_FAMILIES, &a->family) ||
	    !take_word_of(w, "the type", address_types, ADDRESS_TYPES, &a->type))
		return false;
	a->others = take_if(w, "*");
	if (!a->others && !take_number(w, "the port", UINT16_MAX, &port))
		return false;
	a->port = (__u16)port;
	return take_word_of(w, "the place", address_places, ADDRESS_PLACES, &a->place);
}

/* ---- capabilities and signals ---- */

static bool take_capability(struct line *w, struct fact *f)
{
	struct str word;
	int cap;

	if (!take_word(w, "the capability", &word))
		return false;
	cap = capability_find(word);
	if (cap < 0 || !str_is(word, capability_name((unsigned)cap)))
		return line_fail(w, word.p, "no capability that this pale knows");
	f->index = (unsigned)cap;
	return take_call(w, f);
}

static void put_signal(struct buf *out, const struct fact *f)
{
	buf_printf(out, " %u", f->index);
	if (f->peer == SIGNAL_UNKNOWN)
		return;
	buf_printf(out, " %s", signal_peers[f->peer]);
	if (f->peer == SIGNAL_OURS)
		return;
	buf_putc(out, ' ');
	put_quoted(out, f->path);
}

static bool take_signal(struct line *w, struct fact *f)
{
	uint64_t n;

	if (!take_number(w, "the signal", 64, &n))
		return false;
	f->index = (unsigned)n;
	if (!w->rest.n)
		return true;
	if (take_if(w, signal_peers[SIGNAL_OURS])) {
		f->peer = SIGNAL_OURS;
		return true;
	}
	f->peer = take_if(w, signal_peers[SIGNAL_LABEL]) ? SIGNAL_LABEL : SIGNAL_PROGRAM;
	if (f->peer == SIGNAL_PROGRAM && !take_if(w, signal_peers[SIGNAL_PROGRAM]))
		return line_fail(w, w->rest.p,
				 "'ours', 'label' or 'program' is who was at the other end");
	if (!take_quoted(w, "who it was", &f->path))
		return false;
	return (f->path.n && f->path.n <= SIGNAL_WHO) ||
	       line_fail(w, w->rest.p, "the name in front of this is of 1 to %d bytes", SIGNAL_WHO);
}

/* ---- a rule ---- */

static void put_rule(struct buf *out, const struct fact *f)
{
	buf_putc(out, ' ');
	put_quoted(out, f->path);
}

static bool take_rule(struct line *w, struct fact *f)
{
	struct str spelled;

	if (!take_quoted(w, "the rule", &f->path))
		return false;
	spelled = rule_spelling(w->arena, f->path);
	if (!spelled.p)
		return line_fail(
			w, w->rest.p,
			"the text in front of this is no rule of AppArmor that recordings hold");
	return str_eq(spelled, f->path) ||
	       line_fail(w, w->rest.p, "the rule in front of this is spelled '%s'",
			 str_safe_of(w->arena, spelled));
}

/* ---- a fact ---- */

void fact_print(struct buf *out, const struct fact *f)
{
	if (f->runtime)
		buf_puts(out, RUNTIME " ");
	if (f->serve)
		buf_puts(out, SERVE " ");
	buf_puts(out, kinds[f->kind]);
	if (f->kind == FACT_CAPABILITY)
		buf_printf(out, " %s", capability_name(f->index));
	if (f->kind == FACT_FILE)
		put_file(out, f);
	else if (f->kind == FACT_LOST)
		put_lost(out, f);
	else if (f->kind == FACT_OTHERS)
		put_others(out, f);
	else if (f->kind == FACT_BY)
		put_by(out, f);
	else if (f->kind == FACT_ADDRESS)
		put_address(out, &f->address);
	else if (f->kind == FACT_RECEIVED || f->kind == FACT_SENT)
		put_signal(out, f);
	else if (f->kind == FACT_RULE)
		put_rule(out, f);
	else
		put_call(out, f);
	if (f->kind == FACT_BITS || f->kind == FACT_VALUE)
		buf_printf(out, " %u", f->index);
	for (unsigned i = 0; i < (f->kind == FACT_TUPLE ? 3 :
				  f->kind == FACT_BITS  ? 2 :
							  f->kind == FACT_VALUE);
	     i++)
		put_hex(out, f->words[i]);
	if (f->unbounded)
		buf_puts(out, " unbounded");
	if (f->held)
		buf_puts(out, f->assumed ? " assumed" : " held");
}

static bool take_held(struct line *w, struct fact *f)
{
	f->held = take_if(w, "held");
	return true;
}

/* Calls are known in one way more. */
static bool take_seen(struct line *w, struct fact *f)
{
	f->assumed = take_if(w, "assumed");
	f->held = f->assumed || take_if(w, "held");
	return true;
}

static bool read_kind(struct line *w, struct fact *f)
{
	switch (f->kind) {
	case FACT_ADDRESS: return take_address(w, &f->address);
	case FACT_BITS:
		if (!take_argument(w, f) || !take_values(w, f, 2))
			return false;
		f->unbounded = take_if(w, "unbounded");
		return true;
	case FACT_BY: return take_by(w, f);
	case FACT_CALL: return take_call(w, f) && take_seen(w, f);
	case FACT_CAPABILITY: return take_capability(w, f);
	case FACT_FILE: return take_file(w, f) && take_held(w, f);
	case FACT_LOST: return take_lost(w, f);
	case FACT_OTHERS: return take_others(w, f);
	case FACT_RECEIVED:
	case FACT_SENT: return take_signal(w, f);
	case FACT_RULE: return take_rule(w, f);
	case FACT_TUPLE: return take_call(w, f) && take_values(w, f, 3) && take_held(w, f);
	case FACT_VALUE: return take_argument(w, f) && take_values(w, f, 1);
	case FACT_NR: break;
	}
	BUG_ON(true);
}

/* Of whoever makes a container there are no other facts. */
static bool read_runtime(struct line *w, struct fact *f)
{
	if (f->kind == FACT_CALL)
		return take_call(w, f);
	if (f->kind == FACT_CAPABILITY)
		return take_capability(w, f);
	return line_fail(w, w->rest.p, "of a runtime there are calls and capabilities alone");
}

/* Of what is told by phase the rest stands in the fact of the whole run. */
static bool read_serve(struct line *w, struct fact *f)
{
	switch (f->kind) {
	case FACT_BITS:
	case FACT_BY:
	case FACT_CALL:
	case FACT_CAPABILITY:
	case FACT_TUPLE:
	case FACT_VALUE: return read_kind(w, f);
	default:
		return line_fail(
			w, w->rest.p,
			"of serving there are calls by program, calls, their arguments and "
			"capabilities alone");
	}
}

bool fact_read(struct line *w, struct fact *f)
{
	struct str word;

	*f = (struct fact){ .runtime = take_if(w, RUNTIME) };
	f->serve = !f->runtime && take_if(w, SERVE);
	if (!take_word(w, "the kind of the fact", &word))
		return false;
	while (f->kind < FACT_NR && !str_is(word, kinds[f->kind]))
		f->kind++;
	if (f->kind == FACT_NR)
		return line_fail(w, word.p, "no kind of fact that this pale knows");
	if (!(f->runtime ? read_runtime(w, f) : f->serve ? read_serve(w, f) : read_kind(w, f)))
		return false;
	return line_end(w);
}
