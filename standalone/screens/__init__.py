"""Pictures of every page and state in both themes and widths, for docs/screens: a person walks, an album looks on."""
