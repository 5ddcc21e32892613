"""The WSGI application."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ivsvod.settings")
application = get_wsgi_application()
# What is loaded stays, and a list makes thousands of objects for each request: look for cycles among the new ones
# alone, and less often. https://docs.python.org/3/library/gc.html#gc.freeze
gc.freeze()
gc.set_threshold(20_000)
