"""The pictures that may stand for a video, as its page offers them."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext as _

from channels_app.times import clock
from ondemand.models import Video
from ondemand.pictures import middle_of, picture_allowed
from ondemand.spread import evenly_spread

# More of them come by a script, from `more_pictures`.
SAMPLE = 11


@dataclass(frozen=True)
class PictureChoice:
    """One picture: what is sent where it is chosen, its URL (None: it cannot be shown), and what it is called."""

    value: str
    url: str | None
    label: str
    caption: str
    chosen: bool = False


def picture_choices(video: Video, chosen: str) -> tuple[list[PictureChoice], list[dict[str, Any]]]:
    """What IVS chose, what somebody gave, and some of the pictures that IVS made; `chosen` is a URL or a path.

    Then all pictures, for the script that shows more of them; none where all are shown already, or may not be.
    """
    pictures = video.pictures
    url = pictures.get(chosen, chosen)
    by_url = {address: path for path, address in pictures.items()}
    kept = {*evenly_spread(list(pictures), SAMPLE), by_url.get(url)}
    given = [] if not url or url in by_url else [_given(url)]
    made = list(_made(video, pictures, url))
    more = [asdict(choice) for choice in made] if len(made) > SAMPLE and made[0].url else []
    return [_automatic(video, chosen=not url), *given, *(choice for choice in made if choice.value in kept)], more


def _automatic(video: Video, *, chosen: bool) -> PictureChoice:
    url = middle_of(video.thumbnails)
    return PictureChoice("", _shown(url), _("None: the one that Amazon IVS made"), _("Automatic"), chosen)


def _given(url: str) -> PictureChoice:
    return PictureChoice(url, _shown(url), _("The picture that somebody gave"), _("Given"), chosen=True)


def _made(video: Video, made: Mapping[str, str], chosen: str) -> Iterator[PictureChoice]:
    for number, (path, url) in enumerate(made.items()):
        # They are evenly spread over the recording.
        at = clock(video.duration * number // len(made)) if video.duration_ms else ""
        label = _("Picture at about {moment}").format(moment=at) if at else _("Picture {name}").format(name=path)
        yield PictureChoice(path, _shown(url), label, at or path.rpartition("/")[2], chosen == url)


def _shown(url: str | None) -> str | None:
    return url if url and picture_allowed(url) else None
