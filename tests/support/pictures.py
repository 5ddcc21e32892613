"""Pictures as people give them."""

import struct
import zlib
from io import BytesIO
from math import ceil
from typing import Any

from PIL import Image

FASTEST: dict[str, dict[str, Any]] = {"PNG": {"compress_level": 1}, "WEBP": {"method": 0}}


def picture_file(kind: str, size: tuple[int, int], mode: str = "RGB", *, noise: bool = False, **options: Any) -> bytes:
    """A picture, as a file of that kind: of one colour, or such that it cannot be made small."""
    content = BytesIO()
    image = Image.effect_noise(size, 100).convert(mode) if noise else Image.new(mode, size, 1)
    image.save(content, kind, **FASTEST.get(kind, {}) | options)
    return content.getvalue()


def animated(kind: str) -> bytes:
    """Two pictures that follow each other."""
    first, second = (Image.new("RGB", (16, 16), shade) for shade in ("red", "blue"))
    content = BytesIO()
    first.save(content, kind, save_all=True, append_images=[second], duration=100)
    return content.getvalue()


def interlaced_png(size: tuple[int, int]) -> bytes:
    """A transparent PNG of 16 bits a channel, in the seven passes of Adam7, which Pillow cannot write."""
    width, height = size
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    packed = zlib.compressobj(1)
    data = b"".join(
        packed.compress(bytes(1 + 8 * ceil((width - x) / across)))
        for x, y, across, down in passes
        for _ in range(ceil((height - y) / down))
    )
    header = struct.pack(">IIBBBBB", width, height, 16, 6, 0, 0, 1)
    chunks = ((b"IHDR", header), (b"IDAT", data + packed.flush()), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )
