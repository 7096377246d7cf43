"""The benches, `./autosendr bench NAME --json`: each measures its limit too, the last line is one object."""
