"""Personal data at rest."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from commonweal.kernel.errors import NotFound
from commonweal.kernel.ids import uuid7
from commonweal.kernel.parties import cipher, people
from commonweal.kernel.parties.models import PartyKey


def test_only_the_same_party_opens_what_was_sealed(db: None) -> None:
    one, other = people.register_person().id, people.register_person().id
    sealed = cipher.seal_for(one, {"name": "田小树", "age": 9})
    assert cipher.open_for(one, sealed) == {"name": "田小树", "age": 9}
    with pytest.raises(InvalidTag):
        cipher.open_for(other, sealed)
    assert cipher.seal_for(one, "same") != cipher.seal_for(one, "same")


@pytest.mark.parametrize("position", [0, 11, 12, -1])
def test_a_changed_bit_is_noticed(db: None, position: int) -> None:
    party = people.register_person().id
    sealed = bytearray(cipher.seal_for(party, "text"))
    sealed[position] ^= 1
    with pytest.raises(InvalidTag):
        cipher.open_for(party, bytes(sealed))


def test_a_key_moved_to_another_party_opens_nothing(db: None) -> None:
    one, other = people.register_person().id, people.register_person().id
    stolen = PartyKey.objects.get(party=one).wrapped
    PartyKey.objects.filter(party=other).update(wrapped=stolen)
    with pytest.raises(InvalidTag):
        cipher.key_of(other)


def test_without_the_key_there_is_nothing(db: None) -> None:
    for call in (lambda id: cipher.seal_for(id, 1), lambda id: cipher.open_for(id, b"0" * 40), cipher.key_of):
        with pytest.raises(cipher.Forgotten) as refused:
            call(uuid7())
        assert isinstance(refused.value, NotFound)
        assert refused.value.code == "party.forgotten"


def test_the_platforms_key_is_made_once_and_is_private(tmp_path: Path) -> None:
    start, found = threading.Barrier(8), []

    def read() -> None:
        start.wait()
        found.append(cipher.platform_key(tmp_path))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (key,) = set(found)
    path = tmp_path / "keys" / "parties.key"
    assert key == path.read_bytes()
    assert len(key) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    cipher.platform_key.cache_clear()  # another process
    assert cipher.platform_key(tmp_path) == key
    assert [entry.name for entry in path.parent.iterdir()] == ["parties.key"]
