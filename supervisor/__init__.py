"""Keeps the sessions and sends: one actor per account, loops, the hot set."""
