"""Exit statuses: the one table, printed by `--help`, obeyed by every command."""

from enum import IntEnum


class Exit(IntEnum):
    """What a command's exit status means."""

    READY = 0
    NOT_READY = 1
    INCONCLUSIVE = 2
    HARNESS = 3
    USAGE = 4
    EVIDENCE = 5
    INTERRUPTED = 130


MEANINGS: dict[Exit, str] = {
    Exit.READY: "READY: every required item is verified",
    Exit.NOT_READY: "NOT READY: a required item is refuted",
    Exit.INCONCLUSIVE: "INCONCLUSIVE: a required item is unverified, or the run was partial",
    Exit.HARNESS: "the harness itself failed (the verdict then says INCONCLUSIVE)",
    Exit.USAGE: "usage error",
    Exit.EVIDENCE: "evidence or signature invalid",
    Exit.INTERRUPTED: "interrupted",
}


def table() -> str:
    """The table as text for `--help`, one status a line."""
    return "\n".join(f"  {status.value:>3}  {meaning}" for status, meaning in MEANINGS.items())
