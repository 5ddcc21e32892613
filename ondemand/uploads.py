"""Pictures that people give: what is taken, what becomes of it, and where it is kept."""

import re
import struct
import zlib
from hashlib import sha256
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any, cast

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadhandler import MemoryFileUploadHandler, SkipFile
from django.http import HttpRequest
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from PIL import Image

LARGEST_FILE = 10 * 1024 * 1024
# With the texts beside it, and so that a file that is slightly too large gets its sentence in the form.
LARGEST_PICTURE_FORM = LARGEST_FILE + 1024 * 1024
MOST_PIXELS = 30_000_000
# What decoding may take in memory, as `_bytes_per_pixel` estimates it.
_MOST_BYTES = 180_000_000
LONGEST_SIDE = 1920
QUALITY = 85
_FORMATS = ("JPEG", "PNG", "WEBP")
# Many telephones write MPO: a JPEG with a second picture behind the first, which is all that is shown of it.
_STILL = ("JPEG", "MPO")
_NAME = re.compile(r"[0-9a-f]{64}\.jpg")
# What decoders of damaged files raise.
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)


class PictureUploadHandler(MemoryFileUploadHandler):
    """Keep the picture of a video in memory, from somebody who may change it; any other file is dropped as it comes."""

    def handle_raw_input(self, *_: Any, **__: Any) -> None:
        """Take files of any size: the length of the whole body was judged before."""
        self.activated = True

    def new_file(self, *arguments: Any, **named: Any) -> None:
        """Begin a file.

        Raises:
            SkipFile: it is none that is taken here.
        """
        if not may_upload_picture(cast(HttpRequest, self.request)):
            raise SkipFile
        super().new_file(*arguments, **named)


def may_upload_picture(request: HttpRequest) -> bool:
    """Return whether the request is for the page of a video, from somebody who may give it a picture."""
    try:
        is_page = resolve(request.path_info).view_name == "admin:ondemand_video_change"
    except Resolver404:
        return False
    return is_page and request.user.has_perm("ondemand.change_content")


class PictureError(ValueError):
    """The file is no picture that is taken; the message says why."""


def picture_normalised(file: IO[bytes]) -> bytes:
    """The picture as a JPEG of bounded size: upright, on white where it was transparent, and without its metadata.

    Raises:
        PictureError: it is not JPEG, PNG or WebP whatever its name says, is animated, damaged or too large.
    """
    # A cold start does without it.
    from PIL import Image, ImageOps, PngImagePlugin, UnidentifiedImageError

    # Comments that are compressed in a PNG; by default they may take as much as a picture.
    PngImagePlugin.MAX_TEXT_MEMORY = PngImagePlugin.MAX_TEXT_CHUNK
    too_large = (Image.DecompressionBombError, Image.DecompressionBombWarning)
    try:
        with Image.open(file, formats=_FORMATS) as image:
            size = image.size
            # Decodes large JPEGs at a fraction of their size.
            image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            _refuse(image, size)
            image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            # Once it is small: this makes a copy.
            ImageOps.exif_transpose(image, in_place=True)
            return _encoded(image)
    except UnidentifiedImageError:
        raise PictureError(_("The file is no JPEG, PNG or WebP picture.")) from None
    except too_large:
        raise PictureError(_too_many_pixels(MOST_PIXELS)) from None
    except PictureError:
        raise
    except _DAMAGED:
        raise PictureError(_("The picture is damaged and cannot be read.")) from None


def _refuse(image: "Image.Image", size: tuple[int, int]) -> None:
    pixels = size[0] * size[1]
    most = min(MOST_PIXELS, int(_MOST_BYTES / _bytes_per_pixel(image, pixels)))
    if pixels > most:
        raise PictureError(_too_many_pixels(most))
    if image.format not in _STILL and getattr(image, "is_animated", False):
        raise PictureError(_("The picture is animated; choose one that stands still."))


def _bytes_per_pixel(image: "Image.Image", pixels: int) -> float:
    """Return what a pixel takes at the peak of decoding and shrinking, as tests/test_ondemand_uploads.py measures."""
    if image.format == "WEBP":
        # Two canvases and the frame of libwebp, a copy of one, and the picture.
        return 18
    if image.format == "PNG":
        # The picture; where it is transparent also one whose colours are multiplied by that.
        return 10 if image.has_transparency_data else 6
    # The coefficients of all scans, which libjpeg keeps where there are several, and what is left after `draft`.
    return 2 * len(image.getbands()) + 4 * image.width * image.height / pixels


def _too_many_pixels(most: int) -> str:
    return _("The picture has more than {most} million pixels; make it smaller.").format(most=most // 1_000_000)


def _encoded(image: "Image.Image") -> bytes:
    from PIL import Image

    # A new one holds nothing but its pixels: no place, no camera, no comment.
    plain = Image.new("RGB", image.size, "white")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        plain.paste(image, mask=image.getchannel("A"))
    else:
        plain.paste(_eight_bits(image).convert("RGB"))
    content = BytesIO()
    plain.save(content, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    return content.getvalue()


def _eight_bits(image: "Image.Image") -> "Image.Image":
    """A grey picture of 16 bits in 8; without it all but black would become white."""
    return image.convert("I").point([value // 256 for value in range(65536)], "L") if "I" in image.mode else image


def picture_store(content: bytes) -> str:
    """Keep a picture of `picture_normalised`, and say its URL. Its name is its digest: what is there already stays.

    Raises:
        AwsError: S3 did not take it.
    """
    return default_storage.url(default_storage.save(f"{sha256(content).hexdigest()}.jpg", ContentFile(content)))


def is_stored_picture(url: str) -> bool:
    """Whether it is the URL of a picture that was kept here, which the local stack serves without TLS."""
    name = url.rpartition("/")[2]
    return bool(_NAME.fullmatch(name)) and url == default_storage.url(name)
