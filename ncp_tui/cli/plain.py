"""`ncp-tui --plain`: where lines are all that a terminal can show, or all that a reader wants."""

from __future__ import annotations

import io
import os
import sys
import unicodedata
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar, cast

import click

from ncp_tui.cli.errors import NOTHING_SENT, CommandProblem, ExitCode, next_words, problem_words
from ncp_tui.cli.runner import CommandContext
from ncp_tui.problem import Problem
from ncp_tui.text import inert, plural

if TYPE_CHECKING:
    from ncp_tui.profiles.identity import Identity
    from ncp_tui.search_engine.client import SearchEngine
    from ncp_tui.search_engine.models import Bucket, Cluster


_LINES_ONLY = {"", "dumb", "unknown"}


def is_lines_only() -> bool:
    """Whether this terminal says of itself that it moves no cursor."""
    return os.environ.get("TERM", "").lower() in _LINES_ONLY


def can_converse() -> bool:
    """Whether somebody types the answers and sees every question, some of which go to stderr."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return all(stream is not None and stream.isatty() for stream in streams)


def run_plain_in_demo(context: CommandContext) -> int:
    """The same against a private sandbox."""
    from ncp_tui.cli.sandbox import demo_workspace

    with demo_workspace() as workspace:
        context.workspace = workspace
        try:
            return run_plain(context)
        finally:
            context.log_file.close()  # while its folder is still there


T = TypeVar("T")

MANY = 20
"""With more clusters than this, a part of the name is asked first: a screen has 24 lines."""


class NoClusters(CommandProblem):
    """No cluster to create a snapshot of."""

    kind = "no_clusters"


def run_plain(context: CommandContext) -> ExitCode:
    """Ask for cluster, bucket and name, and create the snapshot as `snapshot create` does, its exit codes included."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="backslashreplace")  # what is not text here becomes a name that is refused
    context.out.quiet = False  # what stands beside the questions is what they are answered by
    context.preface = lambda: NOTHING_SENT
    try:
        return _converse(context)
    except (KeyboardInterrupt, click.Abort):
        context.out.error("")  # what is told now begins a line of its own, not the end of the question
        raise


def _converse(context: CommandContext) -> ExitCode:
    from ncp_tui.cli.create import Chosen, check_not_read_only, create_snapshot
    from ncp_tui.cli.create_report import CreateOptions

    _tell_open(context)
    identity = context.identity(_profile(context))
    check_not_read_only(context, identity)
    engine = context.connect(identity)
    cluster = _cluster(context, engine)
    bucket = _bucket(context, engine, cluster, identity)
    options = CreateOptions(cluster.name, bucket=bucket, name=_name(context, cluster, identity), offer_wait=True)
    return create_snapshot(context, options, Chosen(identity, engine, cluster))


def _tell_open(context: CommandContext) -> None:
    """Name the unresolved requests of earlier runs."""
    from ncp_tui.snapshots.journal import Journal, JournalProblem, on_disk
    from ncp_tui.view.requests import unresolved_sentence

    try:
        entries = context.wait(on_disk(Journal(context.workspace.paths).abandoned))
    except JournalProblem as problem:
        context.out.note(problem_words(problem))
        return
    for entry in entries:
        context.out.note(f"{entry.request.cluster}: {unresolved_sentence([entry])}")
    if entries:
        context.out.note("Resolve: ncp-tui snapshot resolve")


def _profile(context: CommandContext) -> str | None:
    """The profile to use, where there are several and none is named; None leaves it to the documented order."""
    from ncp_tui.profiles.environment import PROFILE_VARIABLE
    from ncp_tui.profiles.identity import SourceKind

    workspace = context.workspace
    book = workspace.profiles.load()
    found = workspace.identities(book)
    said = context.settings.profile or workspace.environ.get(PROFILE_VARIABLE, "").strip()
    from_environment = any(each.kind is SourceKind.ENVIRONMENT for each in found.identities)
    if said or from_environment or len(found.identities) < 2:  # noqa: PLR2004 - one is no choice
        return None
    for number, each in enumerate(found.identities, 1):
        marks = ["default"] * (each.name == book.default) + ["protected"] * each.profile.protected
        where = f"{each.profile.site} {each.profile.region}"
        context.out.text(f"{number} {each.name}, {where}" + "".join(f", {mark}" for mark in marks))
    default = book.default if book.default and found.find(book.default) else None

    def chosen(answer: str) -> str:
        identity = found.find(answer) or _numbered(found.identities, answer)
        if identity is None:
            raise Problem(f"There is no profile {answer!a}.")
        return identity.name

    return _asked(context, "Profile (number or name)", chosen, default)


