# SPDX-License-Identifier: Apache-2.0
"""The gates themselves: what they must flag, and what they must let pass."""

import importlib.machinery
import importlib.util
import pathlib
import re
import subprocess
import zipfile

import pytest

TOOLS = pathlib.Path(__file__).resolve().parent
SPDX = "/* SPDX-License-Identifier: Apache-2.0 */\n"

ATTR = SPDX + """
#define may_suspend __attribute__((annotate("may_suspend")))
#define must_check __attribute__((warn_unused_result))
#define _cleanup_(fn) __attribute__((cleanup(fn)))
"""

FIBER = SPDX + """
#include "base/attr.h"

struct error;
struct group { int n; };
struct stream;
struct ops {
	int kind;
	may_suspend struct error *(*read)(struct stream *s);
	struct error *(*peek)(struct stream *s);
};
struct stream { const struct ops *ops; };
typedef may_suspend void fiber_fn(void *arg);
typedef void plain_fn(void *arg);

may_suspend must_check struct error *fiber_sleep(long span);
may_suspend void group_finish(struct group *g);
void group_go(struct group *g, fiber_fn *fn, void *arg);
void offload(plain_fn *fn, void *arg);
must_check struct error *fiber_check(void);
void error_free(struct error *err);
int atomic(int a);
"""


def make_tree(root, files):
    files = {"src/LAYERS": "base:\nfiber: base\nnet: base fiber\n"} | files
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for folder in {p.parent for p in root.rglob("*.c")}:
        names = ", ".join(f"'{p.name}'" for p in folder.glob("*.c"))
        if not (folder / "meson.build").exists():
            (folder / "meson.build").write_text(f"x_sources = files({names})\n")


def run(tool, root, *args):
    done = subprocess.run([TOOLS / tool, "--root", root, *args], capture_output=True, text=True)
    assert not done.stderr, done.stderr
    found = done.stdout.splitlines()
    assert done.returncode == (1 if found else 0)
    return found


def source(text):
    return {"src/base/a.h": SPDX, "src/net/x.c": SPDX + text}


@pytest.mark.parametrize("text, said", [
    ('#include "a.h"\n', "does not say its layer"),
    ('#include "base/none.h"\n', "there is no src/base/none.h"),
    ("#include <uv.h>\n", "<uv.h> belongs to src/fiber/*"),
    ("#include <openssl/ssl.h>\n", "belongs to src/net/tls*"),
    ("#include <sqlite3.h>\n", "belongs to src/registry/*"),
    ("typedef struct foo {\n\tint a;\n} foo;\n", "no typedef"),
    ("typedef struct foo foo_t;\n", "no typedef"),
    ("typedef struct foo *foo_t;\n", "no typedef"),
    ("__attribute__((constructor)) static void f(void)\n{\n}\n", "no constructors"),
    ("void f(void)\n{\n\t_cleanup_(map_fini) struct map m;\n}\n", "a value from the start"),
    ("void *f(void)\n{\n\treturn alloca(8);\n}\n", "no alloca"),
    ("void f(void)\n{\n\tusleep(8);\n}\n", "fiber_sleep"),
    ("int f(void)\n{\n\treturn getaddrinfo(0, 0, 0, 0);\n}\n", "offload"),
])
def test_layers_flags(tmp_path, text, said):
    make_tree(tmp_path, source(text))
    found = run("check-layers", tmp_path)
    assert len(found) == 1 and said in found[0]
    assert found[0].startswith("src/net/x.c:")


@pytest.mark.parametrize("text", [
    '#include "base/a.h"\n#include <stdio.h>\n',
    "/* alloca() would overflow; so would typedef struct */\n",
    'const char *s = "sleep(1)"; char c = \'"\'; const char *t = "alloca(";\n',
    "typedef struct str name_fn(const void *item);\n",
    "void f(void)\n{\n\t_cleanup_(map_fini) struct map m = MAP_INIT(key);\n}\n",
    "#define _cleanup_(fn) __attribute__((cleanup(fn)))\nint a;\n",
    "void f(void)\n{\n\tfiber_sleep(8);\n}\n",
])
def test_layers_lets_pass(tmp_path, text):
    make_tree(tmp_path, source(text))
    assert run("check-layers", tmp_path) == []


