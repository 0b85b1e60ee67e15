"""Company gifts by invoice: numbers without gaps, references that forgive no slip, statements in and out of order."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel import clock
from commonweal.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from commonweal.kernel.jobs import run_due
from commonweal.kernel.ledger import audit
from commonweal.kernel.notices.inbox import inbox
from commonweal.kernel.parties import people
from commonweal.kernel.parties.models import Party
from commonweal.kernel.quantity import CNY
from commonweal.kernel.text import Text
from commonweal.services.giving.actions import givers as giver_actions
from commonweal.services.giving.actions import invoices as actions
from commonweal.services.giving.actions import payouts, thanks
from commonweal.services.giving.models import Campaign
from commonweal.services.giving.queries import campaigns, gifts
from commonweal.services.giving.queries import invoices as queries
from commonweal.services.giving.queries import thanks as thanks_queries
from commonweal.services.giving.rules import invoices as rules
from commonweal.services.giving.rules.gifts import State as GiftState
from commonweal.services.giving.rules.invoices import Account, BankLine, Outcome, State
from commonweal.services.giving.rules.plans import Asking
from commonweal.services.giving.rules.receipts import Taxpayer
from commonweal.services.giving.seed import paper
from commonweal.services.giving.tests.conftest import DAY, NOW, World, somebody

# Rules

numbers = st.integers(1, 999_999_999)
years = st.integers(2000, 2200)


@given(years, numbers, st.text("abcxyz 0123456789汇款-", max_size=12), st.sampled_from([" ", "", "-", "汇款"]))
def test_a_reference_is_found_wherever_the_bank_puts_it(year: int, number: int, before: str, after: str) -> None:
    written = rules.reference(year, number)
    assert rules.named(written) == (year, number)
    spaced = " ".join(written[place : place + 4] for place in range(0, len(written), 4))
    assert rules.named(f"{before}汇 {spaced.lower()}{after}") == (year, number)


@given(years, numbers, st.data())
def test_a_slip_of_the_pen_names_no_invoice(year: int, number: int, data: st.DataObject) -> None:
    written = rules.reference(year, number)
    place = data.draw(st.integers(2, len(written) - 1))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != written[place]]))
    slipped = written[:place] + other + written[place + 1 :]
    assert rules.named(slipped) is None
    swapped = written[: place - 1] + written[place] + written[place - 1] + written[place + 1 :]
    assert swapped == written or rules.named(swapped) is None or place == 2


def test_the_reference_of_the_standard() -> None:
    """ISO 11649's own example, RF18 5390 0754 7034, checks by the same remainder."""
    assert rules._remainder("539007547034" + "RF18") == 1


def test_a_statement_is_read_in_either_language_and_only_for_our_lines() -> None:
    ours = rules.reference(2026, 7)
    zh = f'\ufeff交易日期,金额,流水号,摘要,对方户名\n2026/11/20,"1,000.00",T1,捐款 {ours},某甲\n'
    zh += "2026-11-21,5.00,T2,工资,某乙\n"
    assert list(rules.statement(zh, CNY)) == [BankLine("T1", date(2026, 11, 20), 100_000, (2026, 7))]
    en = f"Date,Amount,Id,Text\n2026-11-20,-5.00,T3,{ours}\n"
    assert list(rules.statement(en, CNY)) == [], "money that leaves pays nothing"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("", r"statement\.columns"),
        ("date,amount,text\n", r"statement\.columns"),
        ("date,amount,id,text\nyesterday,5,T1,{}\n", r"statement\.line"),
        ("date,amount,id,text\n2026-11-20,1e3,T1,{}\n", r"statement\.line"),
        ("date,amount,id,text\n2026-11-20,5,,{}\n", r"statement\.line"),
        ("date,amount,id,text\n2026-11-20\n2026-11-20,,T1,{}\n", r"statement\.line"),
        ("date,amount,id,text\n" + "\n" * 20_001, r"statement\.too-long"),
        ("x" * 2_000_001, r"statement\.too-long"),
    ],
)
def test_a_statement_that_cannot_be_read_is_refused_whole(written: str, code: str) -> None:
    with pytest.raises(Invalid, match=code):
        list(rules.statement(written.format(rules.reference(2026, 1)), CNY))


# Actions


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.stopped(NOW):
        yield


