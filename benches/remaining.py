"""How long a run still takes: what its parts take on a quiet machine with two cores, times how much
longer this one has needed for them so far."""

from collections.abc import Iterable


class Remaining:
    """What is left to do, in seconds of the quiet machine; `later` is another program's."""

    def __init__(self, parts: Iterable[float], later: float = 0) -> None:
        self.left = sum(parts) + later
        self.done = 0.0
        self.took = 0.0

    def finished(self, part: float, took: float) -> None:
        """One of the parts is done, and has taken so long here."""
        self.left -= part
        self.done += part
        self.took += took

    @property
    def minutes(self) -> float:
        """A guess."""
        pace = self.took / self.done if self.done else 1
        return self.left * pace / 60

    def __str__(self) -> str:
        return f"about {max(self.minutes, 1):.0f} min left"
