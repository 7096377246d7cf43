"""The words for browsers."""

import pytest

from app.browsers import browser_name

AGENTS = {
    "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0": "Firefox on Linux",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
    " Edg/131.0.0.0": "Edge on Windows",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1"
    " Safari/605.1.15": "Safari on a Mac",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile"
    " Safari/537.36": "Chrome on Android",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " CriOS/131.0 Mobile/15E148 Safari/604.1": "Chrome on an iPhone",
    "python-httpx/0.28": "A program",
    "": "A program",
    "Something (Windows)": "A browser on Windows",
}


@pytest.mark.parametrize(("agent", "words"), AGENTS.items())
def test_a_browser_has_the_name_that_its_owner_knows(agent: str, words: str) -> None:
    assert browser_name(agent) == words
