"""Two clerks change one account, and no change is lost: each writes only if nobody was faster.

A transaction compares the revision that was read. If somebody has written since, it does nothing,
and one reads again.
"""

from __future__ import annotations

import threading

import revwatch
from revwatch import Compare, Put, Store

ACCOUNT = b"/account/alice"


def deposit(store: Store, amount: int) -> int:
    """Adds to the account; answers how many attempts that took."""
    attempts = 0
    while True:
        attempts += 1
        account = store.get(ACCOUNT)
        balance, read_at = (int(account.value), account.mod_revision) if account else (0, 0)
        # A key that does not exist has the revision 0, so this also creates it only once.
        unchanged = Compare(ACCOUNT, "mod", "=", read_at)
        change = Put(ACCOUNT, str(balance + amount).encode())
        if store.txn([unchanged], [change], []).succeeded:
            return attempts


def clerk(store: Store, name: str, deposits: int) -> None:
    attempts = sum(deposit(store, 1) for _ in range(deposits))
    print(f"{name}: {deposits} deposits in {attempts} attempts")


def main() -> None:
    deposits = 1000
    with revwatch.open() as store:
        clerks = [
            threading.Thread(target=clerk, args=(store, name, deposits)) for name in ("Bob", "Eve")
        ]
        for thread in clerks:
            thread.start()
        for thread in clerks:
            thread.join()
        account = store.get(ACCOUNT)
        assert account is not None
        print(f"balance {account.value.decode()}, after {account.version} changes")
        assert int(account.value) == account.version == 2 * deposits


if __name__ == "__main__":
    main()
