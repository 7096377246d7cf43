"""What the server answers, stanza by stanza."""
