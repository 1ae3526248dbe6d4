/* SPDX-License-Identifier: Apache-2.0 */
/* sites ROOT: paths of cgroups on standard input, where each is, a line each. */
#include <stdio.h>
#include <string.h>

#include "compiler/watch/site.h"

int main(int argc, char **argv)
{
	char line[4096];

	while (fgets(line, sizeof(line), stdin)) {
		struct site s;
		BUF_AUTO out = { 0 };

		site_of_cgroup((struct str){ line, strcspn(line, "\n") }, &s);
		if (argc > 1)
			site_names(argv[1], &s);
		site_put(&out, &s);
		printf("%s|%s|%s\n", out.p ? out.p : "", s.id, s.pod_uid);
	}
	return 0;
}
