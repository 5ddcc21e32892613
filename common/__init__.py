"""What knows no model and no app: REST, PostgreSQL, AWS, audit and helpers."""
