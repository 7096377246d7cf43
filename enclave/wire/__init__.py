"""The door's language: frames, operations, answers, news. All that the host imports of the enclave."""
