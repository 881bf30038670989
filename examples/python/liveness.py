"""Is my worker alive? Its key lives as long as its lease, which it has to keep alive.

The worker that stops doing so is noticed by whoever watches: its key is deleted.
"""

from __future__ import annotations

import time

import revwatch
from revwatch import Store

TTL_MS = 2000  # the shortest that a store grants, unless its options say otherwise


def announce(store: Store, worker: str) -> int:
    """Puts the worker's key; answers the lease that it hangs on."""
    lease = store.lease_grant(TTL_MS).id
    store.put(f"/worker/{worker}".encode(), b"ready", lease=lease)
    return lease


def main() -> None:
    with revwatch.open() as store, store.watch(b"/worker/", prefix=True) as watch:
        faithful, dying = announce(store, "faithful"), announce(store, "dying")
        began = time.monotonic()
        print(f"two workers announced; the lease {dying} is not kept alive")
        while True:
            # The wait is the program's own rhythm: a third of the time to live is usual.
            response = watch.poll(TTL_MS / 3000)
            store.lease_keep_alive(faithful)
            for event in response.events if response else ():
                print(f"{time.monotonic() - began:.1f} s: {event.type} {event.kv.key.decode()}")
                if event.type == "DELETE":
                    assert event.kv.key == b"/worker/dying"
                    assert store.get(b"/worker/faithful") is not None
                    return


if __name__ == "__main__":
    main()
