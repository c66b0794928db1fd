"""Failures to simulate, by name: `fault` says what one is, each kind has a file of its own, `catalogue` finds them."""
