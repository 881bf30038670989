"""The parts that have rules of their own: flags, numbers, quotes, the language of txn."""

from __future__ import annotations

import doctest
import threading

import pytest
import revwatch
from revwatch import (
    Compare,
    DeleteRange,
    FollowReset,
    FollowResponse,
    FollowState,
    FollowSynced,
    Put,
    Range,
    WatchResponse,
)
from revwatch.cli import flags, go_syntax, txn_parser, verbs_watch
from revwatch.cli.call import Call
from revwatch.cli.exits import CommandError, UsageError
from revwatch.cli.flags import Flag, FlagError, parse
from revwatch.cli.go_syntax import parse_int, quote, scan_quoted
from revwatch.cli.printers import printer
from revwatch.cli.txn_parser import parse_compare, parse_request, split_words

FLAGS = [
    Flag("write-out", "text", "", short="w"),
    Flag("interactive", "switch", "", short="i"),
    Flag("rev", "number", ""),
    Flag("wait", "duration", "", default="5s"),
]


@pytest.mark.parametrize("module", [flags, go_syntax, txn_parser], ids=lambda m: str(m.__name__))
def test_examples_in_the_documentation(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "words",
    [
        "-w json", "-w=json", "-wjson", "--write-out json", "--write-out=json", "-iw json",
        "-iwjson", "-w simple -w json",
    ],
)  # fmt: skip
def test_flags_may_be_spelled_in_many_ways(words: str) -> None:
    values, arguments = parse(["a", *words.split(), "b"], FLAGS)
    assert (values.text("write-out"), arguments) == ("json", ["a", "b"])


def test_flags_end_at_two_dashes_and_take_dashes_as_values() -> None:
    values, arguments = parse(["--rev", "-5", "--", "-i", "--", "--rev=1"], FLAGS)
    assert (values.number("rev"), values.on("interactive")) == (-5, False)
    assert arguments == ["-i", "--", "--rev=1"]
    assert parse(["-", "x"], FLAGS)[1] == ["-", "x"]


def test_switches_may_have_values() -> None:
    assert parse(["-i=true"], FLAGS)[0].on("interactive")
    assert not parse(["-i", "--interactive=F"], FLAGS)[0].on("interactive")


