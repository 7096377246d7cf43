"""A program that says why it cannot start, and ends."""

import sys

if __name__ == "__main__":
    sys.exit("the moon is in the wrong place")
