"""etcd's JSON gateway, spoken in the types of the Python binding.

Requests and answers are revwatch's own types on both sides, so that answers compare with ``==``.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import subprocess
from typing import Any, TypeAlias, cast

from revwatch import (
    Compare,
    DeleteRange,
    DeleteRangeResponse,
    Event,
    KeyValue,
    Put,
    PutResponse,
    Range,
    RangeResponse,
    Txn,
    TxnResponse,
)
from revwatch.txn import Op
from revwatch.types import OpResponse

Json: TypeAlias = dict[str, Any]

SORT_ORDER = {"none": "NONE", "ascend": "ASCEND", "descend": "DESCEND"}
COMPARE_OP = {"=": "EQUAL", "!=": "NOT_EQUAL", "<": "LESS", ">": "GREATER"}
OPERAND = {
    "value": "value",
    "version": "version",
    "create": "create_revision",
    "mod": "mod_revision",
    "lease": "lease",
}

# etcd's messages, and the names of the same errors in the numbered table.
ERRORS = {
    "etcdserver: key is not provided": "EmptyKey",
    "etcdserver: value is provided": "ValueProvided",
    "etcdserver: lease is provided": "LeaseProvided",
    "etcdserver: key not found": "KeyNotFound",
    "etcdserver: duplicate key given in txn request": "DuplicateKey",
    "etcdserver: too many operations in txn request": "TooManyOps",
    "etcdserver: requested lease not found": "LeaseNotFound",
    "etcdserver: lease already exists": "LeaseExists",
    "etcdserver: mvcc: required revision is a future revision": "FutureRevision",
    "etcdserver: mvcc: required revision has been compacted": "Compacted",
}


class EtcdError(Exception):
    """etcd refused a request; ``name`` is the error's name in revwatch's table."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.name = ERRORS.get(message, message)


class Gateway:
    """One connection to a real etcd."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def do(self, op: Op) -> OpResponse:
        """Carries out one operation."""
        match op:
            case Put():
                return put_response(self.call("kv/put", put_request(op)))
            case Range():
                return range_response(self.call("kv/range", range_request(op)))
            case DeleteRange():
                return delete_response(self.call("kv/deleterange", delete_request(op)))
            case Txn():
                return txn_response(self.call("kv/txn", txn_request(op)))

    def compact(self, revision: int) -> int:
        # Physical: only then is the answer of a hash the same every time.
        answer = self.call("kv/compaction", {"revision": str(revision), "physical": True})
        return number(answer["header"], "revision")

    def hash_kv(self, revision: int) -> int:
        """By the command line: the gateway of this version does not reach HashKV."""
        command = ["etcdctl", f"--endpoints=127.0.0.1:{self._port}", "endpoint", "hashkv"]
        asked = subprocess.run(
            [*command, f"--rev={revision}", "-w", "json"],
            env={**os.environ, "ETCDCTL_API": "3"},
            capture_output=True,
            text=True,
        )
        if asked.returncode != 0:
            raise EtcdError(
                next((known for known in ERRORS if known in asked.stderr), asked.stderr)
            )
        return number(json.loads(asked.stdout)[0]["HashKV"], "hash")

    def lease_grant(self, lease: int, ttl_ms: int) -> tuple[int, int]:
        answer = self.call("lease/grant", {"ID": str(lease), "TTL": str(ttl_ms // 1000)})
        return number(answer, "ID"), number(answer, "TTL") * 1000

    def lease_revoke(self, lease: int) -> int:
        answer = self.call("lease/revoke", {"ID": str(lease)})
        return number(answer["header"], "revision")

    def lease_keys(self, lease: int) -> list[bytes]:
        answer = self.call("lease/timetolive", {"ID": str(lease), "keys": True})
        return sorted(unquote(key) for key in answer.get("keys", []))

    def leases(self) -> list[int]:
        return sorted(
            number(lease, "ID") for lease in self.call("lease/leases", {}).get("leases", [])
        )

    def events(self, start_revision: int, last_revision: int) -> list[Event]:
        """Every event of all keys from one revision to another, as a watcher is told them."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        watch = {
            "key": quote(b"\0"),
            "range_end": quote(b"\0"),
            "start_revision": str(start_revision),
            "prev_kv": True,
        }
        connection.request("POST", "/v3/watch", json.dumps({"create_request": watch}))
        events: list[Event] = []
        with connection.getresponse() as lines:
            for line in lines:
                result = json.loads(line)["result"]
                if result.get("canceled"):
                    raise EtcdError("the watch was canceled")
                events += [event(each) for each in result.get("events", [])]
                if events and events[-1].kv.mod_revision >= last_revision:
                    break
        connection.close()
        return events

    def call(self, method: str, request: Json) -> Json:
        self._connection.request("POST", f"/v3/{method}", json.dumps(request))
        response = self._connection.getresponse()
        answer = cast(Json, json.loads(response.read()))
        if response.status != 200:
            raise EtcdError(answer.get("error", str(answer)))
        return answer


