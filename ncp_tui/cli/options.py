"""The options that every command takes, before its name or after it, and the classes that give them to all of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import click

import ncp_tui
from ncp_tui.cli.signals import Signals

_PREFIX = "ncp_tui."


@dataclass(frozen=True)
class Settings:
    """What the shared options say, wherever they stood on the line."""

    profile: str | None = None
    json: bool = False
    quiet: bool = False
    read_only: bool = False

    @classmethod
    def of(cls, context: click.Context) -> Settings:
        """The settings of a command that is being run."""
        given = {key.removeprefix(_PREFIX): value for key, value in context.meta.items() if key.startswith(_PREFIX)}
        return cls(**given)


@dataclass(frozen=True)
class Invocation:
    """One run of the command line, as click's own object of it."""

    began: float
    """When, in seconds since 1970."""
    signals: Signals
    """What may end it."""

    @classmethod
    def of(cls, context: click.Context) -> Invocation:
        """The run that `context` belongs to."""
        invocation = context.find_object(cls)
        assert invocation is not None  # noqa: S101 - `main` gives it
        return invocation


class Command(click.Command):
    """A command that takes the shared options as well; one of its own replaces the shared one of the same name."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        _share(self)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options first, since only they differ."""
        _write_options(self, ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        from ncp_tui.cli.help import write_examples

        write_examples(ctx, formatter)


class Group(click.Group):
    """A group of commands, taking the shared options too."""

    command_class = Command

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        _share(self)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands in the order they are written in, which is that of use; click would go by the alphabet."""
        return list(self.commands)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write own options, then the shared ones, then the commands."""
        _write_options(self, ctx, formatter)
        self.format_commands(ctx, formatter)


class _SharedOption(click.Option):
    """Told apart from a command's own options when help is written."""


def _remember(ctx: click.Context, parameter: click.Parameter, value: object) -> None:
    """Keep an option that was given. The same option may stand at several levels: one that was not given says nothing.

    The context's `meta` is one dictionary for the whole line.
    """
    if value not in (None, False):
        ctx.meta[f"{_PREFIX}{parameter.name}"] = value


def _show_version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"ncp-tui {ncp_tui.__version__}")
        ctx.exit()


def complete_profile(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The saved profiles that begin so, for a shell's completion.

    No store is asked; a broken file has no names, and one that would act on a terminal is left out.
    """
    from ncp_tui.problem import Problem
    from ncp_tui.profiles.profile_store import ProfileStore
    from ncp_tui.system.paths import paths_from
    from ncp_tui.text import clean

    try:
        profiles = ProfileStore(paths_from(os.environ)).load().profiles
    except Problem:
        return []
    return [
        profile.name
        for profile in profiles
        if profile.name.startswith(incomplete) and profile.name == clean(profile.name)
    ]


def complete_cluster(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The clusters that begin so, of those that were listed last by whoever would call. Nothing is sent."""
    from ncp_tui.problem import Problem
    from ncp_tui.profiles.cluster_name_cache import ClusterNameCache, begins_with
    from ncp_tui.text import clean
    from ncp_tui.workspace import open_workspace

    try:
        workspace = open_workspace(os.environ)
        identity = workspace.choose(Settings.of(ctx).profile)
    except Problem:
        return []
    listed = ClusterNameCache(workspace.paths).names(identity)
    return [name for name in listed if begins_with(name, incomplete) and name == clean(name)]


def _shared() -> Iterable[_SharedOption]:
    yield _option(
        "--profile",
        metavar="NAME",
        help="Use this profile (`ncp-tui profile list` names them), or server-role: the role of this server.",
        shell_complete=complete_profile,
    )
    yield _option("--json", is_flag=True, help="Print exactly one JSON document on stdout.")
    yield _option("--quiet", is_flag=True, help="No notes or progress on stderr; errors still appear.")
    yield _option("--read-only", is_flag=True, help="Refuse everything that changes NCP.")
    yield _option("--version", _show_version, is_flag=True, is_eager=True, help="Show the version and exit.")


def _option(
    name: str, callback: Callable[[click.Context, click.Parameter, Any], None] = _remember, **settings: Any
) -> _SharedOption:
    return _SharedOption([name], expose_value=False, callback=callback, **settings)


def _share(command: click.Command) -> None:
    own = {name for parameter in command.params for name in parameter.opts}
    command.params += [option for option in _shared() if not own.intersection(option.opts)]
    command.context_settings.setdefault("help_option_names", ["-h", "--help"])


def _write_options(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    own: list[tuple[str, str]] = []
    shared: list[tuple[str, str]] = []
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record is not None and not isinstance(parameter, click.Argument):
            is_shared = isinstance(parameter, _SharedOption) or "--help" in parameter.opts
            (shared if is_shared else own).append(record)
    for title, records in (("Options", own), ("Options of every command", shared)):
        if records:
            with formatter.section(title):
                formatter.write_dl(records)
