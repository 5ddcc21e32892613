"""Files that people give, in the recording bucket, by django-storages."""

from typing import Any
from urllib.parse import quote

from boto3.s3.transfer import TransferConfig
from storages.backends.s3 import S3Storage

from channels_app.aws.clients import RETRIED, config_of
from channels_app.aws.errors import told_as_aws_error


class BucketStorage(S3Storage):
    """The library's, asking as all else asks AWS, and serving files from where recordings are served."""

    def get_default_settings(self) -> dict[str, Any]:
        """The library's, with short timeouts and bounded retries, and no threads of its own."""
        asking = {"client_config": config_of(RETRIED), "transfer_config": TransferConfig(use_threads=False)}
        return {**super().get_default_settings(), **asking}

    def url(self, name: str, *_: Any, **__: Any) -> str:
        """Where anybody can load the file: unsigned, at PLAYBACK_BASE_URL or, without one, in the bucket."""
        from django.conf import settings

        base = settings.PLAYBACK_BASE_URL or f"https://{self.bucket_name}.s3.amazonaws.com"
        return f"{base}/{quote(self._normalize_name(name))}"

    def _save(self, name: str, content: Any) -> str:
        with told_as_aws_error("PutObject", f"{self.bucket_name}/{name}"):
            return super()._save(name, content)
