"""The manual: one Markdown page a topic, and how a page reads on a terminal."""
