"""The terminal under the app: what is sent to it, what it sends, and what happens when it goes away."""
