"""How the phones' pages look: the product's own tokens, fonts, icons and parts, read from its `static/`, and a sheet of
ours on top. Read once; nothing of the product is imported."""

from pathlib import Path

_HERE = Path(__file__).parent
STATIC = _HERE.parent / "static"
LAYERS = "@layer reset, tokens, base, layout, parts, pages, state;\n"
SHEETS = ("tokens", "base", "state")
PARTS = ("btn", "face", "field", "icon", "ib", "kv", "note", "slip", "status")
CSS, SCRIPT = "text/css; charset=utf-8", "text/javascript; charset=utf-8"
SVG, FONT = "image/svg+xml", "font/woff2"


def read_looks() -> dict[str, tuple[bytes, str]]:
    """Content and type of each file that the pages load, by its path."""
    sheets = [STATIC / "css" / f"{name}.css" for name in SHEETS]
    sheets += [STATIC / "css" / "parts" / f"{name}.css" for name in PARTS]
    style = LAYERS + "".join(path.read_text() for path in [*sheets, _HERE / "page.css"])
    return {
        "/page.css": (style.encode(), CSS),
        "/page.js": ((_HERE / "page.js").read_bytes(), SCRIPT),
        "/icons.svg": ((STATIC / "icons.svg").read_bytes(), SVG),
        "/mark.svg": ((STATIC / "mark.svg").read_bytes(), SVG),
        "/tint.svg": ((STATIC / "tint.svg").read_bytes(), SVG),
        "/besley.woff2": ((STATIC / "fonts" / "besley.woff2").read_bytes(), FONT),
        "/hanken.woff2": ((STATIC / "fonts" / "hanken.woff2").read_bytes(), FONT),
    }
