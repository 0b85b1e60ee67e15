"""Files: content-addressed, limited, re-encoded. `store` takes them in and gives them out."""
