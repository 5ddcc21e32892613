"""`manage.py openapi`: write `openapi.json`, which `GET /schema` serves; a test fails if it is out of date."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from tools.openapi.document import document


class Command(BaseCommand):
    """Run it after a change of a route, a field or a filter, and commit the file."""

    help = "Write openapi.json, the description of the API."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file."""
        path = settings.BASE_DIR / "openapi.json"
        path.write_text(json.dumps(document(), indent=2, ensure_ascii=False) + "\n")
        self.stdout.write(f"Wrote {path.name}.")