@pytest.fixture
def company(world: World) -> tuple[Party, Party]:
    """A company and its officer; the charity has named its account."""
    officer = somebody("company@test.example")
    party = people.register_organisation(Text("Tea Works", "茶厂"), "91530000TEA0000001")
    people.grant_role(officer, people.OFFICER, party)
    actions.name_account(world.officer, world.charity, Account("山里基金会", "大理银行", "6222 0000-1111 2222"))
    return party, officer


def ask(world: World, company: tuple[Party, Party], amount: int = 50_000, key: str = "k") -> queries.Invoice:
    return actions.ask(company[1], company[0], world.campaign.id, amount, key)


def statement(*lines: tuple[str, str, str]) -> str:
    return "date,amount,id,text\n" + "".join(f"2026-11-25,{amount},{id},{text}\n" for amount, id, text in lines)


def again(world: World, invoice: queries.Invoice) -> queries.Invoice:
    return queries.one(world.officer.id, invoice.charity.id, invoice.year, invoice.number)


def test_promised_paid_and_a_receipt(world: World, company: tuple[Party, Party]) -> None:
    asked = ask(world, company)
    assert (asked.year, asked.number, asked.state, asked.due) == (2026, 1, State.OPEN, date(2026, 12, 25))
    assert ask(world, company).number == 1, "the same key is the same invoice"
    with pytest.raises(Conflict, match=r"key\.reused"):
        ask(world, company, 60_000)
    written = statement(("500.00", "T1", f"Gift {asked.reference}"), ("3.00", "T2", "rent"))
    assert actions.take_in(world.officer, world.charity, written) == {Outcome.PAID: 1}
    assert actions.take_in(world.officer, world.charity, written) == {}, "the same statement again changes nothing"
    paid = again(world, asked)
    assert paid.state is State.PAID and paid.gift is not None and paid.paid is not None
    gift = gifts.gift(world.campaign.id, paid.gift)
    assert (gift.amount, gift.giver, gift.state) == (50_000, company[0].id, GiftState.PAID)
    assert campaigns.card(world.campaign.id).raised == 50_000
    while run_due():
        pass
    assert any("2026-1" in message.title.zh for message in inbox(company[1]))
    with connection.cursor() as cursor:
        assert audit(cursor) == []
        cursor.execute("SELECT count(*) FROM giving_bank_line")
        assert cursor.fetchone() == (1,), "what names no invoice is not kept"


def test_whatever_is_not_equal_moves_nothing_and_is_listed(world: World, company: tuple[Party, Party]) -> None:
    first, second = ask(world, company), ask(world, company, key="l")
    actions.cancel(company[1], world.charity.id, 2026, second.number)
    lines = statement(
        ("499.99", "T1", first.reference),
        ("500.00", "T2", rules.reference(2026, 77)),
        ("500.00", "T3", second.reference),
    )
    assert actions.take_in(world.officer, world.charity, lines) == {
        Outcome.DIFFERS: 1, Outcome.UNKNOWN: 1, Outcome.REFUSED: 1,
    }  # fmt: skip
    assert campaigns.card(world.campaign.id).raised == 0
    assert {(line.id, line.outcome) for line in queries.frozen(world.charity.id)} == {
        ("T1", Outcome.DIFFERS), ("T2", Outcome.UNKNOWN), ("T3", Outcome.REFUSED),
    }  # fmt: skip
    assert again(world, first).state is State.OPEN
    assert actions.take_in(world.officer, world.charity, statement(("500.00", "T4", first.reference)))[Outcome.PAID]
    assert actions.take_in(world.officer, world.charity, statement(("500.00", "T5", first.reference))) == {
        Outcome.REFUSED: 1
    }, "paid twice is not given twice"


def test_money_that_comes_after_the_campaign_has_stopped_is_not_taken(
    world: World, company: tuple[Party, Party]
) -> None:
    asked = ask(world, company)
    Campaign.objects.filter(pk=world.campaign.id).update(stopped_at=NOW)
    assert actions.take_in(world.officer, world.charity, statement(("500.00", "T1", asked.reference))) == {
        Outcome.REFUSED: 1
    }
    assert again(world, asked).state is State.OPEN


