/* SPDX-License-Identifier: Apache-2.0 */
/* Records of AppArmor's classes beside files, each as the rule that its refusal asks for. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/tables/tables.h"
#include "compiler/tell/denials.h"
#include "grammar/apparmor_print.h"

struct writing {
	struct arena *arena;
	struct denial *n;
	struct buf words;
	struct buf rule; /* AppArmor's; of several permissions what stands before them */
	struct buf rule_after;
	struct buf text;      /* empty: as the rule */
	struct buf statement; /* empty: as the rule */
	bool none;            /* no rule allows it: words and hint say all */
	const char *in_3_0;   /* the rule there; "": there is none; NULL: the same */
	const char *wider;    /* of the rule, in all its forms */
};

static void put_safe(struct buf *out, const char *before, struct str s)
{
	buf_puts(out, before);
	buf_safe(out, s);
}

static void put_literal(struct buf *out, const char *before, struct str s)
{
	buf_puts(out, before);
	aa_print_literal(out, s);
}

void denials_put_name(struct buf *out, struct str name)
{
	BUF_AUTO literal = { 0 };

	aa_print_literal(&literal, name);
	bool bare = literal.n && *literal.p == '/';
	bool quoted = literal.n && *literal.p == '"';
	buf_puts(out, bare || quoted ? "" : "\"");
	buf_add(out, literal.p, literal.n);
	buf_puts(out, bare || quoted ? "" : "\"");
}

/* A word of the kernel's own: letters, digits and what joins them. */
static bool is_word(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr("_-+", c)) || !c)
			return false;
	}
	return s.n;
}

/* "send receive" to "send, receive"; false: these are no words. */
static bool put_list(struct buf *out, struct str s)
{
	bool first = true;

	for (size_t i = 0, end; i < s.n; i = end + 1) {
		for (end = i; end < s.n && s.p[end] != ' ' && s.p[end] != ',';)
			end++;
		struct str word = { s.p + i, end - i };
		if (!word.n)
			continue;
		if (!is_word(word))
			return false;
		buf_printf(out, "%s" PRISTR, first ? "" : ", ", STRARG(word));
		first = false;
	}
	return !first;
}

/* "send receive" as permissions; false: these are no words, or too many. */
static bool read_perms(struct writing *w, struct str s)
{
	for (size_t i = 0, end; i < s.n; i = end + 1) {
		for (end = i; end < s.n && s.p[end] != ' ' && s.p[end] != ',';)
			end++;
		struct str word = { s.p + i, end - i };
		if (!word.n)
			continue;
		if (!is_word(word) || w->n->nperms == DENIAL_PARTS)
			return false;
		w->n->perms[w->n->nperms++] = str_dup(w->arena, word);
	}
	return w->n->nperms;
}

static struct str asked(const struct denied *d)
{
	return d->denied.n ? d->denied : d->requested;
}

/* ---- capabilities, sockets ---- */

static const char *write_cap(struct writing *w)
{
	struct str cap = w->n->d.capability;

	if (!is_word(cap))
		return "it has no capname=";
	buf_printf(&w->words, "to use the capability " PRISTR, STRARG(cap));
	buf_printf(&w->rule, "capability " PRISTR, STRARG(cap));
	buf_printf(&w->text, "cap " PRISTR, STRARG(cap));
	return NULL;
}

/* "@712031": the kernel writes names of the abstract kind in hex where they have a byte that is not plain. */
static struct str abstract_name(struct arena *a, struct str s)
{
	struct str hex = { s.p + 1, s.n - 1 };
	char *name;

	if (hex.n < 2 || hex.n % 2)
		return s;
	name = arena_alloc(a, hex.n / 2 + 1);
	name[0] = '@';
	bool odd = false;
	for (size_t i = 0; i < hex.n; i += 2) {
		static const char digits[] = "0123456789ABCDEF";
		const char *high = hex.p[i] ? strchr(digits, hex.p[i]) : NULL;
		const char *low = hex.p[i + 1] ? strchr(digits, hex.p[i + 1]) : NULL;
		if (!high || !low)
			return s;
		int c = (int)(high - digits) << 4 | (int)(low - digits);
		name[i / 2 + 1] = (char)c;
		odd |= c < 0x21 || c > 0x7e || c == '"';
	}
	return odd ? (struct str){ name, hex.n / 2 + 1 } : s;
}

