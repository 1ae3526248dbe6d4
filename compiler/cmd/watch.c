/* SPDX-License-Identifier: Apache-2.0 */
/* pale watch: refusals as they come, of seccomp and AppArmor, with whose they are and why. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "compiler/cmd/watch.h"
#include "compiler/base/clock.h"
#include "compiler/watch/drop.h"

#define SECOND   UINT64_C(1000000000)
#define EVERY_NS (10 * SECOND) /* totals, and the text file */

enum {
	ROUND_LINES = 4096, /* of a source, before the others have their turn */
	LAST_ROUNDS = 16,   /* of what was there when it was to end */
};

static uint64_t time_ns(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

/* ---- Prometheus ---- */

static void put_series(void *who, struct buf *out)
{
	const struct watch *w = who;
	const struct watch_dropped d = watch_dropped_all(w);

	series_print(out, w->series, &d);
}

static void write_textfile(struct watch *w)
{
	BUF_AUTO text = { 0 };

	if (!w->textfile)
		return;
	put_series(w, &text);
	/* What is wrong is told, and it is tried again. */
	w->textfile_failed = write_output(w->textfile, &text, 0644) != 0;
}

/* "FILE", or ":PORT". -1: go on; else the exit status. */
static int open_prometheus(struct watch *w, const struct options *o)
{
	const char *to = o->at[OPT_PROMETHEUS].text;
	uint64_t port;

	w->http.listening = w->http.fd = -1;
	if (!to || *to != ':') {
		w->textfile = to;
		return to && check_writable(to) ? EXIT_SYSTEM : -1;
	}
	if (str_u64(str_c(to + 1), &port) || port > UINT16_MAX)
		return usage_error(
			o->command,
			"'--prometheus' takes a file, or a port of 127.0.0.1 as ':9464'");
	int err = http_open(&w->http, (uint16_t)port);
	if (!err)
		return -1;
	tell("pale watch: cannot listen on 127.0.0.1:%d: %s; ':0' takes a port that is free",
	     (int)port, strerror(-err));
	return EXIT_SYSTEM;
}

/* ---- rounds ---- */

static void flush_out(struct watch *w)
{
	if (w->out.n && write_output(NULL, &w->out, 0))
		w->broken = true;
	w->out.n = 0;
}

/* What is wrong with a source ends it, and is told. True: it has more. */
static bool read_source(struct watch *w, unsigned which)
{
	struct watched_source *s = &w->sources[which];
	struct watch_line line;
	int more = 0;

	for (unsigned i = 0; i < ROUND_LINES; i++) {
		more = watch_next(&s->source, &line);
		if (more <= 0)
			break;
		watch_take_line(w, which, &line);
	}
	if (more < 0) {
		tell("pale watch: %s cannot be read any more: %s", s->source.name, strerror(-more));
		s->source.ended = true;
	} else if (s->source.ended && s->source.kind != WATCH_INPUT) {
		tell("pale watch: %s has ended", s->source.name);
	}
	s->has_more = more > 0;
	/* A pipe ends with what writes to it. */
	w->failed |= more < 0 || (s->source.ended && s->source.kind == WATCH_JOURNAL);
	if (s->source.rotated != s->rotated)
		tell("pale watch: '%s' was rotated, the new one is read", s->source.name);
	s->rotated = s->source.rotated;
	return more > 0 || (!s->source.ended && s->source.lines.busy);
}

static bool has_any(const struct watch *w)
{
	for (unsigned i = 0; i < w->nsources; i++)
		if (!w->sources[i].source.ended && !w->sources[i].losses_only)
			return true;
	return false;
}

/* Is there something to do? Also each second: not all tell of themselves. */
static void wait_for(const struct watch *w, int signals, bool busy)
{
	struct pollfd p[WATCH_SOURCES + 3];
	unsigned n = 0;

	p[n++] = (struct pollfd){ .fd = signals, .events = POLLIN };
	for (unsigned i = 0; i < w->nsources; i++)
		if (!w->sources[i].source.ended)
			p[n++] = (struct pollfd){ .fd = w->sources[i].source.fd, .events = POLLIN };
	p[n].fd = http_wants(&w->http, &p[n].events);
	n++;
	if (w->comings)
		p[n++] = (struct pollfd){ .fd = comings_fd(w->comings), .events = POLLIN };
	(void)poll(p, n, busy ? 0 : w->comings ? comings_wait_ms(w->comings) : 1000);
}

static bool is_stopped(int signals)
{
	struct signalfd_siginfo s;

	return read(signals, &s, sizeof(s)) == (ssize_t)sizeof(s);
}

static void on_tick(struct watch *w, uint64_t now)
{
	if (now < w->tick_ns)
		return;
	w->tick_ns = now + EVERY_NS;
	watch_tell_totals(w, false);
	write_textfile(w);
}

/* True: there is more. */
static bool read_sources(struct watch *w)
{
	bool busy = false;

	for (unsigned i = 0; i < w->nsources; i++)
		if (!w->sources[i].source.ended)
			busy |= read_source(w, i);
	return busy;
}

static void watch_rounds(struct watch *w, int signals)
{
	bool busy = true, stopped = false;

	while (!w->broken && !stopped && (busy || has_any(w))) {
		wait_for(w, signals, busy);
		stopped = is_stopped(signals);
		uint64_t now = clock_ns();
		w->now_ns = time_ns();
		if (w->comings)
			comings_step(w->comings, now, w->now_ns);
		if (w->comings && !w->looked && comings_sees(w->comings))
			watch_tell_missing(w);
		busy = read_sources(w);
		http_step(&w->http, now, put_series, w);
		on_tick(w, now);
		flush_out(w);
		stopped |= w->end_ns && now >= w->end_ns;
	}
}

/* What was there before it was to end is still read, as far as that has an end. */
static void read_the_rest(struct watch *w)
{
	unsigned more = 1;

	for (unsigned rounds = 0; more && rounds < LAST_ROUNDS && !w->broken; rounds++) {
		(void)read_sources(w);
		flush_out(w);
		more = 0;
		for (unsigned i = 0; i < w->nsources; i++)
			more += !w->sources[i].source.ended && w->sources[i].has_more;
	}
	w->sums.unread = more;
}

/* ---- the end ---- */

static void put_sum(struct buf *out, uint64_t n, const char *words)
{
	if (n)
		buf_printf(out, "; %s: %llu", words, (unsigned long long)n);
}

static void tell_end(struct watch *w)
{
	struct watch_sums *s = &w->sums;
	BUF_AUTO text = { 0 };

	s->folded_kinds = w->tally.folded_kinds;
	s->folded = w->tally.folded;
	s->overflow = series_overflow(w->series);
	s->dropped = watch_dropped_all(w);
	if (w->json) {
		watch_put_end(&w->out, s, w->now_ns);
		flush_out(w);
	}
	buf_printf(&text, "pale watch: refusals: %llu; kinds: %llu", (unsigned long long)s->refused,
		   (unsigned long long)s->kinds);
	put_sum(&text, s->twice, "told by two sources, counted once");
	put_sum(&text, s->elsewhere, "elsewhere than --container says");
	put_sum(&text, s->nowhere, "of processes that had ended before they could be looked at");
	put_sum(&text, s->foreign, "lines of programs that look like records");
	put_sum(&text, s->bad, "records that could not be read");
	put_sum(&text, s->folded, "of kinds that were no longer told apart, for want of room");
	put_sum(&text, s->overflow, "kinds that count as \"other\" for Prometheus");
	put_sum(&text, s->dropped.records, "records that the kernel dropped");
	put_sum(&text, s->dropped.times, "times that it dropped some without counting them");
	put_sum(&text, s->unread, "sources of which not all was read that was there in the end");
	buf_putc(&text, '\n');
	tell_text(&text);
}

/* ---- the command ---- */

static void tell_begin(const struct watch *w)
{
	BUF_AUTO text = { 0 };
	int err = 0;
	const char *kept = watch_drop(&err);

	buf_puts(&text, "pale watch: reads ");
	watch_sources_put(&text, w);
	if (w->http.listening >= 0)
		buf_printf(&text, "; http://127.0.0.1:%u/metrics", w->http.port);
	if (kept)
		buf_printf(&text, "; %s: %s: its privileges are kept", kept, strerror(err));
	else
		buf_puts(&text, "; capabilities are dropped");
	buf_putc(&text, '\n');
	tell_text(&text);
}

/* SIGHUP, too, as where a terminal is closed: not where somebody has it ignored (nohup(1)). */
static int open_signals(void)
{
	struct sigaction hup = { .sa_handler = SIG_DFL };
	sigset_t set;

	sigemptyset(&set);
	(void)sigaction(SIGHUP, NULL, &hup);
	if (hup.sa_handler != SIG_IGN)
		sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int watch(struct watch *w, const struct options *o)
{
	int status = explain_load(&w->explain, o), signals;

	if (!status)
		status = watch_sources_open(w, o);
	if (status)
		return status;
	signals = open_signals();
	if (signals < 0) {
		tell("pale watch: signalfd(2): %s", strerror(errno));
		return EXIT_SYSTEM;
	}
	for (unsigned i = 0; i < w->nsources && !w->comings; i++)
		if (w->sources[i].ours)
			w->comings = comings_new(w->s->arena, "", w->whose, watch_meet, w);
	tell_begin(w);
	write_textfile(w);
	if (w->textfile_failed) {
		tell("pale watch: it is written without capabilities, so the file and its directory "
		     "have to be this user's own");
		return EXIT_SYSTEM;
	}
	uint64_t now = clock_ns();
	w->tick_ns = now + EVERY_NS;
	if (o->at[OPT_UNTIL].given)
		w->end_ns = now + o->at[OPT_UNTIL].number * SECOND;
	watch_rounds(w, signals);
	read_the_rest(w);
	watch_tell_totals(w, true);
	flush_out(w);
	write_textfile(w);
	tell_end(w);
	return w->broken || w->failed || w->textfile_failed ? EXIT_SYSTEM : EXIT_OK;
}

static void close_all(struct watch *w)
{
	for (unsigned i = 0; i < w->nsources; i++)
		watch_close(&w->sources[i].source);
	http_close(&w->http);
	buf_free(&w->out);
	arena_free(w->line);
	comings_end(w->comings);
	whose_end(w->whose);
}

int cmd_watch(int argc, char **argv)
{
	struct options o = { 0 };
	struct session s;

	session_open(&s);
	struct watch *w = ARENA_NEW(s.arena, struct watch);
	w->s = w->explain.s = &s;
	int status = options_read(&s, argc, argv, &o);
	if (status < 0) {
		w->json = o.at[OPT_FORMAT].word == 1;
		w->containers = &o.at[OPT_CONTAINER];
		w->wanted = ARENA_ARRAY(s.arena, struct watch_wanted, w->containers->list.n);
		w->line = session_lend(&s, NULL);
		w->whose = whose_new(s.arena, "");
		w->series = series_new(s.arena);
		tally_new(s.arena, &w->tally);
		status = open_prometheus(w, &o);
		if (status < 0)
			status = watch(w, &o);
		close_all(w);
	}
	return session_end(&s, status);
}
