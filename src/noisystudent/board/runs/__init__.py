"""Runs of ours, put on a leaderboard."""
