"""`doctor`: what a snapshot depends on, looked at one thing at a time, each with its remedy."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ncp_tui.cli.errors import ExitCode, exit_code_of, next_words
from ncp_tui.cli.runner import CommandContext
from ncp_tui.cli.work.local_state import Finding, local_findings
from ncp_tui.gateway.client import GatewayClient
from ncp_tui.gateway.clock import ClockOffset
from ncp_tui.gateway.credentials import Credentials, SecretKey
from ncp_tui.gateway.endpoints import SITES, Endpoint, endpoint_for
from ncp_tui.gateway.errors import AuthenticationFailed, NotReached
from ncp_tui.gateway.request import ApiCall, Timeouts
from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import Identity
from ncp_tui.search_engine.operations import OPERATIONS
from ncp_tui.snapshots.preflight import Severity
from ncp_tui.view.text import text_table

_PATIENCE = Timeouts(connect=5.0, read=10.0, total=10.0)
# A gateway that knows us not answers 401/200, which is all that is asked of it here.
_NOBODY = Credentials("ncp-tui-doctor", SecretKey("not-a-key-of-anybody"))


@dataclass(frozen=True)
class Target:
    """One gateway to speak to, and by what name the user knows it."""

    subject: str
    endpoint: Endpoint
    ca_bundle: str | None


@dataclass(frozen=True)
class Reached:
    """One gateway, and what came of speaking to it."""

    target: Target
    problem: Problem | None
    clock_offset: ClockOffset | None


def examine(context: CommandContext, offline: bool) -> ExitCode:
    """Look, say, and end with the exit code of the first thing that is wrong."""
    findings = list(local_findings(context.workspace, context.settings.profile))
    if not offline:
        findings += _asked_outside(context)
    context.out.answer(
        [finding.document() for finding in findings],
        text_table(("CHECK", "", "FOUND"), [(each.subject, each.severity.value, each.sentence) for each in findings]),
    )
    wrong = next((finding for finding in findings if finding.severity is Severity.BAD), None)
    if wrong is None:
        return ExitCode.DONE
    return exit_code_of(wrong.problem) if wrong.problem is not None else ExitCode.NO_KEYS


def _asked_outside(context: CommandContext) -> Iterator[Finding]:
    """What gateways and secret stores answer."""
    identities = _identities(context)
    with context.log.action("doctor"):
        reached = context.wait(_reach_all(context, _targets(identities)))
    yield from map(_answered, reached)
    yield _clock(reached)
    for identity in identities:
        yield _keys(context, identity)


def _identities(context: CommandContext) -> Sequence[Identity]:
    """Everybody there is, or the one that was asked for."""
    try:
        found = context.workspace.identities()
    except Problem:
        return ()  # among the findings already, as profiles that cannot be read
    wanted = context.settings.profile
    if wanted is None:
        return found.identities
    one = found.find(wanted)
    return (one,) if one is not None else ()


def _targets(identities: Sequence[Identity]) -> Sequence[Target]:
    """The gateway of each site and of each profile, every one once."""
    targets: dict[str, Target] = {}
    for site in SITES:
        endpoint = endpoint_for(site)
        targets[endpoint.origin] = Target(f"gateway {site}", endpoint, None)
    for identity in identities:
        endpoint, bundle = identity.profile.endpoint(), identity.profile.ca_bundle
        known = targets.get(endpoint.origin)
        if known is None:
            targets[endpoint.origin] = Target(f"gateway of {identity.name}", endpoint, bundle)
        elif known.ca_bundle is None:
            targets[endpoint.origin] = Target(known.subject, endpoint, bundle)
    return tuple(targets.values())


async def _reach_all(context: CommandContext, targets: Sequence[Target]) -> Sequence[Reached]:
    return await asyncio.gather(*(_reach(context, target) for target in targets))


async def _reach(context: CommandContext, target: Target) -> Reached:
    """Speak to a gateway as nobody: a refused signature is as good as any answer."""
    workspace = context.workspace
    listing = OPERATIONS["getClusterInfoList"]
    call = ApiCall(listing.name, listing.method, listing.path(), timeouts=_PATIENCE)
    problem: Problem | None = None
    try:
        gateway = GatewayClient(
            target.endpoint,
            _NOBODY,
            record=context.log.record,
            ca_bundle=target.ca_bundle,
            clock=workspace.clock,
            environ=workspace.environ,
        )
    except Problem as unusable:  # a proxy that cannot be spoken to
        return Reached(target, unusable, None)
    try:
        await gateway.send(call)
    except AuthenticationFailed:
        pass
    except Problem as error:
        problem = error
    finally:
        await gateway.aclose()
    return Reached(target, problem, gateway.clock_offset)


def _answered(reached: Reached) -> Finding:
    subject, host, problem = reached.target.subject, reached.target.endpoint.host, reached.problem
    if problem is None:
        return Finding(subject, Severity.OK, f"{host} answers")
    # No fault in itself: a bastion is often let through to one site only. A profile that needs it has its own finding.
    if isinstance(problem, NotReached) or reached.clock_offset is None:
        return Finding(subject, Severity.UNSURE, problem.what, next_words(problem))
    said = f"{host} answers, but not as a gateway does: {problem.what}"
    return Finding(subject, Severity.UNSURE, said, next_words(problem))


def _clock(reached: Sequence[Reached]) -> Finding:
    offsets = [each.clock_offset for each in reached if each.clock_offset is not None]
    if not offsets:
        return Finding("clock", Severity.UNSURE, "no gateway has told its time", "Reach a gateway first.")
    offset = min(offsets, key=lambda each: each.uncertainty)
    # The offset is the gateway's time minus ours.
    side = "behind" if offset.seconds > 0 else "ahead of"
    said = f"this machine is {abs(offset.seconds):.1f} s {side} the gateway (give or take {offset.uncertainty:.1f} s)"
    if not offset.is_worrying:
        return Finding("clock", Severity.OK, said)
    fix = "Set the clock (timedatectl set-ntp true): the gateway refuses what is 300 s off, until it is corrected for."
    return Finding("clock", Severity.BAD, said, fix, AuthenticationFailed("The clock is wrong."))


def _keys(context: CommandContext, identity: Identity) -> Finding:
    """Whether the keys of a profile can be had, are right, and may list clusters."""
    subject = f"profile {identity.name}"
    try:
        engine = context.connect(identity)
        with context.log.action(f"test {identity.name}"):
            count = context.wait(engine.check_keys())
    except Problem as problem:
        return Finding(subject, Severity.BAD, problem.what, next_words(problem), problem)
    clusters = "no cluster" if not count else "clusters"
    return Finding(subject, Severity.OK, f"the keys from {identity.source} are right; {clusters} to be seen")
