"""Snapshots of NAVER Cloud Platform Search Engine Service clusters, created and proved from a terminal."""

__version__ = "0.1.0"
