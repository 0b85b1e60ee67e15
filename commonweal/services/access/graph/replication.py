"""Keep an extract current: apply OpenStreetMap replication diffs (`.osc`, `.osc.gz`) to it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import osmium

from commonweal.kernel.errors import Invalid
from commonweal.kernel.text import Text
from commonweal.services.access.graph.source import broken


def apply(extract: Path, diffs: Sequence[Path], out: Path) -> Path:
    """Write `extract` with `diffs` (oldest first) to `out`, which appears whole or not at all.

    Of every object the newest version is kept; deleted ones go. Objects of a diff far outside the extract stay without
    nodes and are left out of a graph. Raises `Invalid` (`extract.broken`, `extract.exists`).
    """
    if out.exists():
        raise Invalid(
            "extract.exists",
            Text("{path} exists already; choose another name.", "{path} 已存在，请换一个文件名。").format(
                path=str(out)
            ),
            field="out",
        )
    partial = out.with_name(f"partial-{out.name}")
    try:
        header = osmium.io.Reader(str(extract)).header()
        reader = osmium.MergeInputReader()
        for path in (extract, *diffs):
            if not path.is_file() or reader.add_file(str(path)) == 0:
                raise broken(path, "nothing in it")
        with osmium.SimpleWriter(str(partial), header=header, overwrite=True) as writer:
            reader.apply(_Living(writer), simplify=True)
        partial.rename(out)
    except RuntimeError as error:
        partial.unlink(missing_ok=True)
        raise broken(Path(extract), error) from None
    return out


class _Living(osmium.SimpleHandler):
    """Writes what has not been deleted."""

    def __init__(self, writer: osmium.SimpleWriter) -> None:
        super().__init__()
        self._writer = writer

    def node(self, thing: osmium.osm.Node) -> None:
        """Keep a node."""
        if not thing.deleted:
            self._writer.add(thing)

    way = relation = node
