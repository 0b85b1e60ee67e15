"""Re-used photographs: a shortlist by small hashes, then proof by matching points (ORB and a homography)."""

from commonweal.services.forest.photos.gallery import Gallery, Verdict
from commonweal.services.forest.photos.picture import Picture, read_picture

__all__ = ["Gallery", "Picture", "Verdict", "read_picture"]
