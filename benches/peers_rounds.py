"""Runs the workloads of `peers/` on each subject in turn, round after round, and collects what they
print. The first line of the output describes the machine and says which peers there are.
"""

import argparse
import json
import re
import sys
import time
from pathlib import Path

from remaining import Remaining
from rounds import machine, run_all

# Each is a process of its own. What waits for the disk comes several times in a round, so that its
# rounds are short: a busy disk then meets all subjects alike.
DURABLE_TURNS = 3
WORKLOADS = (*("durable",) * DURABLE_TURNS, "load", "history", "retain", "open")
# What each takes on all subjects together, on a quiet machine: for the guess of how long is left.
SECONDS: dict[str, dict[str, float]] = {
    "smoke": {"durable": 1, "load": 0.5, "history": 0.3, "retain": 1.5, "open": 0.2},
    "quick": {"durable": 7, "load": 4, "history": 1, "retain": 7, "open": 1},
    "full": {"durable": 37, "load": 45, "history": 8, "retain": 32, "open": 1},
}
FLOORS = ("bare", "btreemap")
CRATES = {"redb": "redb", "sqlite": "rusqlite", "lmdb": "heed", "sled": "sled", "fjall": "fjall"}


def versions(lock: Path) -> dict[str, str]:
    """Which version of each peer was built in."""
    packages = re.findall(r'name = "(.+)"\nversion = "(.+)"', lock.read_text())
    found = dict(packages)
    return {peer: f"{crate} {found[crate]}" for peer, crate in CRATES.items() if crate in found}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--scale", choices=("smoke", "quick", "full"), required=True)
    parser.add_argument("--peers", required=True, help="those that were built in")
    parser.add_argument("--bin", required=True, help="revwatch-bench-peers")
    parser.add_argument("--lock", type=Path, required=True, help="its Cargo.lock")
    parser.add_argument("--dir", required=True, help="folder for the files of the stores")
    parser.add_argument("--out", required=True, help="where the lines go")
    args = parser.parse_args()
    present = [peer for peer in args.peers.split(",") if peer]
    subjects = [*FLOORS, "revwatch", *present]
    common = ["--dir", args.dir, "--scale", args.scale]

    def command(subject: str, workload: str, number: int) -> list[str]:
        turn = ["--workloads", workload, "--round", str(number)]
        return [args.bin, "--subject", subject, *turn, *common]

    with Path(args.out).open("w") as out:
        built = versions(args.lock)
        peers = {peer: built[peer] if peer in present else "absent" for peer in CRATES}
        described = {**machine(None), "scale": args.scale, "peers": peers}
        print(json.dumps(described), file=out)
        seconds = SECONDS[args.scale]
        remaining = Remaining(seconds[workload] for workload in WORKLOADS * args.rounds)
        print(f"{remaining}, if the machine is quiet", file=sys.stderr, flush=True)
        for number in range(args.rounds):
            for turn, workload in enumerate(WORKLOADS):
                # Each turn of the durable ones draws anew.
                drawn = number * DURABLE_TURNS + turn if workload == "durable" else number
                start = time.monotonic()
                for subject in subjects:
                    # What a peer cannot do is its own affair, and ends no run.
                    run_all([command(subject, workload, drawn)], out, may_fail=subject in CRATES)
                took = time.monotonic() - start
                remaining.finished(seconds[workload], took)
                of = f"round {number + 1} of {args.rounds}, {workload}"
                print(f"  {of}: {took:.0f} s, {remaining}", file=sys.stderr, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
