"""This API in OpenAPI 3.1. Only tools import it: drf-spectacular is not installed in production."""
