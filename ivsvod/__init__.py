"""ivsvod: find, curate and play the recordings of Amazon IVS channels."""
