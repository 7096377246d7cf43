"""The one-machine runner: embedded PostgreSQL and Valkey, the processes, demo and bench."""
