"""What can differ, as people read it; a module of its own, so that the models may know it."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    """What differs."""

    EVENT_UNAPPLIED = "event_unapplied", _("An event is not applied")
    CHANNEL_UNFINISHED = "channel_unfinished", _("The creation of a channel was interrupted")
    CHANNEL_ORPHAN = "channel_orphan", _("A channel of ours in IVS has no row here")
    CHANNEL_UNCLAIMED = "channel_unclaimed", _("A channel in IVS has a uuid as its tag, and no row here")
    CHANNEL_DOUBLED = "channel_doubled", _("A second channel in IVS has the uuid of this one")
    CHANNEL_NOT_DELETED = "channel_not_deleted", _("The channel is deleted here, and still in IVS")
    CHANNEL_CHANGED = "channel_changed", _("A setting of the channel is another in IVS")
    CHANNEL_RENAMED = "channel_renamed", _("The name of the channel is another in IVS")
    CHANNEL_GONE = "channel_gone", _("The channel is not in IVS any more")
    STREAM_KEY_MISSING = "stream_key_missing", _("IVS has no stream key of the channel")
    STREAM_KEY_CHANGED = "stream_key_changed", _("IVS has another stream key")
    STREAM_KEY_NOT_REMOVED = "stream_key_not_removed", _("The channel is banned, and IVS still has its stream key")
    STREAM_MISSING = "stream_missing", _("Nothing was heard of a stream")
    STREAM_START_MISSING = "stream_start_missing", _("The start of a stream was not heard")
    STREAM_END_MISSING = "stream_end_missing", _("The end of a stream was not heard")
    STREAM_END_UNKNOWN = "stream_end_unknown", _("A stream is live here, and IVS has forgotten it")
    STREAM_STILL_LIVE = "stream_still_live", _("A stream has ended here, and is live in IVS")
    STREAM_HISTORY_MISSING = "stream_history_missing", _("Part of what happened to a stream was not heard")
    RECORDING_MISSING = "recording_missing", _("Nothing was heard of a recording")
    RECORDING_START_MISSING = "recording_start_missing", _("The start of a recording was not heard")
    RECORDING_END_MISSING = "recording_end_missing", _("The end of a recording was not heard")
    RECORDING_UNREADABLE = "recording_unreadable", _("What IVS wrote of a recording cannot be used")
    RECORDING_STUCK = "recording_stuck", _("A recording has no end after 48 hours")
    UNKNOWN_CHANNEL = "unknown_channel", _("The channel of a recording is not here")
    PRIVATE_VIDEOS_OPEN = "private_videos_open", _("Anyone can open videos of a private channel")
    NOT_COMPARED = "not_compared", _("It could not be compared")
