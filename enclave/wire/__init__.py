"""The door's language: frames, operations, answers, news. The host imports this package and nothing else of the enclave."""
