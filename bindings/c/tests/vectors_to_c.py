"""vectors_to_c.py FOLDER: prints the vectors of FOLDER as the C tables that vectors.c runs.

Answers become text in the form that vectors.c gives to the library's answers, so that comparing
them is comparing two strings. A field, operation or response that is not known here is an error.
"""

import json
import sys
from pathlib import Path
from typing import Any

KV = {
    "key": "bytes",
    "value": "bytes",
    "create_revision": "number",
    "mod_revision": "number",
    "version": "number",
    "lease": "number",
}
# What answers consist of, in the order in which vectors.c writes it. A name in brackets is a list.
SHAPES: dict[str, dict[str, str]] = {
    "kv": KV,
    "put": {"revision": "number", "prev_kv": "kv"},
    "range": {"revision": "number", "count": "number", "more": "number", "kvs": "[kv]"},
    "delete_range": {"revision": "number", "deleted": "number", "prev_kvs": "[kv]"},
    "txn": {"revision": "number", "succeeded": "number", "responses": "[response]"},
    "compact": {"revision": "number"},
    "hash_kv": dict.fromkeys(("revision", "hash", "compact_revision", "hash_revision"), "number"),
    "range_stream": {"revision": "number"},
    "next_kvs": {"kvs": "[kv]"},
    "drain": {"responses": "[told]"},
    "drain_follow": {"responses": "[told]"},
    "lease_grant": {"id": "number", "ttl_ms": "number", "revision": "number"},
    "lease_revoke": {"revision": "number"},
    "lease_keep_alive": {"id": "number", "ttl_ms": "number", "revision": "number"},
    "lease_time_to_live": {
        "id": "number",
        "ttl_ms": "number",
        "granted_ttl_ms": "number",
        "revision": "number",
        "keys": "[bytes]",
    },
    "leases": {"leases": "[number]"},
    "history": {"next_revision": "number", "events": "[event]"},
    "watch": {"watch_id": "number"},
    "created": {"watch_id": "number", "revision": "number"},
    "events": {
        "watch_id": "number",
        "revision": "number",
        "fragment": "number",
        "events": "[event]",
    },
    "progress": {"watch_id": "number", "revision": "number"},
    "request_progress": {"told": "number"},
    "canceled": {"watch_id": "number"},
    "compacted": {"watch_id": "number", "compact_revision": "number"},
    "state": {"kvs": "[kv]"},
    "synced": {"revision": "number"},
    "reset": {"revision": "number"},
    "status": dict.fromkeys(("revision", "compact_revision", "keys", "leases"), "number"),
}
RESPONSES = {
    "poll": ("created", "events", "progress", "canceled", "compacted"),
    "poll_follow": ("state", "synced", "events", "reset"),
}
FLAG = "number"
KEYS = {"key": "bytes", "range_end": "bytes"}
RANGE = {**KEYS, "prefix": FLAG}
# What operations are asked with.
ARGS: dict[str, dict[str, str]] = {
    "put": {
        "key": "bytes",
        "value": "bytes",
        "lease": "number",
        "prev_kv": FLAG,
        "ignore_value": FLAG,
        "ignore_lease": FLAG,
    },
    "range": {
        **RANGE,
        "revision": "number",
        "limit": "number",
        "sort_order": "sort_order",
        "sort_target": "sort_target",
        "keys_only": FLAG,
        "count_only": FLAG,
        "min_mod_revision": "number",
        "max_mod_revision": "number",
        "min_create_revision": "number",
        "max_create_revision": "number",
    },
    "delete_range": {**RANGE, "prev_kv": FLAG},
    "txn": {"compare": "compare", "success": "operations", "failure": "operations"},
    "compact": {"revision": "number"},
    "hash_kv": {"revision": "number"},
    "range_stream": {"name": "name", **RANGE, "revision": "number"},
    "next_kvs": {"name": "name", "max_keys": "number"},
    "lease_grant": {"id": "number", "ttl_ms": "number"},
    "lease_revoke": {"id": "number"},
    "lease_keep_alive": {"id": "number"},
    "lease_time_to_live": {"id": "number", "keys": FLAG},
    "leases": {},
    "step": {"now_ms": "number"},
    "history": {**RANGE, "start_revision": "number", "max_events": "number"},
    "status": {},
    "watch": {
        "stream": "name",
        **RANGE,
        "start_revision": "number",
        "watch_id": "number",
        "prev_kv": FLAG,
        "no_put": FLAG,
        "no_delete": FLAG,
        "keys_only": FLAG,
        "fragment": FLAG,
        "progress_notify": FLAG,
        "conflate": FLAG,
        "ranges": "ranges",
    },
    "cancel_watch": {"stream": "name", "watch_id": "number"},
    "request_progress": {"stream": "name"},
    "poll": {"stream": "name", "max_events": "number"},
    "drain": {"stream": "name", "max_events": "number"},
    "drain_follow": {"name": "name", "max_events": "number"},
    "follow": {"name": "name", **RANGE, "resume_revision": "number"},
    "poll_follow": {"name": "name", "max_events": "number"},
    "reopen": {},
    "fresh": {},
}
CONSTANTS = {
    "sort_order": {"ascend": "REVWATCH_SORT_ASCEND", "descend": "REVWATCH_SORT_DESCEND"},
    "sort_target": {
        "version": "REVWATCH_SORT_BY_VERSION",
        "create": "REVWATCH_SORT_BY_CREATE",
        "mod": "REVWATCH_SORT_BY_MOD",
        "value": "REVWATCH_SORT_BY_VALUE",
    },
    "compare_op": {
        "=": "REVWATCH_COMPARE_EQUAL",
        "!=": "REVWATCH_COMPARE_NOT_EQUAL",
        "<": "REVWATCH_COMPARE_LESS",
        ">": "REVWATCH_COMPARE_GREATER",
    },
}
COMPARE_TARGETS = ("value", "version", "create", "mod", "lease")
OPTIONS = ("seed", "retain_revisions", "request_bytes", "txn_ops", "catch_up_revisions")
NOTHING = (None, 0, False, "", [], {})


