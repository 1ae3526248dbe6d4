/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as what an engine answers: an answer whose body lies inside of it, or none; a list of containers,
 * each with an id of its own, or none.
 */
#include "compiler/base/bug.h"
#include "learn/container/container.h"
#include "learn/container/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct arena *a = arena_new(NULL);
	struct containers *cs = containers_new(a, "/nowhere");
	struct http_answer answer;

	if (http_read(text, &answer)) {
		BUG_ON(answer.body.p < text.p || answer.body.p + answer.body.n > text.p + text.n);
		containers_read_answer(cs, answer.body, ENGINE_DOCKER, "answer");
	}
	vec_each(&cs->list, c) {
		BUG_ON(containers_by_id(cs, str_c((*c)->id)) != *c);
		BUG_ON(!container_is_called(*c, (*c)->id) && !strchr((*c)->id, ':'));
		container_called(a, *c);
	}
	arena_free(a);
	return 0;
}
