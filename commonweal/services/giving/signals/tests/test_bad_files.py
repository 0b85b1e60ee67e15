"""Files that cannot be read: the answer that docs/reference/gifts-file.md states, in both languages, and no other."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pytest

from tests.command import main

EMPTY = (
    "The file is empty. Its first line names the columns, at least id, at, campaign, amount.",
    "文件为空。首行应为列名，至少包括：id, at, campaign, amount。",
)
HEAD = "id,at,campaign,amount\n"
DAY = "2026-09-09"
DOCUMENTED = (Path(__file__).parents[5] / "docs/reference/gifts-file.md").read_text(encoding="utf-8")


def asked(path: Path, *options: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["giving", "signals", str(path), *options])
    return code, out.getvalue(), err.getvalue()


@pytest.mark.parametrize(
    ("text", "en", "zh"),
    [
        pytest.param("", *EMPTY, id="an empty file"),
        pytest.param("\n\ufeff\n  \n", *EMPTY, id="empty lines"),
        pytest.param(f"id,at,campaign\n1,{DAY},c\n", "The columns amount are missing.", "缺少列：amount。",
                     id="a missing column"),
        pytest.param(f"{HEAD}1,2026-13-45,c,1\n", "Line 2: '2026-13-45' is not a time.",
                     "第 2 行：'2026-13-45' 不是时间。", id="a bad date"),
        pytest.param(f"{HEAD}1,{DAY},c,-1\n", "Line 2: '-1' is not an amount.", "第 2 行：'-1' 不是金额。",
                     id="a negative amount"),
        pytest.param(f"{HEAD}1,{DAY},c,{2**63}\n", "Line 2: the amount is too large.", "第 2 行：金额过大。",
                     id="2^63"),
        pytest.param(f"{HEAD}1,{DAY},c,1.005\n", "Line 2: 1.005 has too many decimal places.",
                     "第 2 行：1.005 小数位过多。", id="a tenth of a fen"),
        pytest.param(f"{HEAD}1,{DAY},c,1\n1,{DAY},c,2\n", "Line 3: the id '1' is there twice.",
                     "第 3 行：编号 '1' 重复。", id="a duplicate id"),
        pytest.param(f"{HEAD}1,{DAY},,1\n", "Line 2: it has no id or campaign.", "第 2 行：缺少编号或项目。",
                     id="no campaign"),
        pytest.param(f"id,at,campaign,amount,asset\n1,{DAY},c,1,XXX\n", "Line 2: 'XXX' is no currency.",
                     "第 2 行：'XXX' 不是货币。", id="a currency that is none"),
    ],
)  # fmt: skip
def test_a_bad_file_gets_its_stated_answer(tmp_path: Path, text: str, en: str, zh: str) -> None:
    (path := tmp_path / "gifts.csv").write_text(text, encoding="utf-8")
    code, out, err = asked(path)
    assert (code, out) == (2, "")
    assert en in err and zh in err
    code, out, _ = asked(path, "--json")
    said = json.loads(out)
    assert (code, said["en"], said["zh"]) == (2, en, zh)
    assert f"`{said['code']}`" in DOCUMENTED
    assert f"{en} · {zh}" in DOCUMENTED


@pytest.mark.parametrize(
    "amount", ["1e3", "", "one", "NaN", "+1", "٣", "１", "1.2.3", f"{10**13}.01", "9" * 5_000, "0x10", "1,5.00e"]
)
def test_what_is_no_amount_is_refused(tmp_path: Path, amount: str) -> None:
    (path := tmp_path / "gifts.csv").write_text(f'{HEAD}1,{DAY},c,"{amount}"\n', encoding="utf-8")
    code, out, err = asked(path)
    assert (code, out) == (2, "")
    assert "Line 2" in err and "第 2 行" in err


def test_what_is_no_csv_or_no_file_is_refused(tmp_path: Path) -> None:
    (endless := tmp_path / "endless.csv").write_text(f'{HEAD}1,{DAY},c,"{"x" * 200_000}')
    (latin := tmp_path / "latin.csv").write_bytes(HEAD.encode() + b"1,2026-09-09,\xe9,1\n")
    for path in (endless, latin, tmp_path, tmp_path / "none.csv"):
        code, out, err = asked(path)
        assert (code, out) == (2, "")
        assert any("\u4e00" <= sign <= "\u9fff" for sign in err)


def test_names_without_gifts_are_in_order(tmp_path: Path) -> None:
    (path := tmp_path / "gifts.csv").write_text(HEAD)
    code, out, _ = asked(path, "--json")
    assert code == 0
    assert json.loads(out) == {"format": "commonweal-signals/1", "gifts": 0, "signals": [], "delayed": []}


def test_currencies_have_their_own_places(tmp_path: Path) -> None:
    (path := tmp_path / "gifts.csv").write_text(
        f"id,at,campaign,amount,currency\n1,{DAY},c,1000,JPY\n2,{DAY},d,8.80,USD\n3,{DAY},e,8.8,\n"
    )
    assert asked(path, "--json")[0] == 0
