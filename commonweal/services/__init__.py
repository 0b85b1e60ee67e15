"""One folder a service; each is removable, none imports another."""
