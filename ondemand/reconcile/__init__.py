"""Compare the catalogue with the recordings in S3; `channels_app/reconcile/` compares the channels with IVS."""
