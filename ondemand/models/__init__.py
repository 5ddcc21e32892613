"""Recordings, their videos, and the content that people write about them."""

from ondemand.models.bulk import BulkChange as BulkChange
from ondemand.models.bulk import BulkChangeRow as BulkChangeRow
from ondemand.models.grants import GrantState as GrantState
from ondemand.models.grants import PlaybackGrant as PlaybackGrant
from ondemand.models.grants import PlaybackGrantQuerySet as PlaybackGrantQuerySet
from ondemand.models.index import TagCount as TagCount
from ondemand.models.index import VideoIndex as VideoIndex
from ondemand.models.recordings import Recording as Recording
from ondemand.models.recordings import RemovedRecording as RemovedRecording
from ondemand.models.recordings import video_uuid as video_uuid
from ondemand.models.videos import DEFAULT_PLAYLIST as DEFAULT_PLAYLIST
from ondemand.models.videos import Content as Content
from ondemand.models.videos import Video as Video
from ondemand.models.videos import evenly_spread as evenly_spread
from ondemand.models.words import SearchWord as SearchWord
