from __future__ import annotations

from django.test import Client

from commonweal.kernel import clock
from commonweal.services.forest.actions import days
from commonweal.services.forest.queries import partners as queries
from commonweal.services.forest.queries import sources
from commonweal.services.forest.tests.conftest import DAY, NOW, Forest, signed_in

KEY = "MCowBQYDK2VwAyEA"
PUBLIC = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="  # RFC 8032, 7.1, test 1


def test_a_partner_sees_sums_and_reasons_and_nobody(forest_at_noon: Forest) -> None:
    f = forest_at_noon
    f.partner.send([f.ride("ok-1", f.li), f.ride("ok-1", f.li), f.ride("bad-1", f.li, metres=0), "x"], NOW)
    source = f.partner.source.id
    totals = queries.totals(source)
    assert (totals.credited, totals.repeated, totals.refused, totals.grams) == (1, 1, 2, 418)
    assert totals.connected is None  # two people: too few to tell
    assert {(each.code, each.times, each.event) for each in queries.refusals(source)} == {
        ("deed.quantity", 1, "bad-1"),
        ("deed.form", 1, ""),
    }
    with clock.stopped(NOW + DAY):
        days.close_days()
        assert [each.people for each in queries.days(source)] == [None]
        page = signed_in(f.partner.officer).get("/en/forest/partner/").content.decode()
    assert "deed.quantity" in page and "bad-1" in page and "too few people to tell" in page
    for who in (f.li, f.wang):
        assert str(who.id) not in page and str(f.names[who.id]) not in page


def test_keys_are_added_and_ended_by_officers_alone(forest_at_noon: Forest) -> None:
    f = forest_at_noon
    officer = signed_in(f.partner.officer)
    form = {"source": "test-metro", "public": PUBLIC}
    assert signed_in(f.li).post("/en/forest/partner/", form).status_code == 404
    assert officer.post("/en/forest/partner/", form | {"public": KEY}).status_code == 422
    assert officer.post("/en/forest/partner/", form).status_code == 303
    assert officer.post("/en/forest/partner/", form).status_code == 409
    key = str(queries.keys(f.partner.source.id)[0].id)
    for wrong in ("", "x", "00000000-0000-4000-8000-000000000000"):
        ended = officer.post("/en/forest/partner/", {"source": "test-metro", "word": "revoke", "key": wrong})
        assert ended.status_code == 404
    assert (
        officer.post("/en/forest/partner/", {"source": "test-metro", "word": "revoke", "key": key}).status_code == 303
    )
    assert sources.signer(queries.keys(f.partner.source.id)[0].id) is None
    assert Client().get("/en/forest/partner/").status_code == 303


def test_a_steward_lets_partners_in(forest_at_noon: Forest) -> None:
    f = forest_at_noon
    form = {"organisation": str(f.partner.source.party), "key": "bikes", "title_zh": "单车", "grade": "B"}
    steward = signed_in(f.steward)
    assert signed_in(f.partner.officer).post("/en/forest/partners/", form).status_code == 403
    for wrong in (
        {"grade": "C"},
        {"key": "!"},
        {"organisation": "x"},
        {"organisation": str(f.li.id)},
        {"title_zh": ""},
    ):
        assert steward.post("/en/forest/partners/", form | wrong).status_code == 422, wrong
    assert steward.post("/en/forest/partners/", form).status_code == 303
    assert "单车" in steward.get("/zh/forest/partners/").content.decode()
    assert {source.key for source in sources.partners()} == {"bikes", "test-metro"}
