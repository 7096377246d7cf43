"""Remembers: SQL, Lua, media, and the host's side of the door."""
