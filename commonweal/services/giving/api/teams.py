"""Teams: people who give together, the page of each, and greetings."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Path, Router, Schema, Status
from pydantic import Field

from commonweal.kernel.doors import Amount, Body
from commonweal.kernel.parties import session
from commonweal.kernel.quantity import Asset
from commonweal.services.giving.actions import team_pages
from commonweal.services.giving.actions import teams as actions
from commonweal.services.giving.api.shapes import Made
from commonweal.services.giving.queries import campaigns
from commonweal.services.giving.queries import teams as queries
from commonweal.services.giving.rules import teams as rules

router = Router()


class Team(Schema):
    """A team. `people` and `amount` as they were told at `told_at`, in steps of three people or more; null before.

    `organiser` is "" unless who founded it wishes to be named; `closes_at` is when it has closed or will.
    """

    id: uuid.UUID
    name: str
    people: int | None
    amount: Amount | None
    told_at: datetime | None
    story: str
    goal: Amount | None
    organiser: str
    closes_at: datetime | None
    open: bool

    @classmethod
    def of(cls, team: queries.Team, asset: Asset) -> Team:
        return cls(
            id=team.id,
            name=team.name,
            people=team.people,
            amount=None if team.amount is None else Amount.of(team.amount, asset),
            told_at=team.told_at,
            story=team.page.story,
            goal=None if team.page.goal is None else Amount.of(team.page.goal, asset),
            organiser=team.page.organised_by,
            closes_at=team.closes_at,
            open=team.is_open,
        )


class Greeting(Schema):
    """What somebody who gave has written: without a name, an amount and a time."""

    id: uuid.UUID
    words: str


class TeamPage(Team):
    """A team with its greetings, the newest first."""

    greetings: list[Greeting]


class TeamTold(Body):
    """What is told of a team; the organiser's name is shown only if `named`."""

    story: Annotated[str, Field(max_length=rules.LONGEST_STORY)] = ""
    goal: Amount | None = None
    ends_at: datetime | None = None
    organiser: Annotated[str, Field(max_length=rules.LONGEST)] = ""
    named: bool = False

    def page(self, asset: Asset) -> rules.Page:
        """The same, for the rules."""
        goal = None if self.goal is None else self.goal.read(asset)
        return rules.Page(self.story, goal, self.ends_at, self.organiser, self.named)


class NewTeam(TeamTold):
    """The name is public."""

    name: Annotated[str, Field(max_length=rules.LONGEST)]


class NewGreeting(Body):
    """A greeting is public."""

    greeting: Annotated[str, Field(max_length=rules.LONGEST_GREETING)]


class Hiding(Body):
    """Why it is hidden; its own writer needs no reason."""

    note: Annotated[str, Field(max_length=1000)] = ""


@router.get("/campaigns/{uuid:campaign}/teams", response=list[Team], auth=None, summary="Teams of a campaign")
def teams(request: HttpRequest, campaign: Annotated[uuid.UUID, Path()]) -> list[Team]:
    """The newest hundred."""
    asset = campaigns.card(campaign).asset
    return [Team.of(each, asset) for each in queries.teams(campaign)]


@router.post("/campaigns/{uuid:campaign}/teams", response={201: Made}, summary="Found a team")
def found(request: HttpRequest, campaign: Annotated[uuid.UUID, Path()], team: NewTeam) -> Status[Made]:
    """Gifts name it with `team`."""
    founder, page = session.signed_in(request), team.page(campaigns.card(campaign).asset)
    return Status(201, Made(id=actions.found(founder, campaign, team.name, page)))


@router.get("/campaigns/{uuid:campaign}/teams/{uuid:team}", response=TeamPage, auth=None, summary="A team")
def team(request: HttpRequest, campaign: Annotated[uuid.UUID, Path()], team: Annotated[uuid.UUID, Path()]) -> TeamPage:
    """With its greetings."""
    found, asset = queries.one(campaign, team), campaigns.card(campaign).asset
    said = [Greeting(id=each.id, words=each.words) for each in queries.greetings(found)]
    return TeamPage(**Team.of(found, asset).model_dump(), greetings=said)


@router.put("/campaigns/{uuid:campaign}/teams/{uuid:team}", response={204: None}, summary="Tell something else of it")
def rewrite(
    request: HttpRequest, campaign: Annotated[uuid.UUID, Path()], team: Annotated[uuid.UUID, Path()], told: TeamTold
) -> Status[None]:
    """Only who founded it, while it is open."""
    page = told.page(campaigns.card(campaign).asset)
    team_pages.rewrite(session.signed_in(request), campaign, team, page)
    return Status(204, None)


@router.post("/campaigns/{uuid:campaign}/teams/{uuid:team}/end", response={204: None}, summary="Close a team")
def close(
    request: HttpRequest, campaign: Annotated[uuid.UUID, Path()], team: Annotated[uuid.UUID, Path()]
) -> Status[None]:
    """Only who founded it; it is not opened again."""
    team_pages.close(session.signed_in(request), campaign, team)
    return Status(204, None)


@router.post("/campaigns/{uuid:campaign}/gifts/{uuid:gift}/greeting", response={204: None}, summary="Greet a team")
def greet(
    request: HttpRequest, campaign: Annotated[uuid.UUID, Path()], gift: Annotated[uuid.UUID, Path()], said: NewGreeting
) -> Status[None]:
    """Once for each gift that was given with a team."""
    team_pages.greet(session.signed_in(request), campaign, gift, said.greeting)
    return Status(204, None)


@router.post(
    "/campaigns/{uuid:campaign}/greetings/{uuid:greeting}/hide", response={204: None}, summary="Hide a greeting"
)
def hide_greeting(
    request: HttpRequest, campaign: Annotated[uuid.UUID, Path()], greeting: Annotated[uuid.UUID, Path()], hidden: Hiding
) -> Status[None]:
    """For its writer, the team's founder and stewards."""
    team_pages.hide_greeting(session.signed_in(request), campaign, greeting, hidden.note)
    return Status(204, None)
