"""WhatsApp's marks as elements, in a real browser: literal pairs of a text and what it becomes."""

import pytest

from tests.app.conftest import web, web_environ  # noqa: F401 - fixtures

SHOW = """async (text) => {
  const { formatted } = await import("/static/formatting.js");
  const place = document.createElement("div");
  place.append(formatted(text));
  return place.innerHTML;
}"""

PAIRS = [
    # The four marks, alone and in a sentence.
    ("*bold*", "<strong>bold</strong>"),
    ("_italic_", "<em>italic</em>"),
    ("~struck~", "<s>struck</s>"),
    ("```mono```", "<code>mono</code>"),
    ("`mono`", "<code>mono</code>"),
    ("the *blood test* at ten", "the <strong>blood test</strong> at ten"),
    ("*two* and *three*", "<strong>two</strong> and <strong>three</strong>"),
    # At word boundaries: signs may touch, letters and digits may not.
    ("(*so*)!", "(<strong>so</strong>)!"),
    ("*so*, yes", "<strong>so</strong>, yes"),
    ("a*b*c", "a*b*c"),
    ("2*3*4", "2*3*4"),
    ("*b*c", "*b*c"),
    ("é*b*", "é*b*"),
    ("snake_case_name", "snake_case_name"),
    ("see _this_one", "see _this_one"),
    ("_this_one_", "<em>this_one</em>"),
    ("\U0001f600*so*", "\U0001f600<strong>so</strong>"),
    ("\U00010400*so*", "\U00010400*so*"),
    # No space inside the marks, no mark alone, no empty one.
    ("x * no*", "x * no*"),
    ("*no *", "*no *"),
    ("**", "**"),
    ("***", "***"),
    ("*", "*"),
    ("x * *", "x * *"),
    ("a * b * c", "a * b * c"),
    ("*open", "*open"),
    ("``````", "``````"),
    ("` `", "` `"),
    # Within each other; the same mark not within itself.
    ("*_both_*", "<strong><em>both</em></strong>"),
    ("_*~all~*_", "<em><strong><s>all</s></strong></em>"),
    ("*one _two_ three*", "<strong>one <em>two</em> three</strong>"),
    ("*_crossed*_", "<strong>_crossed</strong>_"),
    ("```*not bold*```", "<code>*not bold*</code>"),
    ("*a ```b``` c*", "<strong>a <code>b</code> c</strong>"),
    # A line break ends a mark.
    ("*one\ntwo*", "*one\ntwo*"),
    ("*one*\n_two_", "<strong>one</strong>\n<em>two</em>"),
    ("one\n\ntwo", "one\n\ntwo"),
    # but not mono, which then is a block.
    ("```a\nb```", "<pre><code>a\nb</code></pre>"),
    ("see\n```\na\n  b\n```\nthere", "see<pre><code>a\n  b</code></pre>there"),
    ("```a``` x\n```b```", "<code>a</code> x\n<code>b</code>"),
    ("```a\nb", "```a\nb"),
    # Lists and quotes.
    ("- milk\n- *bread*", "<ul><li>milk</li><li><strong>bread</strong></li></ul>"),
    ("* milk\n* bread", "<ul><li>milk</li><li>bread</li></ul>"),
    ("Buy:\n- milk\nThanks", "Buy:<ul><li>milk</li></ul>Thanks"),
    ("1. one\n2. two", "<ol><li>one</li><li>two</li></ol>"),
    ("4. four\n5. five", '<ol start="4"><li>four</li><li>five</li></ol>'),
    ("- a\n1. b", "<ul><li>a</li></ul><ol><li>b</li></ol>"),
    ("-no list", "-no list"),
    ("* no*", "<ul><li>no*</li></ul>"),
    ("1.5 litres", "1.5 litres"),
    ("24.11. at nine", "24.11. at nine"),
    ("- ", "- "),
    ("> so he said\n> again\nI do not", "<blockquote>so he said\nagain</blockquote>I do not"),
    # Nothing in a text is markup.
    ("<b>*&amp;*</b>", "&lt;b&gt;<strong>&amp;amp;</strong>&lt;/b&gt;"),
    ("*<img src=x onerror=alert(1)>*", "<strong>&lt;img src=x onerror=alert(1)&gt;</strong>"),
    ("", ""),
]


@pytest.fixture
async def page(web, window):  # noqa: F811 - the fixture
    """Give a page of ours, so that the module comes under our own policy."""
    page = await window.new_page()
    await page.goto(web.url, wait_until="domcontentloaded")
    return page


async def test_a_text_shows_as_whatsapp_shows_it(page):
    shown = [(text, await page.evaluate(SHOW, text)) for text, _ in PAIRS]
    assert shown == PAIRS


async def test_a_long_text_of_marks_is_shown_in_no_time(page):
    text = "*a _b ~c " * 455
    assert await page.evaluate(SHOW, text) == text
