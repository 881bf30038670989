"""What commands that go on for ever have in common: how they end.

An interrupt ends them as it ends any program. When nobody reads their output any more they end
too, without a word: at the next line, or soon, where the system lets us see it.
"""

from __future__ import annotations

import os
import select
import signal
import sys

POLL_SECONDS = 0.25
"""How often a waiting command looks whether somebody still reads."""


def end_on_signals() -> None:
    """For the whole program: an interrupt and a closed pipe end it as they end others.

    Where interrupts were ignored from the start, as for jobs in the background, they still are.
    """
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def give_up_stdout() -> None:
    """What could not be written is not tried again when the interpreter ends."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def check_stdout() -> None:
    """Ends the program if nobody can read what it prints."""
    if not hasattr(select, "poll") or not hasattr(signal, "SIGPIPE"):
        return
    if sys.stdout is None:
        return
    watcher = select.poll()
    watcher.register(sys.stdout.fileno(), 0)
    if any(state & select.POLLERR for _, state in watcher.poll(0)):
        os.kill(os.getpid(), signal.SIGPIPE)
