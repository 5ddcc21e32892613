"""The WSGI application."""

import os

from django.core.wsgi import get_wsgi_application

from ivsvod.timed_bodies import with_timed_body

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ivsvod.settings")
application = with_timed_body(get_wsgi_application())
