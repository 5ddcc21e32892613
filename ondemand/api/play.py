"""The routes that players load: playlists, and pictures that redirect to the media host."""

import gzip
from datetime import datetime
from typing import Any, cast

from django.http import HttpResponse, HttpResponseRedirect
from django.middleware.gzip import re_accepts_gzip
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from common.rest import throttling
from common.rest.description import Answer, describe
from common.rest.fields import uuid_in_path
from common.rest.scopes import has_scope
from ondemand.api.viewsets import CatalogueViewSet
from ondemand.models import Video
from ondemand.playback.delivery import picture_url, playlist_content, shared_end
from ondemand.playback.grants import grant_playing, grant_use
from ondemand.playback.staff_links import is_staff_link, staff_link_playing
from ondemand.search.rows import playable_video, video_of
from ondemand.videos import small_pictures
from ondemand.videos.services import VideoNotFoundError

# Seconds: a CDN may keep a file of a public video for as long, also after the video was hidden.
FILE_MAX_AGE = 120
# https://datatracker.ietf.org/doc/html/rfc8216#section-4
_PLAYLIST = "application/vnd.apple.mpegurl"
_FILES = (
    Answer({"type": "string"}, "A playlist, or a small picture.", "#EXTM3U", _PLAYLIST),
    Answer({"type": "string", "format": "binary"}, "A small picture.", "RIFF", small_pictures.CONTENT_TYPE),
    Answer(None, "The URL of the picture, with its signature.", status=302),
)


class PlayViewSet(CatalogueViewSet):
    """The files of videos, by their path: of public ones to everyone, of all to callers with the scope `curate`."""

    lookup_field = "path"
    lookup_value_converter = "path"
    is_open = True
    # A grant that was revoked stops at once, and a video that was hidden as soon as caches have forgotten it.
    primary_actions = ("retrieve",)

    @describe(
        "playVideo",
        "Get a playlist or a picture of a public video",
        "`master.m3u8` is the multivariant playlist. With the scope `curate`: of any video.",
        *_FILES,
    )
    def retrieve(self, request: Request, uuid: str, path: str) -> HttpResponse:
        video_uuid = uuid_in_path(uuid)
        is_curator = has_scope(request, "curate")
        video = video_of(video_uuid, at=None) if is_curator else playable_video(video_uuid, at=self.at)
        if video is None:
            raise VideoNotFoundError
        response = self.file(video, path, shared_end(video, self.at), to_curator=is_curator)
        response["Cache-Control"] = self.life(FILE_MAX_AGE, video.next_publication_change(self.at))["Cache-Control"]
        if is_curator and response["Content-Type"] == small_pictures.CONTENT_TYPE:
            # Lists of the admin have many.
            response["Cache-Control"] = f"private, max-age={FILE_MAX_AGE}"
        return response

    def file(self, video: Video, path: str, end: datetime, *, to_curator: bool) -> HttpResponse:
        """Return the answer for a path, its files signed until `end`; raise NotFound if there is no such file."""
        width, path = small_pictures.small_path_parts(path)
        small = small_pictures.small_picture(video, path, width) if width else None
        if small is not None:
            return HttpResponse(small, content_type=small_pictures.CONTENT_TYPE)
        # First: a picture is known without a look into the playlist.
        url = picture_url(video, path, end)
        if url is not None:
            return HttpResponseRedirect(url)
        content = None if width else playlist_content(video, path, end, to_curator=to_curator)
        if content is None:
            raise NotFound("This recording has no such playlist or picture")
        return self.compressed(content)

    def compressed(self, playlist: bytes) -> HttpResponse:
        """Return a playlist, compressed if the player takes that: its signatures make it 20 times as long as it was.

        The middleware would compress it four times as slowly, to the same size.
        """
        if not re_accepts_gzip.search(self.request.headers.get("Accept-Encoding", "")):
            return HttpResponse(playlist, content_type=_PLAYLIST)
        content = gzip.compress(playlist, compresslevel=1, mtime=0)
        return HttpResponse(content, content_type=_PLAYLIST, headers={"Content-Encoding": "gzip"})


class GrantedPlayViewSet(PlayViewSet):
    """The files of one video, for everyone who has the token in the URL: no header and no cookie is read.

    The token is that of a grant, or of a link of the admin's player.
    """

    authentication_classes = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Count the request, as the authentication would."""
        throttling.count_by_address(request)
        super().initial(request, *args, **kwargs)

    @describe(
        "playGrantedVideo",
        "Get a playlist or a picture by a playback grant",
        "`master.m3u8` is the multivariant playlist.",
        *_FILES,
    )
    def retrieve(self, request: Request, token: str, path: str) -> HttpResponse:
        if is_staff_link(token):
            link = staff_link_playing(token=token, at=self.at)
            response = self.file(link.video, path, link.expires_at, to_curator=True)
        else:
            grant = grant_playing(token=token, at=self.at)
            end = cast(datetime, grant.expires_at)
            response = self.file(cast(Video, grant.video), path, end, to_curator=False)
            grant_use(grant=grant, at=self.at)
        response["Cache-Control"] = "private, no-store"
        return response
