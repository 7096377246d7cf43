"""A QR code as one inline SVG path, drawn here so that its text never is a URL or an image file."""

import io

import segno


def qr_svg(text: str) -> str:
    """The code of `text` as SVG markup: dark modules on nothing, scaled by its box."""
    out = io.BytesIO()
    segno.make_qr(text, error="l").save(
        out, kind="svg", xmldecl=False, svgns=False, omitsize=True, dark="#15131F", border=0, nl=False
    )
    return out.getvalue().decode()
