"""The published form of a pool, from which anybody recomputes its matches: docs/reference/pool-file.md.

Money and rates are decimal strings, moments are UTC, unknown fields are refused. `write` gives the canonical bytes,
whose SHA-256 stands in the public log.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from commonweal.kernel.proof.verify import canonical
from commonweal.kernel.quantity import Asset, parse_amount
from commonweal.services.giving.matching import spelling
from commonweal.services.giving.matching.lots import RandomBoost, Tier
from commonweal.services.giving.matching.pool import Caps, Gift, Match, Pool, Scheme, Slice
from commonweal.services.giving.matching.proportional import Extra, OnePlusX, Proportional
from commonweal.services.giving.matching.schemes import SCHEMES
from commonweal.services.giving.matching.shares import PairwiseButerin, PairwiseGitcoin, ProRata, Quadratic, Scale

FORMAT = "commonweal-pool/1"
MAX_GIFTS = 5_000_000


@dataclass(frozen=True)
class PoolFile:
    """What a file says: the pool, its gifts in commit order, the moment it tells of, and the matches that it states."""

    pool: Pool
    gifts: tuple[Gift, ...]
    as_of: datetime
    matches: Mapping[str, int] | None = None

    def __post_init__(self) -> None:
        if self.pool.seed is not None and self.as_of < self.pool.closes:
            spelling.refuse(
                "seed.early", "seed", "The seed stays secret until the pool has closed.", "配捐结束之前，不能公布种子。"
            )
        for n, gift in enumerate(self.gifts):
            if gift.at > self.as_of:
                spelling.refuse(
                    "pool-file.future", f"gifts[{n}].at", "A gift is later than the file.", "捐款时间晚于文件时间。"
                )

    @property
    def final(self) -> bool:
        """Whether review is over, so that these matches are the ones that are paid."""
        return self.as_of >= self.pool.due

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical form, in hexadecimal."""
        return hashlib.sha256(write(self)).hexdigest()


def pseudonym(key: bytes, donor: str) -> str:
    """A donor's name within one pool: the same for all their gifts, and nobody's without the pool's secret key."""
    return hmac.digest(key, donor.encode(), "sha256")[:16].hex()


def parse(data: bytes) -> PoolFile:
    """Read a pool file. Raises `Invalid` with the field that is at fault."""
    top = spelling.an_object(
        spelling.load(data),
        "",
        "format pool asset exponent zone as_of scheme slices review_days gifts",
        "caps seed matches",
    )
    if top["format"] != FORMAT:
        spelling.refuse("pool-file.format", "format", f"This reads the format {FORMAT}.", f"只能读取 {FORMAT} 格式。")
    asset = spelling.an_asset(top["asset"], top["exponent"])
    caps = spelling.an_object(top.get("caps", {}), "caps", "", "gift donor_day project charity")
    seed = spelling.an_object(top["seed"], "seed", "commitment", "revealed") if "seed" in top else {}
    pool = Pool(
        name=spelling.matched(spelling.ID, top["pool"], "pool"),
        scheme=_scheme(top["scheme"], asset),
        slices=tuple(
            _slice(part, f"slices[{n}]", asset) for n, part in enumerate(spelling.a_list(top["slices"], "slices"))
        ),
        caps=Caps(**{name: parse_amount(cap, asset, field=f"caps.{name}") for name, cap in caps.items()}),
        asset=asset.code,
        exponent=asset.exponent,
        zone=spelling.zone(top["zone"]),
        review_days=spelling.whole(top["review_days"], "review_days"),
        commitment=bytes.fromhex(spelling.matched(spelling.HASH, seed["commitment"], "seed.commitment"))
        if seed
        else None,
        seed=bytes.fromhex(spelling.matched(spelling.HASH, seed["revealed"], "seed.revealed"))
        if "revealed" in seed
        else None,
    )
    gifts = spelling.a_list(top["gifts"], "gifts")
    if len(gifts) > MAX_GIFTS:
        spelling.refuse(
            "pool-file.too-many", "gifts", f"A file has {MAX_GIFTS} gifts at most.", f"最多 {MAX_GIFTS} 笔捐款。"
        )
    return PoolFile(
        pool,
        tuple(_gift(gift, n, asset) for n, gift in enumerate(gifts)),
        spelling.moment(top["as_of"], "as_of"),
        _matches(top["matches"], asset) if "matches" in top else None,
    )


