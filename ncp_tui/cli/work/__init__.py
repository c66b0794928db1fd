"""What the commands do. Imported when a command runs, so that help and completion pay for none of it."""
