/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/watch/record.h"

#include <string.h>

#include "compiler/base/table.h"
#include "compiler/file/origin.h"

/* ---- what was dropped ---- */

static bool has(struct str line, const char *mark)
{
	return memmem(line.p, line.n, mark, strlen(mark)) != NULL;
}

static bool number_behind(struct str line, const char *mark, uint64_t *out)
{
	const char *p = memmem(line.p, line.n, mark, strlen(mark));
	size_t at, n = 0;

	if (!p)
		return false;
	at = (size_t)(p - line.p) + strlen(mark);
	while (at + n < line.n && line.p[at + n] >= '0' && line.p[at + n] <= '9')
		n++;
	return n && !str_u64((struct str){ line.p + at, n }, out);
}

/*
 * kernel/audit.c, audit_log_lost(): "audit: audit_lost=7 audit_rate_limit=..."; lib/ratelimit.c:
 * "kauditd_printk_skb: 12 callbacks suppressed"; systemd's journald-kmsg.c: "Missed 5 kernel
 * messages". What programs say so is not counted.
 */
static bool is_loss(const struct watch_line *line, struct str text, struct watch_lost *lost)
{
	*lost = (struct watch_lost){ 0 };
	if (line->from == JOURNAL_PROGRAM)
		return false;
	lost->limit = has(text, "audit: backlog limit exceeded") ||
		      has(text, "audit: rate limit exceeded");
	if (lost->limit || number_behind(text, "audit: audit_lost=", &lost->counter))
		return true;
	if (has(text, " callbacks suppressed"))
		return number_behind(text, "kauditd_printk_skb: ", &lost->suppressed) ||
		       number_behind(text, "audit: ", &lost->suppressed) ||
		       number_behind(text, "audit_log_lost: ", &lost->suppressed);
	return has(text, " kernel messages") && number_behind(text, "Missed ", &lost->suppressed);
}

/* ---- records ---- */

static enum watch_read read_call(struct watch_record *r)
{
	const struct audit_record *c = &r->call;

	if (audit_read(r->line, &r->call))
		return WATCH_BAD;
	const uint64_t what[] = { c->audit, c->nr, c->answered, (uint64_t)c->verdict.kind,
				  c->verdict.data };
	r->hash = hash_bytes(HASH_START, what, sizeof(what));
	if (str_u64(str_c(c->pid), &r->pid))
		r->pid = 0;
	return WATCH_REFUSED;
}

static enum watch_read read_denial(struct arena *a, struct watch_record *r)
{
	struct denied d;

	r->apparmor = true;
	if (denied_read(a, r->line, &d))
		return WATCH_BAD;
	if (d.status == DENIED_OTHER || d.status == DENIED_AUDIT)
		return WATCH_PASSED;
	if (denial_of(a, &d, &r->denial))
		return WATCH_BAD;
	r->hash = denied_hash(&d);
	if (str_u64(d.pid, &r->pid))
		r->pid = 0;
	return WATCH_REFUSED;
}

bool watch_passed(const struct watch_record *r)
{
	return r->apparmor ? r->denial.d.status == DENIED_ALLOWED :
			     r->call.answered && r->call.verdict.kind >= VERDICT_LOG;
}

/* The same of seccomp's as denied_foreign() says of AppArmor's: `pale why` is told one by hand. */
static bool is_foreign_call(const struct watch_line *l)
{
	struct str type;
	size_t body;

	return l->from == JOURNAL_PROGRAM || l->from == JOURNAL_BUS ||
	       (l->from == JOURNAL_UNTOLD && !audit_head(l->text, &type, &body));
}

enum watch_read watch_read(struct arena *a, const struct watch_line *line, struct watch_record *r,
			   struct watch_lost *lost)
{
	struct watch_line l = *line;
	bool call, journal = journal_is(l.text);

	*r = (struct watch_record){ .apparmor = false };
	if (journal) {
		if (l.cut)
			return WATCH_BAD; /* the message may stand behind */
		if (!journal_message(a, l.text, &l.text, &l.from))
			return WATCH_NOTHING;
	}
	r->line = l.text;
	call = audit_is_record(l.text);
	if (!call && !denied_is_record(l.text))
		return is_loss(&l, l.text, lost) ? WATCH_LOSS : WATCH_NOTHING;
	(void)audit_stamp(l.text, &r->ns, &r->serial);
	if (!r->serial && journal)
		r->serial = journal_serial(line->text);
	if (call ? is_foreign_call(&l) : denied_foreign(l.text, l.from) != NULL)
		return WATCH_FOREIGN;
	return call ? read_call(r) : read_denial(a, r);
}
