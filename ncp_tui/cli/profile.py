"""`ncp-tui profile`. No option takes a secret key: it would stand in the process list and the shell's history."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ncp_tui.cli.errors import Declined, ExitCode, NothingToImport, problem_words
from ncp_tui.cli.options import Group, complete_profile
from ncp_tui.cli.runner import CommandContext, run_command
from ncp_tui.cli.secret_input import read_secret
from ncp_tui.problem import Problem
from ncp_tui.text import clean, inert

if TYPE_CHECKING:
    from ncp_tui.profiles.identity import Identity
    from ncp_tui.profiles.profile import Profile, StoreName
    from ncp_tui.profiles.profile_changes import Changed, ImportedProfile, ProfileChanges
    from ncp_tui.profiles.profiles_file import ProfilesFile


_PRINTED = "With a secret command nothing is stored."

F = TypeVar("F", bound=Callable[..., None])


@click.group("profile", cls=Group)
def command() -> None:
    """Add, test, import and remove profiles."""


def _profile_options(function: F) -> F:
    """The options that `add` and `edit` have in common. The work checks their values, as it does for the screens."""
    for decorate in reversed(
        (
            click.option("--access-key", metavar="AK", help="The access key ID."),
            click.option(
                "--secret-stdin", is_flag=True, help="Read the secret key from stdin; on a terminal ask for it."
            ),
            click.option(
                "--secret-command",
                metavar="'CMD ARG'",
                help="Run CMD, a full path, whenever the secret key is needed; it prints the key. Nothing is stored.",
            ),
            click.option("--site", metavar="SITE", help="public, gov or fin."),
            click.option(
                "--region",
                metavar="REGION",
                help="Public: KR, SGN, JPN. Gov: KR, KRS. Fin: FKR. Default: the first of the site.",
            ),
            click.option(
                "--store", metavar="STORE", help="keyring, file (encrypted, with a passphrase) or session (not stored)."
            ),
            click.option("--gateway-url", metavar="URL", help="A gateway other than the site's own."),
            click.option("--ca-bundle", metavar="FILE", help="PEM certificates to trust instead of the system's."),
            click.option("--default-bucket", metavar="B", help="The bucket for snapshots when none is named."),
            click.option(
                "--name-template", metavar="T", help="Template of snapshot names, as {cluster}-{date}-{time}."
            ),
            click.option("--max-age", metavar="D", help="When a last good snapshot is too old: 90m, 26h or 3d."),
            click.option("--accent", metavar="COLOUR", help="red, orange, yellow, green, blue, purple or none."),
        )
    ):
        function = decorate(function)
    return function


@command.command("list")
def list_profiles() -> None:
    """List the profiles, and the keys found elsewhere.

    Marks the one that is used without --profile.
    """
    run_command(list_found)


@command.command("add")
@click.argument("name")
@_profile_options
@click.option("--read-only", is_flag=True, help="Refuse everything that changes NCP with this profile.")
@click.option("--protected", is_flag=True, help="Require the cluster's name before each change.")
def add(name: str, secret_stdin: bool, **values: Any) -> None:
    """Save a new profile NAME, and its secret key in the store.

    The first profile becomes the default.
    """
    run_command(partial(add_profile, name=name, secret_stdin=secret_stdin, values=_given(values)))


@command.command("show")
@click.argument("name", shell_complete=complete_profile)
def show(name: str) -> None:
    """Show a profile, or keys found elsewhere.

    NAME is as `profile list` has it.
    """
    run_command(partial(show_profile, name=name))


@command.command("edit")
@click.argument("name", shell_complete=complete_profile)
@_profile_options
@click.option("--read-only/--no-read-only", default=None, help="Whether to refuse everything that changes NCP.")
@click.option(
    "--protected/--no-protected", default=None, help="Whether to require the cluster's name before each change."
)
def edit(name: str, secret_stdin: bool, **values: Any) -> None:
    """Change the given settings, keep the rest.

    An empty value ("") clears a setting. A new access key needs a new secret key. A new --store moves the secret key.
    """
    run_command(partial(edit_profile, name=name, secret_stdin=secret_stdin, values=_given(values)))


@command.command("rename")
@click.argument("old", shell_complete=complete_profile)
@click.argument("new")
def rename(old: str, new: str) -> None:
    """Rename profile OLD to NEW. The secret key moves with it."""
    run_command(partial(rename_profile, old=old, new=new))


@command.command("remove")
@click.argument("name", shell_complete=complete_profile)
@click.option("--yes", is_flag=True, help="Skip the question for the name.")
@click.option("--keep-secret", is_flag=True, help="Leave the secret key in its store, if that cannot be reached.")
def remove(name: str, yes: bool, keep_secret: bool) -> None:
    """Remove profile NAME and its secret key."""
    run_command(partial(remove_profile, name=name, yes=yes, keep_secret=keep_secret))


@command.command("default")
@click.argument("name", shell_complete=complete_profile)
def default(name: str) -> None:
    """Use profile NAME when none is named."""
    run_command(partial(set_default, name=name))


@command.command("import")
@click.option(
    "--from", "origin", type=click.Choice(["environment", "ncloud-configure"]), help="Import from this source only."
)
@click.option("--store", metavar="STORE", help="keyring, file or session. Default: the first that works here.")
def import_found(origin: str | None, store: str | None) -> None:
    """Save the keys found elsewhere as profiles.

    Reads the environment and ~/.ncloud/configure, and changes neither. Keys that a profile already has are skipped.
    """
    run_command(partial(import_profiles_found, origin=origin, store=store))


@command.command("test")
@click.argument("name", required=False, shell_complete=complete_profile)
def test(name: str | None) -> None:
    """Test the keys of profile NAME with one read-only request.

    Without NAME, test the profile that commands use.
    """
    run_command(partial(test_profile, name=name))


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def list_found(context: CommandContext) -> ExitCode:
    """`profile list`: every profile and key found, and which one is used."""
    from ncp_tui.view.profiles import PROFILES, ListedIdentity

    book = context.workspace.profiles.load()
    found = context.workspace.identities(book)
    used, why_not = _in_use(context, book)
    documents = [_document(context, identity, book, used) for identity in found.identities]
    listed = [
        ListedIdentity(each, current=each.name == used, default=book.default_profile is each.profile)
        for each in found.identities
    ]
    context.out.answer(documents, PROFILES.text(listed))
    for warning in found.warnings:
        context.out.note(warning)
    context.out.note(f"Used without --profile: {used}." if used else why_not)
    return ExitCode.DONE


def show_profile(context: CommandContext, name: str) -> ExitCode:
    """`profile show`."""
    from ncp_tui.view.text import key_values

    context.call_as(name)
    identity = context.workspace.choose(name)
    book = context.workspace.profiles.load()
    document = _document(context, identity, book, _in_use(context, book)[0])
    context.out.answer(
        document, key_values([(key.replace("_", " "), _plain(key, value)) for key, value in document.items()])
    )
    return ExitCode.DONE


def test_profile(context: CommandContext, name: str | None) -> ExitCode:
    """`profile test`."""
    from ncp_tui.view.profiles import keys_sentence
    from ncp_tui.workspace import check_keys

    context.call_as(name)
    identity = context.identity()
    engine = context.connect(identity)
    keys = context.wait(check_keys(engine, context.log, identity.name))
    offset = keys.clock_offset
    document = {
        "name": identity.name,
        "ok": True,
        "source": identity.source,
        "endpoint": identity.profile.endpoint().base_url,
        "clusters": keys.clusters,
        "clock_offset": offset.seconds if offset else None,
        "clock_uncertainty": offset.uncertainty if offset else None,
    }
    context.out.answer(document, keys_sentence(keys.clusters, offset, identity.name))
    return ExitCode.DONE


def _document(context: CommandContext, identity: Identity, book: ProfilesFile, used: str | None) -> dict[str, Any]:
    from ncp_tui.view.profiles import identity_document

    store = context.workspace.stores.get(identity.profile.store) if identity.is_stored else None
    return identity_document(
        identity,
        store.describe() if store else identity.source,
        default=book.default_profile is identity.profile,
        used=identity.name == used,
    )


def _in_use(context: CommandContext, book: ProfilesFile) -> tuple[str | None, str]:
    """The profile used without `--profile`, or why there is none."""
    try:
        return context.workspace.choose(None, book).name, ""
    except Problem as problem:
        return None, problem_words(problem)


def _plain(key: str, value: object) -> str:
    from ncp_tui.view.profiles import command_text

    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return command_text(value) if key == "secret_command" else ", ".join(value)
    return "" if value is None else str(value)


def add_profile(context: CommandContext, name: str, secret_stdin: bool, values: Mapping[str, Any]) -> ExitCode:
    """`profile add`."""
    from ncp_tui.profiles.profile import Profile, check_profile
    from ncp_tui.view.profiles import saved_sentence

    if "access_key" not in values:
        raise click.UsageError("Missing option '--access-key'.")
    values = _with_command(values, secret_stdin)
    profile = check_profile(Profile(name=name, **{"region": "", **values}))
    _book(context)
    context.workspace.profiles.check_free(name)  # before the user types a key for it
    if "store" not in values:
        profile = dataclasses.replace(profile, store=_working_store(context))
    _warn_of_template(context, profile)
    secret_key = read_secret(context, secret_stdin) if _keeps(context, profile, secret_stdin) else None
    _change(context, lambda change: change.add(profile, secret_key))
    return _done(context, saved_sentence(profile.name), name=profile.name)


def _warn_of_template(context: CommandContext, profile: Profile) -> None:
    from ncp_tui.snapshots.rules import template_warning

    warning = template_warning(profile.name_template)
    if warning:
        context.out.note(warning)


def edit_profile(context: CommandContext, name: str, secret_stdin: bool, values: Mapping[str, Any]) -> ExitCode:
    """`profile edit`."""
    from ncp_tui.profiles.profile import check_field, check_profile, without_command
    from ncp_tui.profiles.profile_changes import MissingSecret
    from ncp_tui.profiles.profile_store import known_profile

    old = settings = known_profile(_book(context), name)
    changed = _with_command(values, secret_stdin)
    if "store" in changed and check_field("store", changed["store"]) != "command":
        settings = without_command(settings)
    if "site" in changed and check_field("site", changed["site"]) != old.site:
        changed.setdefault("region", "")
    new = check_profile(dataclasses.replace(settings, **changed))
    if "name_template" in changed:
        _warn_of_template(context, new)
    _keeps(context, new, secret_stdin)
    typed = read_secret(context, secret_stdin) if secret_stdin else None
    try:
        done = _change(context, lambda change: change.edit(old, new, typed))
    except MissingSecret:
        secret_key = read_secret(context, from_stdin=False)
        done = _change(context, lambda change: change.edit(old, new, secret_key))
    left = _left_behind(context, done)
    return _done(context, f"Profile {new.name} was changed.", name=new.name, left_in=left)


def _with_command(values: Mapping[str, Any], secret_stdin: bool) -> dict[str, Any]:
    """`values` with the secret command in words, and its store. Raises UsageError, or InvalidProfile for no command."""
    if "secret_command" not in values:
        return dict(values)
    from ncp_tui.profiles.secret_command import split_command

    for option, given in (("--store", "store" in values), ("--secret-stdin", secret_stdin)):
        if given:
            raise click.UsageError(f"--secret-command and {option} cannot be combined. {_PRINTED}")
    return {**values, "secret_command": split_command(values["secret_command"]), "store": "command"}


def rename_profile(context: CommandContext, old: str, new: str) -> ExitCode:
    """`profile rename`."""
    from ncp_tui.profiles.profile_store import known_profile

    profile = known_profile(_book(context), old)
    done = _change(context, lambda change: change.rename(profile, new))
    left = _left_behind(context, done)
    return _done(context, f"Profile {profile.name} is now {new}.", name=new, left_in=left)


def remove_profile(context: CommandContext, name: str, yes: bool, keep_secret: bool) -> ExitCode:
    """`profile remove`."""
    from ncp_tui.profiles.profile_store import known_profile
    from ncp_tui.profiles.secret_stores.protocol import service_of
    from ncp_tui.view.profiles import NO_KEY_REMOVED, removal_words, removed_sentence

    book = _book(context)
    unreadable = book.find_unreadable(name) if book.find(name) is None else None
    profile = None if unreadable else known_profile(book, name)
    written = unreadable or (profile.name if profile else name)
    forgotten = None if keep_secret else profile
    is_printed = profile is not None and profile.secret_command is not None
    _confirm_removal(context, written, yes, removal_words(written, profile, with_key=forgotten is not None))
    left = _change(context, lambda change: change.remove(written, forgotten)).book
    if is_printed:
        context.out.note(NO_KEY_REMOVED)
    elif forgotten is None:
        called = f", under {service_of(profile)}" if profile else ""
        context.out.note(f"The secret key, if there is one, stays in its store{called}.")
    if left.default is None and left.profiles:
        context.out.note("No profile is the default now. Choose one: ncp-tui profile default NAME")
    return _done(context, removed_sentence(written), name=written)


def set_default(context: CommandContext, name: str) -> ExitCode:
    """`profile default`."""
    default = _change(context, lambda change: change.set_default(name)).book.default
    return _done(context, f"Profile {default} is the default.", name=default)


def import_profiles_found(context: CommandContext, origin: str | None, store: str | None) -> ExitCode:
    """`profile import`. One profile after the other; those before a failure stay."""
    from ncp_tui.profiles.identity import SourceKind
    from ncp_tui.profiles.profile import check_field
    from ncp_tui.profiles.profile_changes import import_profiles

    book = context.workspace.profiles.load()
    found = context.workspace.identities(book)
    for warning in found.warnings:
        context.out.note(warning)
    kinds = {SourceKind(origin)} if origin else {SourceKind.ENVIRONMENT, SourceKind.NCLOUD_CONFIGURE}
    identities = [identity for identity in found.identities if identity.kind in kinds]
    if not identities:
        raise NothingToImport("No keys were found to import.", "", "Add a profile: ncp-tui profile add NAME")
    documents = []
    kept_in = check_field("store", store) if store is not None else _working_store(context)
    for one in import_profiles(identities, book.profiles, kept_in, book.unreadable):
        if one.same_as is None:
            _import(context, one)
        documents.append(
            {
                "name": one.profile.name,
                "source": one.source,
                "saved": one.same_as is None,
                "same_as": one.same_as,
            }
        )
    context.out.answer(documents, "\n".join(map(_imported, documents)))
    return ExitCode.DONE


def _import(context: CommandContext, one: ImportedProfile) -> None:
    _keeps(context, one.profile, secret_stdin=False)
    _change(context, lambda change: change.add(one.profile, one.secret_key))


def _imported(document: Mapping[str, Any]) -> str:
    if document["saved"]:
        return f"Profile {document['name']} was saved, from {document['source']}."
    return f"Skipped, from {document['source']}: profile {document['same_as']} already has these keys."


def _book(context: CommandContext) -> ProfilesFile:
    """The profiles, and a word about what of the file was not understood: it is written anew without that."""
    book = context.workspace.profiles.load()
    for warning in book.warnings:
        context.out.note(warning)
    return book


def _change(context: CommandContext, change: Callable[[ProfileChanges], Coroutine[Any, Any, Changed]]) -> Changed:
    """Make one change. Where a store is locked, the user opens it, and the change is made from its beginning."""
    from ncp_tui.profiles.profile_changes import ProfileChanges
    from ncp_tui.profiles.secret_stores.catalogue import lasting

    # No key is kept in a store that ends with this command.
    changes = ProfileChanges(context.workspace.profiles, lasting(context.workspace.stores))
    return context.ask_store(lambda: change(changes))


def _left_behind(context: CommandContext, done: Changed) -> str | None:
    """Ask once more for the old copy of a key to be deleted where its store was locked; say where one is left."""
    from ncp_tui.profiles.profile_changes import ProfileChanges
    from ncp_tui.profiles.secret_stores.errors import StoreLocked

    left = done.left_behind
    if left is None:
        return None
    if isinstance(left.cause, StoreLocked):
        changes = ProfileChanges(context.workspace.profiles, context.workspace.stores)
        with contextlib.suppress(Problem):
            context.ask_store(lambda: changes.forget_copy(left))
            return None
    context.out.error(problem_words(left))
    return left.place


def _keeps(context: CommandContext, profile: Profile, secret_stdin: bool) -> bool:
    """Whether a key of `profile` is kept; says so where it is not. Raises UsageError for one that is sent."""
    from ncp_tui.profiles.secret_stores.catalogue import STORES

    not_kept = STORES[profile.store].not_kept
    if secret_stdin and not_kept:
        raise click.UsageError(f"--secret-stdin and the store {profile.store} cannot be combined. {not_kept}")
    if not_kept:
        context.out.note(not_kept)
    return not not_kept


def _working_store(context: CommandContext) -> StoreName:
    """The store for whoever names none: the first that works here, as the form of a profile proposes it."""
    from ncp_tui.profiles.secret_stores.catalogue import lasting, working_store

    stores = lasting(context.workspace.stores)
    choice = context.wait(working_store(stores))
    for problem in choice.unusable.values():
        context.out.note(problem.what)
    context.out.note(f"Without --store a secret key is kept in: {stores[choice.name].describe()}.")
    return choice.name


def _confirm_removal(context: CommandContext, name: str, yes: bool, what: str) -> None:
    if yes:
        return
    if not context.can_ask:
        raise click.UsageError("Without a terminal, add --yes to remove a profile.")
    typed = click.prompt(inert(f"This removes {what}. Type its name"), err=True)
    if typed.strip() not in {name, clean(name)}:
        raise Declined("That is not the profile's name.")


def _done(context: CommandContext, sentence: str, **document: Any) -> ExitCode:
    context.out.answer({"done": True, **document}, sentence)
    return ExitCode.DONE
