"""Profile pictures are real JPEG files, the same for one name and different for two."""

import io

import pytest
from PIL import Image

from simulator.pictures import FULL_PX, PREVIEW_PX, jpeg


@pytest.mark.parametrize("size_px", [PREVIEW_PX, FULL_PX])
@pytest.mark.parametrize("name", ["4915112345678", "4915112345679", ""])
def test_any_decoder_reads_the_picture(name: str, size_px: int) -> None:
    data = jpeg(name, size_px)
    image = Image.open(io.BytesIO(data))
    image.load()
    assert image.format == "JPEG"
    assert image.size == (size_px, size_px)
    # The right half mirrors the left, so the decoder followed every difference to the last block.
    half = size_px // 16 + 1
    left = [image.getpixel((8 * i + 4, size_px // 2)) for i in range(half)]
    right = [image.getpixel((size_px - 4 - 8 * i, size_px // 2)) for i in range(half)]
    assert left == right
    assert len({image.getpixel((x, y)) for x in range(4, size_px, 8) for y in range(4, size_px, 8)}) == 2


def test_names_have_pictures_of_their_own() -> None:
    assert jpeg("1") == jpeg("1")
    assert jpeg("1") != jpeg("2")
