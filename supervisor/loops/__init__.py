"""The loops: each pulls its own work, at its own pace."""
