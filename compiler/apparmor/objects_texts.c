/* SPDX-License-Identifier: Apache-2.0 */
/* What a rule says as texts of objects, as each release's parser compiles it (gen_policy_re). */
#include <string.h>
#include <sys/socket.h>

#include "compiler/apparmor/means.h"
#include "compiler/apparmor/objects_parts.h"
#include "compiler/apparmor/queues.h"
#include "compiler/base/bug.h"

/* ---- texts from their ends on ---- */

void object_add(struct object_texts *t, machine_texts texts)
{
	if (texts && texts != MACHINE_NONE)
		vec_push(object_arena(t), &t->out, texts);
}

static machine_texts glob_text(struct object_texts *t, const struct glob *g, machine_texts then)
{
	machine_texts out =
		then && g && !t->failed ? machine_glob(t->machines, g, then, &t->steps) : 0;

	t->failed |= out == MACHINE_NONE;
	return t->failed ? 0 : out;
}

machine_texts object_word(struct object_texts *t, const struct aa_text *w, machine_texts then)
{
	return glob_text(t, w && w->word ? w->glob : object_any(t), then);
}

static machine_texts cond_text(struct object_texts *t, enum aa_cond_id id, bool peer,
			       machine_texts then)
{
	const struct aa_cond *c =
		t->rule->class == AA_CLASS_ALL ? NULL : aa_rule_cond(t->rule, id, peer);

	if (!c)
		return glob_text(t, object_any(t), then);
	return c->texts.n ? glob_text(t, c->texts.v[0].glob, then) : 0;
}

static machine_texts literal(struct object_texts *t, const char *pattern, machine_texts then)
{
	const struct glob *g = glob_parse(object_arena(t), str_c(pattern), GLOB_NAME, NULL, NULL);

	return glob_text(t, g, then);
}

static machine_texts bytes(struct object_texts *t, const struct byte_set *set, machine_texts then)
{
	return machine_byte(t->machines, set, then);
}

machine_texts object_byte(struct object_texts *t, unsigned char c, machine_texts then)
{
	struct byte_set set = { { 0 } };

	set.w[c / 64] = UINT64_C(1) << c % 64; /* NUL, too */
	return bytes(t, &set, then);
}

static machine_texts either(struct object_texts *t, machine_texts x, machine_texts y)
{
	machine_texts both[] = { x, y };

	return machine_union(t->machines, both, 2);
}

static machine_texts nul(struct object_texts *t, machine_texts then)
{
	return object_byte(t, 0, then);
}

static bool is_all(const struct object_texts *t)
{
	return t->rule->class == AA_CLASS_ALL;
}

/* Of a rule of the class itself, or all bits that the class has. */
static unsigned perms_of(const struct object_texts *t, unsigned all)
{
	return is_all(t) ? all : t->rule->perms & all;
}

/* Rules of one text go before others that allow (answer_parts.h, aa_rule_is_exact). */
static bool since_exact(const struct object_texts *t)
{
	return t->release >= AA_RELEASE_4_1_2 && !is_all(t);
}

static bool is_exact(const struct object_texts *t, const struct aa_text *w)
{
	return w->word && w->glob && aa_is_exact(t->release, w->glob);
}

static bool is_exact_cond(const struct object_texts *t, enum aa_cond_id id)
{
	const struct aa_cond *c = aa_rule_cond(t->rule, id, false);

	return c && c->texts.n && is_exact(t, &c->texts.v[0]);
}

/* ---- processes ---- */

static void signal_rule(struct object_texts *t)
{
	const struct aa_signal_rule *s = &t->rule->signal;
	struct byte_set set = { { 0 } };
	unsigned perms = perms_of(t, AA_SIGNAL_SEND | AA_SIGNAL_RECEIVE);

	for (unsigned i = 1; i < AA_SIGNAL_NR; i++)
		if (is_all(t) || s->any || s->set[i / 64] >> i % 64 & 1)
			byte_set_add(&set, (unsigned char)i, (unsigned char)i);
	object_add(t, bytes(t, &set, cond_text(t, AA_COND_PEER, false, object_end(t, perms))));
}

static void ptrace_rule(struct object_texts *t)
{
	unsigned perms = perms_of(t, AA_PTRACE_TRACE | AA_PTRACE_READ | AA_PTRACE_TRACEDBY |
					     AA_PTRACE_READBY);

	object_add(t, cond_text(t, AA_COND_PEER, false, object_end(t, perms)));
}

static void userns_rule(struct object_texts *t)
{
	object_add(t, object_end(t, perms_of(t, AA_USERNS_CREATE)));
}

