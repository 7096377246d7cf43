"""The entry of `./autosendr`: `python -m standalone COMMAND ARGUMENTS`."""

import sys

from standalone.commands import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
