/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/cmd/progress.h"

#include <unistd.h>

#include "compiler/base/clock.h"
#include "compiler/cmd/cmd.h"

#define CLEAR    "\r\033[K"
#define FIRST_NS UINT64_C(1000000000) /* what takes less needs no word */
#define EVERY_NS UINT64_C(100000000)

void progress_begin(struct progress *p, const char *command, const char *what, uint64_t total)
{
	*p = (struct progress){
		.command = command, .what = what, .total = total, .shows = isatty(STDERR_FILENO)
	};
	if (p->shows)
		p->begun_ns = clock_ns();
}

void progress_step(struct progress *p, uint64_t done)
{
	BUF_AUTO line = { 0 };
	uint64_t now;

	if (!p->shows)
		return;
	now = clock_ns();
	if (now - p->begun_ns < FIRST_NS || now - p->shown_ns < EVERY_NS)
		return;
	p->shown_ns = now;
	p->shows = 2;
	buf_printf(&line, CLEAR "pale %s: %llu", p->command, (unsigned long long)done);
	if (p->total)
		buf_printf(&line, " of %llu", (unsigned long long)p->total);
	buf_printf(&line, " %s", p->what);
	tell_text(&line);
}

void progress_end(struct progress *p)
{
	BUF_AUTO clear = { 0 };

	buf_puts(&clear, CLEAR);
	if (p->shows == 2)
		tell_text(&clear);
	p->shows = 0;
}
