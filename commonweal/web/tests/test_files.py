from __future__ import annotations

import io

from django.test import Client
from PIL import Image

from commonweal.kernel.files.store import take_picture


def picture(shade: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), (shade, shade, shade)).save(out, "PNG")
    return out.getvalue()


def test_a_public_file_is_served_for_ever_and_no_other_is(client: Client, db: None) -> None:
    shown, hidden = take_picture(picture(90)), take_picture(picture(10), public=False)
    answer = client.get(f"/files/{shown.digest}")
    assert (answer.status_code, answer["Content-Type"], len(answer.content)) == (200, "image/webp", shown.size)
    assert "immutable" in answer["Cache-Control"] and not answer.cookies
    smaller = client.get(f"/files/{shown.digest}/320")
    assert (smaller.status_code, smaller["Content-Type"]) == (200, "image/webp")
    for digest in (hidden.digest, "0" * 64, f"{hidden.digest}/320", f"{shown.digest}/321"):
        assert client.get(f"/files/{digest}").status_code == 404
    assert client.post(f"/files/{shown.digest}").status_code == 405
