"""Every write of channels, here and in IVS."""