def test_layers_flags_a_layer_above(tmp_path):
    make_tree(tmp_path, {"src/net/a.h": SPDX, "src/base/x.c": SPDX + '\n#include "net/a.h"\n'})
    assert run("check-layers", tmp_path) == [
        "src/base/x.c:3: base may not include net (src/LAYERS)"]


def test_layers_flags_files(tmp_path):
    make_tree(tmp_path, {
        "src/base/utils.c": SPDX,
        "src/base/bare.c": "int x;\n",
        "src/base/unlisted.c": SPDX,
        "src/new/x.c": SPDX,
        "src/base/meson.build": "base_sources = files('utils.c', 'bare.c')\n",
        "test/unit/base/test_x.c": "int x;\n",
    })
    assert run("check-layers", tmp_path) == [
        "src/base/bare.c:1: does not open with SPDX-License-Identifier: Apache-2.0",
        "src/base/unlisted.c:1: not in src/base/meson.build",
        "src/base/utils.c:1: a file is named after what it is about",
        "src/new/x.c:1: in no layer of src/LAYERS",
        "test/unit/base/test_x.c:1: does not open with SPDX-License-Identifier: Apache-2.0",
    ]


def function(name, lines):
    return f"static int {name}(int a,\n\t\tint b)\n{{\n" + "\ta++;\n" * (lines - 4) + "}\n\n"


def test_size(tmp_path):
    make_tree(tmp_path, {
        "src/base/x.c": SPDX + function("fits", 55) + function("long_one", 56),
        "src/base/y.c": SPDX + "int a;\n" * 499,
        "src/base/z.c": SPDX + "int a;\n" * 500,
        "test/unit/y.c": SPDX + function("fits", 65) + "int a;\n" * 583,
        "test/unit/z.c": SPDX + "int a;\n" * 650,
    })
    assert run("check-size", tmp_path) == [
        "src/base/x.c:long_one has 56 lines, 55 is the limit",
        "src/base/z.c has 501 lines, 500 is the limit",
        "test/unit/z.c has 651 lines, 650 is the limit",
    ]


@pytest.mark.parametrize("allowed, said", [
    ("src/base/x.c:f 80", None),
    ("src/base/x.c:f 79", "has 80 lines, tools/size-allowed says 79"),
    ("src/base/x.c:f 81", "write that into"),
    ("src/base/x.c:f 80\nsrc/base/x.c:g 75", "src/base/x.c:g is no longer too long"),
])
def test_size_list_only_shrinks(tmp_path, allowed, said):
    make_tree(tmp_path, {"src/base/x.c": SPDX + function("f", 80) + function("g", 20),
                         "tools/size-allowed": "# a comment\n" + allowed + "\n"})
    found = run("check-size", tmp_path)
    assert (found == []) if said is None else (len(found) == 1 and said in found[0])


def check_suspend(tmp_path, text, *args):
    make_tree(tmp_path, {"src/base/attr.h": ATTR, "src/fiber/fiber.h": FIBER,
                         "src/net/x.c": SPDX + '#include "fiber/fiber.h"\n' + text})
    return run("check-suspend", tmp_path, *args)


