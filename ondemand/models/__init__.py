"""Recordings, their videos, and what people write about them."""

from ondemand.models.bulk import BulkChange as BulkChange
from ondemand.models.bulk import BulkChangeRow as BulkChangeRow
from ondemand.models.removed import RemovedRecording as RemovedRecording
from ondemand.models.videos import DEFAULT_PLAYLIST as DEFAULT_PLAYLIST
from ondemand.models.videos import Content as Content
from ondemand.models.videos import KnownTag as KnownTag
from ondemand.models.videos import Recording as Recording
from ondemand.models.videos import Video as Video
from ondemand.models.videos import VideoTag as VideoTag
from ondemand.models.videos import started_before as started_before
from ondemand.models.videos import video_uuid as video_uuid
