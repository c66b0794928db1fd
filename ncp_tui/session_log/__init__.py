"""What happened in a run, as data: in memory for the screen, as JSON lines on disk for whoever must prove it later."""
