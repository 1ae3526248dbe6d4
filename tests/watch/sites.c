/* SPDX-License-Identifier: Apache-2.0 */
/* sites ROOT [NAME...]: paths of cgroups on standard input, where each is, a line each, and which of the
 * names mean it. */
#include <stdio.h>
#include <string.h>

#include "compiler/watch/site.h"

int main(int argc, char **argv)
{
	struct arena *a = arena_new(NULL);
	struct site_names *names = argc > 1 ? site_names_new(a, argv[1]) : NULL;
	char line[4096];
	uint64_t now_ns = 0;

	while (fgets(line, sizeof(line), stdin)) {
		struct site s;
		BUF_AUTO out = { 0 };

		line[strcspn(line, "\n")] = '\0';
		site_of_cgroup(line, &s);
		now_ns += 1000000000; /* in each second so often a look is taken */
		if (names && s.state == SITE_HOST)
			(void)site_place(names, line, now_ns, &s);
		if (names)
			site_names(names, &s);
		site_put(&out, &s);
		printf("%s|%s|%s", out.p ? out.p : "", s.id, s.pod_uid);
		for (int i = 2; i < argc; i++)
			if (site_is(&s, argv[i]))
				printf("|%s", argv[i]);
		printf("\n");
	}
	if (names)
		site_names_end(names);
	arena_free(a);
	return 0;
}
