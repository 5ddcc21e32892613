"""Run by `manage.py shell` on an adopted database: asks the API for everything and prints what it answered."""

import json
import sys

from django.conf import settings
from django.test import Client

from channels_app.models import Channel
from ondemand.models import Video

settings.AUTH_API_KEY = "the shared key"
client = Client(SERVER_NAME="localhost")
KEY = {"authorization": "Bearer the shared key"}


def listed() -> list[str]:
    """Every video of the list, page by page."""
    found: list[str] = []
    page = 1
    while True:
        answer = client.get("/on-demand", {"page": page, "pageSize": 50})
        assert answer.status_code == 200, answer.content
        videos = answer.json()["data"]
        if not videos:
            return found
        found += [video["uuid"] for video in videos]
        page += 1


def code(path: str, **options: object) -> int:
    """The status of one answer."""
    return client.get(path, **options).status_code


videos = [str(uuid) for uuid in Video.objects.values_list("uuid", flat=True)]
channels = [str(uuid) for uuid in Channel.objects.values_list("uuid", flat=True)]
json.dump(
    {
        "listed": listed(),
        "videos": {uuid: code(f"/on-demand/{uuid}") for uuid in videos},
        "videos_with_key": {uuid: code(f"/on-demand/{uuid}", headers=KEY) for uuid in videos},
        "channels": {uuid: code(f"/channels/{uuid}/live") for uuid in channels},
        "search": {text: code("/on-demand/search", data={"search": text}) for text in ("show", "-show", '"a b" or c')},
        "written": {
            uuid: client.put(f"/on-demand/{uuid}", json.dumps({"title": "New"}), headers=KEY).status_code
            for uuid in videos[:20]
        },
    },
    sys.stdout,
)
