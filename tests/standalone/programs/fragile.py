"""A program that becomes ready and then ends with 3 at once."""

import os
import sys

if __name__ == "__main__":
    os.write(int(os.environ["AUTOSENDR_READY_FD"]), b"{}\n")
    sys.exit(3)
