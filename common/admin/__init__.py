"""Base classes and columns of the admin's pages."""
