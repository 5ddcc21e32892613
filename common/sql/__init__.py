"""SQL of migrations, and helpers that build SQL."""
