"""What opens over a screen and gives it back: questions, texts to read and copy, the way into a locked store."""
