import pytest

from commonweal.kernel import errors
from commonweal.kernel.text import Text

TEXT = Text("Ask again.", "请再问一次。")


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.Invalid, 422),
        (errors.Conflict, 409),
        (errors.NotFound, 404),
        (errors.NotAllowed, 403),
        (errors.Unauthenticated, 401),
        (errors.TooLarge, 413),
        (errors.WrongMediaType, 415),
    ],
)
def test_each_kind_of_refusal_has_its_status(kind: type[errors.Refusal], status: int) -> None:
    refusal = kind("thing.reason", TEXT, field="thing")
    assert (refusal.status, refusal.code, refusal.text, refusal.field) == (status, "thing.reason", TEXT, "thing")
    assert str(refusal) == "thing.reason: Ask again."
    assert isinstance(refusal, errors.Refusal)


def test_a_refusal_needs_no_field() -> None:
    assert errors.Refusal("thing.reason", TEXT).field is None
    assert errors.Refusal.status == 422


@pytest.mark.parametrize(("kind", "status"), [(errors.Busy, 503), (errors.TooMany, 429)])
def test_some_say_when_to_come_back(kind: type[errors.Busy], status: int) -> None:
    later = kind("queue.full", TEXT, retry_after=7)
    assert (later.status, later.retry_after, later.code, later.text, later.field) == (
        status,
        7,
        "queue.full",
        TEXT,
        None,
    )
