"""Following: the state of a range at one revision, a mark, and then every change after it.

>>> import revwatch
>>> with revwatch.open() as store, store.follow(b"", prefix=True) as follow:
...     revision = store.put(b"key", b"value")
...     for response in follow:
...         print(type(response).__name__, response[0])
...         if isinstance(response, revwatch.FollowEvents):
...             break
FollowSynced 1
FollowEvents 2
"""

from __future__ import annotations

from typing import Any

from . import _decode
from ._bell import Bell
from ._bytes import BytesLike
from ._native import NOT_FOUND, NULL, check, ffi, lib
from ._poll import Poller
from ._range import key_range
from ._request import options, resume_token
from .types import (
    FollowEvents,
    FollowReset,
    FollowResponse,
    FollowState,
    FollowSynced,
    ResumeToken,
)

STATE, SYNCED, RESET = (
    lib.REVWATCH_FOLLOW_STATE,
    lib.REVWATCH_FOLLOW_SYNCED,
    lib.REVWATCH_FOLLOW_RESET,
)


class Follow(Poller[FollowResponse]):
    """A follower of a range; made by ``Store.follow``. It never ends by itself: when compaction or
    a crash took what it was to be told, it says ``FollowReset`` and gives the state again."""

    _out_type = "revwatch_follow_responses **"
    _poll_function = lib.revwatch_follow_poll
    _free_function = lib.revwatch_follow_responses_free
    _fd_function = lib.revwatch_follow_fd
    _next_poll_function = lib.revwatch_follow_next_poll_ms

    def __init__(
        self,
        store: Any,
        bell: Bell,
        key: BytesLike,
        range_end: BytesLike | None,
        *,
        prefix: bool,
        from_key: bool,
        early: bool,
        resume: ResumeToken | None,
    ) -> None:
        start, end = key_range(key, range_end, prefix, from_key)
        token = NULL if resume is None else resume_token(resume)
        asked = options("follow", resume=token, early=bool(early))
        out = ffi.new("revwatch_follow **")
        check(lib.revwatch_follow_new(store, start, len(start), end, len(end), asked, out))
        super().__init__(out[0], lib.revwatch_follow_free, bell)
        self._given = None if resume is None else resume.revision
        # Taken from the library, but not yet given from here.
        self._resets_waiting = 0

    def resume_token(self) -> ResumeToken | None:
        """Where another follow goes on after everything that this one has given, also after a
        crash: record it together with what was done. ``None`` until all of the state was given,
        as only the whole of it can be gone on from, and when a ``FollowReset`` comes next.

        >>> import revwatch
        >>> with revwatch.open() as store, store.follow(b"", prefix=True) as follow:
        ...     print(follow.resume_token(), next(follow), follow.resume_token())
        None FollowSynced(revision=1) ResumeToken(epoch=1, revision=1)
        """
        token = ffi.new("revwatch_resume_token *")
        if check(lib.revwatch_follow_resume_token(self._handle, token)) == NOT_FOUND:
            return None
        # The library may have told more than was taken from here; until the next reset its epoch
        # is nevertheless that of what was taken.
        if self._given is None or self._resets_waiting:
            return None
        return ResumeToken(token.epoch, self._given)

    def _seen(self, response: FollowResponse) -> None:
        match response:
            case FollowSynced(revision) | FollowEvents(revision, _):
                self._given = revision
            case FollowReset():
                self._given = None
                self._resets_waiting -= 1

    def _decode(self, response: Any) -> FollowResponse:
        kind = response.type
        if kind == STATE:
            return FollowState(_decode.key_values(response.kvs, response.kvs_len))
        if kind == SYNCED:
            return FollowSynced(response.revision)
        if kind == RESET:
            self._resets_waiting += 1
            return FollowReset(response.revision)
        events = _decode.events(response.events, response.events_len)
        return FollowEvents(response.revision, events)
