"""Tables of giving: what is told (here) and what is moved (in SQL, `migrations/0002_money.py`).

A campaign's id is its book. States are nowhere stored: they follow from the rows, see `rules`.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from commonweal.kernel import clock
from commonweal.kernel.ids import uuid7
from commonweal.kernel.parties.models import Party
from commonweal.kernel.text import Text
from commonweal.services.giving.rules.campaigns import Custody, Kind
from commonweal.services.giving.rules.fees import Bearer


class Organisation(models.Model):
    """What giving knows of an organisation beside its public name: a charity here, or one named in imported grants.

    `identifier` is what it is recognised by: its registration code, or its name within a publisher's files.
    """

    party = models.OneToOneField(Party, models.PROTECT, primary_key=True, related_name="+")
    identifier = models.CharField(max_length=460, unique=True)
    about_en = models.TextField(blank=True)
    about_zh = models.TextField(blank=True)
    contact = models.CharField(max_length=200, blank=True, help_text="how the public reaches it")
    sort_key = models.CharField(max_length=400, db_index=True, help_text="its name in pinyin")


class Campaign(models.Model):
    """A cause that takes gifts, or a funder's programme whose grants have been published."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organisation = models.ForeignKey(Party, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12)
    custody = models.CharField(max_length=12)
    fee_bearer = models.CharField(max_length=12, default=Bearer.CAMPAIGN, help_text="of the payment provider's fee")
    host_fee_numerator = models.IntegerField(default=0)
    host_fee_denominator = models.IntegerField(default=1)
    asset = models.CharField(max_length=16)
    cap = models.BigIntegerField(default=0, help_text="the largest single gift")
    topic = models.CharField(max_length=20)
    title_en = models.CharField(max_length=200)
    title_zh = models.CharField(max_length=200)
    summary_en = models.CharField(max_length=400, blank=True)
    summary_zh = models.CharField(max_length=400, blank=True)
    story_en = models.TextField(blank=True)
    story_zh = models.TextField(blank=True)
    place_en = models.CharField(max_length=100, blank=True)
    place_zh = models.CharField(max_length=100, blank=True)
    picture = models.CharField(max_length=64, blank=True, help_text="digest of an uploaded picture")
    drawing = models.CharField(max_length=40, blank=True, help_text="name of one of our own drawings")
    picture_en = models.CharField(max_length=200, blank=True, help_text="what the picture shows")
    picture_zh = models.CharField(max_length=200, blank=True)
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)
    stopped_for_en = models.CharField(max_length=400, blank=True)
    stopped_for_zh = models.CharField(max_length=400, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["organisation"]), models.Index(fields=["kind", "topic"])]
        constraints = [
            models.CheckConstraint(name="giving_campaign_period", condition=Q(closes_at__gt=F("opens_at"))),
            models.CheckConstraint(name="giving_campaign_cap", condition=Q(cap__gte=0)),
            models.CheckConstraint(name="giving_campaign_kind", condition=Q(kind__in=[kind.value for kind in Kind])),
            models.CheckConstraint(
                name="giving_campaign_custody", condition=Q(custody__in=[custody.value for custody in Custody])
            ),
            models.CheckConstraint(
                name="giving_campaign_fee",
                condition=Q(
                    fee_bearer__in=[bearer.value for bearer in Bearer],
                    host_fee_numerator__gte=0,
                    host_fee_denominator__gte=1,
                    host_fee_numerator__lte=F("host_fee_denominator"),
                ),
            ),
            models.CheckConstraint(
                name="giving_campaign_mirror_fee",
                condition=~Q(custody="mirror") | Q(fee_bearer="campaign", host_fee_numerator=0),
            ),
        ]

    @property
    def title(self) -> Text:
        """Its title in both languages."""
        return Text(self.title_en, self.title_zh)


class Filing(models.Model):
    """The filing of a campaign's plan with the authority: without one a campaign takes no gift."""

    campaign = models.OneToOneField(Campaign, models.PROTECT, primary_key=True, related_name="filing")
    number = models.CharField(max_length=60, unique=True)
    filed_at = models.DateTimeField()
    fact = models.UUIDField()


class Need(models.Model):
    """One line of a campaign's budget: so many things at such a price."""

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="needs")
    place = models.SmallIntegerField()
    what_en = models.CharField(max_length=200)
    what_zh = models.CharField(max_length=200)
    unit_en = models.CharField(max_length=40)
    unit_zh = models.CharField(max_length=40)
    price = models.BigIntegerField()
    quantity = models.IntegerField()

    class Meta:
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(name="giving_need_place", fields=["campaign", "place"]),
            models.CheckConstraint(name="giving_need_amounts", condition=Q(price__gt=0, quantity__gt=0)),
        ]


class Update(models.Model):
    """What the charity tells about the campaign. A report answers the law's clock of disclosure."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="updates")
    report = models.BooleanField(default=False)
    title_en = models.CharField(max_length=200)
    title_zh = models.CharField(max_length=200)
    body_en = models.TextField()
    body_zh = models.TextField()
    picture = models.CharField(max_length=64, blank=True)
    picture_en = models.CharField(max_length=200, blank=True)
    picture_zh = models.CharField(max_length=200, blank=True)
    by = models.ForeignKey(Party, models.PROTECT, related_name="+")
    fact = models.UUIDField()
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["campaign", "-at"])]
