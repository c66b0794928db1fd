"""The full-screen program; nothing outside of this package imports Textual."""
