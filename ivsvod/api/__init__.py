"""REST parts of the whole service: middleware, parsers, errors, paging, throttling, identity tokens."""
