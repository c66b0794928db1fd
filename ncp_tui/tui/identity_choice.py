"""Who there is to call as, and who is used: read off the event loop, told in one message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import Identities
from ncp_tui.system.blocking import run_blocking
from ncp_tui.tui.messages import IdentityFound
from ncp_tui.workspace import Workspace

if TYPE_CHECKING:
    from ncp_tui.profiles.profiles_file import ProfilesFile

DISK_SECONDS = 10.0


async def find_identity(workspace: Workspace, wanted: str | None) -> IdentityFound:
    """Read the profiles and the other places that may hold keys, and choose by the documented order."""
    found = await _read(workspace)
    if isinstance(found, Problem):
        return IdentityFound(Identities(), problem=found)
    book, identities = found
    asked_for = bool(wanted or workspace.environ.get("NCP_TUI_PROFILE"))
    if not book.profiles and not asked_for and not book.damaged:
        return IdentityFound(identities, book.default, ask=True)
    try:
        identity = await run_blocking(lambda: workspace.choose(wanted), DISK_SECONDS)
    except (Problem, TimeoutError) as error:
        return IdentityFound(identities, book.default, problem=_problem(error))
    return IdentityFound(identities, book.default, identity)


async def find_saved(workspace: Workspace, name: str) -> IdentityFound:
    """Read the profiles again, and choose the one called `name`."""
    found = await _read(workspace)
    if isinstance(found, Problem):
        return IdentityFound(Identities(), problem=found)
    book, identities = found
    return IdentityFound(identities, book.default, identities.find(name))


async def _read(workspace: Workspace) -> tuple[ProfilesFile, Identities] | Problem:
    def read() -> tuple[ProfilesFile, Identities]:
        book = workspace.profiles.load()
        return book, workspace.identities(book)

    try:
        return await run_blocking(read, DISK_SECONDS)
    except (Problem, TimeoutError) as error:
        return _problem(error)


def _problem(error: Problem | TimeoutError) -> Problem:
    if isinstance(error, Problem):
        return error
    words = f"The profiles could not be read within {DISK_SECONDS:g} s."
    return Problem(words, "Nothing was sent.", "Check the disk.")