/* " addr=@x"; nothing where it has none. */
static void put_address(struct writing *w, const char *before, struct str addr)
{
	struct str name = addr;

	if (!addr.n)
		return;
	buf_puts(&w->rule_after, before);
	if (str_is(addr, "none")) {
		buf_puts(&w->rule_after, "none");
		return;
	}
	if (*addr.p == '@')
		name = abstract_name(w->arena, addr);
	aa_print_literal(&w->rule_after, name);
}

/*
 * Sockets of AF_UNIX are told apart by address and label by 7.0 and Ubuntu's kernels; for others the
 * parser makes a rule of the family of it.
 */
static const char *write_unix(struct writing *w)
{
	const struct denied *d = &w->n->d;
	bool creates = str_is(asked(d), "create");

	buf_puts(&w->rule, "unix (");
	buf_printf(&w->rule_after, ") type=" PRISTR, STRARG(d->type));
	if (creates)
		return NULL;
	put_address(w, " addr=", d->address);
	if (!d->peer.n)
		return NULL;
	put_literal(&w->rule_after, " peer=(label=", d->peer);
	put_address(w, ", addr=", d->peer_address);
	buf_putc(&w->rule_after, ')');
	return NULL;
}

static const char all_of_sockets[] =
	"wider than what was refused: it allows all that can be done with such sockets, to every "
	"address";

/*
 * A socket is made to be used: what allows it to be made allows all, as 3.0, which has no words for
 * less, has it. Where it could be made the file has those words.
 */
static const char *write_net(struct writing *w)
{
	const struct denied *d = &w->n->d;

	if (!is_word(d->family))
		return "its family= is none that has a name";
	if (!is_word(d->type))
		return "its sock_type= is none that has a name";
	if (str_is(d->operation, "create") || str_is(d->operation, "post_create"))
		buf_puts(&w->words, "to make a socket ");
	else
		buf_printf(&w->words, "to do %s with a socket ",
			   str_safe_of(w->arena, d->operation));
	buf_printf(&w->words, PRISTR " " PRISTR, STRARG(d->family), STRARG(d->type));
	bool whole = !asked(d).n; /* kernels before 4.17 have no words for less */
	if (!whole && !read_perms(w, asked(d)))
		return "its denied= has words that are none of a socket's";
	if (!whole && str_is(d->family, "unix"))
		return write_unix(w);
	if (whole || str_is(asked(d), "create")) {
		w->wider = all_of_sockets;
		w->n->perms[0] = "";
		w->n->nperms = 1;
		buf_printf(&w->rule, "network " PRISTR " " PRISTR, STRARG(d->family),
			   STRARG(d->type));
		buf_printf(&w->text, "socket " PRISTR " " PRISTR, STRARG(d->family),
			   STRARG(d->type));
		return NULL;
	}
	w->in_3_0 = arena_printf(w->arena, "network " PRISTR " " PRISTR, STRARG(d->family),
				 STRARG(d->type));
	w->n->rule_3_0_wider = w->n->statement_wider = all_of_sockets;
	if (str_starts(d->family, "inet"))
		w->wider =
			"wider than what was refused: no kernel matches addresses and ports, and "
			"it is allowed with all of them";
	buf_puts(&w->statement, w->in_3_0);
	buf_puts(&w->rule, "network (");
	buf_printf(&w->rule_after, ") " PRISTR " " PRISTR, STRARG(d->family), STRARG(d->type));
	return NULL;
}

/* ---- other processes ---- */

/* AppArmor's "stp" is SIGTSTP, and policies name no real-time signals, nor 'exists'. */
static void put_signal_statement(struct writing *w, struct str way)
{
	const struct denied *d = &w->n->d;
	struct str name = str_is(d->signal, "stp") ? STR("tstp") : d->signal;
	uint64_t number;

	buf_printf(&w->statement, "signal " PRISTR, STRARG(way));
	if (constant_find("signal", name, (enum arch)arch_native(), &number) == 0)
		buf_printf(&w->statement, " " PRISTR, STRARG(name));
	else
		w->n->statement_wider = "wider than what was refused: policies have no word for "
					"this signal, and the line is of all";
	buf_puts(&w->statement, " -> ");
	denials_put_name(&w->statement, d->peer);
}

