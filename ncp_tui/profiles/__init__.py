"""Who is calling: profiles on disk, where keys come from, and the stores that keep the secret ones."""

from ncp_tui.profiles.book import ProfileBook
from ncp_tui.profiles.identity import Identity, SourceKind
from ncp_tui.profiles.importing import ImportedProfile, import_profiles, suggest_name
from ncp_tui.profiles.ncloud_configure import NcloudConfigure, configure_path, read_ncloud_configure
from ncp_tui.profiles.paths import Paths, make_private_directory, paths_from
from ncp_tui.profiles.profile import (
    ACCENTS,
    STORE_NAMES,
    Accent,
    InvalidProfile,
    Profile,
    StoreName,
    check_field,
    check_profile,
    check_profile_name,
)
from ncp_tui.profiles.secret_stores import (
    CannotStore,
    DamagedSecret,
    KeyringFailed,
    KeyringLocked,
    KeyringSilent,
    KeyringStore,
    NoKeyring,
    NoSecret,
    OtherAccessKey,
    SecretStore,
    SecretStoreProblem,
    SessionStore,
)
from ncp_tui.profiles.sources import (
    PROFILE_VARIABLE,
    Identities,
    NoCredentials,
    available_identities,
    choose_identity,
    secrets_for,
)
from ncp_tui.profiles.store import CannotRead, CannotSave, ProfileStore, UnknownProfile

__all__ = [
    "ACCENTS",
    "PROFILE_VARIABLE",
    "STORE_NAMES",
    "Accent",
    "CannotRead",
    "CannotSave",
    "CannotStore",
    "DamagedSecret",
    "Identities",
    "Identity",
    "ImportedProfile",
    "InvalidProfile",
    "KeyringFailed",
    "KeyringLocked",
    "KeyringSilent",
    "KeyringStore",
    "NcloudConfigure",
    "NoCredentials",
    "NoKeyring",
    "NoSecret",
    "OtherAccessKey",
    "Paths",
    "Profile",
    "ProfileBook",
    "ProfileStore",
    "SecretStore",
    "SecretStoreProblem",
    "SessionStore",
    "SourceKind",
    "StoreName",
    "UnknownProfile",
    "available_identities",
    "check_field",
    "check_profile",
    "check_profile_name",
    "choose_identity",
    "configure_path",
    "import_profiles",
    "make_private_directory",
    "paths_from",
    "read_ncloud_configure",
    "secrets_for",
    "suggest_name",
]
