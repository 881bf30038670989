"""The scenarios: every verb, flag, output format and error of etcdctl that revwatch has too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scenario import Step

from . import flags, kv, lease, txn, watch


@dataclass(frozen=True)
class Scenario:
    """Steps on one fresh store."""

    about: str
    steps: Sequence[Step]


SCENARIOS: dict[str, Scenario] = {
    name: Scenario(about, steps)
    for module in (kv, txn, watch, lease, flags)
    for name, (about, steps) in module.SCENARIOS.items()
}
