"""The demonstration world: people with sign-ins, and whatever the services make through their own actions."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

from commonweal.kernel.registry import services
from commonweal.kernel.text import Text
from commonweal.operation.database import setup

PASSWORD = "commonweal-demo"  # noqa: S105 (printed on purpose: everything in the demonstration is made up)

SIGN_INS = {
    "giver@demo.example": Text("a giver", "捐助人"),
    "company@demo.example": Text("a company's officer", "企业代表"),
    "charity@demo.example": Text("a charity's officer", "慈善组织工作人员"),
    "teacher@demo.example": Text("a village teacher", "乡村教师"),
    "steward@demo.example": Text("a steward", "审核员"),
    "steward2@demo.example": Text("another steward", "另一位审核员"),
    "steward3@demo.example": Text("a third steward", "第三位审核员"),
    "steward4@demo.example": Text("a fourth steward", "第四位审核员"),
}


def people() -> None:
    """Make the sign-ins; making them twice is making them once."""
    from allauth.account.models import EmailAddress
    from django.contrib.auth.hashers import make_password
    from django.db import transaction

    from commonweal.kernel.parties import people as parties
    from commonweal.kernel.parties.models import Login

    password = make_password(PASSWORD)
    with transaction.atomic():
        for address, role in SIGN_INS.items():
            if Login.objects.filter(email=address).exists():
                continue
            party = parties.register_person(name=str(role))
            login = Login.objects.create(party=party, email=address, password=password)
            EmailAddress.objects.create(user=login, email=address, verified=True, primary=True)
            if "steward" in address:
                parties.grant_role(party, parties.STEWARD)


def seed() -> None:
    """Make the world; every part of it is idempotent, so an interrupted seeding goes on where it stopped."""
    people()
    for service in services():
        name = f"commonweal.services.{service.name}.seed"
        if importlib.util.find_spec(name):
            print(f"Seeding {service.name}…", file=sys.stderr)  # noqa: T201
            importlib.import_module(name).seed()


def seed_if_empty(home: Path) -> None:
    """Make the world if nobody is here yet, or if its making was cut off. Looked at once in a data directory's life."""
    done = home / "seeded"
    if done.exists():
        return
    setup()
    from commonweal.kernel.parties.models import Login

    if not Login.objects.exclude(email__in=SIGN_INS).exists():
        seed()
    done.touch()
