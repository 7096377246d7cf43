"""Lengths of time as figures with a unit, in the shortest form that still says enough. Pure."""


def duration(ms: int) -> tuple[str, str]:
    """A figure and its unit: 31 ms, 4.1 s, 41 s, 12 min, 3 h, 2 days."""
    if ms < 1000:
        return str(ms), "ms"
    if ms < 10_000:
        return f"{ms / 1000:.1f}", "s"
    if ms < 120_000:
        return str(ms // 1000), "s"
    if ms < 2 * 3_600_000:
        return str(ms // 60_000), "min"
    if ms < 48 * 3_600_000:
        return str(ms // 3_600_000), "h"
    return str(ms // 86_400_000), "days"


def lasting(ms: int) -> str:
    """The same in one piece, never under a tenth of a second: 0.4 s."""
    ms = max(0, ms)
    return f"{ms / 1000:.1f} s" if ms < 1000 else " ".join(duration(ms))
