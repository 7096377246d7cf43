"""Tests that read the code rather than run it."""
