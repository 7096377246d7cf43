"""Decides: states, rules, numbers, words. Pure: time and dice are arguments."""
