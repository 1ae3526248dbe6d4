/* SPDX-License-Identifier: Apache-2.0 */
/* pale replay: what others have written down of a run, as a recording. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/cmd/progress.h"
#include "compiler/cmd/recordings.h"
#include "compiler/file/lines.h"
#include "learn/replay/replay.h"

enum { LINE_MAX_BYTES = 1 << 20 };

/* 0, or -errno. */
static int read_lines(struct session *s, struct replay *r, int fd)
{
	struct progress progress;
	struct lines lines;
	struct str line;
	bool cut;
	int more;

	progress_begin(&progress, "replay", "lines", 0);
	lines_open(&lines, s->arena, fd, LINE_MAX_BYTES);
	while ((more = lines_next(&lines, &line, &cut)) > 0) {
		replay_line(r, line, cut, lines.number);
		if (lines.number % 1024 == 0) /* asking for the time costs as much as a line */
			progress_step(&progress, lines.number);
	}
	progress_end(&progress);
	return more;
}

static int read_log(struct session *s, struct replay *r, const char *path)
{
	bool standard = !strcmp(path, "-");
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int err = fd < 0 ? -errno : 0;

	replay_file(r, standard ? "standard input" : path);
	if (!err)
		err = read_lines(s, r, fd);
	if (fd >= 0 && !standard)
		close(fd);
	return err ? input_unreadable(s, path, err) : EXIT_OK;
}

static int replay(struct session *s, const struct options *o, const struct replay_options *opt)
{
	struct recordings *rs = recordings_new(s->arena);
	struct recordings_clash clash;
	struct recording recording;
	struct replay *r = replay_new(s, opt, &recording);

	if (check_writable(o->at[OPT_OUTPUT].text))
		return EXIT_SYSTEM;
	for (int i = 0; i < o->n; i++) {
		int status = read_log(s, r, o->operands[i]);
		if (status != EXIT_OK) {
			session_report(s);
			return status;
		}
	}
	int err = replay_end(r);
	bool lacks =
		!err && tell_incomplete(s, &recording, "--allow-loss gives status 0 all the same");
	session_report(s);
	if (err)
		return EXIT_FOUND;
	recordings_add(rs, &recording);
	BUG_ON(recordings_settle(rs, &clash));
	err = recordings_write(rs, o->at[OPT_OUTPUT].text);
	if (err)
		return err;
	return lacks && !o->at[OPT_ALLOW_LOSS].given ? EXIT_FOUND : EXIT_OK;
}

/* -1: go on; else the exit status. */
static int read_options(const struct options *o, struct replay_options *out)
{
	const struct option_value *from = &o->at[OPT_FROM];
	int status;

	*out = (struct replay_options){
		.from = (enum replay_from)from->word,
		.arch = o->at[OPT_ARCH].given ? o->at[OPT_ARCH].arch : (enum arch)arch_native(),
		.comm = o->at[OPT_COMM].text,
		.exe = o->at[OPT_EXE].text,
		.profile = o->at[OPT_PROFILE].text,
		.pid = o->at[OPT_PID].number,
	};
	if (!o->n || !from->given)
		return usage_error(o->command, "give --from and a FILE ('-': standard input)");
	if (out->exe && out->from != REPLAY_AUDIT)
		return usage_error(o->command, "--exe is of --from audit");
	if (out->profile && out->from != REPLAY_APPARMOR)
		return usage_error(o->command, "--profile is of --from apparmor");
	status = recorded_arch_check(o);
	return status ? status : -1;
}

int cmd_replay(int argc, char **argv)
{
	struct replay_options opt;
	struct options o = { 0 };
	struct session s;

	session_open_unbound(&s);
	int status = options_read(&s, argc, argv, &o);
	if (status < 0)
		status = read_options(&o, &opt);
	return session_end(&s, status < 0 ? replay(&s, &o, &opt) : status);
}
