"""A transaction is put together in the library, and its answer taken apart again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from . import _decode, _request
from ._bytes import to_bytes
from ._native import NULL, check, ffi, lib
from ._range import key_range
from .txn import Compare, DeleteRange, Op, Put, Range, Txn
from .types import OpResponse, TxnResponse

OPS = {
    "=": lib.REVWATCH_COMPARE_EQUAL,
    "!=": lib.REVWATCH_COMPARE_NOT_EQUAL,
    "<": lib.REVWATCH_COMPARE_LESS,
    ">": lib.REVWATCH_COMPARE_GREATER,
}
TARGETS = ("value", "version", "create", "mod", "lease")
COMPARE = {target: getattr(lib, f"revwatch_txn_compare_{target}") for target in TARGETS}
BRANCHES = ("then", "else")
OP_KINDS = {Put: "put", Range: "range", DeleteRange: "delete_range", Txn: "txn"}
ADD = {
    (branch, kind): getattr(lib, f"revwatch_txn_{branch}_{name}")
    for branch in BRANCHES
    for kind, name in OP_KINDS.items()
}


def run_txn(store: Any, txn: Txn, durability: str | None = None) -> TxnResponse:
    """Executes a transaction on the store with this handle."""
    out = ffi.new("revwatch_txn_result **")
    with built(txn) as handle:
        check(lib.revwatch_txn_set_durability(handle, _request.durability(durability)))
        check(lib.revwatch_store_txn(store, handle, out))
    try:
        return txn_response(out[0])
    finally:
        lib.revwatch_txn_result_free(out[0])


@contextmanager
def built(txn: Txn) -> Iterator[Any]:
    """The handle of a transaction in the library, freed at the end."""
    out = ffi.new("revwatch_txn **")
    check(lib.revwatch_txn_new(out))
    handle = out[0]
    try:
        for compare in txn.compare:
            add_compare(handle, compare)
        for branch, ops in zip(BRANCHES, (txn.success, txn.failure), strict=True):
            add_ops(handle, branch, ops)
        yield handle
    finally:
        lib.revwatch_txn_free(handle)


def add_compare(handle: Any, compare: Compare) -> None:
    """Adds a comparison."""
    if not isinstance(compare, Compare):
        raise TypeError(f"not a comparison, but a {type(compare).__name__}: give a Compare")
    start, end = key_range(compare.key, compare.range_end, False, False)
    target = COMPARE.get(compare.target)
    if target is None:
        choices = ", ".join(map(repr, TARGETS))
        raise ValueError(f"target is {compare.target!r}: give one of {choices}")
    op = _request.word(compare.op, OPS, "op")
    operand = compare.operand
    if compare.target == "value":
        if isinstance(operand, int):
            raise TypeError("a value is compared with bytes, not with an int")
        operand = to_bytes(operand, "operand")
        check(target(handle, start, len(start), end, len(end), op, operand, len(operand)))
    else:
        if not isinstance(operand, int):
            kind = type(operand).__name__
            raise TypeError(f"{compare.target} is compared with an int, not with a {kind}")
        operand = _request.whole("operand", operand)
        check(target(handle, start, len(start), end, len(end), op, operand))


def add_ops(handle: Any, branch: str, ops: Sequence[Op]) -> None:
    """Adds the operations of a branch."""
    for op in ops:
        add = ADD.get((branch, type(op)))
        if add is None:
            kind = type(op).__name__
            raise TypeError(
                f"not an operation, but a {kind}: give a Put, Range, DeleteRange or Txn"
            )
        if isinstance(op, Put):
            key, value = _request.key_and_value(op)
            check(add(handle, key, len(key), value, len(value), _request.put_options(op)))
        elif isinstance(op, Txn):
            with built(op) as nested:
                check(add(handle, nested))
        else:
            start, end, options = (
                _request.range_arguments(op)
                if isinstance(op, Range)
                else _request.delete_range_arguments(op)
            )
            check(add(handle, start, len(start), end, len(end), options))


def txn_response(result: Any) -> TxnResponse:
    """The answer to a transaction."""
    responses = (
        [op_response(response) for response in ffi.unpack(result.responses, result.responses_len)]
        if result.responses_len
        else []
    )
    return TxnResponse(result.revision, bool(result.succeeded), responses)


def op_response(response: Any) -> OpResponse:
    """The answer to one operation: exactly one of these is there."""
    if response.put != NULL:
        return _decode.put_response(response.put)
    if response.range != NULL:
        return _decode.range_response(response.range)
    if response.delete_range != NULL:
        return _decode.delete_range_response(response.delete_range)
    return txn_response(response.txn)
