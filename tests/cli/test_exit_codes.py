from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import ncp_tui
from ncp_tui.cli.errors import ExitCode, exit_code_of
from ncp_tui.problem import Problem

EXPECTED = {
    2: {
        "no_match", "cannot_write_contract", "unknown_batch",
        "unknown_endpoint", "invalid_credentials", "invalid_profile", "invalid_name", "invalid_bucket",
        "invalid_template", "unknown_cluster", "ambiguous_cluster", "nothing_known", "cannot_write_evidence",
        "nothing_open", "entry_held", "not_open", "other_damage", "no_clusters", "unusable_proxy", "not_for_curl",
        "unusable_file", "invalid_target", "invalid_schedule", "nothing_to_release",
    },
    3: {
        "exposed_command", "secret_command_failed",
        "no_credentials", "no_secret", "no_keyring", "keyring_locked", "keyring_silent", "keyring_failed",
        "cannot_store", "damaged_secret", "other_access_key", "secret_store", "unknown_profile",
        "cannot_read_profiles", "cannot_save_profiles", "unusable_ca_bundle", "nothing_to_import",
        "session_log_unwritable", "wrong_passphrase",
        "invalid_passphrase", "passphrase_needed", "unsafe_key_file", "key_file_silent", "key_file_failed",
        "cannot_copy", "cannot_write_copy", "cannot_remember", "role_not_wanted", "keys_unavailable",
        "unsafe_metadata_service", "not_on_ncp_server", "no_server_role", "metadata_silent", "bad_metadata",
        "unusable_home", "no_key_file_here", "key_left_behind",
    },
    4: {"authentication_failed"},
    5: {"permission_denied"},
    6: {
        "not_reached", "name_not_found", "proxy_refused", "tls_failed", "answer_lost", "endpoint_timeout",
        "endpoint_error",
    },
    7: {"throttled", "quota_exceeded"},
    8: {
        "out_of_time", "no_cluster",
        "gateway_error", "not_found", "refused", "refused_by_gateway", "server_error", "bad_answer", "redirected",
        "wrong_cluster", "list_missing", "list_incomplete"},
    10: {"snapshot_failed"},
    11: {"wait_ended"},
    12: {
        "list_cut", "blocked",
        "read_only", "not_confirmed", "second_request", "damaged_journal", "journal", "journal_unwritable",
        "journal_unreadable", "gateway_not_trusted", "keys_expire",
    },
    129: {"hung_up"},
    130: {"interrupted", "declined"},
    143: {"terminated"},
    1: {"bug"},
}  # fmt: skip


def kinds(root: type[Problem]) -> Iterator[type[Problem]]:
    for kind in root.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_every_problem_has_its_code() -> None:
    """A new kind of Problem must be given a code on purpose, not the last one of the table by accident."""
    for module in pkgutil.walk_packages(ncp_tui.__path__, "ncp_tui."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found: dict[int, set[str]] = {}
    for kind in kinds(Problem):
        if not kind.__module__.startswith("ncp_tui.") or kind.kind == "problem":
            continue
        problem = kind.__new__(kind)  # some want arguments, and only the class counts
        found.setdefault(int(exit_code_of(problem)), set()).add(kind.kind)
    known = {code: {kind for kind in kinds_of if kind in found.get(code, set())} for code, kinds_of in EXPECTED.items()}
    assert found == known
    assert known == EXPECTED


def test_the_codes_are_those_of_the_contract() -> None:
    assert [int(code) for code in ExitCode] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 129, 130, 143]
