"""What a browser calls itself, in the words of the person who sits in front of it."""

from typing import Final

_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Opera", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Safari/", "Safari"),
)
"""Sign → name. In this order: most name those that they descend from as well."""

_SYSTEMS: Final = (
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("CrOS", "a Chromebook"),
    ("Windows", "Windows"),
    ("Macintosh", "a Mac"),
    ("Linux", "Linux"),
)


def browser_name(agent: str) -> str:
    """The words for a User-Agent header: "Firefox on Linux"; what is none of the known ones is "A program"."""
    browser = next((name for sign, name in _BROWSERS if sign in agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in agent), "")
    if not browser:
        return f"A browser on {system}" if system else "A program"
    return f"{browser} on {system}" if system else browser


def is_handheld(agent: str) -> bool:
    """Whether it is a telephone or a tablet."""
    return any(sign in agent for sign in ("iPhone", "iPad", "Android"))