static const char *write_signal(struct writing *w)
{
	const struct denied *d = &w->n->d;
	struct str way = asked(d);

	if (!str_is(way, "send") && !str_is(way, "receive"))
		return "its denied_mask= is neither send nor receive";
	if (!is_word(d->signal))
		return "its signal= is none that a rule can name";
	if (!d->peer.n)
		return "it has no peer=";
	buf_printf(&w->words, "to " PRISTR " the signal " PRISTR, STRARG(way), STRARG(d->signal));
	put_safe(&w->words, str_is(way, "send") ? " to " : " from ", d->peer);
	buf_printf(&w->rule, "signal (" PRISTR ") set=(" PRISTR ")", STRARG(way),
		   STRARG(d->signal));
	put_literal(&w->rule, " peer=", d->peer);
	buf_printf(&w->text, "signal " PRISTR " " PRISTR, STRARG(way), STRARG(d->signal));
	put_literal(&w->text, " peer=", d->peer);
	put_signal_statement(w, way);
	return NULL;
}

static const char *write_ptrace(struct writing *w)
{
	static const char *const ways[][2] = {
		{ "trace", "to trace " },
		{ "read", "to look into (as ptrace) " },
		{ "tracedby", "to be traced by " },
		{ "readby", "to be looked into (as ptrace) by " },
	};
	const struct denied *d = &w->n->d;

	if (!d->peer.n)
		return "it has no peer=";
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		if (!str_is(asked(d), ways[i][0]))
			continue;
		put_safe(&w->words, ways[i][1], d->peer);
		buf_printf(&w->rule, "ptrace (%s)", ways[i][0]);
		put_literal(&w->rule, " peer=", d->peer);
		buf_printf(&w->text, "ptrace %s", ways[i][0]);
		put_literal(&w->text, " peer=", d->peer);
		return NULL;
	}
	return "its denied_mask= is none of trace, read, tracedby, readby";
}

/* ---- mounts ---- */

static const char *write_mount(struct writing *w)
{
	const struct denied *d = &w->n->d;

	if (!d->name.n)
		return "it has no name=";
	put_safe(&w->words, "to mount ", d->source.n ? d->source : STR("a file system"));
	put_safe(&w->words, " at ", d->name);
	if (str_is(d->flags, "rw, move") &&
	    !d->source.n) /* move_mount(2) of what fsmount(2) made */
		put_literal(&w->text, "mount options=(move) detached -> ", d->name);
	buf_puts(&w->rule, "mount");
	if (d->fstype.n)
		put_literal(&w->rule, " fstype=", d->fstype);
	if (!d->flags.p)
		return "it has no flags=";
	buf_puts(&w->rule, " options=(");
	if (!put_list(&w->rule, d->flags))
		return "its flags= has words that are none of a mount's";
	buf_putc(&w->rule, ')');
	if (d->source.n)
		put_literal(&w->rule, " ", d->source);
	put_literal(&w->rule, " -> ", d->name);
	if (!d->source.n)
		w->wider =
			"wider than what was refused, perhaps: the record has no source, and the "
			"rule is of all";
	return NULL;
}

static const char *write_umount(struct writing *w)
{
	if (!w->n->d.name.n)
		return "it has no name=";
	put_safe(&w->words, "to unmount ", w->n->d.name);
	put_literal(&w->rule, "umount ", w->n->d.name);
	return NULL;
}

static const char *write_pivot(struct writing *w)
{
	const struct denied *d = &w->n->d;

	if (!d->name.n || !d->source.n)
		return "it has no name= or no srcname=";
	put_safe(&w->words, "to make ", d->name);
	put_safe(&w->words, " the root, and the old one ", d->source);
	put_literal(&w->rule, "pivot_root oldroot=", d->source);
	put_literal(&w->rule, " ", d->name);
	return NULL;
}

/* ---- profiles ---- */

/* `by`: a '&', which adds the profile to its own. */
static const char *write_target(struct writing *w, const char *words, const char *by)
{
	const struct denied *d = &w->n->d;
	struct str to = d->target.n ? d->target : d->name;
	BUF_AUTO literal = { 0 };

	if (!to.n)
		return "it has no name=";
	put_safe(&w->words, words, to);
	aa_print_literal(&literal, to);
	/* The sign stands inside the quotes. */
	bool quoted = literal.n && *literal.p == '"';
	buf_printf(&w->rule, "change_profile -> %s%s%s", quoted ? "\"" : "", by,
		   (literal.p ? literal.p : "") + quoted);
	return NULL;
}

