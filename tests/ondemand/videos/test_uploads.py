"""Pictures that people give: which are taken, what is kept of them, and where."""

import pickle
import subprocess
import sys
from io import BytesIO
from typing import Any

import pytest
from django.core.files.storage import default_storage
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from common.aws import AwsError
from ondemand.videos.uploads import LONGEST_SIDE, PictureError, is_stored_picture, picture_normalised, picture_store
from tests.support.helpers import THOROUGH
from tests.support.pictures import animated, interlaced_png, picture_file
from tests.support.processes import ROOT
from tests.support.road import BUCKET, s3
from tools.local.aws import LocalAws

pytestmark = pytest.mark.slow

ORIENTATION, MAKER, GPS = 0x0112, 0x010F, 0x8825


# A lossless WebP of 6,320 by 6,320 pixels in one colour.
WEBP_OF_46_BYTES = bytes.fromhex(
    "5249464626000000574542505650384c190000002fafd82b16075081540820000a1a02495bbced8f8f88e87f0000"
)


def long_comments() -> PngInfo:
    """Little in the file, much in memory."""
    comments = PngInfo()
    for number in range(4):
        comments.add_text(f"comment {number}", "x" * 500_000, zip=True)
    return comments


def lying() -> Image.Exif:
    """A picture that is to be turned."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    return exif


def normalised(content: bytes) -> Image.Image:
    made = Image.open(BytesIO(picture_normalised(BytesIO(content))))
    made.load()
    return made


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "MPO"])
def test_a_picture_becomes_a_jpeg_of_bounded_size(kind: str) -> None:
    made = normalised(picture_file(kind, (2400, 1200)))
    assert (made.format, made.mode, made.size) == ("JPEG", "RGB", (LONGEST_SIDE, LONGEST_SIDE // 2))


def test_a_small_picture_is_not_enlarged() -> None:
    assert normalised(picture_file("PNG", (32, 18))).size == (32, 18)


def test_a_tall_picture_is_bounded_too() -> None:
    assert normalised(picture_file("JPEG", (20, 6000))).height == LONGEST_SIDE


def test_a_rotated_picture_is_set_upright_and_loses_its_metadata() -> None:
    exif = Image.Exif()
    exif[ORIENTATION], exif[MAKER] = 6, "A telephone"
    exif.get_ifd(GPS)[1] = "N"
    source = picture_file("JPEG", (64, 32), exif=exif, comment=b"my home")
    made = normalised(source)
    assert made.size == (32, 64)
    assert not made.getexif()
    assert {"comment", "exif", "icc_profile", "xmp"}.isdisjoint(made.info)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "I;16", "CMYK"])
def test_every_colour_mode_is_accepted(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    made = normalised(picture_file(kind, (40, 40), mode=mode))
    assert made.mode == "RGB"


def test_transparency_becomes_white_and_16_bit_grey_stays_grey() -> None:
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    grey = Image.new("I;16", (8, 8), 128 * 256)
    for image, shade in ((clear, 255), (grey, 128)):
        content = BytesIO()
        image.save(content, "PNG")
        found = normalised(content.getvalue()).getpixel((4, 4))
        assert all(abs(value - shade) <= 2 for value in found), shade


def refusal(content: bytes) -> str:
    """Return why the picture is refused; empty if it is accepted."""
    try:
        picture_normalised(BytesIO(content))
    except PictureError as error:
        return str(error)
    return ""


def test_other_files_are_refused() -> None:
    files = {
        "nothing": (b"", "no JPEG, PNG or WebP"),
        "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "no JPEG, PNG or WebP"),
        "zeros": (b"GIF89a" + bytes(100), "no JPEG, PNG or WebP"),
        "GIF": (picture_file("GIF", (8, 8)), "no JPEG, PNG or WebP"),
        "TIFF": (picture_file("TIFF", (8, 8)), "no JPEG, PNG or WebP"),
        "half a JPEG": (picture_file("JPEG", (400, 400))[:900], "damaged"),
        "half a PNG": (picture_file("PNG", (400, 400))[:900], "damaged"),
        "animated PNG": (animated("PNG"), "animated"),
        "animated WebP": (animated("WEBP"), "animated"),
        "PNG": (picture_file("PNG", (6000, 5001), mode="1"), "more than 30 million pixels"),
        "PNG of 200 million": (picture_file("PNG", (20_000, 10_000), mode="1"), "more than 30 million pixels"),
        "PNG RGBA": (picture_file("PNG", (6000, 3001), mode="RGBA"), "more than 18 million pixels"),
        "WebP": (picture_file("WEBP", (4000, 2501)), "more than 10 million pixels"),
        "JPEG, tall": (picture_file("JPEG", (1900, 9500)), "more than 18 million pixels"),
        "JPEG": (picture_file("JPEG", (6000, 4300)), "more than 25 million pixels"),
        "JPEG CMYK, tall": (picture_file("JPEG", (1900, 7900), mode="CMYK"), "more than 15 million pixels"),
        # 46 bytes, which took 861 MB.
        "a tiny WebP": (WEBP_OF_46_BYTES, "more than 10 million pixels"),
        "long comments": (picture_file("PNG", (8, 8), pnginfo=long_comments()), "damaged"),
    }
    for name, (content, message) in files.items():
        assert message in refusal(content), name


PROGRESSIVE = {"progressive": True, "subsampling": 0}
# Of each kind the largest that is taken, in the form that takes most: (width, height) beyond the reach of `draft`, all
# coefficients kept, transparency, two canvases.
WORST = {
    "JPEG RGB": lambda: picture_file("JPEG", (5800, 4400), **PROGRESSIVE),
    "JPEG RGB, tall": lambda: picture_file("JPEG", (1900, 9470), **PROGRESSIVE),
    "JPEG CMYK, tall": lambda: picture_file("JPEG", (1900, 7890), mode="CMYK", progressive=True),
    "PNG RGB": lambda: picture_file("PNG", (6000, 5000)),
    "PNG of 16 bits": lambda: picture_file("PNG", (6000, 5000), mode="I;16"),
    "PNG with a palette": lambda: picture_file("PNG", (6000, 3000), mode="P", transparency=bytes([7] * 256)),
    "PNG RGBA, lying": lambda: picture_file("PNG", (6000, 3000), mode="RGBA", exif=lying()),
    "PNG RGBA of 16 bits, interlaced": lambda: interlaced_png((6000, 3000)),
    "WebP": lambda: picture_file("WEBP", (4000, 2500), mode="RGBA", exif=lying()),
    "WebP without loss": lambda: picture_file("WEBP", (4000, 2500), mode="RGBA", lossless=True, exif=lying()),
}
# A child for each picture, so that none adds to the memory of another one.
MEASURED = """
import os, pickle, sys
from io import BytesIO
import django; django.setup()
from PIL import Image; Image.init()
from ondemand.videos.uploads import picture_normalised
for kind, content in pickle.load(sys.stdin.buffer).items():
    child = os.fork()
    if not child:
        picture_normalised(BytesIO(content))
        print(kind, next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")), flush=True)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, kind
"""


def test_the_largest_picture_of_each_kind_takes_less_than_300_mb() -> None:
    chosen = WORST if THOROUGH else ("JPEG RGB, tall", "PNG RGBA of 16 bits, interlaced", "WebP without loss")
    pictures = pickle.dumps({kind: WORST[kind]() for kind in chosen})
    ran = subprocess.run([sys.executable, "-c", MEASURED], cwd=ROOT, input=pictures, capture_output=True)
    assert ran.returncode == 0, ran.stderr
    measured = [line.rsplit(maxsplit=1) for line in ran.stdout.decode().splitlines()]
    assert len(measured) == len(chosen)
    assert [kind for kind, size in measured if int(size) * 1024 >= 300_000_000] == [], measured


def test_a_picture_is_stored_in_the_recording_bucket_by_its_digest_and_cached_for_ever(aws: LocalAws) -> None:
    content = picture_normalised(BytesIO(picture_file("PNG", (64, 36))))
    url = picture_store(content)
    assert url == picture_store(content)
    [item] = s3().list_objects_v2(Bucket=BUCKET)["Contents"]
    assert url == f"https://media.example.com/{item['Key']}"
    assert item["Key"].startswith("thumbnails/")
    stored = s3().get_object(Bucket=BUCKET, Key=item["Key"])
    assert stored["Body"].read() == content
    assert stored["ContentType"] == "image/jpeg"
    assert stored["CacheControl"] == "public, max-age=31536000, immutable"


def test_without_a_media_host_the_bucket_serves_the_picture(aws: LocalAws, settings: Any) -> None:
    settings.PLAYBACK_BASE_URL = ""
    url = picture_store(b"picture")
    assert url.startswith(f"https://{BUCKET}.s3.amazonaws.com/thumbnails/")
    assert is_stored_picture(url)


def test_a_missing_bucket_is_an_aws_error(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(default_storage, "bucket_name", "another-bucket")
    monkeypatch.setattr(default_storage, "_bucket", None)
    with pytest.raises(AwsError, match="PutObject"):
        picture_store(b"picture")


def test_only_urls_of_stored_pictures_count_as_stored(settings: Any) -> None:
    settings.PLAYBACK_BASE_URL = "http://127.0.0.1:8000/_local/media"
    name = f"{'0' * 64}.jpg"
    assert is_stored_picture(f"http://127.0.0.1:8000/_local/media/thumbnails/{name}")
    for url in (
        "",
        name,
        f"http://127.0.0.1:8000/_local/media/other/{name}",
        f"http://evil.test/thumbnails/{name}",
        f"http://127.0.0.1:8000/_local/media/thumbnails/../{name}",
        "http://127.0.0.1:8000/_local/media/thumbnails/a.jpg",
    ):
        assert not is_stored_picture(url), url
