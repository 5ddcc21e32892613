"""What the catalogue says, against the recordings that IVS left in S3; the part of channels is in `channels_app`."""
