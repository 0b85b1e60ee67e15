"""How the tests open the pages of giving (see tests/browser/samples.py)."""

from __future__ import annotations

from tests.browser.samples import Sample

GIVER, CHARITY, STEWARD = "giver@demo.example", "charity@demo.example", "steward@demo.example"
GIFT = """SELECT p.book, p.gift FROM giving_payment AS p JOIN giving_gift AS g ON g.book = p.book AND g.id = p.gift
    JOIN parties_login AS login ON login.party_id = g.giver
    WHERE login.email = 'giver@demo.example' ORDER BY p.start LIMIT 1"""
OPEN = "SELECT id FROM giving_campaign WHERE title_en LIKE 'A music teacher%' LIMIT 1"
CLOSED = "SELECT id FROM giving_campaign WHERE title_en LIKE 'New planks%' LIMIT 1"
ASKED = """SELECT r.book, r.id FROM giving_request AS r
    LEFT JOIN giving_payout AS p ON p.book = r.book AND p.request = r.id WHERE p.request IS NULL LIMIT 1"""
PAID = "SELECT book, request FROM giving_payout LIMIT 1"
CHARITY_ID = "SELECT organisation_id FROM giving_campaign WHERE kind = 'campaign' LIMIT 1"
INVOICE = "SELECT charity, year, number FROM giving_pledge LIMIT 1"
HELD = "SELECT id FROM giving_campaign WHERE title_en LIKE 'After the flood%'"
RECURRING = "SELECT book, id FROM giving_recurring LIMIT 1"
USED = "SELECT book, request, after FROM giving_use WHERE answered_at IS NULL LIMIT 1"
SHOWN = "SELECT appeal FROM giving_appeal_word WHERE shows LIMIT 1"

ENDED = "SELECT id FROM giving_campaign WHERE kind = 'campaign' AND closes_at < now() LIMIT 1"
CASE = "SELECT id FROM giving_case ORDER BY at LIMIT 1"
POOL = "SELECT book, id FROM giving_pool LIMIT 1"
DRAWN = """SELECT p.book, p.id, g.id FROM giving_pool AS p JOIN giving_gift AS g
    ON g.book = p.book AND g.at >= p.opens_at AND g.at < p.closes_at AND g.channel <> 'matching'
    WHERE p.rules ? 'seed' ORDER BY g.at LIMIT 1"""
SPONSORSHIP = "SELECT campaign, id FROM giving_sponsorship LIMIT 1"
THREAD = "SELECT book, id FROM giving_thread LIMIT 1"

CARD = "SELECT book, card FROM giving_card_payment LIMIT 1"
TEAM = "SELECT book, id FROM giving_team LIMIT 1"
GREETED = """SELECT m.book, m.gift FROM giving_team_gift m JOIN giving_gift g ON g.book = m.book AND g.id = m.gift
    JOIN parties_login AS login ON login.party_id = g.giver WHERE login.email = 'giver@demo.example' LIMIT 1"""
VENDOR = "SELECT party FROM giving_vendor LIMIT 1"
ORDER = "SELECT book, request FROM giving_order LIMIT 1"
ORDERED = "SELECT book FROM giving_order LIMIT 1"

BANK = "SELECT id FROM giving_bank ORDER BY at, id LIMIT 1"
BANK_MONTH = """SELECT id, extract(year FROM at AT TIME ZONE 'Asia/Shanghai')::int,
    extract(month FROM at AT TIME ZONE 'Asia/Shanghai')::int FROM giving_bank ORDER BY at, id LIMIT 1"""
LISTING = "SELECT bank, id FROM giving_listing ORDER BY at, id LIMIT 1"
TO_CONFIRM = """SELECT e.book, e.id FROM giving_exchange AS e
    LEFT JOIN giving_exchange_end AS d ON d.book = e.book AND d.id = e.id WHERE d.id IS NULL LIMIT 1"""
DISPUTED = "SELECT book, id FROM giving_exchange_dispute LIMIT 1"
CLEARING = "SELECT id FROM giving_clearing LIMIT 1"
TEACHER = "teacher@demo.example"

