"""Scripts import each other by names that never change their content."""

import json
import re
from pathlib import Path
from posixpath import dirname, join, normpath

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage

from common.aws.storage import StaticBucketStorage
from tools.local.aws import LocalAws

IMPORTED = re.compile(r"""^import\b[^"']*["'](\.[^"']+)["']""", re.MULTILINE)


def imports_of(name: str, text: str) -> list[str]:
    return [normpath(join(dirname(name), each)) for each in IMPORTED.findall(text)]


def test_each_import_names_a_hashed_file_that_exists() -> None:
    root = Path(settings.STATIC_ROOT)
    hashed = json.loads((root / "staticfiles.json").read_text())["paths"]
    imported = {
        name: imports_of(file, (root / file).read_text())
        for name, file in hashed.items()
        if name.startswith(("ondemand/", "catalogue/")) and name.endswith(".js")
    }
    assert imported["catalogue/live.js"] == [hashed["ondemand/player.js"]]
    assert imported["ondemand/keys.js"] == [hashed["ondemand/player.js"], hashed["ondemand/shared.js"]]
    for name in [name for names in imported.values() for name in names]:
        assert name in hashed.values()
        assert (root / name).is_file()


def test_files_in_a_bucket_have_the_same_names(aws: LocalAws, tmp_path: Path) -> None:
    root = Path(settings.STATIC_ROOT)
    hashed = json.loads((root / "staticfiles.json").read_text())["paths"]
    files, names = FileSystemStorage(root), [f"ondemand/{name}.js" for name in ("shared", "player", "keys")]
    aws.s3.create_bucket("static")
    storage = StaticBucketStorage(bucket_name="static", manifest_storage=FileSystemStorage(tmp_path))
    for name in names:
        storage.save(name, ContentFile((root / name).read_bytes()))
    list(storage.post_process({name: (files, name) for name in names}))
    assert storage.hashed_files == {name: hashed[name] for name in names}
    assert [name for name in names if not storage.exists(hashed[name])] == []
