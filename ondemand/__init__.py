"""Videos of the recordings, their content, search and playback."""
