/* SPDX-License-Identifier: Apache-2.0 */
/* Which sources `pale watch` reads: those that --from names, or the best that is there. */
#include <errno.h>
#include <string.h>

#include "compiler/cmd/watch.h"
#include "compiler/watch/kernel.h"

#define AUDIT_LOG "/var/log/audit/audit.log"

static const char *words_of(enum watch_kind kind)
{
	static const char *const words[WATCH_KIND_NR] = {
		[WATCH_KMSG] = "the kernel's log (kmsg)",
		[WATCH_AUDIT] = "the kernel's audit records (audit)",
		[WATCH_JOURNAL] = "the journal (journald)",
		[WATCH_INPUT] = "standard input",
	};

	return words[kind];
}

/* 0, or -errno: then it is not among them. */
static int add_source(struct watch *w, enum watch_kind kind, const char *path)
{
	struct watched_source *s = &w->sources[w->nsources];
	int err = watch_open(w->s->arena, kind, path, &s->source);

	if (err) {
		watch_close(&s->source);
		return err;
	}
	s->ours = kind != WATCH_INPUT && whose_here();
	s->losses_only = false;
	w->nsources++;
	return 0;
}

static const char *way_out(enum watch_kind kind, int err)
{
	if (err == -ENOENT && kind == WATCH_JOURNAL)
		return "no journalctl is installed; --from kmsg or audit reads the kernel itself";
	if (kind == WATCH_AUDIT)
		return "it needs CAP_AUDIT_READ in the first user namespace: be root, or pipe "
		       "'journalctl -f' into --from -";
	if (kind == WATCH_KMSG)
		return "it needs CAP_SYSLOG where kernel.dmesg_restrict is set: be root, or pipe "
		       "'journalctl -kf' into --from -";
	return "is it there, and may this user read it?";
}

/* ---- --from ---- */

static enum watch_kind kind_of(const char *word)
{
	for (int k = 0; k < WATCH_KIND_NR; k++)
		if (watch_word((enum watch_kind)k) && !strcmp(word, watch_word((enum watch_kind)k)))
			return (enum watch_kind)k;
	return WATCH_FILE;
}

static int open_named(struct watch *w, const struct options *o)
{
	const struct option_value *from = &o->at[OPT_WATCH_FROM];

	if (from->list.n > WATCH_SOURCES)
		return usage_error(o->command, "at most %d times '--from'", WATCH_SOURCES);
	for (size_t i = 0; i < from->list.n; i++) {
		const char *word = from->list.v[i];
		enum watch_kind kind = kind_of(word);
		for (size_t k = 0; k < i; k++)
			if (!strcmp(word, from->list.v[k]))
				return usage_error(o->command, "'--from %s' stands there twice",
						   word);
		int err = add_source(w, kind, kind == WATCH_FILE ? word : NULL);
		if (err) {
			tell("pale watch: cannot read %s: %s; %s",
			     kind == WATCH_FILE ? word : words_of(kind), strerror(-err),
			     way_out(kind, err));
			return EXIT_SYSTEM;
		}
	}
	return EXIT_OK;
}

/* ---- the best ---- */

static int open_best(struct watch *w)
{
	int audit = add_source(w, WATCH_AUDIT, NULL), file = 0, kmsg = 0;

	if (!audit) {
		/* The kernel's log says what audit had no room for. */
		if (!add_source(w, WATCH_KMSG, NULL))
			w->sources[w->nsources - 1].losses_only = true;
		return EXIT_OK;
	}
	file = add_source(w, WATCH_FILE, AUDIT_LOG);
	if (!file)
		return EXIT_OK;
	kmsg = add_source(w, WATCH_KMSG, NULL);
	if (!kmsg)
		return EXIT_OK;
	if (watch_journal_readable() && !add_source(w, WATCH_JOURNAL, NULL))
		return EXIT_OK;
	tell("pale watch: there is nothing to read refusals from: audit's records: %s; " AUDIT_LOG
	     ": %s; the kernel's log: %s; the journal: none that this user may read; be root, join "
	     "the group adm or systemd-journal, or give lines to '--from -'",
	     strerror(-audit), strerror(-file), strerror(-kmsg));
	return EXIT_SYSTEM;
}

int watch_sources_open(struct watch *w, const struct options *o)
{
	int status = o->at[OPT_WATCH_FROM].given ? open_named(w, o) : open_best(w);
	bool ours = false, kernel = false;

	for (unsigned i = 0; i < w->nsources; i++) {
		enum watch_kind kind = w->sources[i].source.kind;

		ours |= w->sources[i].ours;
		kernel |= kind == WATCH_KMSG || kind == WATCH_AUDIT;
	}
	/* Once: the capability that it takes is dropped. */
	w->lost_known = !status && kernel && audit_lost_so_far(&w->lost_base);
	w->lost_counter = w->lost_base;
	if (status || ours || !w->containers->list.n)
		return status;
	if (!whose_here()) {
		tell("pale watch: --container finds processes by their numbers, and those of this "
		     "namespace of processes are not the kernel's: start it outside of the container, or "
		     "with its host's (--pid host)");
		return EXIT_SYSTEM;
	}
	return usage_error(o->command,
			   "--container is about this machine's processes, and standard "
			   "input may be of another");
}

void watch_sources_put(struct buf *out, const struct watch *w)
{
	for (unsigned i = 0; i < w->nsources; i++) {
		const struct watched_source *s = &w->sources[i];

		buf_puts(out, i ? ", and " : "");
		if (s->source.kind == WATCH_FILE)
			buf_printf(out, "'%s'", s->source.name);
		else
			buf_puts(out, words_of(s->source.kind));
		if (s->losses_only)
			buf_puts(out, " for what is dropped");
	}
}