/* Whether a thread may poll is asked of the class alone, whatever label a rule has. */
static void uring_rule(struct object_texts *t)
{
	unsigned perms = perms_of(t, AA_URING_SQPOLL | AA_URING_OVERRIDE_CREDS);
	bool peer = !is_all(t) && !aa_rule_cond(t->rule, AA_COND_LABEL, false);
	machine_texts creds = object_end(t, perms & AA_URING_OVERRIDE_CREDS);

	object_add(t, object_byte(t, OBJECT_SQPOLL, object_end(t, perms & AA_URING_SQPOLL)));
	object_add(t, object_byte(t, OBJECT_CREDENTIALS, cond_text(t, AA_COND_LABEL, peer, creds)));
}

/* How the program is executed there (answer_rules.c, environment_of). */
static unsigned way_of(struct object_texts *t, const struct aa_change_rule *c)
{
	if (!c->exec.word)
		return 0;
	if (is_exact(t, &c->exec) && is_exact(t, &c->target))
		t->exact = PART_WAY;
	return PART_WAY | (c->unsafe ? PART_UNSAFE : 0);
}

static void change_rule(struct object_texts *t)
{
	const struct aa_change_rule *c = &t->rule->change;
	static const char program[] = "/[^/]**";
	machine_texts label = object_end(t, PART_LABEL), only = object_end(t, PART_PROGRAM);
	machine_texts pair = object_word(t, &c->target, object_end(t, PART_PAIR | way_of(t, c)));
	machine_texts now = object_word(t, &c->target, object_end(t, AA_ACCESS_CHANGE));
	bool any = !c->exec.word;

	label = either(t, object_word(t, &c->target, label),
		       any ? literal(t, program, label) : object_word(t, &c->exec, label));
	label = glob_text(t, object_any(t), nul(t, label));
	only = nul(t, glob_text(t, object_any(t), only));
	only = either(t, object_word(t, &c->target, only),
		      any ? literal(t, program, only) : object_word(t, &c->exec, only));
	pair = nul(t, pair);
	pair = any ? literal(t, program, pair) : object_word(t, &c->exec, pair);
	object_add(t, object_byte(t, OBJECT_CHANGE_NOW, now));
	object_add(t, object_byte(t, OBJECT_CHANGE_ONEXEC, label));
	object_add(t, object_byte(t, OBJECT_CHANGE_ONEXEC, only));
	object_add(t, object_byte(t, OBJECT_CHANGE_ONEXEC, pair));
}

/* ---- sockets ---- */

static machine_texts types_text(struct object_texts *t, unsigned types, machine_texts then)
{
	struct byte_set set = { { types & 0xfffe } };

	return bytes(t, &set, then);
}

static void network_rule(struct object_texts *t)
{
	const struct aa_network_rule *n = &t->rule->network;
	bool all = is_all(t) || n->any;
	unsigned types = all ? ~0u : n->types;
	struct byte_set families = { { all ? ~UINT64_C(1) : n->families & ~UINT64_C(1) } };
	machine_texts end;

	if (since_exact(t) && n->types && !(n->types & (n->types - 1)))
		t->exact = AA_NET_SETATTR;
	end = object_end(t, perms_of(t, (AA_NET_RECEIVE << 1) - 1));
	object_add(t, bytes(t, &families, types_text(t, types, end)));
}

/* `none`, `auto`, a name, or any of these. */
static machine_texts address(struct object_texts *t, bool peer, machine_texts then)
{
	const struct aa_unix_rule *u = &t->rule->unix_;
	enum aa_unix_addr addr = is_all(t) ? AA_ADDR_ANY : peer ? u->peer_addr : u->addr;

	if (addr == AA_ADDR_NONE)
		return object_byte(t, ADDRESS_NONE, then);
	if (addr == AA_ADDR_AUTO)
		return literal(t, "@[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]", then);
	if (addr == AA_ADDR_GLOB)
		return cond_text(t, AA_COND_ADDR, peer, then);
	return either(t, object_byte(t, ADDRESS_NONE, then), literal(t, "\\@**", then));
}

static machine_texts of_unix(struct object_texts *t, enum object_kind kind, machine_texts then)
{
	int type = is_all(t) ? -1 : t->rule->unix_.type;
	struct aa_network_rule any;

	/* Of others, dccp, which unix rules can name, the kernel makes none (net/unix/af_unix.c). */
	aa_network_of(AF_UNIX, -1, &any);
	then = types_text(t, type < 0 ? any.types : any.types & 1u << type, then);
	return object_byte(t, (unsigned char)kind, then);
}