def quote(raw: object) -> str:
    return base64.b64encode(cast(bytes, raw)).decode()


def unquote(text: str) -> bytes:
    return base64.b64decode(text)


def number(message: Json, field: str) -> int:
    """A number, which the gateway writes as text, and leaves out if it is zero."""
    return int(message.get(field, 0))


def put_request(op: Put) -> Json:
    return {
        "key": quote(op.key),
        "value": quote(op.value),
        "lease": str(op.lease),
        "prev_kv": op.prev_kv,
        "ignore_value": op.ignore_value,
        "ignore_lease": op.ignore_lease,
    }


def range_request(op: Range) -> Json:
    return {
        "key": quote(op.key),
        "range_end": quote(op.range_end or b""),
        "limit": str(op.limit),
        "revision": str(op.revision),
        "sort_order": SORT_ORDER[op.sort_order],
        "sort_target": op.sort_target.upper(),
        "keys_only": op.keys_only,
        "count_only": op.count_only,
        "min_mod_revision": str(op.min_mod_revision),
        "max_mod_revision": str(op.max_mod_revision),
        "min_create_revision": str(op.min_create_revision),
        "max_create_revision": str(op.max_create_revision),
    }


def delete_request(op: DeleteRange) -> Json:
    return {
        "key": quote(op.key),
        "range_end": quote(op.range_end or b""),
        "prev_kv": op.prev_kv,
    }


def txn_request(op: Txn) -> Json:
    return {
        "compare": [compare_request(compare) for compare in op.compare],
        "success": [op_request(each) for each in op.success],
        "failure": [op_request(each) for each in op.failure],
    }


def compare_request(compare: Compare) -> Json:
    is_value = compare.target == "value"
    return {
        "key": quote(compare.key),
        "range_end": quote(compare.range_end or b""),
        "target": compare.target.upper(),
        "result": COMPARE_OP[compare.op],
        OPERAND[compare.target]: quote(compare.operand) if is_value else str(compare.operand),
    }


def op_request(op: Op) -> Json:
    match op:
        case Put():
            return {"request_put": put_request(op)}
        case Range():
            return {"request_range": range_request(op)}
        case DeleteRange():
            return {"request_delete_range": delete_request(op)}
        case Txn():
            return {"request_txn": txn_request(op)}


def key_value(message: Json) -> KeyValue:
    return KeyValue(
        unquote(message.get("key", "")),
        unquote(message.get("value", "")),
        number(message, "create_revision"),
        number(message, "mod_revision"),
        number(message, "version"),
        number(message, "lease"),
    )


def event(message: Json) -> Event:
    previous = message.get("prev_kv")
    return Event(
        "DELETE" if message.get("type") == "DELETE" else "PUT",
        key_value(message["kv"]),
        None if previous is None else key_value(previous),
    )


def revision_of(message: Json) -> int:
    return number(message.get("header", {}), "revision")


def put_response(message: Json) -> PutResponse:
    previous = message.get("prev_kv")
    return PutResponse(revision_of(message), None if previous is None else key_value(previous))


def range_response(message: Json) -> RangeResponse:
    kvs = [key_value(kv) for kv in message.get("kvs", [])]
    count = number(message, "count")
    return RangeResponse(revision_of(message), kvs, bool(message.get("more")), count)


def delete_response(message: Json) -> DeleteRangeResponse:
    prev_kvs = [key_value(kv) for kv in message.get("prev_kvs", [])]
    return DeleteRangeResponse(revision_of(message), number(message, "deleted"), prev_kvs)


def txn_response(message: Json) -> TxnResponse:
    responses = [op_response(each) for each in message.get("responses", [])]
    return TxnResponse(revision_of(message), bool(message.get("succeeded")), responses)


def op_response(message: Json) -> OpResponse:
    ((kind, answer),) = message.items()
    match kind:
        case "response_put":
            return put_response(answer)
        case "response_range":
            return range_response(answer)
        case "response_delete_range":
            return delete_response(answer)
        case "response_txn":
            return txn_response(answer)
    raise ValueError(f"etcd answered with {kind}, which no operation asks for")
