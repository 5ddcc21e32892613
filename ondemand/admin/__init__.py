"""Videos and their content in the admin."""

from ondemand.admin.videos import VideoAdmin as VideoAdmin
