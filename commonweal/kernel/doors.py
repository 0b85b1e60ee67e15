"""What every door needs: the answer after a form, the shape of a JSON body, amounts and keys as they come in."""

from __future__ import annotations

from typing import Annotated

import ninja
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from pydantic import ConfigDict

from commonweal.kernel.errors import Invalid
from commonweal.kernel.ids import uuid7
from commonweal.kernel.ledger.books import check_key
from commonweal.kernel.quantity import MAX_AMOUNT, Asset, format_amount, parse_amount
from commonweal.kernel.text import Text

KEY_FIELD = "key"
"""The hidden field in which a form that moves something carries its idempotency key."""


def see_other(url_name: str, *args: object, **kwargs: object) -> HttpResponseRedirect:
    """303 to a page by its URL name, in the language of the request: the answer to a form that has been carried out."""
    return HttpResponseRedirect(reverse(url_name, args=args or None, kwargs=kwargs or None), status=303)


def fresh_key() -> str:
    """A new idempotency key, for a form that is shown now."""
    return str(uuid7())


def form_key(request: HttpRequest) -> str:
    """The idempotency key of a submitted form. Raises `Invalid` (`key.form`)."""
    return check_key(request.POST.get(KEY_FIELD))


class Body(ninja.Schema):
    """The base of every JSON body: a field that is not known is refused."""

    model_config = ConfigDict(extra="forbid")


IdempotencyKey = Annotated[
    str,
    ninja.Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=64,
        pattern=r"^[!-~]+$",
        description="1 to 64 printable ASCII characters. The same key and body give the first answer again; the same "
        "key with another body is a conflict.",
    ),
]
"""The header that every POST that moves something needs."""


class Amount(Body):
    """An amount as JSON: a decimal string and the code of its asset, `{"amount": "5.00", "asset": "CNY"}`."""

    amount: str
    asset: str

    @classmethod
    def of(cls, amount: int, asset: Asset) -> Amount:
        """Smallest units, written."""
        return cls(amount=format_amount(amount, asset, grouped=False), asset=asset.code)

    def read(self, asset: Asset, *, minimum: int = 1, maximum: int = MAX_AMOUNT) -> int:
        """Smallest units of `asset`. Raises `Invalid` with `amount.*`, or `amount.asset` if it is another asset."""
        if self.asset != asset.code:
            raise Invalid(
                "amount.asset",
                Text("This is counted in {asset} only.", "此处只接受 {asset}。").format(asset=asset.code),
                field="asset",
            )
        return parse_amount(self.amount, asset, minimum=minimum, maximum=maximum)
