"""Static files in the package."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class PackagedFiles(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage, in which scripts import each other by their hashed names."""

    support_js_module_import_aggregation = True