/* One option that is logged, or refused without a word, is both (answer_objects.c, option_says). */
static machine_texts own_end(struct object_texts *t, unsigned perms)
{
	enum { OPTIONS = AA_NET_GETOPT | AA_NET_SETOPT };
	const struct aa_prefix *p = &t->rule->prefix;
	bool deny = p->mode == AA_MODE_DENY;

	if (is_all(t) || t->release < AA_RELEASE_4_0 || !(perms & OPTIONS) || p->audit == deny)
		return object_end(t, perms);
	if (deny && t->release >= AA_RELEASE_4_1_2)
		return object_end(t, perms | OPTIONS);
	return either(t, object_end(t, perms), object_logs(t, OPTIONS & ~perms));
}

/* What is bound to a name has one; a name that the kernel gives is another kind of object. */
static machine_texts own_address(struct object_texts *t, unsigned perms)
{
	unsigned bind = is_all(t) || t->rule->unix_.addr == AA_ADDR_GLOB ||
					t->rule->unix_.addr == AA_ADDR_ANY ?
				perms & AA_NET_BIND :
				0;
	machine_texts bound = object_end(t, bind);

	bound = !is_all(t) && t->rule->unix_.addr == AA_ADDR_GLOB ?
			cond_text(t, AA_COND_ADDR, false, bound) :
			literal(t, "\\@**", bound);
	return either(t, bound, address(t, false, own_end(t, perms & ~(unsigned)AA_NET_BIND)));
}

/* A rule that names a peer says nothing of the socket alone, but that it accepts (af_unix.cc). */
static void unix_rule(struct object_texts *t)
{
	const struct aa_unix_rule *u = &t->rule->unix_;
	unsigned perms = perms_of(t, (AA_NET_RECEIVE << 1) - 1),
		 own = perms & ~(unsigned)(AA_NET_PEER & ~AA_NET_ACCEPT);
	bool all = is_all(t);
	bool peer =
		!all && (u->peer_addr != AA_ADDR_ANY || aa_rule_cond(t->rule, AA_COND_LABEL, true));
	bool binds = all || u->addr == AA_ADDR_ANY || u->addr == AA_ADDR_AUTO;
	machine_texts with;

	if (!peer)
		object_add(t, of_unix(t, OBJECT_UNIX_CREATE, object_end(t, own & AA_NET_CREATE)));
	if (binds)
		object_add(t,
			   of_unix(t, OBJECT_UNIX_OWN,
				   object_byte(t, ADDRESS_AUTO, object_end(t, own & AA_NET_BIND))));
	own &= peer ? AA_NET_ACCEPT : ~(unsigned)AA_NET_CREATE;
	object_add(t, of_unix(t, OBJECT_UNIX_OWN, own_address(t, own)));
	with = object_end(t, perms & AA_NET_PEER);
	with = address(t, true, nul(t, cond_text(t, AA_COND_LABEL, true, with)));
	object_add(t, of_unix(t, OBJECT_UNIX_PEER, address(t, false, nul(t, with))));
}

/* ---- messages ---- */

static machine_texts dbus_cond(struct object_texts *t, enum aa_cond_id id, machine_texts then)
{
	bool peer = !is_all(t) && !aa_rule_cond(t->rule, id, false);

	return cond_text(t, id, peer, then);
}

static void dbus_rule(struct object_texts *t)
{
	unsigned perms =
		perms_of(t, AA_DBUS_SEND | AA_DBUS_RECEIVE | AA_DBUS_BIND | AA_DBUS_EAVESDROP);
	machine_texts bus, name, message;

	bus = dbus_cond(t, AA_COND_BUS, object_end(t, perms & AA_DBUS_EAVESDROP));
	name = dbus_cond(t, AA_COND_NAME, object_end(t, perms & AA_DBUS_BIND));
	message = object_end(t, perms & (AA_DBUS_SEND | AA_DBUS_RECEIVE));
	message = nul(t, dbus_cond(t, AA_COND_MEMBER, message));
	message = nul(t, dbus_cond(t, AA_COND_INTERFACE, message));
	message = nul(t, dbus_cond(t, AA_COND_PATH, message));
	message = nul(t, dbus_cond(t, AA_COND_LABEL, message));
	message = nul(t, dbus_cond(t, AA_COND_NAME, message));
	object_add(t, object_byte(t, OBJECT_DBUS_EAVESDROP, bus));
	object_add(t, object_byte(t, OBJECT_DBUS_NAME, dbus_cond(t, AA_COND_BUS, nul(t, name))));
	object_add(t, object_byte(t, OBJECT_DBUS_MESSAGE, dbus_cond(t, AA_COND_BUS, message)));
}