static const char *write_change(struct writing *w)
{
	const char *wrong = write_target(w, "to change to the profile ", "");

	if (!wrong && str_is(w->n->d.operation, "change_onexec"))
		buf_puts(&w->words, " at the next execution");
	return wrong;
}

static const char *write_stack(struct writing *w)
{
	const char *wrong = write_target(w, "to add the profile ", "&");

	if (!wrong)
		buf_puts(&w->words, " to its own");
	return wrong;
}

static const char *write_hat(struct writing *w)
{
	const struct denied *d = &w->n->d;

	put_safe(&w->words, "to change to the hat ", d->target.n ? d->target : d->name);
	w->none = true;
	w->n->hint = "a hat stands in its profile as '^NAME { }'";
	return NULL;
}

static const char *write_policy(struct writing *w)
{
	put_safe(&w->words, "to change the kernel's AppArmor policy: ", w->n->d.operation);
	w->wider = "wider than what was refused: the capability is to change all of the policy";
	buf_puts(&w->rule, "capability mac_admin");
	buf_puts(&w->text, "cap mac_admin");
	return NULL;
}

/* ---- the rest ---- */

static const char *write_userns(struct writing *w)
{
	buf_puts(&w->words, "to make a user namespace");
	w->in_3_0 = "";
	buf_puts(&w->rule, "userns create");
	buf_puts(&w->text, "userns create");
	return NULL;
}

static const char *write_uring(struct writing *w)
{
	const struct denied *d = &w->n->d;

	if (!is_word(asked(d)))
		return "it has no requested=";
	buf_printf(&w->words, "to use io_uring with " PRISTR, STRARG(asked(d)));
	w->in_3_0 = "";
	buf_printf(&w->rule, "io_uring " PRISTR, STRARG(asked(d)));
	if (d->peer.n)
		put_literal(&w->rule, " label=", d->peer);
	return NULL;
}

static const char *write_queue(struct writing *w)
{
	const struct denied *d = &w->n->d;
	bool sysv = str_starts(d->class, "sysv");

	if (!d->name.n)
		return "it has no name=";
	put_safe(&w->words, "to use the message queue ", d->name);
	w->in_3_0 = "";
	buf_puts(&w->rule, "mqueue (");
	if (!read_perms(w, asked(d)))
		return "its denied= has words that are none of a queue's";
	put_literal(&w->rule_after, sysv ? ") type=sysv " : ") type=posix ", d->name);
	return NULL;
}

static void put_cond(struct writing *w, const char *before, struct str value)
{
	if (value.n)
		put_literal(&w->rule, before, value);
}

static void put_peer(struct buf *out, struct str name, struct str label)
{
	if (!name.n && !label.n)
		return;
	buf_puts(out, " peer=(");
	if (name.n)
		put_literal(out, "name=", name);
	if (label.n)
		put_literal(out, name.n ? ", label=" : "label=", label);
	buf_putc(out, ')');
}

/* Names of connections, ":1.5", are given anew each time: a rule has none. */
static const char *write_dbus(struct writing *w)
{
	const struct denied *d = &w->n->d;
	bool binds = str_is(d->requested, "bind"), known = d->name.n && *d->name.p != ':';

	if (!is_word(d->requested))
		return "it has no mask=";
	buf_printf(&w->words, "to do " PRISTR " on the message bus", STRARG(d->requested));
	put_safe(&w->words, " ", d->bus);
	buf_printf(&w->rule, "dbus (" PRISTR ")", STRARG(d->requested));
	put_cond(w, " bus=", d->bus);
	if (str_is(d->requested, "eavesdrop"))
		return NULL;
	if (binds) {
		put_cond(w, " name=", d->name);
		return d->name.n ? NULL : "it has no name=";
	}
	if (d->name.n && !known)
		w->wider =
			d->peer.n ?
				"wider than what was refused: names of connections are given anew "
				"each time, and the rule is of all of that label" :
				"wider than what was refused: names of connections are given anew "
				"each time, and the rule is of all";
	put_cond(w, " path=", d->path);
	put_cond(w, " interface=", d->interface);
	put_cond(w, " member=", d->member);
	buf_add(&w->text, w->rule.p, w->rule.n);
	put_peer(&w->text, d->name, d->peer);
	put_peer(&w->rule, known ? d->name : STR(""), d->peer);
	return NULL;
}

