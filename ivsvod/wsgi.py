"""The WSGI application."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ivsvod.settings")
application = get_wsgi_application()
# What is loaded stays. A list makes thousands of objects for each request, and looking for cycles among all objects
# that often took a tenth of its time.
gc.freeze()
gc.set_threshold(20_000)