def as_bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    match sorted(value):
        case ["hex"]:
            return bytes.fromhex(value["hex"])
        case ["repeat", "times"]:
            return as_bytes(value["repeat"]) * int(value["times"])
    raise ValueError(f"not bytes: {value}")


def as_list(value: Any) -> list[Any]:
    elements: list[Any] = []
    for element in value:
        if isinstance(element, dict) and set(element) == {"repeat", "times"}:
            elements += [element["repeat"]] * element["times"]
        else:
            elements.append(element)
    return elements


def only(fields: dict[str, Any], known: dict[str, str], where: str) -> None:
    unknown = set(fields) - set(known)
    if unknown:
        raise ValueError(f"{where}: unknown field {', '.join(sorted(unknown))}")


def bytes_text(data: bytes) -> str:
    """As vectors.c: text if printable, else hex; of what is long, its length and a hash."""
    if len(data) > 64:
        fnv = 0xCBF29CE484222325
        for byte in data:
            fnv = (fnv ^ byte) * 0x100000001B3 % 2**64
        return f"<{len(data)} bytes {fnv:016x}>"
    if all(0x20 <= byte < 0x7F and byte not in b"\"'\\" for byte in data):
        return f"'{data.decode()}'"
    return "x" + data.hex()


def text(value: Any, shape: str) -> str:
    """An answer, or a part of it, as vectors.c writes it."""
    if shape.startswith("["):
        return f"[{' '.join(text(element, shape[1:-1]) for element in as_list(value))}]"
    if shape == "number":
        return str(int(value))
    if shape == "bytes":
        return bytes_text(as_bytes(value))
    if shape in ("response", "told"):
        ((name, answer),) = value.items()
        return name + text(answer, name)
    if shape == "event":
        kind = value["kind"]
        if kind not in ("put", "delete"):
            raise ValueError(f"unknown kind of event: {kind}")
        fields = {name: part for name, part in value.items() if name != "kind"}
        return kind + fields_text(fields, {"kv": "kv", "prev_kv": "kv"})
    return fields_text(value, SHAPES[shape])


def fields_text(fields: dict[str, Any], shape: dict[str, str]) -> str:
    only(fields, shape, "answer")
    parts = []
    for name, part in shape.items():
        given = fields.get(name)
        if given not in NOTHING and not (part == "bytes" and not as_bytes(given)):
            parts.append(f"{name}={text(given, part)}")
    return "{" + " ".join(parts) + "}"


def expected(op: str, answer: Any) -> str:
    if op in RESPONSES:
        if answer == "idle":
            return "idle"
        ((name, fields),) = answer.items()
        if name not in RESPONSES[op]:
            raise ValueError(f"unknown response to {op}: {name}")
        return str(name + text(fields, name))
    if op == "status":
        only(answer, SHAPES["status"], "status")
        return " ".join(f"{name}={value}" for name, value in answer.items())
    if op not in SHAPES:
        raise ValueError(f"{op} has no answer to compare")
    return text(answer, op)


def c_string(data: bytes) -> str:
    out = "".join(
        chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\?' else f"\\{byte:03o}"
        for byte in data
    )
    return f'"{out}"'


def c_bytes(value: Any) -> str:
    if isinstance(value, dict) and "repeat" in value:
        once = as_bytes(value["repeat"])
        return f"{{{c_string(once)}, {len(once)}, {int(value['times'])}}}"
    data = as_bytes(value)
    return f"{{{c_string(data)}, {len(data)}, 1}}"


