"""What the field brings: a photograph's own words about itself, and where a tree stands. Needs no extra."""

from commonweal.services.forest.field.exif import Exif, read_exif

__all__ = ["Exif", "read_exif"]