/* The number as the kernel has it: no zeros in front. */
static machine_texts queue_number(struct object_texts *t, machine_texts then)
{
	struct str s = glob_unescape(object_arena(t), t->rule->mqueue.name.word->text);
	size_t at = 0;

	while (at + 1 < s.n && s.p[at] == '0')
		at++;
	for (size_t i = s.n; i > at; i--)
		then = object_byte(t, (unsigned char)s.p[i - 1], then);
	return then;
}

static void set_exact(struct object_texts *t, bool posix)
{
	bool one = since_exact(t) && t->rule->mqueue.name.word &&
		   (!posix || is_exact(t, &t->rule->mqueue.name)) &&
		   is_exact_cond(t, AA_COND_LABEL);

	t->exact = one ? AA_MQUEUE_SETATTR : 0;
}

/*
 * What creates a queue is not asked for its label: before 4.1.2 a rule with one says nothing of it.
 * Of a rule about both types the label is there twice for the second.
 */
static machine_texts queue_label(struct object_texts *t, unsigned perms, bool twice)
{
	const struct aa_cond *c = is_all(t) ? NULL : aa_rule_cond(t->rule, AA_COND_LABEL, false);
	unsigned create = perms & AA_MQUEUE_CREATE;
	machine_texts label = object_end(t, perms & ~(unsigned)AA_MQUEUE_CREATE), any;
	struct aa_label_twice both;

	any = object_end(t, c && t->release < AA_RELEASE_4_1_2 ? 0 : create);
	any = glob_text(t, object_any(t), any);
	if (!c || !twice)
		return either(t, cond_text(t, AA_COND_LABEL, false, label), any);
	if (!c->texts.n || !c->texts.v[0].glob)
		return any;
	both = aa_label_twice(object_arena(t), c->texts.v[0].glob);
	if (both.second)
		label = glob_text(t, both.second, label);
	return either(t, glob_text(t, both.first, label), any);
}

static void queue_rule(struct object_texts *t)
{
	const struct aa_mqueue_rule *m = &t->rule->mqueue;
	enum aa_mqueue_type type = is_all(t) ? AA_MQUEUE_ANY : m->type;
	unsigned perms = perms_of(t, (AA_MQUEUE_SETATTR << 1) - 1);
	bool named = !is_all(t) && m->name.word;
	machine_texts then;

	if (type != AA_MQUEUE_SYSV) {
		set_exact(t, true);
		then = nul(t, queue_label(t, perms, false));
		object_add(t, object_byte(t, OBJECT_POSIX_QUEUE,
					  named ? object_word(t, &m->name, then) :
						  glob_text(t, object_any(t), then)));
	}
	if (type != AA_MQUEUE_POSIX) {
		set_exact(t, false);
		then = nul(t, queue_label(t, perms, type == AA_MQUEUE_ANY));
		object_add(t, object_byte(t, OBJECT_SYSV_QUEUE,
					  named ? queue_number(t, then) :
						  glob_text(t, object_any(t), then)));
	}
}

/* ---- by class ---- */

static void pivot_rule(struct object_texts *t)
{
	const struct aa_text *root = is_all(t) ? NULL : &t->rule->pivot.root;
	machine_texts old;

	if (since_exact(t) && is_exact(t, root) && is_exact_cond(t, AA_COND_OLDROOT))
		t->exact = AA_ACCESS_PIVOT;
	old = cond_text(t, AA_COND_OLDROOT, false, object_end(t, AA_ACCESS_PIVOT));
	object_add(t, object_word(t, root, nul(t, old)));
}

void object_rule(struct object_texts *t)
{
	switch (t->class) {
	case AA_CLASS_NETWORK: network_rule(t); break;
	case AA_CLASS_UNIX: unix_rule(t); break;
	case AA_CLASS_PIVOT_ROOT: pivot_rule(t); break;
	case AA_CLASS_PTRACE: ptrace_rule(t); break;
	case AA_CLASS_SIGNAL: signal_rule(t); break;
	case AA_CLASS_DBUS: dbus_rule(t); break;
	case AA_CLASS_MQUEUE: queue_rule(t); break;
	case AA_CLASS_USERNS: userns_rule(t); break;
	case AA_CLASS_IO_URING: uring_rule(t); break;
	case AA_CLASS_CHANGE_PROFILE: change_rule(t); break;
	default: BUG("a class without objects");
	}
}
