import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from commonweal.kernel.registry import FactKind, Service, assets, services
from commonweal.kernel.text import Text

TEXT = Text("Toys", "玩具")


FOLDER = importlib.import_module("commonweal.services")  # by name, as the registry does


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of services beside the real ones; what was imported from it is forgotten afterwards."""
    known = set(sys.modules)
    monkeypatch.setattr(FOLDER, "__path__", [str(tmp_path)])
    services.cache_clear()
    yield tmp_path
    services.cache_clear()
    for name in set(sys.modules) - known:
        if name.startswith("commonweal.services."):
            del sys.modules[name]
            vars(FOLDER).pop(name.split(".")[2], None)


def add(folder: Path, name: str, order: int | None = None) -> None:
    (folder / name).mkdir()
    place = "" if order is None else f", order={order}"
    (folder / name / "__init__.py").write_text(
        "from commonweal.kernel.registry import Service\nfrom commonweal.kernel.text import Text\n"
        f"SERVICE = Service({name!r}, Text('Toys', '玩具'), Text('Toys for all', '人人有玩具'){place})\n"
    )


def test_services_are_found_by_their_folders_in_order(folder: Path) -> None:
    add(folder, "toyb")
    add(folder, "toya")
    add(folder, "toyc", order=1)
    (folder / "toyd").mkdir()
    (folder / "toyd" / "__init__.py").touch()  # says no SERVICE
    assert [service.name for service in services()] == ["toyc", "toya", "toyb"]


def test_what_is_counted_here_is_yuan_and_what_services_declare(folder: Path) -> None:
    assets.cache_clear()
    (folder / "toyg").mkdir()
    (folder / "toyg" / "__init__.py").write_text(
        "from commonweal.kernel.quantity import Asset\nfrom commonweal.kernel.registry import Service\n"
        "from commonweal.kernel.text import Text\nTEXT = Text('Toys', '玩具')\n"
        "SERVICE = Service('toyg', TEXT, TEXT, assets=(Asset('TOY', 0, 'thing', TEXT),))\n"
    )
    assert list(assets()) == ["CNY", "TOY"]
    assets.cache_clear()


def test_a_part_is_found_if_the_service_has_it(folder: Path) -> None:
    add(folder, "toye")
    (folder / "toye" / "jobs.py").write_text("WORK = 7\n")
    (toy,) = services()
    jobs = toy.module("jobs")
    assert jobs is not None
    assert jobs.WORK == 7
    assert toy.module("pages") is None


def test_a_broken_part_is_not_taken_for_a_missing_one(folder: Path) -> None:
    add(folder, "toyf")
    (folder / "toyf" / "pages.py").write_text("import nothing_of_this_name\n")
    (toy,) = services()
    with pytest.raises(ModuleNotFoundError, match="nothing_of_this_name"):
        toy.module("pages")


@pytest.mark.parametrize("name", ["", "t", "Toys", "toy-s", "1toy", "玩具", "t" * 32, "toys\n", "toy_s"])
def test_a_service_is_named_in_small_letters(name: str) -> None:
    with pytest.raises(ValueError, match="named in small letters"):
        Service(name, TEXT, TEXT)


@pytest.mark.parametrize("hue", [-15, 1, 46, 360])
def test_a_hue_lies_on_the_wheel(hue: int) -> None:
    with pytest.raises(ValueError, match=f"the hue of toys is not on the wheel of every 15 degrees: {hue}"):
        Service("toys", TEXT, TEXT, hue=hue)


def test_fact_kinds_carry_the_name_of_the_service() -> None:
    kept = Service("toys", TEXT, TEXT, fact_kinds=(FactKind("toys.given", TEXT),))
    assert kept.fact_kinds[0].name == "toys.given"
    for name in ("given", "giving.given", "toysgiven"):
        with pytest.raises(ValueError, match=r"a fact kind of toys is named toys\.something"):
            Service("toys", TEXT, TEXT, fact_kinds=(FactKind(name, TEXT),))


def test_what_a_service_need_not_say() -> None:
    toys = Service("toys", TEXT, TEXT)
    assert (toys.drawing, toys.order) == ("hands", 100)
    assert (toys.links, toys.console, toys.assets, toys.account_kinds, toys.fact_kinds) == ((), (), (), {}, ())


def test_a_service_opens_only_with_what_it_needs(folder: Path) -> None:
    add(folder, "toyd")
    (folder / "toye").mkdir()
    text = (
        (folder / "toyd" / "__init__.py")
        .read_text()
        .replace("'toyd'", "'toye'")
        .replace("))\n", '), needs=("no_such_module",))\n')
    )
    (folder / "toye" / "__init__.py").write_text(text)
    assert [service.name for service in services()] == ["toyd"]
