"""Uploaded pictures: their upload handler, their normalisation to JPEG, and their storage."""

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

from ondemand.videos.files import UPLOADED, uploaded_name

if TYPE_CHECKING:
    from PIL import Image

LARGEST_FILE = 10 * 1024 * 1024
# Room for the other fields, and for a file that is slightly too large, which the form refuses with a message.
LARGEST_PICTURE_FORM = LARGEST_FILE + 1024 * 1024
MOST_PIXELS = 30_000_000
# The memory for decoding, as `_bytes_per_pixel` estimates it.
_MOST_BYTES = 180_000_000
LONGEST_SIDE = 1920
QUALITY = 85
_AS_JPEG: dict[str, Any] = {"format": "JPEG", "quality": QUALITY, "optimize": True, "progressive": True}
_FORMATS = ("JPEG", "PNG", "WEBP")
# Many phones write MPO: a JPEG with a second picture behind the first one, which is the only one that is shown.
_STILL = ("JPEG", "MPO")
# The exceptions of decoders of damaged files.
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)


class PictureUploadHandler(MemoryFileUploadHandler):
    """Keep the picture of a video in memory if the user may change its content; drop any other file unread."""

    def handle_raw_input(self, *_: Any, **__: Any) -> None:
        """Accept a file of any size: the length of the whole body is limited elsewhere."""
        self.activated = True

    def new_file(self, *arguments: Any, **named: Any) -> None:
        """Raise SkipFile if this request may not upload a picture."""
        if not may_upload_picture(cast(HttpRequest, self.request)):
            raise SkipFile
        super().new_file(*arguments, **named)


def may_upload_picture(request: HttpRequest) -> bool:
    """Return whether the request is for the page of a video, by a user who may change its content."""
    try:
        is_page = resolve(request.path_info).view_name == "admin:ondemand_video_change"
    except Resolver404:
        return False
    return is_page and request.user.has_perm("ondemand.change_content")


class PictureError(ValueError):
    """The file is refused; the message gives the reason."""


def picture_normalised(
    file: IO[bytes], size: tuple[int, int] = (LONGEST_SIDE, LONGEST_SIDE), encoding: dict[str, Any] = _AS_JPEG
) -> bytes:
    """Return the picture encoded anew, upright, on white, without metadata, and at most `size` wide and high.

    Raises:
        PictureError: the file is not JPEG, PNG or WebP by its content, or is animated, damaged or too large.
    """
    # Not at the top: it would slow down a cold start.
    from PIL import Image, ImageOps, PngImagePlugin, UnidentifiedImageError

    # Limits compressed comments of a PNG; by default they may take as much memory as a picture.
    PngImagePlugin.MAX_TEXT_MEMORY = PngImagePlugin.MAX_TEXT_CHUNK
    most = MOST_PIXELS
    try:
        with Image.open(file, formats=_FORMATS) as image:
            pixels = image.width * image.height
            # Decodes large JPEGs at a fraction of their size.
            image.draft("RGB", size)
            most = min(MOST_PIXELS, int(_MOST_BYTES / _bytes_per_pixel(image, pixels)))
            if pixels > most:
                raise Image.DecompressionBombError
            if image.format not in _STILL and getattr(image, "is_animated", False):
                raise PictureError(_("The picture is animated; choose a still picture."))
            image.thumbnail(size)
            # After shrinking, because this makes a copy.
            ImageOps.exif_transpose(image, in_place=True)
            return _encoded(image, encoding)
    except UnidentifiedImageError:
        raise PictureError(_("The file is no JPEG, PNG or WebP picture.")) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        text = _("The picture has more than {most} million pixels; make it smaller.")
        raise PictureError(text.format(most=most // 1_000_000)) from None
    except PictureError:
        raise
    except _DAMAGED:
        raise PictureError(_("The picture is damaged and cannot be read.")) from None


def _bytes_per_pixel(image: "Image.Image", pixels: int) -> float:
    """Return the peak memory of decoding, in bytes per pixel, as tests/ondemand/videos/test_uploads.py measures it."""
    if image.format == "WEBP":
        # Two canvases and the frame of libwebp, a copy of one, and the picture.
        return 18
    if image.format == "PNG":
        # The picture; a transparent one also in premultiplied colours.
        return 10 if image.has_transparency_data else 6
    # The coefficients of all scans, which libjpeg keeps if there are several, and the picture after `draft`.
    return 2 * len(image.getbands()) + 4 * image.width * image.height / pixels


def _encoded(image: "Image.Image", encoding: dict[str, Any]) -> bytes:
    from PIL import Image

    # A new image has no metadata: no place, no camera, no comment.
    plain = Image.new("RGB", image.size, "white")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        plain.paste(image, mask=image.getchannel("A"))
    else:
        if "I" in image.mode:
            # Grey of 16 bits; without scaling to 8 bits everything but black would become white.
            image = image.convert("I").point([value // 256 for value in range(65536)], "L")
        plain.paste(image.convert("RGB"))
    content = BytesIO()
    plain.save(content, **encoding)
    return content.getvalue()


def picture_store(content: bytes) -> str:
    """Store a picture of `picture_normalised` under its digest, and return its URL.

    Raises:
        AwsError: S3 did not store it.
    """
    return default_storage.url(default_storage.save(f"{sha256(content).hexdigest()}.jpg", ContentFile(content)))


def is_stored_picture(url: str) -> bool:
    """Return whether this is the URL of a stored picture; the local stack serves them without TLS."""
    name = url.rpartition("/")[2]
    return bool(uploaded_name(f"{UPLOADED}/{name}")) and url == default_storage.url(name)
