"""All writes of channels, in the database and in IVS."""
