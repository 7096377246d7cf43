"""The promises of the whole product, on real processes."""
