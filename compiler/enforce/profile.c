/* SPDX-License-Identifier: Apache-2.0 */
/* AppArmor: is it there, and loading a profile's text. */
#include <errno.h>
#include <string.h>

#include "compiler/apparmor/parser.h"
#include "compiler/enforce/confine.h"
#include "compiler/enforce/enforce.h"
#include "compiler/enforce/libapparmor.h"

enum { SAID_SHOWN = 1023 }; /* bytes of what the parser says that are told */

bool profile_supported(void)
{
	return libapparmor_enabled();
}

static int tell_missing(const struct policy *p, struct diags *ds)
{
	struct diag *d = diag_add(ds, DIAG_PL305, p->span,
				  "there is no apparmor_parser to load the "
				  "profile of '" PRISTR "'",
				  STRARG(p->name));

	diag_help(ds, d,
		  "install it (Debian: apparmor), or leave AppArmor out with '--layers seccomp'");
	return -1;
}

int profile_load(const struct policy *p, struct str text, struct diags *ds)
{
	BUF_AUTO said = { 0 };
	int rc = parser_load(text, &said);

	if (!rc)
		return 0;
	if (rc == -ENOENT)
		return tell_missing(p, ds);
	while (said.n && said.p[said.n - 1] == '\n')
		said.n--;
	int n = said.n < SAID_SHOWN ? (int)said.n : SAID_SHOWN;
	struct diag *d = diag_add(ds, DIAG_PL305, p->span,
				  "the AppArmor profile of '" PRISTR "' cannot be loaded: %.*s%s",
				  STRARG(p->name), n, n ? said.p : "",
				  n ? "" : strerror(rc < 0 ? -rc : EPERM));
	diag_help(ds, d,
		  "loading a profile takes CAP_MAC_ADMIN; '--layers seccomp' leaves AppArmor out");
	return -1;
}
