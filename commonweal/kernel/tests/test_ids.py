import time
import uuid

from hypothesis import given
from hypothesis import strategies as st

from commonweal.kernel.ids import derived, uuid7


def test_the_example_of_rfc_9562() -> None:
    """Appendix A.6: unix_ts_ms 017F22E279B0, rand_a CC3, rand_b 18C4DC0C0C07398F; version and variant are filled in."""
    made = uuid7(milliseconds=lambda: 0x017F22E279B0, random_bits=lambda n: 0x0CC3 << 64 | 0x18C4DC0C0C07398F)
    assert made == uuid.UUID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")


@given(st.integers(0, 2**48 - 1), st.integers(0, 2**80 - 1))
def test_every_one_has_version_and_variant_and_carries_its_time(at: int, random: int) -> None:
    made = uuid7(milliseconds=lambda: at, random_bits=lambda n: random)
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == at
    assert made.int & (2**62 - 1) == random & (2**62 - 1)
    assert made.int >> 64 & 0xFFF == random >> 64 & 0xFFF


@given(st.integers(0, 2**48 - 2), st.integers(0, 2**80 - 1), st.integers(0, 2**80 - 1))
def test_a_later_millisecond_sorts_later(at: int, one: int, other: int) -> None:
    assert uuid7(milliseconds=lambda: at, random_bits=lambda n: one) < uuid7(
        milliseconds=lambda: at + 1, random_bits=lambda n: other
    )


def test_eighty_random_bits_are_asked_for() -> None:
    asked = []
    uuid7(random_bits=lambda n: asked.append(n) or 0)  # type: ignore[func-returns-value]
    assert asked == [80]


def test_without_arguments_it_is_of_now_and_never_the_same() -> None:
    before = time.time_ns() // 1_000_000
    made = {uuid7() for _ in range(1000)}
    after = time.time_ns() // 1_000_000
    assert len(made) == 1000
    assert all(before <= one.int >> 80 <= after for one in made)


def test_a_time_that_needs_more_than_48_bits_wraps() -> None:
    assert uuid7(milliseconds=lambda: 2**48 + 5, random_bits=lambda n: 0).int >> 80 == 5


def test_a_derived_name_is_known_from_book_and_name() -> None:
    """The example of RFC 9562, appendix A.4."""
    assert derived(uuid.NAMESPACE_DNS, "www.example.com") == uuid.UUID("2ed6657d-e927-568b-95e1-2665a8aea6a2")
