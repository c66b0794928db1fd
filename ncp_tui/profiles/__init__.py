"""Who is calling: profiles on disk, where keys come from, and the stores that keep the secret ones."""

from typing import TYPE_CHECKING

from ncp_tui.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from ncp_tui.profiles.administration import (
        Administration,
        Changed,
        KeyLeftBehind,
        MissingSecret,
        carried_through,
    )
    from ncp_tui.profiles.book import ProfileBook
    from ncp_tui.profiles.environment_variables import (
        PROFILE_VARIABLE,
        SERVER_ROLE_NAME,
        environment_secrets,
        take_environment,
        wants_server_role,
    )
    from ncp_tui.profiles.files import create_private_file, read_file, write_atomically
    from ncp_tui.profiles.identities import Identities, same_name
    from ncp_tui.profiles.identity import Identity, SourceKind
    from ncp_tui.profiles.importing import ImportedProfile, import_profiles, same_keys, suggest_name
    from ncp_tui.profiles.last_listing import LastListing, begins_with
    from ncp_tui.profiles.ncloud_configure import NcloudConfigure, read_ncloud_configure
    from ncp_tui.profiles.paths import Paths, check_owner, configure_path, make_private_directory, paths_from
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
        LEAST_CHARACTERS,
        PASSPHRASE_VARIABLE,
        CannotStore,
        DamagedSecret,
        FileStore,
        InvalidPassphrase,
        KeyFileFailed,
        KeyFileSilent,
        KeyringFailed,
        KeyringLocked,
        KeyringSilent,
        KeyringStore,
        NoKeyring,
        NoSecret,
        Opener,
        OtherAccessKey,
        Passphrase,
        PassphraseNeeded,
        SecretStore,
        SecretStoreProblem,
        SessionStore,
        Unlocker,
        UnsafeKeyFile,
        WrongPassphrase,
        service_of,
    )
    from ncp_tui.profiles.server_role import ServerRole
    from ncp_tui.profiles.sources import (
        NoCredentials,
        RoleNotWanted,
        available_identities,
        choose_identity,
        secrets_for,
    )
    from ncp_tui.profiles.store import CannotRead, CannotSave, ProfileStore, UnknownProfile, known_profile, name_taken
    from ncp_tui.profiles.store_choice import StoreChoice, working_store
else:
    __getattr__ = lazy_exports(
        __name__,
        {
            "administration": "Administration Changed KeyLeftBehind MissingSecret carried_through",
            "book": "ProfileBook",
            "environment_variables": "PROFILE_VARIABLE SERVER_ROLE_NAME environment_secrets take_environment "
            "wants_server_role",
            "files": "create_private_file read_file write_atomically",
            "identities": "Identities same_name",
            "identity": "Identity SourceKind",
            "importing": "ImportedProfile import_profiles same_keys suggest_name",
            "last_listing": "LastListing begins_with",
            "ncloud_configure": "NcloudConfigure read_ncloud_configure",
            "paths": "Paths check_owner configure_path make_private_directory paths_from",
            "profile": "ACCENTS STORE_NAMES Accent InvalidProfile Profile StoreName check_field "
            "check_profile check_profile_name",
            "secret_stores": "LEAST_CHARACTERS PASSPHRASE_VARIABLE CannotStore DamagedSecret FileStore "
            "InvalidPassphrase KeyFileFailed KeyFileSilent KeyringFailed KeyringLocked "
            "KeyringSilent KeyringStore NoKeyring NoSecret Opener OtherAccessKey Passphrase "
            "PassphraseNeeded SecretStore SecretStoreProblem SessionStore Unlocker UnsafeKeyFile "
            "WrongPassphrase service_of",
            "server_role": "ServerRole",
            "sources": "NoCredentials RoleNotWanted available_identities choose_identity secrets_for",
            "store_choice": "StoreChoice working_store",
            "store": "CannotRead CannotSave ProfileStore UnknownProfile known_profile name_taken",
        },
    )

__all__ = [
    "ACCENTS",
    "LEAST_CHARACTERS",
    "PASSPHRASE_VARIABLE",
    "PROFILE_VARIABLE",
    "SERVER_ROLE_NAME",
    "STORE_NAMES",
    "Accent",
    "Administration",
    "CannotRead",
    "CannotSave",
    "CannotStore",
    "Changed",
    "DamagedSecret",
    "FileStore",
    "Identities",
    "Identity",
    "ImportedProfile",
    "InvalidPassphrase",
    "InvalidProfile",
    "KeyFileFailed",
    "KeyFileSilent",
    "KeyLeftBehind",
    "KeyringFailed",
    "KeyringLocked",
    "KeyringSilent",
    "KeyringStore",
    "LastListing",
    "MissingSecret",
    "NcloudConfigure",
    "NoCredentials",
    "NoKeyring",
    "NoSecret",
    "Opener",
    "OtherAccessKey",
    "Passphrase",
    "PassphraseNeeded",
    "Paths",
    "Profile",
    "ProfileBook",
    "ProfileStore",
    "RoleNotWanted",
    "SecretStore",
    "SecretStoreProblem",
    "ServerRole",
    "SessionStore",
    "SourceKind",
    "StoreChoice",
    "StoreName",
    "UnknownProfile",
    "Unlocker",
    "UnsafeKeyFile",
    "WrongPassphrase",
    "available_identities",
    "begins_with",
    "carried_through",
    "check_field",
    "check_owner",
    "check_profile",
    "check_profile_name",
    "choose_identity",
    "configure_path",
    "create_private_file",
    "environment_secrets",
    "import_profiles",
    "known_profile",
    "make_private_directory",
    "name_taken",
    "paths_from",
    "read_file",
    "read_ncloud_configure",
    "same_keys",
    "same_name",
    "secrets_for",
    "service_of",
    "suggest_name",
    "take_environment",
    "wants_server_role",
    "working_store",
    "write_atomically",
]
