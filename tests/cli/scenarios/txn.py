"""txn: comparisons and requests from stdin."""

from __future__ import annotations

from collections.abc import Sequence

from scenario import Run, Step


def _txn(compare: str = "", success: str = "", failure: str = "", *flags: str) -> Run:
    """Each part is lines without the empty one that ends it."""
    parts = [part + "\n" if part else "" for part in (compare, success, failure)]
    return Run(["txn", *flags], stdin="\n".join(parts) + "\n")


def _compares(*lines: str) -> list[Run]:
    return [_txn(line) for line in lines]


FORMATS = (["-w", "simple"], ["-w", "json"], ["-w", "fields"], ["--hex"])

SCENARIOS: dict[str, tuple[str, Sequence[Step]]] = {
    "txn": (
        "both branches, every request, every format",
        [
            Run(["put", "k", "v"]),
            _txn('value("k") = "v"', "put k w\nget k", "put k no"),
            _txn('value("k") = "v"', "put k no", "get k\ndel k --prev-kv\nget k"),
            Run(["put", "a", "1"]),
            Run(["put", "b", "2"]),
            *[
                _txn(
                    'mod("a") > "0"\nversion("none") = "0"',
                    f"put a {n} --prev-kv\nput c{n} 1\nget --prefix c\nget none\ndel none\n"
                    "del b --prev-kv\nget a b0 --keys-only",
                    "",
                    *form,
                )
                for n, form in enumerate(FORMATS)
            ],
            *[_txn('mod("a") < "0"', "put no no", "", *form) for form in FORMATS],
            *[_txn(*[""] * 3, *form) for form in FORMATS],
            _txn('mod("a") < "0"', "", "get a --rev=4", "-w", "json"),
            Run(["get", "", "--prefix", "-w", "json"]),
        ],
    ),
    "txn_compare": (
        "every comparison that there is",
        [
            Run(["put", "k", "v"]),
            Run(["put", "k", "w"]),
            *_compares(
                'version("k") = "2"',
                'ver("k") = "2"',
                'ver("k") > "2"',
                'ver("k") < "3"',
                'create("k") = "2"',
                'c("k") = "2"',
                'c("k") != "2"',
                'c("k") > "1"',
                'mod("k") = "3"',
                'm("k") = "3"',
                'm("k") < "3"',
                'm("k") != "2"',
                'value("k") = "w"',
                'val("k") = "w"',
                'val("k") > "v"',
                'val("k") < "v"',
                'val("k") != "x"',
                'val("none") = ""',
                'val("none") != "x"',
                'ver("none") = "0"',
                'mod("k") = "-1"',
                'mod("k") > "-1"',
                'val("") = ""',
            ),
        ],
    ),
    "txn_compare_syntax": (
        "how a comparison may be written",
        [
            Run(["put", "k", "v 2"]),
            *_compares(
                'value("k")  =   "v 2"',
                ' value("k") = "v 2" ',
                'value("k") = "v 2" rest',
                'value("k")\t=\t"v 2"',
                "value(`k`) = `v 2`",
                'value("k") = "v\\x202"',
                'value("k") = "\\166\\u0020\\U00000032"',
                'value("\\x6b") = "v 2"',
                'value( "k") = "v 2"',
                'value("k" ) = "v 2"',
                'value("k")="v 2"',
                'value("k") ="v 2"',
                'value("k")= "v 2"',
                'value("k") = v',
                "value('k') = 'v 2'",
                'value(k) = "v 2"',
                'VALUE("k") = "v 2"',
                'value ("k") = "v 2"',
                'value("k")',
                'value("k") =',
                'value("k") = "v',
                'value("k") = "\\q"',
                "nonsense",
                'nonsense("k") = "1"',
                'mod("k") = "x"',
                'mod("k") = ""',
                'mod("k") = "0x2"',
                'mod("k") = "+2"',
                'mod("k") = "99999999999999999999"',
                "(",
                'size("k") = "1"',
                'value("k"',
                'value("k"] = "v 2"',
            ),
            _txn('value("k") = "v 2"\nnonsense'),
        ],
    ),
    "txn_compare_crash": (
        "comparisons that etcdctl 3.4.23 knows of but crashes at",
        [
            Run(["put", "k", "v"]),
            *_compares(
                'mod("k") >= "0"',
                'mod("k") == "2"',
                'value("k") <> "v"',
                'lease("k") = "0"',
                'lease("k") = "x"',
            ),
        ],
    ),
    "txn_request_syntax": (
        "how a request may be written",
        [
            *[
                _txn("", f"{line}\nget k")
                for line in (
                    'put k "a b  c"',
                    'put k "a\\nb\\tc\\"d\\x01\\\\"',
                    'put k ""',
                    "put k a\\ b",
                    'put k a"b',
                    'put k a"b c"',
                    "put k a'b",
                    "put  k\t v",
                    "put k v w",
                    "put k -- -v",
                    "put --prev-kv k v",
                    "put k --prev-kv=true v",
                    'put "k" "v"',
                    '"put" k v',
                    "put k v --lease=0",
                    "put k v --prev-kv=false",
                    "put k `a b`",
                    'put k "é"',
                    "put k \u4e16",
                    'put k "a" "b"',
                    'put k "a"b',
                    'put k "a',
                )
            ],
            *[
                _txn("", line)
                for line in (
                    "put",
                    "get",
                    "del",
                    "put k",
                    "nonsense",
                    "nonsense k",
                    "put k v --nope",
                    "put k v --hex",
                    "put k v -w json",
                    "put k v --lease=x",
                    "get k --limit=x",
                    "get k --order=x",
                    "get k --sort-by=x",
                    "get k a --prefix",
                    "del k a b",
                    "get k --prefix --from-key",
                    "put k --ignore-value",
                    "put k x --ignore-value",
                    'put "\\q" v',
                    "watch k",
                    "txn k",
                    "lease grant 5",
                    "get k --consistency=x",
                )
            ],
            _txn("", "get k --prefix --order=descend --limit=1"),
            _txn("", "get k --keys-only\nget k"),
            _txn("", "get k --print-value-only\nget k"),
            _txn("", "get k --consistency=s"),
            _txn("", "get k --rev=2"),
            _txn("", 'get "" --prefix'),
            _txn("", 'del "" --prefix'),
            _txn("", 'get ""'),
        ],
    ),
    "txn_quotes": (
        "single quotes, at which etcdctl 3.4.23 cuts in the wrong place",
        [
            _txn("", "put k 'a b c'\nget k"),
            _txn("", "put k ''\nget k"),
            _txn("", "put 'a key' 'a value' --prev-kv"),
        ],
    ),
    "txn_refused": (
        "what the store refuses changes nothing",
        [
            Run(["put", "k", "v"]),
            _txn("", "put d 1\nput d 2"),
            _txn("", "put d 1\ndel d"),
            _txn("", "", "put d 1\nput d 2"),
            _txn("", "del d\ndel d"),
            _txn("", "put k v --lease=1234"),
            _txn("", "put none --ignore-value"),
            _txn("", "get k --rev=100"),
            _txn('ver("k") = "0"', "get k --rev=100"),
            _txn("", 'put "" v'),
            _txn("", "\n".join(f"put k{n} v" for n in range(129))),
            _txn("\n".join(['ver("k") = "1"'] * 129)),
            Run(["get", "", "--prefix", "-w", "json"]),
        ],
    ),
    "txn_input": (
        "where the input ends, and what is around it",
        [
            Run(["put", "k", "v"]),
            Run(["txn"], stdin=""),
            Run(["txn"], stdin="\n"),
            Run(["txn"], stdin="\n\n"),
            Run(["txn"], stdin="\n\n\n"),
            Run(["txn"], stdin="\n\n\nafter the end\n"),
            Run(["txn"], stdin='value("k") = "v"'),
            Run(["txn"], stdin="\n\nget k"),
            Run(["txn"], stdin="\n\nget k\n"),
            Run(["txn"], stdin="  \t\n  get   k  \n\t\n\n"),
            Run(["txn"], stdin="\r\nget k\r\n\r\n\r\n"),
            Run(["txn", "extra"], stdin="\n\n\n"),
            Run(["txn", "--nope"], stdin="\n\n\n"),
        ],
    ),
    "txn_interactive": (
        "with prompts",
        [
            Run(["put", "k", "v"]),
            _txn('value("k") = "v"', "put k w\nget k", "get k", "-i"),
            _txn('value("k") = "v"', "put k w\nget k", "get k", "--interactive"),
            _txn("", "", "", "-i", "-w", "json"),
            _txn("", "", "", "-iw", "json"),
            _txn("", "", "", "-i=true"),
            _txn("", "", "", "-i=false"),
            Run(["txn", "-i"], stdin=""),
            Run(["txn", "-i"], stdin="\n"),
            Run(["txn", "-i"], stdin="\n\n"),
            Run(["txn", "-i"], stdin="\nnonsense\n"),
        ],
    ),
}
