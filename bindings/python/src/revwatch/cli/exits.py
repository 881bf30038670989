"""Exit codes, which are etcdctl's, and the exception that carries one."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What a script can tell apart."""

    SUCCESS = 0
    ERROR = 1
    """The store refused, or a flag is unknown or malformed."""
    NO_LEASE = 2
    """A lease to renew once is not there."""
    INVALID_INPUT = 3
    """A line of stdin could not be understood, or stdin ended too early."""
    BAD_FEATURE = 4
    """A flag has a value that does not exist: an output format, a sort order."""
    INTERRUPTED = 5
    """A watch was ended by the store."""
    BAD_ARGUMENTS = 128
    """Too few, too many or malformed arguments, or no store was named."""


class CommandError(Exception):
    """A command that ends with a message on stderr and an exit code."""

    def __init__(self, exit_code: Exit, message: str) -> None:
        """The message says what was asked, what is wrong and what to do."""
        super().__init__(message)
        self.exit_code = exit_code


class UsageError(CommandError):
    """Wrong arguments."""

    def __init__(self, message: str) -> None:
        """Ends the command as etcdctl ends at wrong arguments."""
        super().__init__(Exit.BAD_ARGUMENTS, message)
