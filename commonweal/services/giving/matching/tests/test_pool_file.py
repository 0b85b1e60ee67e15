"""The published form: strict, canonical, documented, and enough to compute every match again."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import io
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel.errors import Invalid
from commonweal.services.giving.matching import match, pool_file
from commonweal.services.giving.matching.pool_file import PoolFile, parse, pseudonym, write
from commonweal.services.giving.matching.tests.pools import AFTER_CLOSE, IN_ORDER, LOTS, caps_for, gift, gifts, pool
from tests.command import main

REFERENCE = Path(__file__).parents[5] / "docs" / "reference"
PAGE = (REFERENCE / "pool-file.md").read_text()
SCHEMA = jsonschema.Draft202012Validator(json.loads((REFERENCE / "pool-file.schema.json").read_text()))


def example() -> dict[str, Any]:
    """The example of the reference page."""
    found = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return dict(json.loads(found[1]))


def file_of(scheme: Any, **more: Any) -> PoolFile:
    made = pool(scheme, hours=2, **more)
    given = tuple(gift(n, 100 + n, "abcd"[n % 4], f"d{n % 5}", flowers=n * 10, team="m" * (n % 2)) for n in range(20))
    return PoolFile(made, given, made.due, {m.gift: m.amount for m in match(made, given)})


def run(tmp_path: Path, command: str, data: bytes) -> tuple[int, Any, str]:
    """A run of the command line: exit code, what it printed, what it said to the terminal."""
    path = tmp_path / "pool.json"
    path.write_bytes(data)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["giving", command, str(path)])
    return code, json.loads(out.getvalue()) if out.getvalue() else None, err.getvalue()


@given(st.sampled_from([*IN_ORDER, *AFTER_CLOSE]), st.data())
def test_reading_what_was_written_gives_the_same_and_the_schema_agrees(scheme: Any, data: Any) -> None:
    made = pool(scheme, hours=data.draw(st.integers(1, 3)), caps=data.draw(caps_for(scheme)))
    given_ = tuple(data.draw(gifts(8)))
    file = PoolFile(made, given_, made.due, {m.gift: m.amount for m in match(made, given_)})
    written = write(file)
    assert parse(written) == file
    assert write(parse(written)) == written
    assert file.digest == hashlib.sha256(written).hexdigest()
    SCHEMA.validate(json.loads(written))


def test_the_digest_does_not_depend_on_how_the_file_is_spelled() -> None:
    spelled = example()
    spelled["slices"][0]["amount"] = "100"
    spelled["slices"][0]["opens"] = "2026-09-09T01:00:00.000Z"
    assert parse(json.dumps(spelled, indent=8).encode()).digest == parse(json.dumps(example()).encode()).digest


def test_the_example_of_the_page_is_true(tmp_path: Path) -> None:
    SCHEMA.validate(example())
    code, verdict, _ = run(tmp_path, "recompute", json.dumps(example()).encode())
    assert (code, verdict["equal"], verdict["matched"]) == (0, True, "100.00")
    code, answer, _ = run(tmp_path, "match", json.dumps(example()).encode())
    assert code == 0
    assert {m["gift"]: m["amount"] for m in answer["matches"]} == {"g1": "50.00", "g2": "37.50", "g3": "12.50"}
    assert (answer["final"], answer["left"], answer["matches"][0]["limit"]) == (True, "0.00", "project")


def test_the_page_names_every_scheme_and_field() -> None:
    for scheme in [s["properties"]["name"] for s in SCHEMA.schema["properties"]["scheme"]["oneOf"]]:
        for name in scheme.get("enum", [scheme.get("const")]):
            assert f"`{name}`" in PAGE
    for field in SCHEMA.schema["properties"]:
        assert f"`{field}`" in PAGE


def test_one_fen_too_much_is_found(tmp_path: Path) -> None:
    wrong = example()
    wrong["matches"][1]["amount"] = "37.51"
    wrong["matches"][2] = {"gift": "g9", "amount": "12.50"}
    code, verdict, _ = run(tmp_path, "recompute", json.dumps(wrong).encode())
    assert code == 1
    assert verdict["differences"] == [
        {"gift": "g2", "stated": "37.51", "recomputed": "37.50"},
        {"gift": "g3", "stated": "0.00", "recomputed": "12.50"},
        {"gift": "g9", "stated": "12.50", "recomputed": None},
    ]


def test_a_file_that_states_nothing_cannot_be_compared(tmp_path: Path) -> None:
    silent = example()
    del silent["matches"]
    code, printed, said = run(tmp_path, "recompute", json.dumps(silent).encode())
    assert (code, printed) == (2, None)
    assert "配捐" in said


def test_lots_need_the_seed_and_the_seed_needs_the_close(tmp_path: Path) -> None:
    file = file_of(LOTS)
    value = json.loads(write(file))
    assert run(tmp_path, "recompute", write(file))[0] == 0
    revealed = value["seed"].pop("revealed")
    assert run(tmp_path, "match", json.dumps(value).encode())[0] == 1  # the state of things does not allow it yet
    value["seed"]["revealed"] = "00" * 32
    with pytest.raises(Invalid, match=r"seed\.mismatch"):
        parse(json.dumps(value).encode())
    value["seed"]["revealed"], value["as_of"] = revealed, value["slices"][0]["closes"]
    with pytest.raises(Invalid, match=r"seed\.early"):
        parse(json.dumps(value).encode())


def changed(*path: Any, to: Any = None, drop: bool = False) -> bytes:
    value = example()
    at: Any = value
    for step in path[:-1]:
        at = at[step]
    if drop:
        del at[path[-1]]
    else:
        at[path[-1]] = to
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    ("data", "code", "field"),
    [
        (b"", "pool-file.json", None),
        (b"[1", "pool-file.json", None),
        (b"\xff", "pool-file.json", None),
        (b"[" * 100_000, "pool-file.json", None),
        (b'{"format":1,"format":2}', "pool-file.json", None),
        (b'{"gifts": NaN}', "pool-file.json", None),
        (b'{"review_days": 7.0}', "pool-file.json", None),
        (b'{"review_days": 7e0}', "pool-file.json", None),
        (b'{"review_days": ' + b"9" * 5000 + b"}", "pool-file.json", None),
        (b"[]", "pool-file.form", ""),
        (changed("format", to="commonweal-pool/2"), "pool-file.format", "format"),
        (changed("format", drop=True), "pool-file.missing", "format"),
        (changed("more", to=1), "pool-file.unknown", "more"),
        (changed("gifts", 1, "email", to="x"), "pool-file.unknown", "gifts[1].email"),
        (changed("gifts", 1, "donor", drop=True), "pool-file.missing", "gifts[1].donor"),
        (changed("gifts", 1, "donor", to="a b"), "pool-file.form", "gifts[1].donor"),
        (changed("gifts", 1, "donor", to=7), "pool-file.form", "gifts[1].donor"),
        (changed("gifts", 1, "donor", to="x" * 65), "pool-file.form", "gifts[1].donor"),
        (changed("gifts", 1, "amount", to=30), "amount.form", "gifts[1].amount"),
        (changed("gifts", 1, "amount", to="-1"), "amount.form", "gifts[1].amount"),
        (changed("gifts", 1, "amount", to="1e3"), "amount.form", "gifts[1].amount"),
        (changed("gifts", 1, "amount", to="0.00"), "amount.too-small", "gifts[1].amount"),
        (changed("gifts", 1, "amount", to="0.001"), "amount.precision", "gifts[1].amount"),
        (changed("gifts", 1, "amount", to=str(2**63)), "amount.form", "gifts[1].amount"),
        (changed("gifts", 2, "refunded", to="20.01"), "amount.too-large", "gifts[2].refunded"),
        (changed("gifts", 1, "flowers", to=-1), "pool-file.form", "gifts[1].flowers"),
        (changed("gifts", 1, "flowers", to=True), "pool-file.form", "gifts[1].flowers"),
        (changed("gifts", 1, "withheld", to="Because!"), "pool-file.form", "gifts[1].withheld"),
        (changed("gifts", 1, "at", to="2026-02-30T00:00:00Z"), "pool-file.form", "gifts[1].at"),
        (changed("gifts", 1, "at", to="2026-09-09T01:00:00+08:00"), "pool-file.form", "gifts[1].at"),
        (changed("gifts", 1, "at", to="2026-09-18T00:00:00Z"), "pool-file.future", "gifts[1].at"),
        (changed("gifts", to={}), "pool-file.form", "gifts"),
        (changed("gifts", 0, to=[]), "pool-file.form", "gifts[0]"),
        (changed("scheme", to={"name": "lottery"}), "pool-file.scheme", "scheme"),
        (changed("scheme", to="pro-rata"), "pool-file.scheme", "scheme"),
        (changed("scheme", to={"name": "proportional", "rate": "0.0000001"}), "pool-file.form", "scheme.rate"),
        (changed("scheme", to={"name": "proportional", "rate": "1001"}), "scheme.rate", "scheme"),
        (changed("scheme", to={"name": "quadratic", "scale": "up"}), "pool-file.form", "scheme.scale"),
        (changed("scheme", to={"name": "pairwise-buterin", "bound": "0", "scale": "to-pool"}), "amount.too-small",
         "scheme.bound"),
        (changed("caps", to={"gift": "1.00"}), "pool.cap-unused", "caps.gift"),
        (changed("caps", to={"person": "1.00"}), "pool-file.unknown", "caps.person"),
        (changed("caps", to={"project": "0"}), "amount.too-small", "caps.project"),
        (changed("seed", to={"commitment": "00" * 32}), "pool.commitment", "seed"),
        (changed("review_days", to=6), "pool.review-days", "review_days"),
        (changed("exponent", to=10), "pool-file.form", "exponent"),
        (changed("zone", to="+8"), "pool-file.form", "zone"),
        (changed("slices", to=[]), "pool.slices", "slices"),
        (changed("slices", 0, "closes", to="2026-09-09T01:00:00Z"), "pool.slices", "slices"),
        (changed("matches", 1, "gift", to="g1"), "pool-file.twice", "matches[1].gift"),
        (changed("matches", 1, "amount", to="-1.00"), "amount.form", "matches[1].amount"),
    ],
)  # fmt: skip
def test_what_is_out_of_form_is_refused_at_its_place(data: bytes, code: str, field: str | None) -> None:
    with pytest.raises(Invalid) as refused:
        parse(data)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_a_missing_file_and_a_broken_one_end_with_2(tmp_path: Path) -> None:
    assert run(tmp_path, "match", b"{}")[0] == 2
    err = io.StringIO()
    with contextlib.redirect_stderr(err):
        assert main(["giving", "match", str(tmp_path / "none.json")]) == 2
    assert "无法读取" in err.getvalue()


TWICE = example()["gifts"][0]


def lots(**seed: str) -> bytes:
    value = json.loads(write(file_of(LOTS)))
    value["seed"] |= seed
    return json.dumps(value).encode()


def without_caps() -> bytes:
    value = json.loads(write(file_of(LOTS)))
    del value["caps"]
    return json.dumps(value).encode()


def too_early() -> bytes:
    value = json.loads(write(file_of(LOTS)))
    value["as_of"] = value["slices"][0]["closes"]
    return json.dumps(value).encode()


BAD: dict[str, tuple[bytes, str]] = {
    "not JSON": (b"pool", "pool-file.json"),
    "another version": (changed("format", to="commonweal-pool/2"), "pool-file.format"),
    "lots without the cap of a day": (without_caps(), "pool.donor-day"),
    "a negative amount": (changed("gifts", 1, "amount", to="-1.00"), "amount.form"),
    "2^63": (changed("gifts", 1, "amount", to=str(2**63)), "amount.form"),
    "more than any amount": (changed("slices", 0, "amount", to="9999999999999999"), "amount.too-large"),
    "a gift twice": (changed("gifts", 1, to=TWICE), "gift.twice"),
    "another seed": (lots(revealed="00" * 32), "seed.mismatch"),
    "a seed before the close": (too_early(), "seed.early"),
}


@pytest.mark.parametrize("command", ["match", "recompute"])
@pytest.mark.parametrize("what", BAD)
def test_bad_input_gets_its_answer_in_both_languages(tmp_path: Path, what: str, command: str) -> None:
    data, code = BAD[what]
    path = tmp_path / "pool.json"
    path.write_bytes(data)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(["giving", command, str(path), "--json"])
    said = json.loads(out.getvalue())
    assert (status, said["code"]) == (2, code)
    assert said["en"] in err.getvalue() and said["zh"] in err.getvalue()
    assert said["en"].isascii() and not said["zh"].isascii()
    assert f"| {what} | `{code}` |" in PAGE, "the reference states the answer"


def test_one_gift_and_its_lot_step_by_step(tmp_path: Path) -> None:
    file = file_of(LOTS)
    path = tmp_path / "pool.json"
    path.write_bytes(write(file))
    seed, wish = file.pool.seed or b"", file.pool.scheme
    for each in file.gifts:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            assert main(["giving", "match", str(path), "--gift", each.id]) == 0
        said = json.loads(out.getvalue())
        assert said["match"]["amount"] == f"{(file.matches or {})[each.id] / 100:.2f}"
        assert said["lot"]["u"] == hmac.new(seed, each.id.encode(), "sha256").hexdigest()
        assert said["lot"]["draw"] == f"{wish.wish(file.pool, each, 0) / 100:.2f}"  # type: ignore[attr-defined]
        assert said["lot"]["won"] == (int(said["lot"]["u"], 16) < 2**255)
        assert (said["lot"]["v"] is None) == (not said["lot"]["won"] or each.flowers < 39)


def test_a_gift_that_is_not_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "pool.json"
    path.write_bytes(json.dumps(example()).encode())
    err = io.StringIO()
    with contextlib.redirect_stderr(err):
        assert main(["giving", "match", str(path), "--gift", "g99"]) != 0
    assert "g99" in err.getvalue()
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(["giving", "match", str(path), "--gift", "g2"]) == 0
    assert json.loads(out.getvalue())["match"] == {"gift": "g2", "project": "p2", "amount": "37.50"}


def test_pseudonyms_are_of_one_pool() -> None:
    key, other = bytes(32), b"\1" * 32
    assert pseudonym(key, "party") == pseudonym(key, "party") != pseudonym(other, "party")
    assert len(pseudonym(key, "party")) == 32


def test_differences_are_of_both_sides() -> None:
    file = file_of(AFTER_CLOSE[0])
    assert list(pool_file.differences(file, match(file.pool, file.gifts))) == []
