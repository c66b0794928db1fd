"""What the next steps of a problem are for, in the same words on the screen and in commands.

Each face says by which means: the command line by a command or an option, the screens by a key.
"""

from __future__ import annotations

from collections.abc import Callable

from ncp_tui.problem import NextAction, Problem

PURPOSES = {
    "snapshot.create": "Create a snapshot",
    "snapshot.resolve": "Resolve it",
    "snapshot.wait": "Follow it",
    "snapshot.history": "Check the history",
    "snapshot.again": "Send a second request",
    "snapshot.unwritten": "Send without a journal record",
    "journal.accept_damage": "Accept the damage",
    "paths.show": "Show file locations",
    "evidence.output": "Choose the file",
    "profile.choose": "Choose a profile",
    "profile.add": "Add a profile",
    "profile.bucket": "Use",
    "read_only.leave": "To allow changes",
    "create.confirm": "Confirm",
    "storage_key.set": "Set the storage key",
    "storage_key.confirm_gateway": "To send it there all the same",
    "schedule.show": "Check the schedule",
    "schedule.release": "Release it first",
    "schedule.again": "Send it although that is so",
}
"""By the id of an action."""

Means = Callable[[NextAction], str | None]
"""How a face takes an action; None where it has no means, or offers the action by itself."""


def next_words(problem: Problem, means: Means) -> str:
    """What to do next: the problem's own words, and each action with its means."""
    steps = [(PURPOSES[action.id], means(action)) for action in problem.actions]
    said = ". ".join(f"{purpose}: {by}" for purpose, by in steps if by)  # no full stop behind a command to be copied
    return " ".join(part for part in (problem.next_step, said) if part)


def problem_words(problem: Problem, means: Means) -> str:
    """The whole of a problem on one line."""
    return " ".join(part for part in (problem.what, problem.meaning, next_words(problem, means)) if part)
