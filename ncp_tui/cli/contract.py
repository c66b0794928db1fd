"""`doctor --contract`: the live answers of NCP against what ncp-tui believes of them, in a file for a public issue."""

from __future__ import annotations

import getpass
import platform
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ncp_tui.cli.cluster_lookup import is_number, named
from ncp_tui.cli.errors import ClusterNotSeen, ExitCode, UnknownCluster, exit_code_of, problem_words
from ncp_tui.cli.runner import CommandContext
from ncp_tui.text import plural

if TYPE_CHECKING:
    from ncp_tui.profiles.identity import Identity
    from ncp_tui.search_engine.client import SearchEngine
    from ncp_tui.search_engine.contract_check import Listed, Reading
    from ncp_tui.search_engine.contract_comparison import Unread
    from ncp_tui.search_engine.contract_file import ContractReport
    from ncp_tui.search_engine.models import Cluster

_STANDARD_OUTPUT = Path("-")


@dataclass
class _Chosen:
    """The cluster to ask about: the one that was named, or the first that the key may open."""

    wanted: str
    cluster: Cluster | None = None

    def __call__(self, listed: Listed) -> Cluster | None:
        """Raises UnknownCluster, AmbiguousCluster, ClusterNotSeen, PermissionDenied, WrongCluster or the list's own."""
        from ncp_tui.snapshots.rules import check_cluster

        if self.cluster is None:
            self.cluster = self._named(listed) if self.wanted else self._first(listed)
            if self.cluster is not None:
                check_cluster(self.cluster)
        return self.cluster

    def _named(self, listed: Listed) -> Cluster:
        from ncp_tui.search_engine.client import same_name
        from ncp_tui.search_engine.models import Cluster

        if is_number(self.wanted):
            found = next((each for each in listed.clusters if each.number == self.wanted), None)
            return found or Cluster(self.wanted, "", "")
        if not any(same_name(each.name, self.wanted) for each in listed.clusters):
            if listed.problem is not None:
                raise listed.problem
            if not listed.is_whole:
                raise ClusterNotSeen(self.wanted, f"{plural(len(listed.clusters), 'cluster')} were read.")
        return named(listed.clusters, self.wanted)

    @staticmethod
    def _first(listed: Listed) -> Cluster | None:
        return next((each for each in listed.clusters if each.allowed and is_number(each.number)), None)


def check_contract(context: CommandContext, cluster: str, output: Path | None) -> ExitCode:
    """`doctor --contract`. Differences are its answer; the code is that of the first operation that was not read."""
    from ncp_tui.search_engine.contract_file import report_on

    identity = context.identity()
    engine = context.connect(identity)
    chosen = _Chosen(cluster)
    with context.log.action("check the contract"):
        readings = context.wait(_readings(engine, chosen))
    _check_known(readings, chosen)
    masks, profile = _masks(context), identity.profile
    report = report_on(
        readings,
        made_at=context.workspace.now(),
        site=profile.site,
        region=profile.region,
        is_ncp=_is_ncp(identity),
        masks=masks,
        private=_private(identity, cluster),
        unread=_unread(),
    )
    if not report.has_answers and report.problem is not None:
        raise report.problem
    return _answer(context, report, chosen.cluster, output, masks)


def _check_known(readings: list[Reading], chosen: _Chosen) -> None:
    """Raises UnknownCluster where nothing was listed under a number, and NCP has no detail of it."""
    for each in readings:
        has_none = each.operation == "getClusterInfo" and each.problem is None and each.payload.get("result") is None
        if has_none and chosen.cluster is not None and not chosen.cluster.name:
            raise UnknownCluster(chosen.wanted or chosen.cluster.number)


async def _readings(engine: SearchEngine, chosen: _Chosen) -> list[Reading]:
    from ncp_tui.search_engine.contract_check import read_contract

    async with aclosing(read_contract(engine, chosen)) as found:
        return [reading async for reading in found]


def _masks(context: CommandContext) -> dict[str, str]:
    """What stands for every key that is known to this run or to a profile."""
    from ncp_tui.gateway.exchange import MASKED

    identities = context.workspace.identities().identities
    secrets = [*context.secrets, *(each.secret_key for each in identities if each.secret_key is not None)]
    access_keys = [key for each in identities for key in each.access_keys]
    return dict.fromkeys(access_keys, MASKED) | {secret.reveal(): MASKED for secret in secrets}


def _unread() -> Unread:
    """What of a row nothing can be read from, for what this program decides by it."""
    from ncp_tui.search_engine.models import HistoryEntry, ScheduleEntry
    from ncp_tui.snapshots.schedule import unread_run, unread_setting

    return {
        "getSnapshotHistory": lambda item: unread_run(HistoryEntry.read(item)),
        "getSnapshotSchedulingHistory": lambda item: unread_setting(ScheduleEntry.read(item)),
    }


def _is_ncp(identity: Identity) -> bool:
    from ncp_tui.gateway.endpoints import site_of_gateway_url

    return site_of_gateway_url(identity.profile.endpoint().origin) is not None


def _private(identity: Identity, cluster: str) -> dict[str, str]:
    """What is the user's beside what NCP answers, each with the word that stands for it."""
    host = platform.node()
    found = {host: "host", host.partition(".")[0]: "host", identity.name: "profile"}
    if not _is_ncp(identity):
        found[identity.profile.endpoint().host] = "host"
    if cluster and not is_number(cluster):
        found[cluster] = "cluster"
    try:
        found[getpass.getuser()] = "user"
    except (OSError, KeyError):  # a number without a name
        return found
    return found


def _answer(
    context: CommandContext, report: ContractReport, cluster: Cluster | None, output: Path | None, masks: dict[str, str]
) -> ExitCode:
    from ncp_tui.search_engine.contract_file import contract_text, write_contract
    from ncp_tui.view.contract import contract_document, contract_lines
    from ncp_tui.view.text import plain_text

    about = (cluster.name, cluster.number) if cluster is not None else None
    if output == _STANDARD_OUTPUT:
        context.out.made_document(contract_text(report, masks).rstrip("\n"))
    else:
        path = write_contract(report, output, masks)
        context.out.answer(contract_document(report, path, about), plain_text(contract_lines(report, path, about)))
    problem = report.problem
    if problem is None:
        return ExitCode.DONE
    context.say(f"Not everything could be read. {problem_words(problem)}")
    return exit_code_of(problem)
