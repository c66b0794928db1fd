"""The screens, one module each, with the style beside it."""

from ncp_tui.tui.screens.clusters import ClustersScreen
from ncp_tui.tui.screens.confirm import QuestionScreen
from ncp_tui.tui.screens.help import HelpScreen
from ncp_tui.tui.screens.profile_form import ProfileFormScreen
from ncp_tui.tui.screens.text import TextScreen
from ncp_tui.tui.screens.welcome import WelcomeScreen
from ncp_tui.tui.screens.working import WorkingScreen

__all__ = [
    "ClustersScreen",
    "HelpScreen",
    "ProfileFormScreen",
    "QuestionScreen",
    "TextScreen",
    "WelcomeScreen",
    "WorkingScreen",
]
