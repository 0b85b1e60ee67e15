"""QR codes: a payment's, a team's."""

from __future__ import annotations

import segno


def code_of(address: str) -> str:
    """The QR code of an address (ISO/IEC 18004) as SVG."""
    return str(segno.make(address, error="m", micro=False).svg_inline(scale=6, dark="#000", light="#fff"))
