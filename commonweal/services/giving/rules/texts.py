"""What people write: cleaned of nothing but outer blanks, refused if it hides something."""

from __future__ import annotations

import unicodedata

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text


def check(text: str, field: str, longest: int, *, lines: bool = False) -> str:
    """`text` in NFC without outer blanks; `lines` allows line ends.

    Control, invisible and bidirectional characters are refused, so that what is shown is what was written. Raises
    `Invalid` with code `text.empty`, `text.too-long` or `text.characters`.
    """
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if not text:
        raise Invalid("text.empty", Text("Write something here.", "请填写此项。"), field=field)
    if len(text) > longest:
        raise Invalid(
            "text.too-long",
            Text("Use at most {longest} characters.", "最多 {longest} 个字符。").format(longest=longest),
            field=field,
        )
    hidden = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    if any(unicodedata.category(c) in hidden and not (lines and c == "\n") for c in text):
        raise Invalid(
            "text.characters",
            Text("Use letters, digits and punctuation only.", "只能使用文字、数字和标点。"),
            field=field,
        )
    return text


def both(en: str, zh: str, field: str, longest: int, *, lines: bool = False) -> Text:
    """A text whose writer gave one language or both: what is missing is shown in the other. Errors name `field_zh`."""
    chinese = check(zh or en, f"{field}_zh", longest, lines=lines)
    return Text(check(en, f"{field}_en", longest, lines=lines) if en.strip() else chinese, chinese)
