"""Videos, their content and playback grants in the admin."""

from ondemand.admin.grants import PlaybackGrantAdmin as PlaybackGrantAdmin
from ondemand.admin.videos import VideoAdmin as VideoAdmin
