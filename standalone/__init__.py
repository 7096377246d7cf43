"""The one-machine runner: embedded PostgreSQL and Valkey, the product's processes, demo, checks and benches."""
