"""Signed links that let somebody do one thing without a role: each is good for some days and says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.core import signing

from commonweal.kernel import clock
from commonweal.kernel.errors import Gone, Invalid
from commonweal.kernel.text import Text


@dataclass(frozen=True, slots=True)
class Kind:
    """Links of one kind: what they are signed for, how long they are good, and where a new one is to be had."""

    salt: str
    lasts: timedelta
    renew: Text

    def sign(self, *values: str) -> str:
        """A link made now."""
        return signing.dumps([int(clock.now().timestamp()), *values], salt=self.salt, compress=True)

    def read(self, link: str) -> list[str]:
        """What was signed. Raises `Invalid` (`link.form`) if it is not ours, `Gone` (`link.over`) if it is too old."""
        try:
            made, *values = signing.loads(link, salt=self.salt)
        except signing.BadSignature as error:
            raise Invalid(
                "link.form",
                Text("This link is not ours, or not whole. Copy all of it.", "链接无效或不完整，请完整复制。"),
            ) from error
        # Links of before they had an end begin with an id.
        if not isinstance(made, int) or clock.now().timestamp() - made > self.lasts.total_seconds():
            raise Gone(
                "link.over",
                Text(
                    "This link was good for {days} days and is over. {renew}", "此链接有效期 {days} 天，已失效。{renew}"
                ).format(days=self.lasts.days, renew=self.renew),
            )
        return [str(value) for value in values]


JOIN = Kind(
    "giving.company",
    timedelta(days=30),
    Text("Ask your company: it finds a new one under “My company”.", "请向企业索取：可在“我的企业”页面获取新链接。"),
)
RECEIVER = Kind(
    "giving.receiver",
    timedelta(days=60),
    Text(
        "Ask the charity that sent it: it finds a new one on the page of the order.",
        "请向发给您的机构索取：可在订单页面获取新链接。",
    ),
)
USE = Kind(
    "giving.use",
    timedelta(days=60),
    Text(
        "Ask the charity that sent it: it finds a new one where it is asked about the use.",
        "请向发给您的机构索取：可在使用情况答复页面获取新链接。",
    ),
)
