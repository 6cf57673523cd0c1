"""What the catalogue is: its file, its changes, its events, and the rules that rank it."""
