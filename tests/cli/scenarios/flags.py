"""How flags are written, and the global ones."""

from __future__ import annotations

from collections.abc import Sequence

from scenario import Run, Step

SCENARIOS: dict[str, tuple[str, Sequence[Step]]] = {
    "flags": (
        "all spellings of a flag, before and after the verb and its arguments",
        [
            Run(["put", "k", "v"]),
            Run(["get", "k", "-w", "json"]),
            Run(["get", "k", "-w=json"]),
            Run(["get", "k", "-wjson"]),
            Run(["get", "k", "--write-out=json"]),
            Run(["get", "k", "--write-out", "json"]),
            Run(["-w", "json", "get", "k"]),
            Run(["-wjson", "get", "k"]),
            Run(["--write-out=json", "get", "k"]),
            Run(["--write-out", "json", "get", "k"]),
            Run(["--hex", "get", "k"]),
            Run(["--hex=true", "get", "k"]),
            Run(["get", "-w", "json", "k"]),
            Run(["get", "k", "-w", "json", "-w", "simple"]),
            Run(["get", "k", "--hex", "--hex=false"]),
            *[Run(["get", "k", f"--hex={word}"]) for word in ("t", "TRUE", "1", "F", "0", "yes")],
            Run(["get", "k", "--hex", "l"]),
            Run(["get", "k", "--hex="]),
            Run(["get", "--", "k"]),
            Run(["get", "--", "k", "--hex"]),
            Run(["get", "k", "--pref"]),
            Run(["get", "k", "-x"]),
            Run(["get", "k", "-w"]),
            Run(["get", "k", "-w", ""]),
            Run(["get", "k", "-w", "JSON"]),
            Run(["get", "k", "--="]),
            Run(["get", "k", "---hex"]),
            Run(["--nope", "get", "k"]),
            Run(["--prefix", "get", "k"]),
            Run(["nope"]),
            Run(["nope", "--hex"]),
            Run([]),
            Run(["--help"]),
            Run(["get", "--help"]),
            Run(["get", "k", "-h"]),
            Run(["help", "get"]),
        ],
    ),
    "flags_ignored": (
        "what concerns a server is accepted",
        [
            Run(["put", "k", "v"]),
            Run(["get", "k", "--command-timeout=5s", "--dial-timeout=1m30s"]),
            Run(["get", "k", "--command-timeout", "1.5s"]),
            Run(["get", "k", "--command-timeout=5"]),
            Run(["get", "k", "--dial-timeout=soon"]),
            Run(["get", "k", "--keepalive-time=2s", "--keepalive-timeout=6s"]),
            Run(["get", "k", "--insecure-transport", "--insecure-discovery=false"]),
            Run(["get", "k", "--insecure-skip-tls-verify"]),
            Run(["get", "k", "--discovery-srv=", "--discovery-srv-name="]),
            Run(["get", "k", "-d", ""]),
            Run(["get", "k", "--debug=false"]),
        ],
    ),
    "environment": (
        "the format can be given by the environment",
        [
            Run(["put", "k", "v"]),
            Run(["get", "k"], env={"ETCDCTL_WRITE_OUT": "json"}),
            Run(["get", "k"], env={"ETCDCTL_HEX": "true"}),
            Run(["get", "k"], env={"ETCDCTL_DIAL_TIMEOUT": "3s"}),
            Run(["version"]),
        ],
    ),
}