def test_numbers_have_no_gaps_and_cancelled_ones_stay(world: World, company: tuple[Party, Party]) -> None:
    made = [ask(world, company, key=f"k{n}") for n in range(3)]
    actions.cancel(world.officer, world.charity.id, 2026, 2)
    actions.cancel(company[1], world.charity.id, 2026, 2)
    with pytest.raises(RuntimeError), transaction.atomic():
        ask(world, company, key="lost")
        raise RuntimeError
    assert ask(world, company, key="k4").number == 4
    assert [each.number for each in made] == [1, 2, 3]
    assert again(world, made[1]).state is State.CANCELLED
    actions.take_in(world.officer, world.charity, statement(("500.00", "T1", made[0].reference)))
    with pytest.raises(Conflict, match=r"invoice\.paid"):
        actions.cancel(company[1], world.charity.id, 2026, 1)
    with clock.stopped(NOW + 33 * DAY):
        assert again(world, made[2]).state is State.OVERDUE
        with pytest.raises(Conflict, match=r"campaign\."):
            ask(world, company, key="k5")


def test_a_new_year_begins_at_one(world: World, company: tuple[Party, Party]) -> None:
    Campaign.objects.filter(pk=world.campaign.id).update(closes_at=NOW + 100 * DAY)
    assert ask(world, company).number == 1
    with clock.stopped(NOW.replace(month=12, day=31, hour=16)):  # midnight has passed where people are
        found = ask(world, company, key="n")
    assert (found.year, found.number) == (2027, 1)


def test_who_may_and_who_may_not(world: World, company: tuple[Party, Party]) -> None:
    asked = ask(world, company)
    with pytest.raises(NotAllowed):
        actions.ask(world.giver, company[0], world.campaign.id, 500, "x")
    with pytest.raises(NotAllowed):
        actions.take_in(company[1], world.charity, statement())
    with pytest.raises(NotAllowed):
        actions.name_account(company[1], world.charity, Account("me", "my bank", "12345678"))
    with pytest.raises(NotFound, match=r"invoice\.unknown"):
        queries.one(world.giver.id, asked.charity.id, asked.year, asked.number)
    with pytest.raises(NotFound, match=r"campaign\.unknown"):
        actions.ask(company[1], company[0], uuid.uuid4(), 500, "x")
    for wrong in (date(2026, 11, 24), date(2027, 3, 1)):
        with pytest.raises(Invalid, match=r"invoice\.due"):
            actions.ask(company[1], company[0], world.campaign.id, 500, "x", wrong)


def test_the_account_is_append_only_and_an_invoice_keeps_its_own(world: World, company: tuple[Party, Party]) -> None:
    asked = ask(world, company)
    with pytest.raises(Invalid, match=r"account\.number"):
        actions.name_account(world.officer, world.charity, Account("a", "b", "12-34"))
    assert (
        actions.name_account(world.officer, world.charity, Account("山里基金会", "大理银行", "6222000011112222")) == 1
    )
    assert (
        actions.name_account(world.officer, world.charity, Account("山里基金会", "昆明银行", "6222000011113333")) == 2
    )
    assert again(world, asked).account.number == "6222000011112222"
    assert ask(world, company, key="n").account.bank == "昆明银行"


def test_a_charity_without_an_account_gets_no_invoice(world: World) -> None:
    officer = somebody("company@test.example")
    party = people.register_organisation(Text("Tea Works", "茶厂"))
    people.grant_role(officer, people.OFFICER, party)
    with pytest.raises(Invalid, match=r"invoice\.account"):
        actions.ask(officer, party, world.campaign.id, 500, "x")


# The database keeps it, too

INSERT = """
    INSERT INTO giving_pledge (charity, year, number, campaign, company, amount, due, account, key, by_party, fact,
                               at)
    SELECT charity, year, {number}, campaign, company, amount, due, account, 'raw', by_party, fact, at
    FROM giving_pledge WHERE number = 1"""


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        (INSERT.format(number=3), "leaves a gap"),
        (INSERT.format(number=1), "duplicate key"),
        ("DELETE FROM giving_pledge", "append-only"),
        ("UPDATE giving_pledge SET number = 9", "append-only"),
        ("INSERT INTO giving_pledge_end SELECT charity, year, number, gen_random_uuid(), by_party, fact, at "
         "FROM giving_pledge", "not paid by this gift"),
    ],
)  # fmt: skip
def test_raw_sql_is_held_too(world: World, company: tuple[Party, Party], sql: str, why: str) -> None:
    ask(world, company)
    with pytest.raises(IntegrityError, match=why), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


