"""Who is calling: profiles on disk, where keys come from, and the stores that keep the secret ones."""
