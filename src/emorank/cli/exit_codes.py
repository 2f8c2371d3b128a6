"""The exit codes of the program; docs/command_line.md says when each comes."""

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command ended. Those above 128 are 128 and the number of the signal, as in shells."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    STOPPED = 130
    READER_GONE = 141
    TERMINATED = 143
