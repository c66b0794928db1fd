"""`ncp-tui profile`. No option takes a secret key: it would stand in the process list and the shell's history."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import click

from ncp_tui.cli.options import Group, complete_profile
from ncp_tui.cli.runner import run_command

F = TypeVar("F", bound=Callable[..., None])


@click.group("profile", cls=Group)
def command() -> None:
    """Who calls: add, test, import and remove profiles."""


def _profile_options(function: F) -> F:
    """The options that `add` and `edit` have in common. The work checks their values, as it does for the screens."""
    for decorate in reversed(
        (
            click.option("--access-key", metavar="AK", help="The access key id."),
            click.option(
                "--secret-stdin", is_flag=True, help="Read the secret key from stdin; on a terminal it is asked for."
            ),
            click.option("--zone", metavar="ZONE", help="public, gov or fin."),
            click.option("--region", metavar="REGION", help="KR, SGN, JPN; KRS; FKR. Without it the zone's first."),
            click.option(
                "--store", metavar="STORE", help="keyring; file: encrypted, with a passphrase; session: kept nowhere."
            ),
            click.option("--gateway-url", metavar="URL", help="Another gateway than the zone's own."),
            click.option("--ca-bundle", metavar="FILE", help="PEM certificates to trust, instead of the system's."),
            click.option("--default-bucket", metavar="B", help="The bucket that snapshots go to when none is named."),
            click.option("--name-template", metavar="T", help="How snapshots are named, as {cluster}-{date}-{time}."),
            click.option("--accent", metavar="COLOUR", help="red, orange, yellow, green, blue, purple or none."),
        )
    ):
        function = decorate(function)
    return function


@command.command("list")
def list_profiles() -> None:
    """List the profiles, and the keys found elsewhere.

    It says which of them would be used.
    """
    from ncp_tui.cli.work import profiles

    run_command(profiles.list_profiles)


@command.command("add")
@click.argument("name")
@_profile_options
@click.option("--read-only", is_flag=True, help="The profile is to refuse everything that changes anything.")
@click.option("--protected", is_flag=True, help="The profile is to ask for the cluster's name before each change.")
def add(name: str, secret_stdin: bool, **values: Any) -> None:
    """Save a new profile NAME, and its secret key in the store.

    The first profile becomes the default.
    """
    from ncp_tui.cli.work import profile_changes

    run_command(partial(profile_changes.add, name=name, secret_stdin=secret_stdin, values=_given(values)))


@command.command("show")
@click.argument("name", shell_complete=complete_profile)
def show(name: str) -> None:
    """Show a profile, or keys found elsewhere.

    NAME is as `profile list` has it.
    """
    from ncp_tui.cli.work import profiles

    run_command(partial(profiles.show_profile, name=name))


@command.command("edit")
@click.argument("name", shell_complete=complete_profile)
@_profile_options
@click.option("--read-only/--no-read-only", default=None, help="Whether it refuses everything that changes anything.")
@click.option("--protected/--no-protected", default=None, help="Whether it asks for the cluster's name first.")
def edit(name: str, secret_stdin: bool, **values: Any) -> None:
    """Change what is given, keep the rest.

    An empty value ("") clears a setting. Another access key needs another secret key. With another --store the secret
    key moves there.
    """
    from ncp_tui.cli.work import profile_changes

    run_command(partial(profile_changes.edit, name=name, secret_stdin=secret_stdin, values=_given(values)))


@command.command("rename")
@click.argument("old", shell_complete=complete_profile)
@click.argument("new")
def rename(old: str, new: str) -> None:
    """Give profile OLD the name NEW. Its secret key moves along."""
    from ncp_tui.cli.work import profile_changes

    run_command(partial(profile_changes.rename, old=old, new=new))


@command.command("remove")
@click.argument("name", shell_complete=complete_profile)
@click.option("--yes", is_flag=True, help="Do not ask for the name once more.")
@click.option("--keep-secret", is_flag=True, help="Leave the secret key in its store, for when that cannot be reached.")
def remove(name: str, yes: bool, keep_secret: bool) -> None:
    """Remove profile NAME and its secret key."""
    from ncp_tui.cli.work import profile_changes

    run_command(partial(profile_changes.remove, name=name, yes=yes, keep_secret=keep_secret))


@command.command("default")
@click.argument("name", shell_complete=complete_profile)
def default(name: str) -> None:
    """Use profile NAME when none is named."""
    from ncp_tui.cli.work import profile_changes

    run_command(partial(profile_changes.set_default, name=name))


@command.command("import")
@click.option("--from", "origin", type=click.Choice(["environment", "ncloud-configure"]), help="Only from there.")
@click.option("--store", metavar="STORE", default="keyring", show_default=True, help="keyring, file or session.")
def import_found(origin: str | None, store: str) -> None:
    """Save the keys found elsewhere as profiles.

    That is in the environment and in ~/.ncloud/configure. Neither of the two is changed. Keys that a
    profile has already are left out.
    """
    from ncp_tui.cli.work import profile_changes

    run_command(partial(profile_changes.import_found, origin=origin, store=store))


@command.command("test")
@click.argument("name", required=False, shell_complete=complete_profile)
def test(name: str | None) -> None:
    """Make one signed read with the keys of profile NAME.

    Without NAME with those that would be used.
    """
    from ncp_tui.cli.work import profiles

    run_command(partial(profiles.test_profile, name=name))


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