def write(file: PoolFile) -> bytes:
    """The canonical bytes: JSON with sorted keys and no blanks, UTF-8, one way to write each value."""
    pool, asset = file.pool, spelling.an_asset(file.pool.asset, file.pool.exponent)
    value: dict[str, Any] = {
        "format": FORMAT,
        "pool": pool.name,
        "asset": pool.asset,
        "exponent": pool.exponent,
        "zone": spelling.written_zone(pool.zone),
        "as_of": spelling.written(file.as_of),
        "scheme": _written_scheme(pool.scheme, asset),
        "slices": [
            {
                "opens": spelling.written(part.opens),
                "closes": spelling.written(part.closes),
                "amount": spelling.money(part.amount, asset),
            }
            for part in pool.slices
        ],
        "review_days": pool.review_days,
        "gifts": [_written_gift(gift, asset) for gift in file.gifts],
    }
    if stated := pool.caps.stated():
        value["caps"] = {name: spelling.money(getattr(pool.caps, name), asset) for name in stated}
    if pool.commitment is not None:
        value["seed"] = {"commitment": pool.commitment.hex()}
        if pool.seed is not None:
            value["seed"]["revealed"] = pool.seed.hex()
    if file.matches is not None:
        value["matches"] = [
            {"gift": gift, "amount": spelling.money(amount, asset)} for gift, amount in sorted(file.matches.items())
        ]
    return canonical(value)


def differences(file: PoolFile, recomputed: Sequence[Match]) -> Iterable[tuple[str, int | None, int | None]]:
    """Gifts whose stated match is not the recomputed one: `(gift, stated, recomputed)`, in commit order.

    A gift that is not stated must have no match; a stated one must be in the file.
    """
    stated = dict(file.matches or {})
    for made in recomputed:
        if (said := stated.pop(made.gift, 0)) != made.amount:
            yield made.gift, said, made.amount
    for gift, said in stated.items():
        yield gift, said, None


# The scheme's parameters, each scheme's own.


def _scheme(value: Any, asset: Asset) -> Scheme:
    name = value.get("name") if isinstance(value, dict) else None
    if name == Proportional.name:
        return Proportional(spelling.rate(spelling.an_object(value, "scheme", "name rate")["rate"], "scheme.rate"))
    if name == OnePlusX.name:
        fields = spelling.an_object(value, "scheme", "name rate extras")
        extras = spelling.a_list(fields["extras"], "scheme.extras")
        return OnePlusX(
            spelling.rate(fields["rate"], "scheme.rate"),
            tuple(_extra(extra, f"scheme.extras[{n}]") for n, extra in enumerate(extras)),
        )
    if name == RandomBoost.name:
        fields = spelling.an_object(value, "scheme", "name chance rate minimum tiers")
        tiers = [
            spelling.an_object(tier, f"scheme.tiers[{n}]", "flowers low high")
            for n, tier in enumerate(spelling.a_list(fields["tiers"], "scheme.tiers"))
        ]
        return RandomBoost(
            chance=spelling.rate(fields["chance"], "scheme.chance"),
            rate=spelling.rate(fields["rate"], "scheme.rate"),
            minimum=parse_amount(fields["minimum"], asset, field="scheme.minimum"),
            tiers=tuple(
                Tier(
                    spelling.whole(tier["flowers"], f"scheme.tiers[{n}].flowers"),
                    spelling.rate(tier["low"], f"scheme.tiers[{n}].low"),
                    spelling.rate(tier["high"], f"scheme.tiers[{n}].high"),
                )
                for n, tier in enumerate(tiers)
            ),
        )
    if name == ProRata.name:
        most = spelling.an_object(value, "scheme", "name", "donor_most").get("donor_most")
        return ProRata(None if most is None else parse_amount(most, asset, field="scheme.donor_most"))
    if name == Quadratic.name:
        return Quadratic(_scale(spelling.an_object(value, "scheme", "name scale")["scale"]))
    if name in (PairwiseButerin.name, PairwiseGitcoin.name):
        fields = spelling.an_object(value, "scheme", "name bound scale")
        bound, scale = parse_amount(fields["bound"], asset, field="scheme.bound"), _scale(fields["scale"])
        if name == PairwiseButerin.name:
            return PairwiseButerin(bound, scale)
        return PairwiseGitcoin(bound, scale, 10**asset.exponent)
    known = ", ".join(scheme.name for scheme in SCHEMES)
    return spelling.refuse(
        "pool-file.scheme", "scheme", f"The scheme is one of {known}.", f"配捐方式须为 {known} 之一。"
    )


def _written_scheme(scheme: Scheme, asset: Asset) -> dict[str, Any]:
    value: dict[str, Any] = {"name": scheme.name}
    match scheme:
        case Proportional():
            value["rate"] = spelling.written_rate(scheme.rate)
        case OnePlusX():
            value |= {"rate": spelling.written_rate(scheme.rate), "extras": [_written_extra(x) for x in scheme.extras]}
        case RandomBoost():
            tiers = [
                {
                    "flowers": tier.flowers,
                    "low": spelling.written_rate(tier.low),
                    "high": spelling.written_rate(tier.high),
                }
                for tier in scheme.tiers
            ]
            value |= {
                "chance": spelling.written_rate(scheme.chance),
                "rate": spelling.written_rate(scheme.rate),
                "tiers": tiers,
            }
            value["minimum"] = spelling.money(scheme.minimum, asset)
        case ProRata():
            if scheme.donor_most is not None:
                value["donor_most"] = spelling.money(scheme.donor_most, asset)
        case Quadratic():
            value["scale"] = scheme.scale
        case PairwiseButerin() | PairwiseGitcoin():
            value |= {"bound": spelling.money(scheme.bound, asset), "scale": scheme.scale}
    return value


