"""Snapshots of NAVER Cloud Platform Search Engine Service clusters, taken from a terminal and proved."""

__version__ = "0.1.0"
