"""What somebody proposes, what it would change, and who decides."""
