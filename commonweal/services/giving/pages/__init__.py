"""The pages of giving, one module for each kind of reader."""

from __future__ import annotations

from django.urls import path

from commonweal.services.giving.pages import (
    appeals,
    campaigns,
    charity,
    exports,
    gifts,
    givers,
    grants,
    opendata,
    stewards,
)

app_name = "giving"
urlpatterns = [
    path("", campaigns.campaigns, name="campaigns"),
    path("books/", campaigns.books, name="books"),
    path("iati.xml", opendata.iati, name="iati"),
    path("360giving.json", opendata.threesixty, name="threesixty"),
    path("organisations/<uuid:organisation>/", grants.organisation, name="organisation"),
    path("grants/", grants.grants, name="grants"),
    path("grants/<uuid:programme>/<uuid:grant>/", grants.grant, name="grant"),
    path("mine/", gifts.mine, name="mine"),
    path("mine/receipts/", givers.taxpayer, name="taxpayer"),
    path("mine/<int:year>/", givers.statement, name="statement"),
    path("company/", givers.company, name="company"),
    path("company/join/<str:link>/", givers.join, name="join"),
    path("pay/<str:token>/", gifts.pay, name="pay"),
    path("appeals/", appeals.appeals, name="appeals"),
    path("appeals/ask/", appeals.ask, name="appeal_ask"),
    path("appeals/<uuid:appeal>/", appeals.appeal, name="appeal"),
    path("appeals/<uuid:appeal>/judge/", appeals.judge, name="appeal_judge"),
    path("appeals/<uuid:appeal>/adopt/", appeals.adopt, name="appeal_adopt"),
    path("appeals/<uuid:appeal>/withdraw/", appeals.withdraw, name="appeal_withdraw"),
    path("appeals/<uuid:appeal>/papers/<int:number>/", appeals.paper, name="appeal_paper"),
    path("charity/", charity.console, name="charity"),
    path("payouts/", stewards.payouts, name="payouts"),
    path("mismatches/", stewards.mismatches, name="mismatches"),
    path("<uuid:campaign>/", campaigns.campaign, name="campaign"),
    path("<uuid:campaign>/give/", gifts.give, name="give"),
    path("<uuid:campaign>/gifts/<uuid:gift>/", gifts.gift, name="gift"),
    path("<uuid:campaign>/gifts/<uuid:gift>/receipt", gifts.receipt, name="receipt"),
    path("<uuid:campaign>/gifts/<uuid:gift>/print/", givers.printed, name="printed"),
    path("<uuid:campaign>/updates.atom", opendata.feed, name="feed"),
    path("<uuid:campaign>/follow/", givers.follow, name="follow"),
    path("<uuid:campaign>/gifts.csv", exports.gifts, name="gifts_csv"),
    path("<uuid:campaign>/payouts.csv", exports.payouts, name="payouts_csv"),
    path("<uuid:campaign>/tell/", charity.tell, name="tell"),
    path("<uuid:campaign>/ask/", charity.ask, name="ask"),
    path("<uuid:campaign>/payouts/<uuid:request_id>/", stewards.payout, name="payout"),
    path("<uuid:campaign>/payouts/<uuid:request_id>/judge/", stewards.judge, name="judge"),
    path("<uuid:campaign>/payouts/<uuid:request_id>/evidence/<int:number>/", stewards.evidence, name="evidence"),
]