def _cluster(context: CommandContext, engine: SearchEngine) -> Cluster:
    from ncp_tui.snapshots.rules import check_cluster
    from ncp_tui.view.clusters import CLUSTERS
    from ncp_tui.view.table import gap_sentence

    with context.log.action("list clusters"):
        clusters = context.wait(engine.list_clusters())
    if clusters.gap:
        context.out.note(gap_sentence(clusters.gap))
    if not clusters:
        raise NoClusters(CLUSTERS.empty, "", "Use another region or account with --profile.")
    shown: Sequence[Cluster] = clusters
    if len(clusters) > MANY:
        question = f"{plural(len(clusters), 'cluster')}. Part of the name, or enter for all"
        shown = _asked(context, question, lambda part: _containing(clusters, part), "")
    for number, each in enumerate(shown, 1):
        words = [each.name, each.status, each.health] if each.allowed else [each.name, "no permission"]
        context.out.text(f"{number} " + ", ".join(word for word in words if word))

    def chosen(answer: str) -> Cluster:
        numbered = _numbered(shown, answer)
        found = [each for each in clusters if _is_called(each, answer)] or ([numbered] if numbered else [])
        if not found:
            among = f" among those listed. {clusters.gap}" if clusters.gap else "."
            raise Problem(f"No cluster has the name or number {answer!a}{among}")
        if len(found) > 1:
            raise Problem(
                f"{len(found)} clusters are called {answer!a}.",
                "",
                f"Use a number: {', '.join(c.number for c in found)}.",
            )
        return check_cluster(found[0])

    return _asked(context, "Cluster (number in the list, name or cluster number)", chosen)


def _bucket(context: CommandContext, engine: SearchEngine, cluster: Cluster, identity: Identity) -> str:
    from ncp_tui.search_engine.lists import gap_of
    from ncp_tui.snapshots.rules import check_bucket
    from ncp_tui.view.table import gap_sentence

    default, buckets = identity.profile.default_bucket, cast("Sequence[Bucket]", ())
    try:
        with context.log.action(f"list buckets of {cluster.name}"):
            buckets = context.wait(engine.list_buckets(cluster.number))
    except Problem as problem:
        context.out.note(f"Bucket list unavailable. {problem.what} You can type a bucket name.")
    if gap_of(buckets):
        context.out.note(f"{gap_sentence(gap_of(buckets))} You can type another bucket name.")
    usable = [bucket for bucket in buckets if bucket.usable]
    for number, bucket in enumerate(usable, 1):
        context.out.text(f"{number} {bucket.name}" + ", default" * (bucket.name == default))
    for bucket in buckets:
        if not bucket.usable:
            context.out.text(f"- {bucket.name}: {bucket.reason}")
    if buckets and not gap_of(buckets) and not any(bucket.name == default for bucket in usable):
        default = None

    def chosen(answer: str) -> str:
        bucket = _numbered(usable, answer)
        return bucket.name if bucket else check_bucket(answer, buckets)

    return _asked(context, "Bucket (number or name)", chosen, default)


def _name(context: CommandContext, cluster: Cluster, identity: Identity) -> str:
    from ncp_tui.snapshots.draft import propose_name
    from ncp_tui.snapshots.rules import check_name

    proposed = propose_name(cluster.name, identity.profile, context.workspace.now())
    if proposed.problem is not None:
        context.out.note(problem_words(proposed.problem))
    return _asked(context, "Name", check_name, proposed.name)


def _asked(context: CommandContext, question: str, understand: Callable[[str], T], default: str | None = None) -> T:
    """What the answer to `question` means; where it means nothing, the user is told why and asked again.

    Raises click.Abort on Ctrl-C and at the end of the input.
    """
    while True:
        asked = inert(f"{question} [{default}]" if default else question)
        answer = click.prompt(asked, default=default, show_default=False, err=True)
        try:
            return understand(answer.strip())
        except Problem as problem:
            context.out.error(f"{problem.what} {next_words(problem)}".rstrip())


def _numbered(things: Sequence[T], answer: str) -> T | None:
    """The one at that place of the list, which counts from one."""
    place = int(answer) if answer.isascii() and answer.isdigit() else 0
    return things[place - 1] if 0 < place <= len(things) else None


def _containing(clusters: Sequence[Cluster], part: str) -> list[Cluster]:
    found = [cluster for cluster in clusters if _plain(part) in _plain(cluster.name)]
    if not found:
        raise Problem(f"No name contains {part!a}.")
    return found


def _is_called(cluster: Cluster, answer: str) -> bool:
    return answer == cluster.number or unicodedata.normalize("NFC", answer) == unicodedata.normalize(
        "NFC", cluster.name
    )


def _plain(text: str) -> str:
    """For comparing: a terminal on macOS hands Hangul over in pieces that look the same."""
    return unicodedata.normalize("NFC", text).casefold()
