/* SPDX-License-Identifier: Apache-2.0 */
/* Which signals change as one of them does: told in one line, as they mostly are one rule's. */
#include <string.h>

#include "compiler/tell/diff_profiles.h"

struct signals {
	VEC(const char *) change, others;
};

/* Of all that there are, in one direction and to or from the access' peer. */
static struct signals changed(struct profiles *c, const struct profile_told *is,
			      const struct aa_access *asked, unsigned perm)
{
	struct aa_access access = *asked;
	struct aa_rule rule = *asked->rule;
	struct signals out = { .change = { .n = 0 }, .others = { .n = 0 } };

	access.perms = rule.perms = perm;
	access.rule = &rule;
	for (unsigned i = 0; i < AA_SIGNAL_NR; i++) {
		const char *name = aa_signal_name(c->arena, AA_RELEASE_5_0, (int)i);
		if (!name)
			continue;
		rule.signal = (struct aa_signal_rule){ .any = false };
		rule.signal.set[i / 64] = UINT64_C(1) << i % 64;
		struct profile_told now = profile_ask_both(c, is->kind, &access);
		if (profile_same_told(&now, is))
			vec_push(c->arena, &out.change, name);
		else
			vec_push(c->arena, &out.others, name);
	}
	return out;
}

static const char *names_of(struct profiles *c, const struct signals *s)
{
	bool most = s->change.n > s->others.n;
	size_t n = most ? s->others.n : s->change.n;
	BUF_AUTO text = { 0 };

	if (!s->change.n)
		return "";
	if (most)
		buf_puts(&text, n ? "every signal but " : "every signal");
	for (size_t i = 0; i < n; i++)
		buf_printf(&text, "%s%s", i ? ", " : "", most ? s->others.v[i] : s->change.v[i]);
	return buf_keep(c->arena, &text);
}

/* Else it is one of many. */
static bool names_peer(const struct profile_said *x)
{
	return x->by && aa_rule_cond(x->by, AA_COND_PEER, false);
}

const char *profile_signals(struct profiles *c, const struct profile_told *is, const char *access)
{
	struct aa_access asked;
	BUF_AUTO text = { 0 };

	if (!profile_read_access(c, access, &asked))
		return access;
	struct signals send = changed(c, is, &asked, AA_SIGNAL_SEND);
	struct signals receive = changed(c, is, &asked, AA_SIGNAL_RECEIVE);
	const char *sent = names_of(c, &send), *received = names_of(c, &receive);
	bool alike = !strcmp(sent, received);
	buf_printf(&text, "signals: %s%s%s%s%s",
		   alike ? "send, receive " :
		   *sent ? "send " :
			   "",
		   sent, *sent && *received && !alike ? "; " : "",
		   *received && !alike ? "receive " : "", alike ? "" : received);
	if (names_peer(&is->a) || names_peer(&is->b)) {
		BUF_AUTO peer = { 0 };
		aa_access_put_path(&peer, asked.peer);
		const char *quote = *peer.p == '"' ? "" : "'";
		buf_printf(&text, " (peer %s%s%s)", quote, peer.p, quote);
	}
	return buf_keep(c->arena, &text);
}
