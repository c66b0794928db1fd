"""The command line: one module per noun, light enough for help and completion; the work itself is in `work`."""
