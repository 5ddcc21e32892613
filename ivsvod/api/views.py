"""Routes of the service itself."""

from django.db import connection
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class HealthView(APIView):
    """`GET /healthz`: 200 while the database answers, 503 when it does not."""

    authentication_classes = ()
    is_open = True

    def get(self, request: Request) -> Response:
        """Ask the database."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return Response({"status": "ok"}, headers={"Cache-Control": "no-store"})
