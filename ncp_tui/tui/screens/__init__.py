"""The screens, one module each, with the style beside it; loaded when they are opened."""

from typing import TYPE_CHECKING

from ncp_tui.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from ncp_tui.tui.screens.cluster_detail import ClusterDetailScreen
    from ncp_tui.tui.screens.clusters import ClustersScreen
    from ncp_tui.tui.screens.confirm import QuestionScreen
    from ncp_tui.tui.screens.copy_choice import CopyScreen
    from ncp_tui.tui.screens.copying import Copyable
    from ncp_tui.tui.screens.create_snapshot import CreateSnapshotScreen
    from ncp_tui.tui.screens.help import HelpScreen
    from ncp_tui.tui.screens.history import HistoryScreen
    from ncp_tui.tui.screens.outcomes import OutcomesScreen
    from ncp_tui.tui.screens.passphrase import PassphraseScreen
    from ncp_tui.tui.screens.profile_form import ProfileFormScreen
    from ncp_tui.tui.screens.profiles import ProfilesScreen
    from ncp_tui.tui.screens.text import TextScreen, curl_screen
    from ncp_tui.tui.screens.unlock import UnlockScreen
    from ncp_tui.tui.screens.welcome import WelcomeScreen
    from ncp_tui.tui.screens.working import WorkingScreen
else:
    __getattr__ = lazy_exports(
        __name__,
        {
            "cluster_detail": "ClusterDetailScreen",
            "clusters": "ClustersScreen",
            "confirm": "QuestionScreen",
            "copy_choice": "CopyScreen",
            "copying": "Copyable",
            "create_snapshot": "CreateSnapshotScreen",
            "help": "HelpScreen",
            "history": "HistoryScreen",
            "outcomes": "OutcomesScreen",
            "passphrase": "PassphraseScreen",
            "profile_form": "ProfileFormScreen",
            "profiles": "ProfilesScreen",
            "text": "TextScreen curl_screen",
            "unlock": "UnlockScreen",
            "welcome": "WelcomeScreen",
            "working": "WorkingScreen",
        },
    )

__all__ = [
    "ClusterDetailScreen",
    "ClustersScreen",
    "CopyScreen",
    "Copyable",
    "CreateSnapshotScreen",
    "HelpScreen",
    "HistoryScreen",
    "OutcomesScreen",
    "PassphraseScreen",
    "ProfileFormScreen",
    "ProfilesScreen",
    "QuestionScreen",
    "TextScreen",
    "UnlockScreen",
    "WelcomeScreen",
    "WorkingScreen",
    "curl_screen",
]
