"""The service as gunicorn runs it in the benchmark: with one page more, an answer that is stored."""

from functools import cache

from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

# First: it sets Django up.
from ivsvod.wsgi import application  # isort: split

from ivsvod.urls import urlpatterns

__all__ = ["application"]


@cache
def _body() -> bytes:
    return Client(SERVER_NAME="127.0.0.1").get("/on-demand").content


def _stored(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(_body(), content_type="application/json")


urlpatterns.append(path("bench/stored", _stored))
