"""The anchor of `bench giving`: the same POST as most projects would write it, for granian, `bench.naive:application`.

One row per gift through the ORM, the campaign's total in a column, the campaign locked meanwhile. No double entry, no
proof, no sign-in, no rule but a positive amount: less than half of the work, and every gift waits for the one before.
"""

from __future__ import annotations

import json
import os
from decimal import Decimal

import django
from django.conf import settings
from django.db import connection, models, transaction
from django.http import HttpRequest, JsonResponse
from django.urls import path

HOST, NAME, USER = (os.environ.get(f"NAIVE_{word}", "") for word in ("HOST", "NAME", "USER"))

settings.configure(
    SECRET_KEY="naive",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="bench.naive",
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": HOST,
            "NAME": NAME,
            "USER": USER,
            "OPTIONS": {"pool": {"min_size": 1, "max_size": 8}},
        }
    },
)
django.setup()


class Campaign(models.Model):
    """A campaign with its total."""

    raised = models.DecimalField(max_digits=15, decimal_places=2, default=0)

    class Meta:
        app_label = "naive"


class Gift(models.Model):
    """A gift."""

    campaign = models.ForeignKey(Campaign, models.PROTECT)
    amount = models.DecimalField(max_digits=15, decimal_places=2)
    key = models.CharField(max_length=64, unique=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "naive"


def prepare() -> None:
    """Make the tables and the one campaign."""
    with connection.schema_editor() as editor:
        editor.create_model(Campaign)
        editor.create_model(Gift)
    Campaign._default_manager.create(id=1)


def give(request: HttpRequest) -> JsonResponse:
    """Take a gift."""
    amount = Decimal(json.loads(request.body)["amount"])
    if amount <= 0:
        return JsonResponse({"error": "amount"}, status=422)
    with transaction.atomic():
        campaign = Campaign._default_manager.select_for_update().get(id=1)
        gift = Gift._default_manager.create(campaign=campaign, amount=amount, key=request.headers["Idempotency-Key"])
        campaign.raised += amount
        campaign.save()
    return JsonResponse({"id": gift.pk, "amount": str(amount)}, status=201)


urlpatterns = [path("gifts", give)]

if __name__ == "__main__":
    prepare()
else:
    from django.core.wsgi import get_wsgi_application

    application = get_wsgi_application()
