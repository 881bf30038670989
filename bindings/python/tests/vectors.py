"""Runs one file of the vectors that all languages share; their README is the reference.

Every operation, field and kind of response that is not known here is an error, because a vector
that is skipped in silence has tested nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import revwatch
from revwatch import Compare, DeleteRange, KeyRange, Put, Range, ResumeToken, Txn

Json = dict[str, Any]
Open = Callable[[bool, Json], revwatch.Store]
"""Opens a store with these options: an empty one, or (True) what the one before has left."""

MEBIBYTE = 1 << 20
IDLE_TRIES = 4
LARGE = 1 << 53
"""Numbers from here on are written as text."""
NUMBERS = ("lease", "id")
"""Those that may be so large."""


def expand(value: Any) -> Any:
    """Lists without repetitions in them."""
    if isinstance(value, list):
        items: list[Any] = []
        for item in value:
            if isinstance(item, dict) and set(item) == {"repeat", "times"}:
                items += [expand(item["repeat"])] * item["times"]
            else:
                items.append(expand(item))
        return items
    if isinstance(value, dict):
        return {name: expand(item) for name, item in value.items()}
    return value


def to_bytes(value: Any) -> bytes:
    match value:
        case str():
            return value.encode()
        case {"hex": digits, **rest} if not rest:
            return bytes.fromhex(digits)
        case {"repeat": str(text), "times": times, **rest} if not rest:
            return text.encode() * int(times)
    raise AssertionError(f"not bytes: {value!r}")


def from_bytes(value: bytes) -> Any:
    """One value is always written in one way."""
    return value.decode() if all(32 <= byte < 127 for byte in value) else {"hex": value.hex()}


def canonical(value: Any) -> Any:
    """Answers are compared whole, so both sides leave out zeros and write bytes in one way."""
    if isinstance(value, bytes):
        return canonical(from_bytes(value))
    if isinstance(value, int) and abs(value) >= LARGE:
        return str(value)
    if isinstance(value, list):
        return [canonical(item) for item in value]
    if isinstance(value, dict):
        if set(value) in ({"hex"}, {"repeat", "times"}) and isinstance(
            value.get("repeat", ""), str
        ):
            return from_bytes(to_bytes(value))
        members = {name: canonical(item) for name, item in value.items()}
        return {n: m for n, m in members.items() if m not in (0, "", [], None) and m is not False}
    return value


def kv_json(kv: revwatch.KeyValue | None) -> Json | None:
    return None if kv is None else kv._asdict()


def event_json(event: revwatch.Event) -> Json:
    kinds = {"PUT": "put", "DELETE": "delete"}
    prev_kv = kv_json(event.prev_kv)
    return {"kind": kinds[event.type], "kv": kv_json(event.kv), "prev_kv": prev_kv}


def response_json(response: revwatch.OpResponse) -> Json:
    match response:
        case revwatch.PutResponse(revision, prev_kv):
            return {"put": {"revision": revision, "prev_kv": kv_json(prev_kv)}}
        case revwatch.RangeResponse():
            fields = response._asdict() | {"kvs": [kv_json(kv) for kv in response.kvs]}
            return {"range": fields}
        case revwatch.DeleteRangeResponse():
            kvs = [kv_json(kv) for kv in response.prev_kvs]
            return {"delete_range": response._asdict() | {"prev_kvs": kvs}}
        case revwatch.TxnResponse():
            responses = [response_json(inner) for inner in response.responses]
            return {"txn": response._asdict() | {"responses": responses}}
    raise AssertionError(f"unknown response {response!r}")


def watch_json(response: revwatch.WatchResponse | None) -> Any:
    match response:
        case None:
            return "idle"
        case revwatch.WatchResponse(created=True):
            return {"created": {"watch_id": response.watch_id, "revision": response.revision}}
        case revwatch.WatchResponse(canceled=True) if response.compact_revision:
            compacted = {
                "watch_id": response.watch_id,
                "compact_revision": response.compact_revision,
            }
            return {"compacted": compacted}
        case revwatch.WatchResponse(canceled=True):
            return {"canceled": {"watch_id": response.watch_id}}
        case revwatch.WatchResponse(progress=True):
            return {"progress": {"watch_id": response.watch_id, "revision": response.revision}}
    events = [event_json(event) for event in response.events]
    fields = {
        "watch_id": response.watch_id,
        "revision": response.revision,
        "events": events,
        "fragment": response.fragment,
    }
    return {"events": fields}


def follow_json(response: revwatch.FollowResponse | None) -> Any:
    match response:
        case None:
            return "idle"
        case revwatch.FollowState(kvs):
            return {"state": {"kvs": [kv_json(kv) for kv in kvs]}}
        case revwatch.FollowSynced(revision):
            return {"synced": {"revision": revision}}
        case revwatch.FollowReset(revision):
            return {"reset": {"revision": revision}}
        case revwatch.FollowEvents(revision, events):
            fields = {"revision": revision, "events": [event_json(event) for event in events]}
            return {"events": fields}


def join(responses: list[Json], response: Json) -> None:
    """Where one response ends and the next begins is a matter of room, except that a revision is
    never split: so the events of one watcher are put together, and the parts of a state."""
    ((kind, fields),) = response.items()
    if kind == "events":
        fields.pop("revision")
    last = responses[-1].get(kind) if responses else None
    if kind == "state" and last:
        last["kvs"] += fields["kvs"]
    elif kind == "events" and last and last.get("watch_id") == fields.get("watch_id"):
        revisions = [
            event["kv"]["mod_revision"] for event in (last["events"][-1], *fields["events"])
        ]
        assert revisions[0] < revisions[1], f"a revision is split or out of order: {revisions[:2]}"
        last["events"] += fields["events"]
    else:
        responses.append(response)


def converted(args: Json, bytes_fields: tuple[str, ...] = ("key", "range_end", "value")) -> Json:
    def convert(name: str, value: Any) -> Any:
        if name in NUMBERS:
            return int(value)
        return to_bytes(value) if name in bytes_fields else value

    return {name: convert(name, value) for name, value in args.items()}


def compare_of(json: Json) -> Compare:
    fields: Json = {"key": b""} | converted(json)
    operand = fields.pop("operand", 0)
    operand = to_bytes(operand or "") if fields["target"] == "value" else int(operand)
    return Compare(operand=operand, **fields)


def op_of(json: Json) -> Any:
    ((name, args),) = json.items()
    fields: Json = {"key": b""} | converted(args)
    match name:
        case "put":
            return Put(**fields)
        case "range":
            return Range(**fields)
        case "delete_range":
            return DeleteRange(**fields)
        case "txn":
            return Txn(**txn_args(args))
    raise AssertionError(f"unknown operation {name}")


def txn_args(args: Json) -> Json:
    unknown = set(args) - {"compare", "success", "failure"}
    assert not unknown, f"unknown fields {unknown}"
    return {
        "compare": [compare_of(item) for item in args.get("compare", [])],
        "success": [op_of(item) for item in args.get("success", [])],
        "failure": [op_of(item) for item in args.get("failure", [])],
    }


class Runner:
    """A store under test, with the streams and followers that steps have named."""

    def __init__(self, open_store: Open, vector: Json) -> None:
        self.open_store = open_store
        self.vector = vector
        self.options = vector.get("options", {})
        self.now_ms = 0
        self.streams: dict[str, revwatch.WatchStream] = {}
        self.follows: dict[str, revwatch.Follow] = {}
        self.range_streams: dict[str, revwatch.RangeStream] = {}
        self.store = open_store(False, self.options)
        self.store.step(self.now_ms)

    def run(self) -> None:
        vector = self.vector
        unknown = set(vector) - {"name", "about", "options", "steps"}
        assert not unknown, f"unknown fields {unknown}"
        for number, step in enumerate(vector["steps"]):
            unknown = set(step) - {"op", "args", "expect", "error", "note"}
            assert not unknown, f"unknown fields {unknown}"
            where = f"step {number} of {vector['name']}: {step}"
            try:
                answer = self.step(step["op"], expand(step.get("args", {})))
            except revwatch.RevwatchError as error:
                assert error.name == step.get("error"), f"{where}\nfailed with {error!r}"
                continue
            assert "error" not in step, f"{where}\nanswered {answer}"
            if "expect" not in step or answer is None:
                continue
            got, expected = canonical(answer), canonical(expand(step["expect"]))
            if step["op"] == "status":
                got = {name: answer[name] for name in step["expect"]}
                expected = step["expect"]
            assert got == expected, f"{where}\nanswered {got}"
        self.store.close()

    def step(self, op: str, args: Json) -> Any:
        """The answer to an operation; None where nothing is compared."""
        method = getattr(self, "do_" + op, None)
        assert method is not None, f"unknown operation {op}"
        return method(**args)

    def do_put(self, key: Any = "", **rest: Any) -> Json:
        rest = converted(rest)
        put = self.store.put(to_bytes(key), rest.pop("value", b""), **rest)
        return response_json(put)["put"]  # type: ignore[no-any-return]

    def do_range(self, key: Any = "", **rest: Any) -> Json:
        response = self.store.range(to_bytes(key), **converted(rest))
        return response_json(response)["range"]  # type: ignore[no-any-return]

    def do_delete_range(self, key: Any = "", **rest: Any) -> Json:
        response = self.store.delete_range(to_bytes(key), **converted(rest))
        return response_json(response)["delete_range"]  # type: ignore[no-any-return]

    def do_txn(self, **args: Any) -> Json:
        response = self.store.txn(**txn_args(args))
        return response_json(response)["txn"]  # type: ignore[no-any-return]

    def do_compact(self, revision: int = 0) -> Json:
        return {"revision": self.store.compact(revision)}

    def do_hash_kv(self, revision: int = 0) -> Json:
        return self.store.hash_kv(revision)._asdict()

    def do_range_stream(self, name: str = "", key: Any = "", **rest: Any) -> Json:
        stream = self.store.range_stream(to_bytes(key), **converted(rest))
        self.range_streams[name] = stream
        return {"revision": stream.revision}

    def do_next_kvs(self, name: str = "", max_keys: int = 0) -> Json:
        kvs = self.range_streams[name].next_kvs(max_keys, MEBIBYTE)
        return {"kvs": [kv_json(kv) for kv in kvs]}

    def do_lease_grant(self, ttl_ms: int = 0, id: Any = 0) -> Json:
        return self.store.lease_grant(ttl_ms, int(id))._asdict()

    def do_lease_revoke(self, id: Any = 0) -> Json:
        return {"revision": self.store.lease_revoke(int(id))}

    def do_lease_keep_alive(self, id: Any = 0) -> Json:
        ttl_ms = self.store.lease_keep_alive(int(id))
        return {"id": id, "ttl_ms": ttl_ms, "revision": self.store.status().revision}

    def do_lease_time_to_live(self, id: Any = 0, keys: bool = False) -> Json:
        told = self.store.lease_time_to_live(int(id), keys=keys)
        revision = self.store.status().revision
        return told._asdict() | {"keys": sorted(told.keys), "revision": revision}

    def do_leases(self) -> Json:
        return {"leases": self.store.leases()}

    def do_step(self, now_ms: int = 0) -> None:
        self.now_ms = max(self.now_ms, now_ms)
        self.store.step(now_ms, MEBIBYTE)

    def do_history(
        self, key: Any = "", start_revision: int = 0, max_events: int = 0, **rest: Any
    ) -> Json:
        page = self.store.history_page(
            to_bytes(key),
            **converted(rest),
            start_revision=start_revision,
            max_events=max_events or 1 << 31,
        )
        events = [event_json(event) for event in page.events]
        return {"events": events, "next_revision": page.next_revision}

    def do_status(self) -> Json:
        return self.store.status()._asdict()

    def stream(self, name: str) -> revwatch.WatchStream:
        if name not in self.streams:
            self.streams[name] = self.store.watch_stream()
        return self.streams[name]

    def do_watch(
        self, stream: str = "", key: Any = "", ranges: Sequence[Json] = (), **rest: Any
    ) -> Json:
        more = [KeyRange(**({"key": b""} | converted(given))) for given in ranges]
        watch_id = self.stream(stream).watch(to_bytes(key), ranges=more, **converted(rest))
        return {"watch_id": watch_id}

    def do_request_progress(self, stream: str = "") -> Json:
        return {"told": self.stream(stream).request_progress()}

    def do_cancel_watch(self, stream: str = "", watch_id: int = 0) -> None:
        self.stream(stream).cancel(watch_id)

    def do_poll(self, stream: str = "", max_events: int = 0) -> Any:
        return watch_json(self.patiently(self.stream(stream).poll, max_events))

    def do_drain(self, stream: str = "", max_events: int = 0) -> Json:
        return self.drained(lambda: self.do_poll(stream, max_events))

    def do_follow(
        self, name: str = "", key: Any = "", resume_revision: int | None = None, **rest: Any
    ) -> None:
        resume = None
        if resume_revision is not None:
            resume = ResumeToken(self.store.status().epoch, resume_revision)
        self.follows[name] = self.store.follow(to_bytes(key), **converted(rest), resume=resume)

    def do_poll_follow(self, name: str = "", max_events: int = 0) -> Any:
        return follow_json(self.patiently(self.follows[name].poll, max_events))

    def do_drain_follow(self, name: str = "", max_events: int = 0) -> Json:
        return self.drained(lambda: self.do_poll_follow(name, max_events))

    @staticmethod
    def drained(poll: Callable[[], Any]) -> Json:
        """All responses until there is none, with what belongs together put together."""
        responses: list[Json] = []
        while (response := poll()) != "idle":
            join(responses, response)
        return {"responses": responses}

    def patiently(self, poll: Callable[..., Any], max_events: int) -> Any:
        """A response; while there is none, background work is given a chance to make one."""
        for attempt in range(1 + IDLE_TRIES):
            if attempt:
                self.store.step(self.now_ms, MEBIBYTE)
            response = poll(max_events=max_events or 1000, max_bytes=MEBIBYTE)
            if response is not None:
                return response
        return None

    def do_reopen(self) -> None:
        self.start_over(keep=True)

    def do_fresh(self) -> None:
        self.now_ms = 0
        self.start_over(keep=False)

    def start_over(self, keep: bool) -> None:
        self.streams.clear()
        self.follows.clear()
        self.range_streams.clear()
        self.store = self.open_store(keep, self.options)
        self.store.step(self.now_ms)