# Doors


def test_the_pages_of_both_sides(world: World, company: tuple[Party, Party], client: Client) -> None:
    form = f"/zh/giving/{world.campaign.id}/invoice/"
    client.force_login(company[1].login)
    assert "茶厂" in client.get(form).content.decode()
    sent: dict[str, Any] = {"company": str(company[0].id), "amount": "500", "key": "p1"}
    for wrong in ({"amount": "x"}, {"company": "x"}, {"due": "soon"}, {"due": "2020-01-01"}):
        assert client.post(form, sent | wrong).status_code == 422
    made = client.post(form, sent)
    sheet = client.get(made["Location"]).content.decode()
    for part in ("缴款通知单", "2026-1", "伍佰元整", "6222000011112222", "RF", "91530000TEA0000001", "不是税务票据"):
        assert part in sheet
    assert "2026-1" in client.get("/zh/giving/company/").content.decode()
    console = f"/zh/giving/invoices/{world.charity.id}/"
    assert client.get(console).status_code == 404, "the company need not know of the charity's console"
    client.force_login(world.officer.login)
    assert "2026-1" in client.get(console).content.decode()
    invoice = queries.of_charity(world.charity.id)[0]
    gb = f"日期,金额,流水号,摘要\n2026-11-25,500,T1,{invoice.reference} 捐款\n".encode("gb18030")
    answer = client.post(console, {"statement": SimpleUploadedFile("b.csv", gb)}).content.decode()
    assert "1 已付" in answer
    assert client.post(console, {"statement": SimpleUploadedFile("b.csv", b"x")}).status_code == 422
    assert client.post(console, {"holder": "", "bank": "b", "number": "1"}).status_code == 422
    receipt = client.get(made["Location"]).content.decode()
    assert "捐赠收据" in receipt and "本身不是捐赠票据" in receipt and "RF" not in receipt
    assert client.post(made["Location"]).status_code == 409
    client.force_login(world.giver.login)
    assert client.get(made["Location"]).status_code == 404


