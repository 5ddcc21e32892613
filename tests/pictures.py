"""Pictures as people give them."""

from io import BytesIO
from typing import Any

from PIL import Image


def picture_file(kind: str, size: tuple[int, int], mode: str = "RGB", *, noise: bool = False, **options: Any) -> bytes:
    """A picture, as a file of that kind: of one colour, or such that it cannot be made small."""
    content = BytesIO()
    image = Image.effect_noise(size, 100).convert(mode) if noise else Image.new(mode, size, 1)
    image.save(content, kind, **options)
    return content.getvalue()


def animated(kind: str) -> bytes:
    """Two pictures that follow each other."""
    first, second = (Image.new("RGB", (16, 16), shade) for shade in ("red", "blue"))
    content = BytesIO()
    first.save(content, kind, save_all=True, append_images=[second], duration=100)
    return content.getvalue()
