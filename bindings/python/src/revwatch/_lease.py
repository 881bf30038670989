"""Leases: keys that go when their holder no longer says that it is alive."""

from __future__ import annotations

from typing import Any

from ._native import NOT_FOUND, NULL, check, ffi, lib
from ._request import whole
from .types import LeaseGrantResponse, LeaseTimeToLive

NO_SUCH_LEASE_MS = -1


class Leases:
    """The part of a store that has to do with leases."""

    _handle: Any

    def lease_grant(self, ttl_ms: int, id: int = 0) -> LeaseGrantResponse:
        """Grants a lease of ``ttl_ms`` milliseconds, raised to the store's minimum, under ``id``,
        or under a free one for 0."""
        out = ffi.new("int64_t[3]")
        id, ttl_ms = whole("id", id), whole("ttl_ms", ttl_ms)
        check(lib.revwatch_store_lease_grant(self._handle, id, ttl_ms, out, out + 1, out + 2))
        return LeaseGrantResponse(*out)

    def lease_revoke(self, id: int) -> int:
        """Ends a lease and deletes its keys, at one revision; answers the store's revision."""
        revision = ffi.new("int64_t *")
        check(lib.revwatch_store_lease_revoke(self._handle, whole("id", id), revision))
        return int(revision[0])

    def lease_keep_alive(self, id: int) -> int:
        """Gives a lease its full time to live again, and answers it in milliseconds; 0 if there is
        no such lease, or no longer."""
        ttl_ms = ffi.new("int64_t *")
        check(lib.revwatch_store_lease_keep_alive(self._handle, whole("id", id), ttl_ms, NULL))
        return int(ttl_ms[0])

    def lease_time_to_live(self, id: int, *, keys: bool = False) -> LeaseTimeToLive:
        """How long a lease has yet to live, with its keys if they are asked for."""
        out = ffi.new("revwatch_lease_result **")
        id = whole("id", id)
        status = lib.revwatch_store_lease_time_to_live(self._handle, id, bool(keys), out)
        if check(status) == NOT_FOUND:
            return LeaseTimeToLive(id, NO_SUCH_LEASE_MS, 0, [])
        lease = out[0]
        try:
            attached = [
                ffi.unpack(lease.keys[at].data, lease.keys[at].len) for at in range(lease.keys_len)
            ]
            return LeaseTimeToLive(lease.id, lease.ttl_ms, lease.granted_ttl_ms, attached)
        finally:
            lib.revwatch_lease_result_free(lease)

    def leases(self) -> list[int]:
        """The ids of all leases, ascending."""
        out = ffi.new("revwatch_leases_result **")
        check(lib.revwatch_store_leases(self._handle, out))
        leases = out[0]
        try:
            return list(ffi.unpack(leases.ids, leases.ids_len)) if leases.ids_len else []
        finally:
            lib.revwatch_leases_result_free(leases)
