"""Every part has its template, its story, and a place where its rules are; every story renders; the policy holds."""

import re
from pathlib import Path

import pytest

from app.handlers.storybook import Storybook, story_names
from app.render import TEMPLATE_FOLDER, TEMPLATES, attributes
from app.static_files import FILES, FOLDER, read_static
from app.views import Frame

FRAME = Frame(csrf="0", user="", email="ana@example.org", here="", theme="", mailbox=False, phones_url="")
PARTS = sorted(path.stem for path in (TEMPLATE_FOLDER / "parts").glob("*.html"))
EVERY_TEMPLATE = sorted(TEMPLATE_FOLDER.rglob("*.html"))


def test_every_part_has_a_story_and_every_story_a_part() -> None:
    assert story_names() == PARTS


@pytest.mark.parametrize("name", PARTS)
def test_a_part_is_one_template_with_a_macro_of_its_name(name: str) -> None:
    assert hasattr(TEMPLATES.get_template(f"parts/{name}.html").module, name)


@pytest.mark.parametrize("name", PARTS)
def test_a_story_renders(name: str) -> None:
    assert TEMPLATES.get_template(f"stories/{name}.html").render(frame=FRAME).strip()


def test_the_whole_storybook_renders_every_part() -> None:
    text = TEMPLATES.get_template("pages/storybook.html").render(frame=FRAME, view=Storybook(names=story_names()))
    assert re.findall(r'<section class="story" id="(\w+)"', text) == PARTS


@pytest.mark.parametrize("path", EVERY_TEMPLATE, ids=lambda path: str(path.relative_to(TEMPLATE_FOLDER)))
def test_no_template_styles_or_scripts_inline(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:|<script(?![^>]*\ssrc=)", text)


@pytest.mark.parametrize("path", EVERY_TEMPLATE, ids=lambda path: str(path.relative_to(TEMPLATE_FOLDER)))
def test_every_icon_that_a_template_names_is_in_the_sprite(path: Path) -> None:
    sprite = set(re.findall(r'<symbol id="([\w-]+)"', FILES["icons.svg"].plain.decode()))
    named = re.findall(r'\bicon\("([\w-]+)"|(?:btn|note)\("[^"]*", "([\w-]+)",', path.read_text())
    assert {one or two for one, two in named} - {"seal", "quiet", "danger", "big", "wide"} <= sprite


def test_attributes_are_escaped_and_named_as_html_names_them() -> None:
    given = {"hx_get": "/x?a=1&b=2", "hidden": "", "title": '"><b>', "left_out": None}
    assert attributes(given) == ' hx-get="/x?a=1&amp;b=2" hidden title="&#34;&gt;&lt;b&gt;"'


def test_every_stylesheet_is_served_and_stays_in_its_layer() -> None:
    whole = FILES["app.css"].plain.decode()
    for path in FOLDER.rglob("*.css"):
        text = path.read_text()
        assert re.sub(r'url\("[^"]+"\)', "", text)[:200] in re.sub(r'url\("[^"]+"\)', "", whole), path
        outside = re.sub(r"@layer \w+ \{.*?\n\}", "", re.sub(r"/\*.*?\*/", "", text, flags=re.S), flags=re.S)
        assert re.sub(r"@font-face \{[^}]*\}", "", outside).strip() == "", path


def test_our_modules_go_without_comments_and_else_as_they_are() -> None:
    for path in (path for path in FOLDER.rglob("*.js") if path.parent.name != "vendor"):
        code = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("//")]
        served = re.sub(r'"/static/([\w-]+)\.[0-9a-f]{12}\.js"', r'"./\1.js"', FILES[path.name].plain.decode())
        assert served.splitlines() == code, path
        text = ""
        for line in path.read_text().splitlines():
            if line.lstrip().startswith("//"):
                assert text.count("`") % 2 == 0, (
                    f"{path} has a line inside a template that looks like a comment: {line}"
                )
            else:
                text += re.sub(r'"[^"]*"', "", line)


def test_htmx_and_its_extension_come_as_one_file() -> None:
    # Apart, a slow line lets htmx begin without it, and the page never hears any news.
    whole = FILES["htmx.js"].plain
    assert whole.index(FILES["htmx.min.js"].plain) < whole.index(FILES["hx-sse.min.js"].plain)
    shell = (TEMPLATE_FOLDER / "shell.html").read_text()
    assert "htmx.min.js" not in shell
    assert shell.index("static('live.js')") < shell.index("static('htmx.js')")


def test_files_that_name_each_other_get_each_other_s_hashed_names(tmp_path: Path) -> None:
    (tmp_path / "css").mkdir()
    (tmp_path / "css" / "a.css").write_text('@layer base { p { background: url("b.svg") } }')
    (tmp_path / "b.svg").write_text("<svg/>")
    (tmp_path / "c.js").write_text('import { d } from "./d.js";\nexport const e = () => import("./d.js");\n')
    (tmp_path / "d.js").write_text("export const d = 1;\n")
    files = read_static(tmp_path)
    assert f"/static/b.{files['b.svg'].digest}.svg".encode() in files["app.css"].plain
    assert files["c.js"].plain.count(f'"/static/d.{files["d.js"].digest}.js"'.encode()) == 2
    (tmp_path / "d.js").write_text('import "x"; import { e } from "./c.js";\n')
    with pytest.raises(KeyError, match="no hashed name can hold itself"):
        read_static(tmp_path)
