"""Runs the workloads of `peers/` on each subject in turn, round after round, and collects what they
print. The first line of the output describes the machine and says which peers there are.
"""

import argparse
import json
import re
import sys
from pathlib import Path

from rounds import machine, run_all

# Each is a process of its own. What waits for the disk comes several times in a round, so that its
# rounds are short: a busy disk then meets all subjects alike.
DURABLE_TURNS = 3
OTHERS = ("load", "history", "retain", "open")
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

    def commands(workload: str, number: int) -> list[list[str]]:
        turn = ["--workloads", workload, "--round", str(number)]
        return [[args.bin, "--subject", subject, *turn, *common] for subject in subjects]

    with Path(args.out).open("w") as out:
        built = versions(args.lock)
        peers = {peer: built[peer] if peer in present else "absent" for peer in CRATES}
        described = {**machine(None), "scale": args.scale, "peers": peers}
        print(json.dumps(described), file=out)
        for number in range(args.rounds):
            print(f"round {number + 1} of {args.rounds}", file=sys.stderr, flush=True)
            for turn in range(DURABLE_TURNS):
                run_all(commands("durable", number * DURABLE_TURNS + turn), out)
            for workload in OTHERS:
                run_all(commands(workload, number), out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
