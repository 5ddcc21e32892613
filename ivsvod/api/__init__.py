"""HTTP parts of the whole service: errors, middleware, and the views of health and description."""