@pytest.mark.parametrize(
    "words",
    [
        ["--nope"], ["-x"], ["-5"], ["--writ=json"], ["--rev"], ["--rev="], ["--rev=x"],
        ["--rev=9223372036854775808"], ["-i=maybe"], ["--interactive="], ["--wait=5"],
        ["--wait="], ["--="], ["---rev=1"], ["-w"], ["- x"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_wrong_flags_are_refused(words: list[str]) -> None:
    with pytest.raises(FlagError):
        parse(["a", *words], FLAGS)


@pytest.mark.parametrize(
    ("text", "base", "number"),
    [
        ("0", 0, 0), ("+7", 0, 7), ("-0x1F", 0, -31), ("0o17", 0, 15), ("017", 0, 15),
        ("0b101", 0, 5), ("1_0", 0, None), ("0x1_0", 0, 16), ("08", 0, None), ("", 0, None),
        ("-", 0, None), (" 1", 0, None), ("1 ", 10, None), ("1\n", 10, None), ("٣", 10, None),
        ("FF", 16, 255), ("0xff", 16, None), ("7fffffffffffffff", 16, 2**63 - 1),
        ("8000000000000000", 16, None), ("-8000000000000000", 16, -(2**63)),
    ],
)  # fmt: skip
def test_numbers_are_read_as_go_reads_them(text: str, base: int, number: int | None) -> None:
    if number is None:
        with pytest.raises(ValueError):
            parse_int(text, base)
    else:
        assert parse_int(text, base) == number


@pytest.mark.parametrize("data", [b"", b"plain", bytes(range(256)), "é世😀\u00ad\u2028".encode()])
def test_what_is_quoted_reads_back(data: bytes) -> None:
    quoted = quote(data)
    assert quoted.isprintable()
    assert scan_quoted(quoted, 0) == (data, len(quoted))


@pytest.mark.parametrize("text", ["", "x", '"', '"a', '"\\', '"\\q"', '"\\x4"', '"\\400"', "`a"])
def test_broken_quotes_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        scan_quoted(text, 0)


def test_comparisons_are_read() -> None:
    assert parse_compare('ver("k") > "1"') == Compare(b"k", "version", ">", 1)
    assert parse_compare('create("\\xff") = "-1"') == Compare(b"\xff", "create", "=", -1)
    assert parse_compare('value("k") != "a\\n"') == Compare(b"k", "value", "!=", b"a\n")
    assert parse_compare('lease("k") = "ff"') == Compare(b"k", "lease", "=", 255)


def test_requests_are_read() -> None:
    assert parse_request('put k "a b" --prev-kv') == Put(b"k", b"a b", prev_kv=True)
    assert parse_request("get a b --limit=3") == Range(b"a", b"b", limit=3)
    assert parse_request("del a --prefix") == DeleteRange(b"a", prefix=True)


def test_words_keep_bytes_that_are_no_utf_8() -> None:
    assert split_words('a\udcff "b\udcff\\xff"') == ["a\udcff", "b\udcff\udcff"]


@pytest.mark.parametrize("line", ["put", "put k", "nope k", "get k --nope", 'put "\\q" v'])
def test_a_wrong_request_is_shown(line: str) -> None:
    with pytest.raises(CommandError) as raised:
        parse_request(line)
    assert raised.value.exit_code in (3, 128)


def watch_request(
    words: str, after: list[str] | None = None, **environment: str
) -> verbs_watch.Request:
    values, arguments = parse(words.split(), verbs_watch.FLAGS)
    return verbs_watch.parse_request(arguments, values, after, environment)


def test_what_to_watch_comes_from_arguments_or_the_environment() -> None:
    asked = watch_request("a b --rev=3 --prev-kv", ["echo", "-n"])
    assert (asked.key, asked.range_end, asked.start_revision) == (b"a", b"b", 3)
    assert (asked.prev_kv, list(asked.command)) == (True, ["echo", "-n"])
    asked = watch_request("--prefix", ETCDCTL_WATCH_KEY="a")
    assert (asked.key, asked.range_end, asked.prefix) == (b"a", None, True)
    asked = watch_request("", ETCDCTL_WATCH_KEY="a", ETCDCTL_WATCH_RANGE_END="b")
    assert (asked.key, asked.range_end) == (b"a", b"b")
    for words in ("", "a b --prefix"):
        with pytest.raises(UsageError):
            watch_request(words)
    with pytest.raises(UsageError):
        watch_request("a", [])
    with pytest.raises(UsageError):
        watch_request("b", ETCDCTL_WATCH_KEY="a")


@pytest.mark.parametrize("form", ["simple", "json"])
def test_progress_is_printed_by_interval_to_who_asked(
    form: str, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    told = threading.Event()
    chosen = printer(form, hexadecimal=False, values_only=False)
    printed = chosen.watch

    def print_and_stop(answer: WatchResponse) -> None:
        printed(answer)
        told.set()

    monkeypatch.setattr(chosen, "watch", print_and_stop)
    asked = watch_request("k --progress-notify")
    call = Call([], parse([], verbs_watch.FLAGS)[0], chosen)
    with revwatch.open(progress_notify_ms=1) as store:
        verbs_watch._Watching(call, asked).run(store, told)
    first, *rest = capfdbinary.readouterr().out.decode().splitlines()
    assert first == "progress notify: 1"
    assert len(rest) == (1 if form == "json" else 0)


@pytest.mark.parametrize(
    ("answer", "simple", "json"),
    [
        (FollowReset(7), "reset 7\n", '{"type":"reset","revision":7}\n'),
        (FollowState([]), "", '{"type":"state","kvs":[]}\n'),
        (FollowSynced(7), "synced 7\n", '{"type":"synced","revision":7}\n'),
    ],
)
def test_a_follow_says_where_it_stands(
    answer: FollowResponse, simple: str, json: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    for form, text in (("simple", simple), ("json", json)):
        printer(form, hexadecimal=False, values_only=False).follow(answer)
        assert capfdbinary.readouterr().out.decode() == text


@pytest.mark.parametrize("form", ["table", "protobuf", "JSON", ""])
def test_there_is_no_other_output_format(form: str) -> None:
    with pytest.raises(CommandError) as raised:
        printer(form, hexadecimal=False, values_only=False)
    assert raised.value.exit_code == 4
