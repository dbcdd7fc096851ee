package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// document is a row about one document.
func document(name, text, says string) hostile {
	return hostile{name: name, says: says, make: func(d *den) []string {
		return []string{"validate", "--worktree", filepath.Dir(d.write("docs/web.yaml", text))}
	}}
}

// named is a full document of this name, as YAML writes it, with these
// properties.
func named(name, properties string) string {
	return "name: " + name + "\nspec: {type: my.type, version: 1.0, properties: {" + properties + "}}\n"
}

func hostileDocuments() []hostile {
	rows := []hostile{
		document("a document with an alias bomb", "name: web\nmetadata:\n"+bomb("  "), "more than 100000 values|no \"spec\""),
		document("a document nested 10,000 deep", named("web", "a: "+nested(10_000)), "nested deeper than 100 levels|too deeply"),
		document("a document of open brackets", strings.Repeat("[", 1<<20), "nested too deeply"),
		document("a document of dashes", strings.Repeat("- ", 1<<19), "nested too deeply"),
		document("a mebibyte of small values", named("web", "a: ["+strings.Repeat("1,", 500_000)+"]"), "takes .* bytes|more than 100000 values"),
		document("a mebibyte of broken lines", strings.Repeat("a: b\n", 200_000)+"x: [\n", "a value is expected here"),
		document("a mebibyte of one key", strings.Repeat("a: b\n", 200_000), `key "a" is written twice`),
		document("a mebibyte of tabs", "a: ["+strings.Repeat("1,\t", 340_000)+"]\n", "a tab outside of a quoted"),
		document("a profile of a mebibyte", named("web", `a: "`+strings.Repeat("x", 1<<20-100)+`"`), "takes 10484.. bytes of JSON"),
		document("250,000 documents in one file", strings.Repeat("---\n", 250_000), "more than 1000 documents"),
		document("an alias inside of its own value", named("web", "a: &a [*a]"), "an alias inside the value"),
		document("a name that ends a line", named(`"web\n"`, ""), `name "web\\n" holds '\\n'`),
		document("a name that ends in a blank", named(`"web "`, ""), `name "web " holds ' '`),
		document("a name with an umlaut", named("Ärger", ""), `name "Ärger" holds 'Ä'`),
		document("a name with a NUL", named(`"a\0"`, ""), `holds '\\x00'`),
		document("a name of an earlier generation", named("web~12345678", ""), "kept for earlier generations"),
		document("a name that is a truth value", named("yes", ""), `write "yes"|a string`),
		document("a name that is a number", named("007", ""), "007"),
		document("a name of 300 characters", named(strings.Repeat("a", 300), ""), "300 characters"),
		document("two names that differ in case", named("web", "")+"---\n"+named("WEB", ""), `differs only in case from "web"`),
		document("no UTF-8", "name: caf\xe9\n", "not valid UTF-8"),
		document("a NUL in the text", "name: a\x00b\n", `U\+0000 is not allowed`),
		document("an escape sequence in the text", "name: \x1b[2Jweb\n", `U\+001B is not allowed`),
		document("UTF-16", "\xff\xfen\x00", "UTF-16"),
		document("a date", named("web", "a: 2026-01-02"), "2026-01-02"),
		document("a time that is a number to some", named("web", "a: 12:30:45"), "12:30:45"),
		document("on, where readers differ", named("web", "on: 1"), "on"),
		document("a merge key", named("web", "<<: {a: 1}"), "a merge key"),
		document("a key that is there twice", named("web", "a: 1, a: 2"), `key "a" is written twice`),
		document("a tag that runs code elsewhere", named("web", "a: !!python/object/apply:os.system [id]"), "the tag"),
		document("a directive", "%YAML 1.2\n---\n"+named("web", ""), "a YAML directive"),
		document("a mark of ours", "metadata: {profilesync.owner: them}\n"+named("web", ""), "is reserved"),
		document("a pointer of Git LFS", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n", "kept in Git LFS"),
		document("an empty file", "", "no document in this file"),
	}
	for i, name := range []string{"a mebibyte of small values", "a mebibyte of broken lines", "a mebibyte of one key", "a mebibyte of tabs"} {
		for j := range rows {
			if rows[j].name == name {
				rows[j].peak = []int64{160, 200, 160, 300}[i]
			}
		}
	}
	return append(rows, hostile{
		name: "a number beyond 2^53 keeps its digits", status: harmless, shows: "9007199254740993",
		make: func(d *den) []string {
			d.write("docs/web.yaml", "name: web\nmetadata: {a: 9007199254740993}\nspec:\n  "+strings.ReplaceAll(goodDocument, "\n", "\n  "))
			return []string{"plan", "--worktree", "docs", "--cloud", "devcloud"}
		},
	})
}

func hostileWorktrees() []hostile {
	worktree := func(name, says, hint string, lay func(d *den)) hostile {
		return hostile{name: name, says: says, hint: hint, make: func(d *den) []string {
			d.write("docs/ok.yaml", goodDocument)
			lay(d)
			return []string{"validate", "--worktree", "docs"}
		}}
	}
	link := func(d *den, name, target string) {
		if err := os.Symlink(target, filepath.Join(d.dir, name)); err != nil {
			d.t.Fatal(err)
		}
	}
	pipe := func(d *den, name string) {
		if err := syscall.Mkfifo(filepath.Join(d.dir, name), 0o600); err != nil {
			d.t.Fatal(err)
		}
	}
	return []hostile{
		worktree("a document of 100 MB", "web.yaml.*more than 1048576 bytes", "--path narrows", func(d *den) { d.large("docs/web.yaml") }),
		worktree("a link to a document", "web.yaml.*symbolic link to .*ok.yaml", "plain file", func(d *den) { link(d, "docs/web.yaml", "ok.yaml") }),
		worktree("a link out of the tree", "web.yaml.*symbolic link to .*/etc/passwd", "plain file", func(d *den) { link(d, "docs/web.yaml", "/etc/passwd") }),
		worktree("a link to a directory out of the tree", "us.*symbolic link", "plain file", func(d *den) { link(d, "docs/us", "../..") }),
		worktree("a link to /dev/zero", "web.yaml.*symbolic link", "plain file", func(d *den) { link(d, "docs/web.yaml", "/dev/zero") }),
		worktree("a link to a pipe", "web.yaml.*symbolic link", "plain file", func(d *den) { pipe(d, "pipe"); link(d, "docs/web.yaml", "../pipe") }),
		worktree("a link to nothing", "us.*symbolic link", "plain file", func(d *den) { link(d, "docs/us", "gone") }),
		worktree("links in a circle", "a.yaml.*symbolic link", "plain file", func(d *den) { link(d, "docs/a.yaml", "b.yaml"); link(d, "docs/b.yaml", "a.yaml") }),
		worktree("an ignore file that is a link", "regular file", "plain file", func(d *den) { link(d, "docs/.profilesyncignore", "ok.yaml") }),
		worktree("an ignore file of 100 MB", "more than 1048576 bytes", "--path", func(d *den) { d.large("docs/.profilesyncignore") }),
		worktree("an ignore file that would take for ever", "is not valid UTF-8|Valid|no document", "", func(d *den) {
			d.write("docs/.profilesyncignore", strings.Repeat(strings.Repeat("*a", 500)+"b\n", 900))
			d.write("docs/"+strings.Repeat("a", 200)+".yaml", "")
		}),
		worktree("a pipe for a document", "web.yaml.*neither a file nor a directory", "plain file", func(d *den) { pipe(d, "docs/web.yaml") }),
		worktree("a name with an escape sequence", "control character", "", func(d *den) { d.write("docs/a\x1b[2J.yaml", goodDocument) }),
		worktree("a name that is no UTF-8", "not UTF-8", "", func(d *den) { d.write("docs/caf\xe9.yaml", goodDocument) }),
		worktree("names that differ in case", "differs only in case", "", func(d *den) { d.write("docs/OK.yaml", goodDocument) }),
		worktree("a name in capitals", "ends in .yaml or .yml", "", func(d *den) { d.write("docs/web.YAML", goodDocument) }),
		worktree("70 directories in each other", "directories deep", "--path", func(d *den) { d.write("docs/"+strings.Repeat("d/", 70)+"x.yaml", goodDocument) }),
		{name: "a worktree that is a file", says: "web.yaml.*not a directory", hint: "--worktree", make: func(d *den) []string {
			return []string{"validate", "--worktree", d.write("web.yaml", goodDocument)}
		}},
		{name: "a worktree that is not there", says: "gone.*no such file", hint: "--worktree", make: func(*den) []string {
			return []string{"validate", "--worktree", "gone"}
		}},
		{name: "a worktree that is a pipe", says: "not a directory", hint: "--worktree", make: func(d *den) []string {
			pipe(d, "pipe")
			return []string{"validate", "--worktree", "pipe"}
		}},
		{name: "a worktree that is a device", says: "not a directory", hint: "--worktree", make: func(*den) []string {
			return []string{"validate", "--worktree", "/dev/zero"}
		}},
		{name: "a worktree whose name has a NUL", says: "invalid argument|no such", make: func(d *den) []string {
			d.write("profilesync.yaml", `source: {worktree: "a\0b"}`+"\n")
			return []string{"validate"}
		}},
	}
}

func hostileConfigurations() []hostile {
	row := func(name, text, says string) hostile {
		return hostile{name: "configuration: " + name, says: says, make: func(d *den) []string {
			d.write("profilesync.yaml", text)
			return []string{"validate", "--worktree", d.good()}
		}}
	}
	rows := []hostile{
		row("an alias bomb", bomb(""), "line 1.*more than 100000 values"),
		row("nested 10,000 deep", "owner: "+nested(10_000), "nested deeper than 100 levels"),
		row("nested 500,000 deep", "owner: "+nested(500_000), "nested too deeply"),
		row("a mebibyte of targets", "targets: ["+strings.Repeat("{cloud: a},", 90_000)+"]\n", "more than 100000 values"),
		row("an owner that is a truth value", "owner: yes\n", "owner is not a string"),
		row("a number beyond 2^53", "parallel: 9007199254740993\n", "parallel: 9007199254740993: want 1 to 64"),
		row("no worker at all", "parallel: 0\n", "parallel: 0: want 1 to 64"),
		row("two documents", "owner: us\n---\nowner: them\n", "more than one document"),
		row("a key that is there twice", "owner: us\nowner: them\n", "line 2, column 1.*twice"),
		row("an escape sequence", `"a\e[2J": 1`+"\n", `unknown field "a\\x1b\[2J"`),
		row("a NUL", "owner: us\x00\n", `U\+0000`),
		{name: "configuration: 100 MB", says: "larger than 1048576 bytes", make: func(d *den) []string {
			d.large("profilesync.yaml")
			return []string{"validate", "--worktree", d.good()}
		}},
		{name: "configuration: a link to /dev/zero", says: "larger than 1048576 bytes", make: func(d *den) []string {
			if err := os.Symlink("/dev/zero", filepath.Join(d.dir, "profilesync.yaml")); err != nil {
				d.t.Fatal(err)
			}
			return []string{"validate", "--worktree", d.good()}
		}},
		{name: "configuration: a directory", says: "is a directory", make: func(d *den) []string {
			return []string{"validate", "-c", d.good()}
		}},
	}
	rows[3].peak = 200
	return rows
}

func hostileClouds() []hostile {
	row := func(name, text, says string) hostile {
		return hostile{name: "clouds.yaml: " + name, says: says, hint: "clouds.yaml", make: func(d *den) []string {
			d.environment = append(d.environment, "OS_CLIENT_CONFIG_FILE="+d.write("clouds.yaml", text))
			return []string{"list", "--cloud", "a"}
		}}
	}
	rows := []hostile{
		row("an alias bomb", bomb(""), "more than 50000 values"),
		row("merge keys in each other", strings.ReplaceAll(strings.ReplaceAll(bomb(""), "[", "{<<: ["), "]", "]}"), "more than 50000 values"),
		row("nested 10,000 deep", "clouds: "+nested(10_000), "line 1: a value that cannot stand here|max depth"),
		row("70,000 entries", "clouds:\n"+strings.Repeat("  c: {}\n", 70_000), "a map of more than 10000 keys"),
		row("more entries than a line bears", "clouds: {b: {}, c: {}, d: {}, e: {}, f: {}, g: {}, h: {}, i: {}, j: {}, k: {}, l: {}, m: {}, n: {}, o: {}, p: {}, q: {}, r: {}, s: {}, t: {}, u: {}, v: {}, w: {}}\n", "and 2 more"),
		row("an entry that is there twice", "clouds:\n  a: {}\n  a: {}\n", `line 3: mapping key "a" already defined`),
		row("a list", "- a\n", "clouds.yaml: line 1: a value that cannot stand here"),
		row("an escape sequence in a name", `clouds: {"b\e[2J": {}}`, `b\\x1b\[2J`),
		row("an escape sequence in a URL", `clouds: {a: {auth: {auth_url: "http://h/\e[2J", username: u, password: p, project_name: p}}}`, "invalid control character in URL"),
		row("no UTF-8", "clouds: {a: {}} #\xe9\n", "UTF-8"),
		{name: "clouds.yaml: 100 MB", says: "more than 1 MiB", hint: "clouds.yaml", make: func(d *den) []string {
			d.large("clouds.yaml")
			return []string{"list", "--cloud", "a"}
		}},
	}
	rows[3].peak = 100
	return rows
}

func hostilePlans() []hostile {
	const head, tail = `{"format_version":1,"targets":[{"name":"x","digest":"d","changes":[`, `]}]}`
	change := func(fields string) string {
		return head + `{"action":"create","fields":[` + fields + `]}` + tail
	}
	row := func(name, text, says string) hostile {
		return hostile{name: "plan file: " + name, says: `plan file "plan.json": .*` + says, peak: 100, make: func(d *den) []string {
			d.write("plan.json", text)
			return []string{"apply", "--plan", "plan.json", "--worktree", d.good(), "--cloud", "devcloud"}
		}}
	}
	return []hostile{
		row("millions of empty changes", head+strings.Repeat("{},", 1<<22)+"{}"+tail, "more than 2097152 elements"),
		row("millions of changes that are null", head+strings.Repeat("null,", 2_000_000)+"null"+tail, `action "": invalid`),
		row("millions of targets that are null", `{"format_version":1,"targets":[`+strings.Repeat("null,", 2_000_000)+"null]}", "it has no plan"),
		row("objects in each other", change(`{"path":"/a","new":`+strings.Repeat(`{"":`, 9000)+"0"+strings.Repeat("}", 9000)+"}"), "the file was changed"),
		row("a million objects in each other", change(strings.TrimSuffix(strings.Repeat(`{"new":`+strings.Repeat(`{"":`, 1000)+"0"+strings.Repeat("}", 1000)+"},", 1100), ",")), "more than 1048576 objects and lists"),
		row("nested 100,000 deep", change(nested(100_000)), "exceeded max depth"),
		row("a digest that was made up", change(`{"path":"/a","new":9007199254740993}`), "the file was changed"),
		row("escape sequences", `{"format_version":1,"targets":[{"name":"\u001b[2J","error":"\u202e\u0007"}]}`, `\\x1b\[2J.*\\u202e\\a`),
		row("a version of a mebibyte", `{"format_version":"`+strings.Repeat("9", 1<<20)+`"}`, "make the plan again"),
		row("no JSON", "\x00\xff", "not the JSON of a plan"),
		{name: "plan file: 100 MB", says: "larger than 33554432 bytes", peak: 128, make: func(d *den) []string {
			d.large("plan.json")
			return []string{"apply", "--plan", "plan.json"}
		}},
		{name: "plan file: /dev/zero", says: "larger than 33554432 bytes", peak: 128, make: func(*den) []string {
			return []string{"apply", "--plan", "/dev/zero"}
		}},
	}
}
