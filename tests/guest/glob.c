/* SPDX-License-Identifier: Apache-2.0 */
/* stdin: "GLOB<tab>PATH" a line; stdout: what apparmor_glob_match() says of it, a line each. */
#include <stdio.h>
#include <string.h>

#include "compiler/apparmor/apparmor.h"

int main(void)
{
	char line[4096];

	while (fgets(line, sizeof(line), stdin)) {
		char *tab = strchr(line, '\t'), *end = strchr(line, '\n');

		if (!tab || !end)
			return 2;
		*tab = *end = '\0';
		printf("%d\n", apparmor_glob_match(str_c(line), str_c(tab + 1)));
	}
	return 0;
}
