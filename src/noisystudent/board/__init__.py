"""The board: a self-hosted Papers with Code, in one SQLite file."""
