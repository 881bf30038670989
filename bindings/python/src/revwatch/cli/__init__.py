"""The command line: etcdctl's verbs, on a file.

`revwatch [--store PATH] VERB ...` has the verbs, flags, outputs and exit codes of etcdctl 3.4, so
that a script written for it runs with the program's name changed. Messages on stderr are its own.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import revwatch

from .arguments import HelpWanted, parse_command_line
from .endless import end_on_signals, give_up_stdout
from .exits import CommandError, Exit

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code; without `argv`, the command of this program."""
    if argv is None:
        argv = sys.argv[1:]
        end_on_signals()
    path = ""
    try:
        verb, call = parse_command_line(argv)
        path = call.flags.text("store")
        return verb.run(call) or Exit.SUCCESS
    except HelpWanted as wanted:
        print(wanted.text)
        return Exit.SUCCESS
    except CommandError as error:
        print(f"revwatch: {error}", file=sys.stderr)
        return error.exit_code
    except revwatch.RevwatchError as error:
        print(f"revwatch: {describe(error, path)}", file=sys.stderr)
        return Exit.ERROR
    except OSError as error:
        give_up_stdout()
        if not isinstance(error, BrokenPipeError):
            print(f"revwatch: stdin or stdout: {error}", file=sys.stderr)
        return Exit.ERROR


def describe(error: revwatch.RevwatchError, path: str) -> str:
    """What the store says, with the file that it says it of."""
    about_file = 500 <= error.code < 700
    return f"{path}: {error}" if about_file and path not in str(error) else str(error)
