"""Files in S3, by django-storages: uploads in the recording bucket, and static files.

A module of its own: it loads boto3, which most requests do without.
"""

from typing import Any
from urllib.parse import quote

from boto3.s3.transfer import TransferConfig
from storages.backends.s3 import S3ManifestStaticStorage, S3Storage

from common.aws.clients import RETRIED, config_of
from common.aws.errors import raises_aws_error


class BucketStorage(S3Storage):
    """S3 storage with the timeouts of all other calls to AWS, serving files from the address of the recordings."""

    def get_default_settings(self) -> dict[str, Any]:
        """Return the defaults of the library with short timeouts, bounded retries and no threads."""
        own = {"client_config": config_of(RETRIED), "transfer_config": TransferConfig(use_threads=False)}
        return {**super().get_default_settings(), **own}

    def url(self, name: str, *_: Any, **__: Any) -> str:
        """Return the public, unsigned URL of the file: below PLAYBACK_BASE_URL or, without one, in the bucket."""
        from django.conf import settings

        base = settings.PLAYBACK_BASE_URL or f"https://{self.bucket_name}.s3.amazonaws.com"
        return f"{base}/{quote(self._normalize_name(name))}"

    def _save(self, name: str, content: Any) -> str:
        with raises_aws_error("PutObject", f"{self.bucket_name}/{name}"):
            return super()._save(name, content)


class StaticBucketStorage(S3ManifestStaticStorage):
    """Static files in STATIC_BUCKET; scripts import each other by their hashed names."""

    support_js_module_import_aggregation = True
