"""Whose keys are used: the order, what never falls through, and how it is described."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncp_tui.profiles.credential_sources import NoCredentials, available_identities, choose_identity, key_source_for
from ncp_tui.profiles.environment import wants_server_role
from ncp_tui.profiles.identity import Identities, SourceKind
from ncp_tui.profiles.ncloud_configure import NcloudConfigure, parse_ncloud_configure
from ncp_tui.profiles.profile import Profile, StoreName, check_profile_name
from ncp_tui.profiles.profile_changes import free_profile_name, import_profiles
from ncp_tui.profiles.profiles_file import ProfilesFile, read_profiles
from ncp_tui.profiles.secret_stores.errors import NoSecret
from ncp_tui.profiles.secret_stores.protocol import SecretStore
from ncp_tui.profiles.secret_stores.session_store import SessionStore
from ncp_tui.profiles.server_role import ServerRole
from tests.tables import each_row

KEY = "AKIDEXAMPLE123456789"
CANARY = "CANARYs3cr3tKEY0123456789abcdefABCDEFxyz"
ENVIRON = {"NCLOUD_ACCESS_KEY": "AKENV", "NCLOUD_SECRET_KEY": CANARY}
PROD = Profile(name="prod", access_key=KEY)
DEV = Profile(name="dev", access_key=KEY, store="session")
BOOK = ProfilesFile(profiles=(PROD, DEV), default="dev")
CONFIGURE = parse_ncloud_configure(
    f"[project]\nncloud_access_key_id=AKPRJ\nncloud_secret_access_key={CANARY}\n"
    "ncloud_api_url=https://ncloud.apigw.gov-ntruss.com\n"
    f"[DEFAULT]\nncloud_access_key_id=AKDEF\nncloud_secret_access_key={CANARY}\n".encode()
)
EMPTY_BOOK = ProfilesFile()
NO_CONFIGURE = NcloudConfigure()


def everything(environ: dict[str, str] | None = None) -> Identities:
    return available_identities(ENVIRON if environ is None else environ, BOOK, CONFIGURE)


def test_everything_is_listed_with_its_source() -> None:
    listed = [(one.name, one.source, one.kind) for one in everything().identities]
    assert listed == [
        ("environment", "environment (NCLOUD_ACCESS_KEY)", SourceKind.ENVIRONMENT),
        ("prod", "OS keyring", SourceKind.PROFILE),
        ("dev", "this session only", SourceKind.PROFILE),
        ("configure:project", "~/.ncloud/configure [project]", SourceKind.NCLOUD_CONFIGURE),
        ("configure:DEFAULT", "~/.ncloud/configure [DEFAULT]", SourceKind.NCLOUD_CONFIGURE),
    ]
    assert CANARY not in repr(everything())


def test_the_order_of_sources() -> None:
    named = ENVIRON | {"NCP_TUI_PROFILE": "prod"}
    assert choose_identity(named, BOOK, CONFIGURE, "configure:project").name == "configure:project"
    assert choose_identity(named, BOOK, CONFIGURE).name == "prod"
    assert choose_identity(ENVIRON, BOOK, CONFIGURE).name == "environment"
    assert choose_identity({}, BOOK, CONFIGURE).name == "dev"
    assert choose_identity({}, EMPTY_BOOK, CONFIGURE).name == "configure:DEFAULT"
    with pytest.raises(NoCredentials, match="No profile or keys"):
        choose_identity({}, EMPTY_BOOK, NO_CONFIGURE)


def test_the_server_role_comes_last() -> None:
    """It is the newest source, and what people relied on before must stay as it was."""
    role, wanted = ServerRole({}), {"NCP_TUI_SERVER_ROLE": "1"}
    for environ, book, configure, name in (
        (ENVIRON | wanted, BOOK, CONFIGURE, "environment"),
        (wanted, BOOK, CONFIGURE, "dev"),
        (wanted, EMPTY_BOOK, CONFIGURE, "configure:DEFAULT"),
        (wanted, EMPTY_BOOK, NO_CONFIGURE, "server-role"),
    ):
        assert choose_identity(environ, book, configure, role=role).name == name
        assert available_identities(environ, book, configure, role).identities[-1].name == "server-role"
    with pytest.raises(NoCredentials, match="No profile or keys"):
        choose_identity({}, EMPTY_BOOK, NO_CONFIGURE, role=role)
    named = {"NCP_TUI_PROFILE": "server-role"}
    assert choose_identity(ENVIRON | named, BOOK, CONFIGURE, role=role).kind is SourceKind.SERVER_ROLE
    assert choose_identity(ENVIRON, BOOK, CONFIGURE, "Server-Role", role).role is role


@each_row("name", ["server-role", "SERVER-ROLE"])
def test_without_being_wanted_there_is_no_server_role(name: str) -> None:
    """The journal may name it, from a run in which the user had wanted it."""
    assert everything().find(name) is None
    with pytest.raises(NoCredentials, match="only on request") as caught:
        choose_identity(ENVIRON, BOOK, CONFIGURE, name)
    assert "NCP_TUI_SERVER_ROLE=1" in caught.value.next_step


@each_row(
    ("environ", "name", "wanted"),
    [
        ({}, None, False),
        ({}, "prod", False),
        ({}, "server-role", True),
        ({}, "Server-Role", True),
        ({"NCP_TUI_PROFILE": "server-role"}, None, True),
        ({"NCP_TUI_PROFILE": "prod"}, None, False),
        ({"NCP_TUI_SERVER_ROLE": "1"}, None, True),
        ({"NCP_TUI_SERVER_ROLE": "yes"}, "prod", True),
        *(({"NCP_TUI_SERVER_ROLE": value}, None, False) for value in ("", " ", "0", "false", "No")),
        ({"NCLOUD_METADATA_API_ENDPOINT": "http://127.0.0.1:1"}, None, False),
    ],
)
def test_who_wants_the_server_role(environ: dict[str, str], name: str | None, wanted: bool) -> None:
    assert wants_server_role(environ, name) is wanted


@each_row(
    ("gateway", "region", "place"),
    [
        ("", "", ("public", "KR")),
        ("", "FKR", ("fin", "FKR")),
        ("https://ncloud.apigw.gov-ntruss.com", "krs", ("gov", "KRS")),
        ("http://127.0.0.1:8080", "", ("public", "KR")),
    ],
)
def test_the_place_of_the_server_role(gateway: str, region: str, place: tuple[str, str]) -> None:
    environ = {"NCLOUD_API_GW": gateway, "NCLOUD_REGION": region}
    identity = choose_identity(environ, EMPTY_BOOK, NO_CONFIGURE, "server-role", ServerRole(environ))
    assert (identity.profile.site, identity.profile.region) == place
    assert (identity.source, identity.masked_access_key, identity.access_keys) == ("server role", "****", ())
    assert not identity.is_stored


@each_row(
    "environ",
    [
        {"NCLOUD_METADATA_ENDPOINT": "http://evil.example"},
        {"NCLOUD_REGION": "USWN"},
        {"NCLOUD_API_GW": "http://evil.example"},
    ],
)
def test_a_server_role_that_cannot_be_used(environ: dict[str, str]) -> None:
    """Said before anybody is asked, and a reason to go on with no other keys."""
    role = ServerRole(environ)
    found = available_identities(environ, EMPTY_BOOK, NO_CONFIGURE, role)
    assert "server-role" in found.refused
    for name in ("server-role", None):
        with pytest.raises(NoCredentials, match="'server-role' cannot be used"):
            choose_identity(environ | {"NCP_TUI_SERVER_ROLE": "1"}, EMPTY_BOOK, NO_CONFIGURE, name, role)
    assert choose_identity({}, BOOK, CONFIGURE, role=role).name == "dev"


@each_row("name", ["PROD", "environment", "Environment", "configure:default", "configure:PROJECT"])
def test_every_name_can_be_asked_for_in_any_case(name: str) -> None:
    assert choose_identity(ENVIRON, BOOK, CONFIGURE, name).name.lower() == name.lower()


@each_row("name", ["nobody", "environment", "configure:nobody", "\x1b[2J"])
def test_a_name_that_is_asked_for_never_becomes_somebody_else(name: str) -> None:
    """With a mistyped profile, a snapshot would be taken in another account."""
    environ = {"NCLOUD_ACCESS_KEY": "AKENV"}
    with pytest.raises(NoCredentials) as caught:
        choose_identity(environ, BOOK, CONFIGURE, name)
    assert "No other keys were tried" in caught.value.meaning
    assert caught.value.what.isprintable()
    with pytest.raises(NoCredentials):
        choose_identity(environ | {"NCP_TUI_PROFILE": name}, BOOK, CONFIGURE)


@each_row(
    "content",
    [
        b"broken [",
        b"default = 'prod'\n[profiles.prod]\nsite = 1\n",
        b"default = 'gone'\n",
        b"[profiles.prod]\nsite = 1\n",
    ],
)
def test_a_default_that_cannot_be_read_never_becomes_somebody_else(content: bytes) -> None:
    """One typing mistake in profiles.toml must not move the next command to the account of another tool."""
    with pytest.raises(NoCredentials):
        choose_identity({}, read_profiles(content), CONFIGURE)


def test_an_unreadable_profile_is_told_from_one_that_is_not_there() -> None:
    book = read_profiles(b"[profiles.prod]\nsite = 1\n")
    with pytest.raises(NoCredentials, match="cannot be read"):
        choose_identity({}, book, CONFIGURE, "Prod")


@each_row(
    ("environ", "access_key", "source"),
    [
        ({"NCLOUD_ACCESS_KEY_ID": "A", "NCLOUD_SECRET_ACCESS_KEY": "S"}, "A", "NCLOUD_ACCESS_KEY_ID"),
        ({"NCLOUD_ACCESS_KEY": "B", "NCLOUD_SECRET_KEY": "S"}, "B", "NCLOUD_ACCESS_KEY"),
        ({"NCLOUD_ACCESS_KEY_ID": "A", "NCLOUD_SECRET_KEY": "S"}, "A", "NCLOUD_ACCESS_KEY_ID"),
        (
            {"NCLOUD_ACCESS_KEY_ID": "A", "NCLOUD_ACCESS_KEY": "B", "NCLOUD_SECRET_KEY": "S"},
            "A",
            "NCLOUD_ACCESS_KEY_ID",
        ),
        ({"NCLOUD_ACCESS_KEY_ID": " ", "NCLOUD_ACCESS_KEY": "B", "NCLOUD_SECRET_KEY": "S"}, "B", "NCLOUD_ACCESS_KEY"),
    ],
)
def test_variables_of_the_environment(environ: dict[str, str], access_key: str, source: str) -> None:
    identity = choose_identity(environ, EMPTY_BOOK, NO_CONFIGURE)
    assert identity.profile.access_key == access_key
    assert identity.source == f"environment ({source})"
    assert identity.secret_key is not None
    assert identity.secret_key.reveal() == "S"


def test_two_spellings_with_two_values_are_said() -> None:
    found = everything(ENVIRON | {"NCLOUD_SECRET_ACCESS_KEY": "other"})
    assert any("differ" in warning for warning in found.warnings)
    assert CANARY not in "".join(found.warnings)


@each_row("half", ["NCLOUD_ACCESS_KEY", "NCLOUD_SECRET_KEY", "NCLOUD_ACCESS_KEY_ID"])
def test_half_a_pair_is_said_and_not_used(half: str) -> None:
    found = everything({half: CANARY})
    assert any(half in warning and "not used" in warning for warning in found.warnings)
    assert CANARY not in "".join(found.warnings)
    assert found.find("environment") is None
    assert choose_identity({half: CANARY}, BOOK, CONFIGURE).name == "dev"


@each_row(
    ("gateway", "region", "chosen", "meant"),
    [
        ("", "", "public", "KR"),
        ("", "jpn", "public", "JPN"),
        ("", "FKR", "fin", "FKR"),
        ("", "KRS", "gov", "KRS"),
        ("https://ncloud.apigw.ntruss.com", "SGN", "public", "SGN"),
        ("https://ncloud.apigw.gov-ntruss.com", "", "gov", "KR"),
        ("https://ncloud.apigw.gov-ntruss.com", "KRS", "gov", "KRS"),
        ("https://fin-ncloud.apigw.fin-ntruss.com", "", "fin", "FKR"),
        ("http://127.0.0.1:8080", "", "public", "KR"),
    ],
)
def test_site_and_region_of_the_environment(gateway: str, region: str, chosen: str, meant: str) -> None:
    environ = ENVIRON | {"NCLOUD_API_GW": gateway, "NCLOUD_REGION": region}
    profile = choose_identity(environ, BOOK, CONFIGURE).profile
    assert (profile.site, profile.region) == (chosen, meant)
    assert profile.endpoint().site == chosen


@each_row(
    ("site", "gateway", "region", "chosen", "meant"),
    [
        ("public", "", "", "public", "KR"),
        ("gov", "", "", "gov", "KR"),
        ("GOV", "", "KR", "gov", "KR"),
        (" gov ", "", "KRS", "gov", "KRS"),
        ("fin", "", "", "fin", "FKR"),
        ("gov", "https://ncloud.apigw.gov-ntruss.com", "KR", "gov", "KR"),
        ("gov", "http://127.0.0.1:8080", "KRS", "gov", "KRS"),
        ("gov", "https://gw.corp.example", "", "gov", "KR"),
        ("", "https://abcdefgh.apigw.gov-ntruss.com", "", "public", "KR"),
    ],
)
def test_the_site_of_terraforms_provider(site: str, gateway: str, region: str, chosen: str, meant: str) -> None:
    """Without it the keys of the government site would be sent, signed, to the public one."""
    environ = {"NCLOUD_SITE": site, "NCLOUD_API_GW": gateway, "NCLOUD_REGION": region}
    role = choose_identity(environ, EMPTY_BOOK, NO_CONFIGURE, "server-role", ServerRole(environ))
    for identity in (choose_identity(ENVIRON | environ, BOOK, CONFIGURE), role):
        assert (identity.profile.site, identity.profile.region) == (chosen, meant)


@each_row(
    "change",
    [
        {"NCLOUD_REGION": "USWN"},
        {"NCLOUD_SITE": "government"},
        {"NCLOUD_SITE": "pub"},
        {"NCLOUD_SITE": "gov", "NCLOUD_REGION": "SGN"},
        {"NCLOUD_SITE": "fin", "NCLOUD_REGION": "KR"},
        {"NCLOUD_SITE": "gov", "NCLOUD_API_GW": "https://ncloud.apigw.ntruss.com"},
        {"NCLOUD_SITE": "public", "NCLOUD_API_GW": "https://fin-ncloud.apigw.fin-ntruss.com"},
        {"NCLOUD_REGION": "FKR", "NCLOUD_API_GW": "https://ncloud.apigw.ntruss.com"},
        {"NCLOUD_API_GW": "http://evil.example"},
        {"NCLOUD_API_GW": "http://["},
        {"NCLOUD_ACCESS_KEY": "A B"},
        {"NCLOUD_SECRET_KEY": CANARY + "\x1bx"},
    ],
)
def test_keys_in_the_environment_that_cannot_be_used_are_an_error(change: dict[str, str]) -> None:
    """Whoever exports keys means them; going on with the default profile would call as somebody else."""
    with pytest.raises(NoCredentials) as caught:
        choose_identity(ENVIRON | change, BOOK, CONFIGURE)
    found = everything(ENVIRON | change)
    assert "environment" in found.refused
    assert any("environment" in warning for warning in found.warnings)
    assert CANARY not in repr(found) + repr(caught.value) + caught.value.sentences() + "".join(found.warnings)
    assert choose_identity(ENVIRON | change, BOOK, CONFIGURE, "prod").name == "prod"


def test_site_and_region_of_the_configure_file() -> None:
    environ = {"NCLOUD_REGION": "KRS"}
    found = available_identities(environ, EMPTY_BOOK, CONFIGURE)
    project, default = (one.profile for one in found.identities)
    assert (project.site, project.region) == ("gov", "KRS")
    assert (default.site, default.region) == ("public", "KR"), "a region of another site is not meant for this one"
    assert any("KRS" in warning and "configure:DEFAULT" in warning for warning in found.warnings)


def test_the_site_of_a_section_that_names_no_gateway() -> None:
    """What is exported for Terraform holds for the file beside it, but never moves keys that name their own gateway."""
    found = available_identities({"NCLOUD_SITE": "fin"}, EMPTY_BOOK, CONFIGURE)
    project, default = (one.profile for one in found.identities)
    assert (default.site, default.region) == ("fin", "FKR")
    assert (project.site, project.region) == ("gov", "KR")
    assert any("NCLOUD_SITE (fin) is ignored" in warning and "gov" in warning for warning in found.warnings)
    refused = available_identities({"NCLOUD_SITE": "elsewhere"}, EMPTY_BOOK, CONFIGURE)
    assert refused.identities == ()
    assert set(refused.refused) == {"configure:project", "configure:DEFAULT"}


def test_a_section_with_a_bad_gateway_is_refused_by_name() -> None:
    configure = parse_ncloud_configure(
        b"ncloud_access_key_id=AK\nncloud_secret_access_key=SK\nncloud_api_url=http://evil.example\n"
    )
    with pytest.raises(NoCredentials, match="plain http"):
        choose_identity({}, EMPTY_BOOK, configure)


async def test_secrets_come_from_beside_the_key_or_from_the_store_of_the_profile() -> None:
    session = SessionStore()
    stores: dict[StoreName, SecretStore] = {"session": session}
    pair = await (await key_source_for(choose_identity(ENVIRON, BOOK, CONFIGURE), stores)).current()
    assert (pair.access_key, pair.secret_key.reveal()) == ("AKENV", CANARY)
    dev = choose_identity({}, BOOK, CONFIGURE)
    with pytest.raises(NoSecret, match="dev has no secret key in: this session only"):
        await key_source_for(dev, stores)
    await session.save(DEV, pair.secret_key)
    assert (await (await key_source_for(dev, stores)).current()).secret_key == pair.secret_key
    with pytest.raises(NoSecret, match="OS keyring"):
        await key_source_for(choose_identity({}, BOOK, CONFIGURE, "prod"), stores)


def test_keys_that_a_profile_has_already_are_told() -> None:
    """Also those that another of the found ones brings: by key and place, not by name."""
    found = [each for each in available_identities(ENVIRON, EMPTY_BOOK, CONFIGURE).identities if each.secret_key]
    first = import_profiles(found, (), "keyring")
    assert [one.same_as for one in first] == [None] * len(found)
    saved = [dataclasses.replace(one.profile, name=f"saved-{number}") for number, one in enumerate(first)]
    assert [one.same_as for one in import_profiles(found, saved, "file")] == [each.name for each in saved]
    twice = import_profiles([found[0], found[0]], (), "keyring", unreadable=["Imported"])
    assert [(one.profile.name, one.same_as) for one in twice] == [("imported-2", None), ("imported-3", "imported-2")]


def test_found_keys_become_profiles_with_names_of_their_own() -> None:
    book = ProfilesFile(profiles=(Profile(name="Default", access_key=KEY),))
    found = available_identities(ENVIRON, book, CONFIGURE, ServerRole({}))
    imported = import_profiles(found.identities, book.profiles, "keyring")
    assert [(one.profile.name, one.profile.store, one.profile.site) for one in imported] == [
        ("imported", "keyring", "public"),
        ("project", "keyring", "gov"),
        ("default-2", "keyring", "public"),
    ]
    assert all(one.secret_key.reveal() == CANARY for one in imported)
    assert CANARY not in repr(imported)


@each_row("wanted", ["", "운영", "con", "con.x", "environment", "server-role", "../../x", "a b/c", "-", "x" * 200])
def test_odd_names_become_legal_ones(wanted: str) -> None:
    check_profile_name(free_profile_name(wanted, []))


@given(wanted=st.text(max_size=80), taken=st.lists(st.text(max_size=10), max_size=5))
def test_suggested_names_are_legal_and_free(wanted: str, taken: list[str]) -> None:
    first = free_profile_name(wanted, taken)
    second = free_profile_name(wanted, [*taken, first])
    assert check_profile_name(first).casefold() not in {name.casefold() for name in taken}
    assert check_profile_name(second).casefold() != first.casefold()
