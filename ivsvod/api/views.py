"""Health check, OpenAPI document and its page."""

from django.db import connection
from django.http import HttpResponse
from django.shortcuts import render
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.rest.caching import VIDEO_MAX_AGE, Life
from common.rest.description import Answer, describe
from ivsvod.api.reference import document_bytes


class OpenView(APIView):
    """A page for everyone, with or without a credential."""

    authentication_classes = ()
    is_open = True


class HealthSerializer(serializers.Serializer):
    """The answer to `GET /healthz`."""

    status = serializers.ChoiceField(["ok"], help_text="`ok`: the database answers.")


class HealthView(OpenView):
    """`GET /healthz`."""

    @describe(
        "getHealth",
        "Check the health of the service",
        "503 while its database does not answer.",
        Answer(HealthSerializer, "It works."),
    )
    def get(self, request: Request) -> Response:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return Response({"status": "ok"}, headers={"Cache-Control": "no-store"})


class SchemaView(OpenView):
    """`GET /schema`: the OpenAPI 3.1 document."""

    @describe("getSchema", "Get this document", "", Answer({"type": "object"}, "OpenAPI 3.1.", {"openapi": "3.1.1"}))
    def get(self, request: Request) -> HttpResponse:
        """Return the file, which `make openapi` wrote."""
        return HttpResponse(document_bytes(), content_type="application/json", headers=Life.of(VIDEO_MAX_AGE).headers)


class DocsView(OpenView):
    """`GET /docs`: Swagger UI of the same document."""

    @describe(
        "getDocs",
        "Read this document in a browser",
        "",
        Answer({"type": "string"}, "A page.", "<!doctype html>", "text/html"),
    )
    def get(self, request: Request) -> HttpResponse:
        """Return the page, which loads static files of the service only."""
        response = render(request, "api/docs.html")
        response["Cache-Control"] = Life.of(VIDEO_MAX_AGE).text
        return response
