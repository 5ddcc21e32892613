"""Videos and their content in the admin."""

from ondemand.admin.channel_links import videos_address as videos_address
from ondemand.admin.difference_links import video_address as video_address
from ondemand.admin.videos import VideoAdmin as VideoAdmin