def test_programs_of_both_sides(world: World, company: tuple[Party, Party], client: Client) -> None:
    def call(method: str, path: str, by: Party, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {people.make_token(by, 'test')}", "Idempotency-Key": "i1"}
        return client.generic(method, f"/api/v1/giving{path}", json.dumps(body) if body else "",
                              content_type="application/json", headers=headers)  # fmt: skip

    wish = {"amount": "500.00", "asset": "CNY", "company": str(company[0].id)}
    made = call("POST", f"/campaigns/{world.campaign.id}/invoices", company[1], wish)
    assert (made.status_code, made.json()["state"], made.json()["number"]) == (201, "open", 1)
    address = f"/charities/{world.charity.id}/invoices/2026/1"
    assert call("GET", address, world.giver).status_code == 404
    assert call("GET", address, world.officer).json() == made.json()
    written = {"csv": statement(("499", "T1", made.json()["reference"]))}
    assert call("POST", f"/charities/{world.charity.id}/statements", company[1], written).status_code == 403
    came = call("POST", f"/charities/{world.charity.id}/statements", world.officer, written)
    assert came.json() == {"paid": 0, "differs": 1, "unknown": 0, "refused": 0}
    assert call("DELETE", address, company[1]).json()["state"] == "cancelled"
    missing = call("POST", f"/charities/{uuid.uuid4()}/statements", world.officer, written)
    assert missing.status_code == 404


# What becomes of it


def test_a_company_is_thanked_and_follows_its_gift_to_the_fen(
    world: World, company: tuple[Party, Party], client: Client
) -> None:
    party, officer = company
    asked = ask(world, company)
    actions.take_in(world.officer, world.charity, statement(("500.00", "T1", asked.reference)))
    second = somebody("second@test.example")
    people.grant_role(second, people.OFFICER, party)
    said = Text("Thank you.", "谢谢。")
    assert thanks_queries.people(world.campaign.id) == 1
    thanks.thank(world.officer, world.campaign.id, said, "t")
    payouts.lay(world.campaign.id)
    asking = Asking(30_000, Text("Six lessons", "六节课"), (paper("SAMPLE INVOICE", 4),))
    request = payouts.ask(world.officer, world.campaign.id, asking, "p")
    for steward in world.stewards:
        payouts.judge(steward, world.campaign.id, request, approves=True)
    payouts.pay(world.campaign.id, request)
    while run_due():
        pass
    for reader in (officer, second):
        kinds = [message.kind for message in inbox(reader)]
        assert kinds.count("giving.thanks") == 1, "each who acts for it, once"
        assert kinds.count("giving.gift") == kinds.count("giving.used") == 1
        assert any("300.00" in message.title.en for message in inbox(reader) if message.kind == "giving.used")
    gift = again(world, asked).gift
    assert gift is not None
    assert [(part.request, part.amount) for part in gifts.trace(world.campaign.id, gift)] == [(request, 30_000)]
    page, sheet = (f"/zh/giving/{world.campaign.id}/gifts/{gift}/{end}" for end in ("", "print/"))
    client.force_login(second.login)
    shown = client.get(page).content.decode()
    assert "六节课" in shown and "300.00" in shown and "茶厂" in shown and "给机构留言" not in shown
    printed = client.get(sheet).content.decode()
    assert "茶厂" in printed and "91530000TEA0000001" in printed and "伍佰元整" in printed
    for stranger in (world.giver, world.officer):
        client.force_login(stranger.login)
        assert client.get(page).status_code == client.get(sheet).status_code == 404


def test_a_companys_statement_and_its_tax_fields(world: World, company: tuple[Party, Party], client: Client) -> None:
    party, officer = company
    asked = ask(world, company)
    actions.take_in(world.officer, world.charity, statement(("500.00", "T1", asked.reference)))
    client.force_login(officer.login)
    address, fields = (f"/zh/giving/company/{party.id}/{end}/" for end in ("statement/2026", "receipts"))
    shown = client.get(address).content.decode()
    for part in ("茶厂", "91530000TEA0000001", "500.00", "大理山里公益基金会"):
        assert part in shown
    assert address in client.get("/zh/giving/company/").content.decode()
    assert client.get(f"/zh/giving/company/{party.id}/statement/1999/").status_code == 404
    assert client.post(fields, {"name": "昆明茶厂有限公司", "number": "short"}).status_code == 422
    assert client.post(fields, {"name": "昆明茶厂有限公司", "number": "91530000MA6K00000X"}).status_code == 303
    shown = client.get(address).content.decode()
    assert "昆明茶厂有限公司" in shown and "91530000MA6K00000X" in shown
    assert "昆明茶厂有限公司" in client.get(fields).content.decode()
    invoice = client.get(f"/zh/giving/invoices/{world.charity.id}/2026/1/").content.decode()
    assert address in invoice, "the invoice that is paid leads to it"
    with pytest.raises(NotAllowed):
        giver_actions.name_company(world.giver, party, Taxpayer("x", "1" * 18))
    client.force_login(world.giver.login)
    for path in (address, fields):
        assert client.get(path).status_code == 404
    client.force_login(world.officer.login)
    assert address not in client.get(f"/zh/giving/invoices/{world.charity.id}/2026/1/").content.decode()


def test_programs_of_a_company_read_its_statement_and_its_gift(
    world: World, company: tuple[Party, Party], client: Client
) -> None:
    asked = ask(world, company)
    actions.take_in(world.officer, world.charity, statement(("500.00", "T1", asked.reference)))
    gift = again(world, asked).gift

    def get(path: str, by: Party) -> Any:
        headers = {"Authorization": f"Bearer {people.make_token(by, 'test')}"}
        return client.get(f"/api/v1/giving{path}", headers=headers)

    (row,) = get(f"/companies/{company[0].id}/statement/2026", company[1]).json()
    assert (row["gift"], row["amount"]) == (str(gift), {"amount": "500.00", "asset": "CNY"})
    assert get(f"/companies/{company[0].id}/statement/2025", company[1]).json() == []
    assert get(f"/companies/{company[0].id}/statement/2026", world.giver).status_code == 403
    one = f"/campaigns/{world.campaign.id}/gifts/{gift}"
    assert get(one, company[1]).json()["state"] == "paid"
    assert get(one, world.giver).status_code == get(one, world.officer).status_code == 404
