"""The one command, where no single command is meant."""

import pytest

from commonweal import cli


def _missing(name: str) -> object:
    def build(wanted: str | None) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    return build


def test_a_service_without_its_extra_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "service_names", lambda: ["toy"])
    monkeypatch.setattr(cli, "build_parser", _missing("numerics"))
    assert cli.main(["toy", "build"]) == 2
    assert "commonweal[toy]" in capsys.readouterr().err


@pytest.mark.parametrize(("word", "module"), [("toy", "commonweal.lost"), ("run", "numerics")])
def test_a_defect_of_our_own_is_not_hidden(monkeypatch: pytest.MonkeyPatch, word: str, module: str) -> None:
    monkeypatch.setattr(cli, "service_names", lambda: ["toy"])
    monkeypatch.setattr(cli, "build_parser", _missing(module))
    with pytest.raises(ModuleNotFoundError):
        cli.main([word])