@pytest.mark.parametrize("text, said", [
    # A call, plain and in all the places where it hides.
    ("void f(void)\n{\n\terror_free(fiber_sleep(1));\n}\n", "f calls fiber_sleep"),
    ("struct error *f(void)\n{\n\treturn fiber_sleep(1);\n}\n", "f calls fiber_sleep"),
    ("#define NAP() error_free(fiber_sleep(1))\nvoid f(void)\n{\n\tNAP();\n}\n",
     "f calls fiber_sleep"),
    ("int f(void)\n{\n\treturn ({ error_free((fiber_sleep)(1)); 1; });\n}\n",
     "f calls fiber_sleep"),
    ("static int atomic2(int a)\n{\n\tfor (; fiber_sleep(a) == 0;)\n\t\ta++;\n\treturn a;\n}\n",
     "atomic2 calls fiber_sleep"),
    # A cleanup, with and without a macro around it.
    ("void f(void)\n{\n\t_cleanup_(group_finish) struct group g = { 1 };\n}\n",
     "f cleans up g with group_finish"),
    ("#define GROUP(g) _cleanup_(group_finish) struct group g\nvoid f(void)\n{\n\tGROUP(h);\n}\n",
     "f cleans up h with group_finish"),
    ("void f(void)\n{\n\tif (1) {\n\t\tstruct group g __attribute__((__cleanup__(group_finish)));"
     "\n\t}\n}\n", "f cleans up g with group_finish"),
    # Through pointers.
    ("struct error *f(struct stream *s)\n{\n\treturn s->ops->read(s);\n}\n", "f calls read"),
    ("struct error *f(struct stream *s)\n{\n\treturn (*s->ops[0].read)(s);\n}\n", "f calls read"),
    ("void f(fiber_fn *fn)\n{\n\tfn(0);\n}\n", "f calls fn"),
    ("static fiber_fn *fns[2];\nvoid f(void)\n{\n\tfns[1](0);\n}\n", "f calls fns"),
    ("void f(may_suspend void (*fn)(int))\n{\n\tfn(0);\n}\n", "f calls fn"),
    # Handed to where nobody would see the call.
    ("static may_suspend void job(void *a)\n{\n}\nvoid f(void)\n{\n\toffload(job, 0);\n}\n",
     "job can park, and goes to parameter fn of offload"),
    ("static may_suspend void job(void *a)\n{\n}\nvoid f(void)\n{\n\tplain_fn *p = job;\n\t"
     "p(0);\n}\n", "job can park, and goes to variable p"),
    ("static may_suspend void job(void *a)\n{\n}\nvoid f(plain_fn *p, int x)\n{\n"
     "\tp = x ? 0 : &job;\n}\n", "job can park, and goes to p"),
    ("static may_suspend struct error *get(struct stream *s)\n{\n\treturn 0;\n}\n"
     "const struct ops table = { .peek = get };\n", "get can park, and goes to field peek"),
    ("static may_suspend struct error *get(struct stream *s)\n{\n\treturn 0;\n}\n"
     "const struct ops table[] = { { 1, get, get } };\n", "get can park, and goes to field peek"),
    ("static may_suspend struct error *get(struct stream *s)\n{\n\treturn 0;\n}\n"
     "const struct ops table = { .read = get, get };\n", "get can park, and goes to field peek"),
    ("plain_fn *f(fiber_fn *fn)\n{\n\treturn fn;\n}\n", "fn can park, and goes to the returned"),
    ("struct error *f(int x)\n{\n\treturn (x ? fiber_sleep : 0)(1);\n}\n",
     "fiber_sleep can park, and goes to a computed call"),
    ("void f(int x, fiber_fn *fn)\n{\n\t(x ? fn : 0)(0);\n}\n", "f calls a pointer"),
    ("void f(struct stream *s)\n{\n\tvoid *p = (void *)s->ops->read;\n}\n",
     "read can park, and goes to a cast"),
    # Marks that disagree, and errors that are dropped.
    ("may_suspend void group_go(struct group *g, fiber_fn *fn, void *arg)\n{\n}\n",
     "group_go is not marked may_suspend here, as it is in src/net/x.c:3"),
    ("void group_finish(struct group *g)\n{\n}\n",
     "group_finish is not marked may_suspend here, as it is in src/fiber/fiber.h:"),
    ("void f(struct stream *s)\n{\n\ts->ops->peek(s);\n}\n", "the error of peek is dropped"),
    ("void f(void)\n{\n\tif (1)\n\t\t(void)fiber_check();\n}\n",
     "the error of fiber_check is dropped"),
    ("#include \"none.h\"\n", "clang cannot read it"),
    ("int f(void)\n{\n\treturn none;\n}\n", "clang cannot read it"),
])
def test_suspend_flags(tmp_path, text, said):
    found = check_suspend(tmp_path, text)
    assert len(found) == 1 and said in found[0], found


