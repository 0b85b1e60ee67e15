from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from commonweal.kernel.errors import Invalid, NotFound
from commonweal.services.forest.factors import FactorTable, methods, published, uk_government
from commonweal.services.forest.tests.data import public


@pytest.fixture(scope="module")
def table() -> FactorTable:
    return uk_government(public("uk_ghg_conversion_factors_2024_2025.csv.xz")) | published()


def test_the_published_examples_come_out_exactly() -> None:
    beijing = methods()["beijing-metro"].reduce(22_000, 2025, published())
    assert (beijing.exact, beijing.grams) == (Fraction(4630), 4630)
    guangzhou = methods()["guangzhou-metro"].reduce(1, 2025, published())
    assert (guangzhou.exact, guangzhou.grams) == (Fraction("515.5"), 515)


def test_the_uk_set_is_whole(table: FactorTable) -> None:
    uk = [factor for factor in table if factor.key.startswith("uk:")]
    assert len(uk) == 2 * 3067
    assert all(table.find(factor.key, factor.valid_from or 0) is factor for factor in uk)


@pytest.mark.parametrize(
    ("key", "year", "written"),
    [
        ("25_301_3074_4_1", 2025, "0.16725"),
        ("uk:25_301_3074_4_1", 2024, "0.16691"),
        ("25_314_3145_11_1", 2025, "0.10385"),
        ("25_315_3150_11_1", 2025, "0.0278"),
        ("25_313_3141_11_1", 2030, "0.14861"),  # the newest set holds until another is loaded
        ("passenger.km Average local bus Business", 2024, "0.10846"),
    ],
)
def test_look_ups(table: FactorTable, key: str, year: int, written: str) -> None:
    assert table.find(key, year).written == written


@pytest.mark.parametrize(
    ("key", "year", "code"),
    [
        ("nothing of the kind", 2025, "factor.unknown"),
        ("", 2025, "factor.unknown"),
        ("car", 2025, "factor.ambiguous"),
        ("25_301_3074_4_1", 2019, "factor.year"),
    ],
)
def test_a_factor_is_never_guessed(table: FactorTable, key: str, year: int, code: str) -> None:
    with pytest.raises(NotFound) as refusal:
        table.find(key, year)
    assert refusal.value.code == code


def test_every_method_finds_its_factors_and_explains_itself(table: FactorTable) -> None:
    for method in methods().values():
        reduction = method.reduce(1000, 2026, table)
        assert 0 < reduction.grams <= method.day_cap
        assert method.version in reduction.explain().en and method.title.zh in reduction.explain().zh


def test_rounding_is_downward_and_a_dirtier_way_saves_nothing(table: FactorTable) -> None:
    metro = methods()["metro"]
    reduction = metro.reduce(999, 2025, table)
    assert reduction.grams == int(reduction.exact) < reduction.exact
    with pytest.raises(Invalid):
        metro.reduce(0, 2025, table)


def test_versions_of_one_key_may_not_overlap() -> None:
    table = published()
    assert list(table | table) == list(table)
    car = table.find("beijing.car", 2025)
    for other in (replace(car, version="2"), replace(car, value=car.value + 1)):
        with pytest.raises(ValueError, match="two versions"):
            table | FactorTable([other])


@pytest.mark.parametrize("content", ["ID,Scope\n1,2\n", "", "\x00\x01"])
def test_a_wrong_file_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "factors.csv"
    path.write_text(content)
    with pytest.raises(Invalid):
        uk_government(path)
