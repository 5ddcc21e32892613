"""Building blocks that know no model and no app: REST, PostgreSQL, AWS, audit and helpers."""
