"""The service that ivsvod replaces: its tables, rows of every age, and the statements it goes on sending."""