def _extra(value: Any, where: str) -> Extra:
    fields = spelling.an_object(value, where, "rate", "project opens closes team_of")
    return Extra(
        spelling.rate(fields["rate"], f"{where}.rate"),
        spelling.matched(spelling.ID, fields["project"], f"{where}.project") if "project" in fields else None,
        spelling.moment(fields["opens"], f"{where}.opens") if "opens" in fields else None,
        spelling.moment(fields["closes"], f"{where}.closes") if "closes" in fields else None,
        spelling.whole(fields["team_of"], f"{where}.team_of") if "team_of" in fields else None,
    )


def _written_extra(extra: Extra) -> dict[str, Any]:
    value: dict[str, Any] = {"rate": spelling.written_rate(extra.rate)}
    if extra.project is not None:
        value["project"] = extra.project
    if extra.opens is not None:
        value["opens"] = spelling.written(extra.opens)
    if extra.closes is not None:
        value["closes"] = spelling.written(extra.closes)
    if extra.team_of is not None:
        value["team_of"] = extra.team_of
    return value


# Parts of the file.


def _slice(value: Any, where: str, asset: Asset) -> Slice:
    fields = spelling.an_object(value, where, "opens closes amount")
    return Slice(
        spelling.moment(fields["opens"], f"{where}.opens"),
        spelling.moment(fields["closes"], f"{where}.closes"),
        parse_amount(fields["amount"], asset, field=f"{where}.amount"),
    )


_GIFT = frozenset({"id", "at", "donor", "project", "charity", "amount"})
_GIFT_MORE = frozenset({"refunded", "withheld", "team", "flowers"})


def _gift(value: Any, n: int, asset: Asset) -> Gift:
    if not isinstance(value, dict) or not _GIFT <= value.keys() <= _GIFT | _GIFT_MORE:
        spelling.an_object(value, f"gifts[{n}]", " ".join(sorted(_GIFT)), " ".join(sorted(_GIFT_MORE)))
    where = f"gifts[{n}]"
    amount = parse_amount(value["amount"], asset, field=f"{where}.amount")
    refunded = value.get("refunded")
    return Gift(
        spelling.matched(spelling.ID, value["id"], f"{where}.id"),
        spelling.moment(value["at"], f"{where}.at"),
        spelling.matched(spelling.ID, value["donor"], f"{where}.donor"),
        spelling.matched(spelling.ID, value["project"], f"{where}.project"),
        spelling.matched(spelling.ID, value["charity"], f"{where}.charity"),
        amount,
        0 if refunded is None else parse_amount(refunded, asset, field=f"{where}.refunded", minimum=0, maximum=amount),
        spelling.matched(spelling.CODE, value["withheld"], f"{where}.withheld") if "withheld" in value else "",
        spelling.matched(spelling.ID, value["team"], f"{where}.team") if "team" in value else "",
        spelling.whole(value["flowers"], f"{where}.flowers") if "flowers" in value else 0,
    )


def _written_gift(gift: Gift, asset: Asset) -> dict[str, Any]:
    value: dict[str, Any] = {
        "id": gift.id,
        "at": spelling.written(gift.at),
        "donor": gift.donor,
        "project": gift.project,
        "charity": gift.charity,
        "amount": spelling.money(gift.amount, asset),
    }
    if gift.refunded:
        value["refunded"] = spelling.money(gift.refunded, asset)
    if gift.withheld:
        value["withheld"] = gift.withheld
    if gift.team:
        value["team"] = gift.team
    if gift.flowers:
        value["flowers"] = gift.flowers
    return value


def _matches(value: Any, asset: Asset) -> dict[str, int]:
    found: dict[str, int] = {}
    for n, made in enumerate(spelling.a_list(value, "matches")):
        fields = spelling.an_object(made, f"matches[{n}]", "gift amount")
        gift = spelling.matched(spelling.ID, fields["gift"], f"matches[{n}].gift")
        if gift in found:
            spelling.refuse("pool-file.twice", f"matches[{n}].gift", "A match is stated twice.", "同一笔配捐出现两次。")
        found[gift] = parse_amount(fields["amount"], asset, field=f"matches[{n}].amount", minimum=0)
    return found


def _scale(value: Any) -> Scale:
    if value == "to-pool":
        return "to-pool"
    if value == "down-only":
        return "down-only"
    return spelling.refuse(
        "pool-file.form", "scheme.scale", "The scale is to-pool or down-only.", "scale 须为 to-pool 或 down-only。"
    )
