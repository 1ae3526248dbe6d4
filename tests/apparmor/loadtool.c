/* SPDX-License-Identifier: Apache-2.0 */
/* Loads the profile on standard input as `pale run` does: the status, and what the parser said. */
#include <stdio.h>

#include "compiler/apparmor/parser.h"

int main(void)
{
	char text[4096];
	BUF_AUTO said = { 0 };
	int status = parser_load((struct str){ text, fread(text, 1, sizeof(text), stdin) }, &said);

	printf("%d\n%.*s", status, (int)said.n, said.n ? said.p : "");
	return 0;
}
