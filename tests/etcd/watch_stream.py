"""etcd's watch stream over gRPC, spoken in the types of the Python binding.

The JSON gateway cannot say anything on a stream once it has answered, so this speaks the protocol
itself: the few messages of a watch, written and read field by field.
"""

from __future__ import annotations

import queue
import threading
from typing import TypeAlias

import grpc
from revwatch import Event, KeyValue
from revwatch.types import WatchResponse

# The fields of a message by their number: numbers and byte strings, in the order of the wire.
Fields: TypeAlias = dict[int, list[int | bytes]]

NOPUT, NODELETE = 0, 1
DELETE = 1
VARINT, LENGTH = 0, 2


class WatchStream:
    """One stream of many watchers."""

    def __init__(self, port: int) -> None:
        # Who wants no fragments is sent a revision in one message, however large.
        unlimited = [("grpc.max_receive_message_length", -1)]
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=unlimited)
        self._requests: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._responses: queue.SimpleQueue[WatchResponse] = queue.SimpleQueue()
        watch: grpc.StreamStreamMultiCallable[bytes, bytes] = self._channel.stream_stream(
            "/etcdserverpb.Watch/Watch"
        )
        self._call = watch(iter(self._requests.get, None))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        try:
            for message in self._call:
                self._responses.put(watch_response(message))
        except grpc.RpcError:
            pass  # the stream was closed

    def create(
        self,
        key: bytes,
        range_end: bytes,
        *,
        start_revision: int,
        watch_id: int,
        prev_kv: bool,
        no_put: bool,
        no_delete: bool,
        progress_notify: bool = False,
        fragment: bool = False,
    ) -> None:
        filters = [NOPUT] * no_put + [NODELETE] * no_delete
        create = (
            field(1, key)
            + field(2, range_end)
            + field(3, start_revision)
            + field(4, int(progress_notify))
            + b"".join(field(5, each) for each in filters)
            + field(6, int(prev_kv))
            + field(7, watch_id)
            + field(8, int(fragment))
        )
        self._requests.put(field(1, create))

    def cancel(self, watch_id: int) -> None:
        self._requests.put(field(2, field(1, watch_id)))

    def request_progress(self) -> None:
        self._requests.put(field(3, b""))

    def poll(self, timeout: float) -> WatchResponse | None:
        """The next response, or ``None`` if there is none within so many seconds."""
        try:
            return self._responses.get(timeout=timeout)
        except queue.Empty:
            return None

    def close(self) -> None:
        self._requests.put(None)
        self._call.cancel()
        self._channel.close()
        self._reader.join()


def varint(number: int) -> bytes:
    """A number as the wire has it: a negative one is taken for one of 64 bits."""
    number %= 1 << 64
    groups = bytearray()
    while number >= 0x80:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    groups.append(number)
    return bytes(groups)


def field(number: int, content: int | bytes) -> bytes:
    if isinstance(content, int):
        return varint(number << 3 | VARINT) + varint(content)
    return varint(number << 3 | LENGTH) + varint(len(content)) + content


def fields(message: bytes) -> Fields:
    found: Fields = {}
    at = 0
    while at < len(message):
        key, at = next_varint(message, at)
        number, kind = key >> 3, key & 7
        value, at = next_varint(message, at)
        if kind == LENGTH:
            found.setdefault(number, []).append(message[at : at + value])
            at += value
        elif kind == VARINT:
            found.setdefault(number, []).append(value)
        else:
            raise ValueError(f"field {number} is of kind {kind}, which a watch has not")
    return found


def next_varint(message: bytes, at: int) -> tuple[int, int]:
    """The number at a place, and where it ends."""
    number = shift = 0
    while True:
        byte = message[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7


def signed(message: Fields, number: int) -> int:
    content = message.get(number, [0])[-1]
    if isinstance(content, bytes):
        raise ValueError(f"field {number} is not a number")
    return content - (1 << 64) if content >> 63 else content


def raw(message: Fields, number: int) -> bytes:
    content = message.get(number, [b""])[-1]
    if isinstance(content, int):
        raise ValueError(f"field {number} is a number")
    return content


def key_value(message: bytes) -> KeyValue:
    kv = fields(message)
    create, mod, version, lease = (signed(kv, number) for number in (2, 3, 4, 6))
    return KeyValue(raw(kv, 1), raw(kv, 5), create, mod, version, lease)


def event(message: bytes) -> Event:
    parts = fields(message)
    previous = key_value(raw(parts, 3)) if 3 in parts else None
    is_delete = signed(parts, 1) == DELETE
    return Event("DELETE" if is_delete else "PUT", key_value(raw(parts, 2)), previous)


def watch_response(message: bytes) -> WatchResponse:
    parts = fields(message)
    created, canceled = bool(signed(parts, 3)), bool(signed(parts, 4))
    events = [event(each) for each in parts.get(11, []) if isinstance(each, bytes)]
    return WatchResponse(
        signed(parts, 2),
        signed(fields(raw(parts, 1)), 3),
        events,
        created=created,
        canceled=canceled,
        # Nothing else is said in so few words.
        progress=not (created or canceled or events),
        fragment=bool(signed(parts, 7)),
        compact_revision=signed(parts, 5),
        cancel_reason=raw(parts, 6).decode(),
    )
