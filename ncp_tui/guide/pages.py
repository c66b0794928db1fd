"""The topics of the manual, and the page of each; the pages lie beside this module, and in the wheel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

# The sentences are here and not read from the pages, so that a list of topics costs no disk. A test compares the two.
TOPICS: Mapping[str, str] = MappingProxyType(
    {
        "install": "With pipx, uv or venv; on a bastion host without internet access.",
        "keys": "Where keys are kept, which are used; shortcuts, and how to remap.",
        "permissions": "What an NCP sub account may and must be allowed to do.",
        "storage-key": "The key that a cluster writes its snapshots with, and how to set it.",
        "screens": "Every screen, with a picture and a sentence.",
        "commands": "Every command with its options, variables and exit codes.",
        "reliability": "What is known about a snapshot, and why a request is sent once.",
        "several": "A snapshot of each of several clusters: one review, one consent.",
        "schedule": "Which schedule is set, whether its run came, set and release it.",
        "restore": "After the snapshot: verify it, try a restore, restore, delete.",
        "upgrade": "Whether a rolling upgrade may begin, and what to do around it.",
        "unattended": "From a timer: without a terminal, a keyring or a question.",
        "troubleshooting": "Symptom, meaning, and what to do.",
        "simulating-failures": "Meet every failure in a sandbox before NCP shows it to you.",
        "contract": "What ncp-tui believes of NCP's API, and how to check it.",
        "terminals": "Limited terminals, slow links, screen readers, notifications.",
        "files": "What is written, where, and what is in it.",
        "performance": "Time, memory and bytes, measured.",
        "changelog": "What changed in each version.",
    }
)
"""Each topic with its page's first sentence, in the order of reading."""


def read_page(topic: str) -> str:
    """The Markdown of one topic's page. Raises KeyError for an unknown topic, OSError where the file is missing."""
    if topic not in TOPICS:
        raise KeyError(topic)
    return Path(__file__).with_name(f"{topic}.md").read_text(encoding="utf-8")