@pytest.mark.parametrize("text", [
    "may_suspend struct error *f(void)\n{\n\treturn fiber_sleep(1);\n}\n",
    "may_suspend void f(void)\n{\n\t_cleanup_(group_finish) struct group g = { 1 };\n}\n",
    "static may_suspend void job(void *a)\n{\n}\nvoid f(struct group *g)\n{\n\t"
    "group_go(g, job, 0);\n\tgroup_go(g, &job, 0);\n}\n",
    "static may_suspend struct error *get(struct stream *s)\n{\n\treturn fiber_sleep(2);\n}\n"
    "const struct ops table = { 1, get };\nconst struct ops two[] = { { .read = get } };\n",
    "struct error *f(struct stream *s)\n{\n\treturn s->ops->peek(s);\n}\n",
    "int f(struct stream *s)\n{\n\tint b = !s->ops->read;\n\treturn s->ops->read ? b : 0;\n}\n",
    "struct job { fiber_fn *fn; };\nvoid f(struct job *j, fiber_fn *fn)\n{\n\tj->fn = fn;\n"
    "\tfiber_fn *copy = j->fn;\n\t*j = (struct job){ .fn = copy };\n}\n",
    "int f(void)\n{\n\treturn sizeof(fiber_sleep(1)) + atomic(1);\n}\n",
])
def test_suspend_lets_pass(tmp_path, text):
    assert check_suspend(tmp_path, text) == []


def test_suspend_wants_must_check_in_headers(tmp_path):
    header = SPDX + "struct error;\nstruct error *g(void);\nstatic inline int h(void)\n{\n" \
        "\treturn 1;\n}\n"
    make_tree(tmp_path, {"src/net/y.h": header})
    found = check_suspend(tmp_path, '#include "net/y.h"\n')
    assert found == ["src/net/y.h:3: g returns a struct error * and is not marked must_check"]


def test_suspend_cache(tmp_path):
    text = "void f(void)\n{\n\terror_free(fiber_sleep(1));\n}\n"
    first = check_suspend(tmp_path, text, "--cache", tmp_path / "cache")
    assert first and run("check-suspend", tmp_path, "--cache", tmp_path / "cache") == first
    mended = "may_suspend " + text
    assert check_suspend(tmp_path, mended, "--cache", tmp_path / "cache") == []


def load(tool):
    loader = importlib.machinery.SourceFileLoader(tool.replace("-", "_"), str(TOOLS / tool))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


@pytest.mark.parametrize("result, stdout, counts", [
    ("OK", "1..2\nok 1 - a\nok 2 - b\n# ok - group\n", (2, 0)),
    ("FAIL", "1..2\nok 1 - a\nnot ok 2 - b\n", (1, 1)),
    ("ERROR", "1..3\nok 1 - a\nnot ok 2 - b\nnot ok 3 - c\n", (1, 2)),
    ("ERROR", "1..2\nok 1 - a\n", (1, 1)),  # it crashed after a
    ("TIMEOUT", "", (0, 1)),
    ("OK", "a gate says what it likes\n", (1, 0)),
    ("FAIL", "a gate says what it likes\n", (0, 1)),
])
def test_counts(result, stdout, counts):
    assert load("run-checks").count_tap({"result": result, "stdout": stdout}) == counts


def test_every_limit_is_documented():
    root = TOOLS.parent
    names = set(re.findall(r"#define (LIMIT_\w+)", (root / "src/base/limits.h").read_text()))
    told = set(re.findall(r"`(LIMIT_\w+)`", (root / "docs/limits.md").read_text()))
    assert names == told


def test_a_corpus_is_unpacked(tmp_path):
    fuzzing = load("fuzzing.py")
    for name in ("json", "http_request"):
        folder = tmp_path / name
        folder.mkdir()
        fuzzing.unpack(name, folder)
        with zipfile.ZipFile(fuzzing.CORPUS / f"{name}.zip") as kept:
            names = set(kept.namelist())
        assert len(names) > 50
        assert {path.name for path in folder.iterdir()} == \
            names | {path.name for path in (fuzzing.CORPUS / name).iterdir()}