def c_compare(compare: dict[str, Any]) -> str:
    known = dict.fromkeys(("key", "range_end", "target", "op", "operand"), "")
    only(compare, known, "compare")
    target = compare["target"]
    fields = [f".{name} = {c_bytes(compare[name])}" for name in KEYS if name in compare]
    fields.append(f".target = {COMPARE_TARGETS.index(target)}")
    fields.append(f".op = {CONSTANTS['compare_op'][compare['op']]}")
    if "operand" in compare:
        operand = compare["operand"]
        is_bytes = target == "value"
        name, value = ("bytes", c_bytes(operand)) if is_bytes else ("number", c_number(operand))
        fields.append(f".{name} = {value}")
    return "{" + ", ".join(fields) + "}"


def c_number(value: Any) -> str:
    return f"INT64_C({int(value)})"


def c_operation(operation: dict[str, Any]) -> str:
    ((op, args),) = operation.items()
    if op not in ("put", "range", "delete_range", "txn"):
        raise ValueError(f"unknown operation in a transaction: {op}")
    return f'{{.op = "{op}", .args = {{{c_args(op, args)}}}}}'


def c_range(given: dict[str, Any]) -> str:
    only(given, RANGE, "ranges")
    fields = [f".prefix = {int(given.get('prefix', False))}"]
    for name in KEYS:
        data = as_bytes(given.get(name, ""))
        fields.append(f".{name} = (const uint8_t *){c_string(data)}, .{name}_len = {len(data)}")
    return "{" + ", ".join(fields) + "}"


def c_args(op: str, args: dict[str, Any]) -> str:
    known = ARGS[op]
    only(args, known, op)
    fields = []
    for name, value in args.items():
        match known[name]:
            case "bytes":
                c = c_bytes(value)
            case "number":
                c = c_number(value)
            case "name":
                c = c_string(value.encode())
            case "compare" | "operations" as kind:
                emit, struct = (
                    (c_compare, "comparison") if kind == "compare" else (c_operation, "operation")
                )
                elements = [emit(element) for element in as_list(value)]
                if not elements:
                    continue
                fields.append(f".{name}_len = {len(elements)}")
                c = f"(const struct {struct}[]){{{', '.join(elements)}}}"
            case "ranges":
                fields.append(f".{name}_len = {len(value)}")
                c = f"(const revwatch_key_range[]){{{', '.join(map(c_range, value))}}}"
            case constant:
                c = CONSTANTS[constant][value]
        fields.append(f".{name} = {c}")
    return ", ".join(fields)


def upper_snake(name: str) -> str:
    return "".join("_" + c if c.isupper() and i else c.upper() for i, c in enumerate(name)).upper()


def c_step(step: dict[str, Any]) -> str:
    only(step, dict.fromkeys(("op", "args", "expect", "error", "note"), ""), "step")
    op = step["op"]
    if op not in ARGS:
        raise ValueError(f"unknown operation: {op}")
    fields = [f'.op = "{op}"']
    if step.get("args"):
        fields.append(f".args = {{{c_args(op, step['args'])}}}")
    if "error" in step:
        fields.append(f".error = REVWATCH_ERROR_{upper_snake(step['error'])}")
    if "expect" in step:
        fields.append(f".expect = {c_string(expected(op, step['expect']).encode())}")
    if "note" in step:
        fields.append(f".note = {c_string(step['note'].encode())}")
    return "    {" + ", ".join(fields) + "},"


def main() -> None:
    files = sorted(Path(sys.argv[1]).glob("*.json"))
    if not files:
        raise SystemExit(f"no vectors in {sys.argv[1]}")
    print("/* Generated from the vectors by vectors_to_c.py. */\n")
    names = []
    for file in files:
        vector = json.loads(file.read_text())
        only(vector, dict.fromkeys(("name", "about", "options", "steps"), ""), file.name)
        if vector["name"] != file.stem:
            raise SystemExit(f"{file.name} calls itself {vector['name']}")
        try:
            steps = [c_step(step) for step in vector["steps"]]
        except (ValueError, KeyError) as error:
            raise SystemExit(f"{file.name}: {error!r}") from error
        reopens = any(step["op"] == "reopen" for step in vector["steps"])
        options = vector.get("options", {})
        only(options, dict.fromkeys(OPTIONS, ""), file.name)
        opened = ", ".join(f".{name} = {int(value)}" for name, value in options.items())
        names.append((file.stem, len(steps), int(reopens), opened))
        print(f"static const struct step {file.stem}_steps[] = {{")
        print("\n".join(steps))
        print("};\n")
    print("static const struct vector vectors[] = {")
    for name, count, reopens, options in names:
        print(f'    {{"{name}", {name}_steps, {count}, {reopens}, {{{options}}}}},')
    print("};")


if __name__ == "__main__":
    main()