/* Its own limit, or that of a process of another profile (resource.c, aa_task_setrlimit). */
static const char *write_limit(struct writing *w)
{
	const struct denied *d = &w->n->d;

	if (!is_word(d->limit))
		return "it has no rlimit=";
	buf_printf(&w->words, "to set the limit " PRISTR, STRARG(d->limit));
	if (str_is(d->info, "cap_sys_resource")) {
		put_safe(&w->words, " of a process under ", d->peer);
		w->wider = "wider than what was refused: the capability is to pass all limits of "
			   "the kernel";
		buf_puts(&w->rule, "capability sys_resource");
		buf_puts(&w->text, "cap sys_resource");
		return NULL;
	}
	put_safe(&w->words, " to ", d->value);
	w->none = true;
	w->n->hint =
		"the profile's 'set rlimit' of it is lower: no rule allows more, that line has "
		"to say a higher number or go";
	return NULL;
}

/* ---- classes ---- */

typedef const char *write_fn(struct writing *w);

static const struct {
	const char *operation; /* begins so; "": any */
	const char *class;     /* NULL: any */
	write_fn *write;
} rows[] = {
	{ "change_hat", NULL, write_hat },
	{ "change_", NULL, write_change },
	{ "stack", NULL, write_stack },
	{ "pivotroot", NULL, write_pivot },
	{ "umount", NULL, write_umount },
	{ "", "mount", write_mount },
	{ "", "cap", write_cap },
	{ "", "net", write_net },
	{ "", "unix", write_net },
	{ "", "signal", write_signal },
	{ "", "ptrace", write_ptrace },
	{ "userns_", NULL, write_userns },
	{ "", "namespace", write_userns },
	{ "", "io_uring", write_uring },
	{ "", "posix_mqueue", write_queue },
	{ "", "sysv_mqueue", write_queue },
	{ "", "dbus", write_dbus },
	{ "", "rlimits", write_limit },
	{ "profile_", NULL, write_policy },
};

static write_fn *writer_of(const struct denied *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (str_starts(d->operation, rows[i].operation) &&
		    (!rows[i].class || str_is(d->class, rows[i].class)))
			return rows[i].write;
	return NULL;
}

/* A socket that is kept open across an execution is told under the name of a file's operation. */
static bool is_socket(const struct denied *d)
{
	return d->family.n;
}

bool denials_is_file(const struct denied *d)
{
	return str_is(d->class, "file") && !is_socket(d) && !writer_of(d);
}

static struct denial_text keep(struct arena *a, const struct buf *before, const struct buf *after)
{
	return (struct denial_text){ buf_keep(a, before), buf_keep(a, after) };
}

static void keep_all(struct writing *w)
{
	struct denial *n = w->n;

	n->words = buf_keep(w->arena, &w->words);
	if (!n->nperms)
		n->perms[n->nperms++] = "";
	if (w->none)
		return;
	n->rule = n->rule_3_0 = keep(w->arena, &w->rule, &w->rule_after);
	if (w->in_3_0)
		n->rule_3_0 = (struct denial_text){ *w->in_3_0 ? w->in_3_0 : NULL, NULL };
	n->text = w->text.n ? keep(w->arena, &w->text, &(struct buf){ 0 }) : n->rule;
	n->rule_wider = w->wider;
	if (!n->rule_3_0_wider)
		n->rule_3_0_wider = w->wider;
	if (!n->statement_wider)
		n->statement_wider = w->wider;
	n->statement = n->rule;
	if (w->statement.n)
		n->statement = (struct denial_text){ buf_keep(w->arena, &w->statement), NULL };
}

const char *denials_rule(struct arena *a, struct denial *n)
{
	struct writing w = { .arena = a, .n = n };
	write_fn *write = is_socket(&n->d) ? write_net : writer_of(&n->d);
	const char *wrong = write ? write(&w) : "pale knows no rules of its class= and operation=";

	if (!wrong)
		keep_all(&w);
	buf_free(&w.words);
	buf_free(&w.rule);
	buf_free(&w.rule_after);
	buf_free(&w.text);
	buf_free(&w.statement);
	return wrong;
}