SAMPLES = {
    "giving:banks": [Sample(), Sample(visitor=CHARITY)],
    "giving:timebank": [Sample(BANK), Sample(BANK, visitor=GIVER), Sample(BANK, visitor=CHARITY)],
    "giving:bank_account": Sample(BANK, visitor=GIVER),
    "giving:bank_members": [Sample(BANK, visitor=GIVER), Sample(BANK, visitor=TEACHER)],
    "giving:bank_allies": [Sample(BANK), Sample(BANK, visitor=TEACHER)],
    "giving:board": [Sample(BANK), Sample(BANK, visitor=GIVER)],
    "giving:listing": [Sample(LISTING), Sample(LISTING, visitor=GIVER), Sample(LISTING, visitor=TEACHER)],
    "giving:bank_reports": Sample(BANK),
    "giving:bank_report": Sample(BANK_MONTH),
    "giving:bank_report_csv": Sample(not_a_page="a file"),
    "giving:exchange": [Sample(TO_CONFIRM, visitor=GIVER), Sample(DISPUTED, visitor=STEWARD)],
    "giving:clearing": Sample(CLEARING),
    "giving:clearing_statement": Sample(not_a_page="a file"),
    "giving:qualification": Sample(CHARITY_ID, visitor=CHARITY),
    "giving:plan": Sample(CHARITY_ID, visitor=CHARITY),
    "giving:vendor": Sample(VENDOR),
    "giving:arrival": Sample(not_a_page="its address is a signed link: opened in test_orders"),
    "giving:orders": [Sample(ORDERED), Sample(ORDERED, visitor=CHARITY)],
    "giving:order_new": Sample(
        "SELECT c.id, v.party FROM giving_campaign c, giving_vendor v WHERE c.kind = 'campaign' "
        "AND c.title_en LIKE 'A music teacher%' LIMIT 1",
        visitor=CHARITY,
    ),
    "giving:order": [Sample(ORDER), Sample(ORDER, visitor=CHARITY)],
    "giving:order_invoice": Sample(not_a_page="takes POST only"),
    "giving:order_cancel": Sample(not_a_page="takes POST only"),
    "giving:arrival_evidence": Sample(not_a_page="a file"),
    "giving:use_by_link": Sample(not_a_page="its address is a signed link: opened in test_uses"),
    "giving:mark": Sample(not_a_page="takes POST only"),
    "giving:years": Sample(CHARITY_ID, visitor=CHARITY),
    "giving:stop": Sample(OPEN, visitor=STEWARD),
    "giving:leftover": Sample(ENDED, visitor=CHARITY),
    "giving:repay": Sample(OPEN, visitor=CHARITY),
    "giving:pools": [Sample(OPEN), Sample(OPEN, visitor=CHARITY)],
    "giving:pool": [
        Sample(POOL),
        Sample(POOL, visitor=STEWARD),
        *(
            Sample(f"SELECT book, id FROM giving_pool WHERE rules->'scheme'->>'name' = '{name}'")
            for name in ("random-boost", "pro-rata", "one-plus-x")
        ),
    ],
    "giving:pool_file": Sample(not_a_page="a file"),
    "giving:pool_judge": Sample(not_a_page="takes POST only"),
    "giving:draw": [Sample(DRAWN), Sample(DRAWN, visitor=GIVER)],
    "giving:schemes": Sample(),
    "giving:cases": Sample(visitor=STEWARD),
    "giving:case": Sample(CASE, visitor=STEWARD),
    "giving:object_to": Sample(not_a_page="takes POST only"),
    "giving:settlements": Sample(visitor=STEWARD),
    "giving:sponsors": [Sample(OPEN), Sample(OPEN, visitor="company@demo.example")],
    "giving:sponsorship": [Sample(SPONSORSHIP), Sample(SPONSORSHIP, visitor=CHARITY)],
    "giving:taxpayer": Sample(visitor=GIVER),
    "giving:statement": Sample((2026,), visitor=GIVER),
    "giving:printed": Sample(GIFT, visitor=GIVER),
    "giving:company": Sample(visitor=CHARITY),
    "giving:company_report": Sample(
        "SELECT id, 2026 FROM parties_party WHERE registration = 'DEMO-TEA-0001'", visitor="company@demo.example"
    ),
    "giving:company_statement": Sample(
        "SELECT id, 2026 FROM parties_party WHERE registration = 'DEMO-TEA-0001'", visitor="company@demo.example"
    ),
    "giving:company_taxpayer": Sample(
        "SELECT id FROM parties_party WHERE registration = 'DEMO-TEA-0001'", visitor="company@demo.example"
    ),
    "giving:partners": [Sample(OPEN), Sample(OPEN, visitor=CHARITY), Sample(OPEN, visitor="company@demo.example")],
    "giving:partner_answer": Sample(not_a_page="takes POST only"),
    "giving:join": Sample(not_a_page="its address is a signed link: opened in test_givers"),
    "giving:follow": Sample(not_a_page="takes POST only"),
    "giving:iati": Sample(not_a_page="a file"),
    "giving:threesixty": Sample(not_a_page="a file"),
    "giving:feed": Sample(not_a_page="a feed"),
    "giving:webhooks": Sample(OPEN, visitor=GIVER),
    "giving:invoice_ask": [Sample(OPEN, visitor="company@demo.example"), Sample(OPEN, visitor=GIVER)],
    "giving:invoice": Sample(INVOICE, visitor="company@demo.example"),
    "giving:bank": Sample(CHARITY_ID, visitor=CHARITY),
    "giving:redeem": Sample(visitor=GIVER),
    "giving:card_buy": [Sample(OPEN, visitor=GIVER), Sample(HELD, visitor=GIVER)],
    "giving:card": Sample(CARD, visitor="company@demo.example"),
    "giving:card_refund": Sample(CARD, visitor=STEWARD),
    "giving:recurring": Sample(RECURRING, visitor=GIVER),
    "giving:recurring_begin": Sample(not_a_page="leads to the campaign"),
    "giving:agree": Sample(not_a_page="its address is a signed wish: opened in test_recurring"),
    "giving:money": Sample(OPEN),
    "giving:needs": [Sample(OPEN), Sample(OPEN, visitor=GIVER), Sample(OPEN, visitor=CHARITY)],
    "giving:use": Sample(USED, visitor=CHARITY),
    "giving:act": Sample(not_a_page="takes POST only"),
    "giving:call": Sample(not_a_page="takes POST only"),
    "giving:shift": Sample(not_a_page="takes POST only"),
    "giving:gifts_csv": Sample(not_a_page="a file"),
    "giving:payouts_csv": Sample(not_a_page="a file"),
    "giving:appeal_ask": Sample(visitor=GIVER),
    "giving:appeal": [Sample(SHOWN), Sample(SHOWN, visitor=STEWARD), Sample(SHOWN, visitor=CHARITY)],
    "giving:appeal_paper": Sample(not_a_page="a file"),
    "giving:appeal_judge": Sample(not_a_page="takes POST only"),
    "giving:appeal_adopt": Sample(not_a_page="takes POST only"),
    "giving:appeal_withdraw": Sample(not_a_page="takes POST only"),
    "giving:campaigns": [Sample(), Sample(query="?q=zzzz"), Sample(query="?state=all")],
    "giving:campaign": [Sample(OPEN), Sample(CLOSED)],
    "giving:organisation": Sample(CHARITY_ID),
    "giving:mine": [Sample(), Sample(visitor=GIVER)],
    "giving:gift": Sample(GIFT, visitor=GIVER),
    "giving:refund": Sample(GIFT, visitor=STEWARD),
    "giving:returns": Sample(visitor=STEWARD),
    "giving:charity": Sample(visitor=CHARITY),
    "giving:tell": Sample(OPEN, visitor=CHARITY),
    "giving:ask": Sample(OPEN, visitor=CHARITY),
    "giving:payout": [Sample(PAID, visitor=GIVER), Sample(ASKED, visitor=STEWARD)],
    "giving:messages": Sample(visitor=GIVER),
    "giving:write": [Sample(OPEN, visitor=GIVER), Sample(OPEN, visitor=CHARITY)],
    "giving:thread": [Sample(THREAD, visitor=GIVER), Sample(THREAD, visitor=CHARITY)],
    "giving:call_steward": Sample(not_a_page="takes POST only"),
    "giving:thread_judge": Sample(not_a_page="takes POST only"),
    "giving:calls": Sample(visitor=STEWARD),
    "giving:views": Sample(visitor=STEWARD),
    "giving:risks": Sample(visitor=STEWARD),
    "giving:risk_notes": Sample(CHARITY_ID, visitor=STEWARD),
    "giving:inbox": Sample(CHARITY_ID, visitor=CHARITY),
    "giving:thank": Sample(OPEN, visitor=CHARITY),
    "giving:teams": [Sample(OPEN), Sample(OPEN, visitor=GIVER)],
    "giving:team": [Sample(TEAM), Sample(TEAM, visitor=STEWARD), Sample(TEAM, visitor="teacher@demo.example")],
    "giving:team_edit": Sample(TEAM, visitor="teacher@demo.example"),
    "giving:team_close": Sample(not_a_page="takes POST only"),
    "giving:team_poster": Sample(TEAM),
    "giving:greeting_hide": Sample(not_a_page="takes POST only"),
    "giving:greet": Sample(GREETED, visitor=GIVER),
    "giving:team_hide": Sample(not_a_page="takes POST only"),
    "giving:incomes": Sample(visitor=STEWARD),
    "giving:income_judge": Sample(not_a_page="takes POST only"),
    "giving:control": Sample(visitor=STEWARD),
    "giving:announcement_end": Sample(not_a_page="takes POST only"),
    "giving:give": Sample(not_a_page="leads to the campaign"),
    "giving:pay": Sample(not_a_page="its address is a signed order: walked in test_journeys"),
    "giving:grant": Sample(not_a_page="the demonstration has no grants: opened in test_grants"),
    "giving:receipt": Sample(not_a_page="a file"),
    "giving:judge": Sample(not_a_page="takes POST only"),
    "giving:evidence": Sample(not_a_page="a file"),
}
