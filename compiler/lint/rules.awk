# SPDX-License-Identifier: Apache-2.0
# The rows of rules, RULE(...) and RULE_TOLD(...), out of the files of the linter, sorted by id.
/^RULE(_TOLD)?\(/ {
	text = ""
	inside = 1
}
inside { text = text $0 "\n" }
inside && /"\)$/ {
	inside = 0
	match(text, /(SJ|SC|SR|SP|AP|DS|DP)[0-9][0-9][0-9]/)
	ids[++n] = substr(text, RSTART, RLENGTH)
	row[ids[n]] = text
}
# The form of a file first, then what it means, what it risks, policies' own, and deployments.
function place(id) { return index("SJSCSRSPAPDSDP", substr(id, 1, 2)) * 1000 + substr(id, 3) }
END {
	for (i = 1; i <= n; i++) {
		least = i
		for (j = i + 1; j <= n; j++)
			if (place(ids[j]) < place(ids[least]))
				least = j
		t = ids[i]; ids[i] = ids[least]; ids[least] = t
		printf "%s", row[ids[i]]
	}
}
