"""What is asked of the catalogue: listing, searching, standings, verdicts."""
