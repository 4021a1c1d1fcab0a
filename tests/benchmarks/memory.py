"""What a chunk takes that is kept after its stream."""

from __future__ import annotations

import gc
import tracemalloc

from tests.benchmarks.chunks import Figures, pieces_of
from tests.benchmarks.contenders.shape import Contender

__all__ = ["kept"]


def kept(contender: Contender, *, base_url: str, model: str) -> Figures:
    """Keep the chunks of a stream: bytes for each."""
    client = contender.open_sync(base_url)
    contender.keep_sync(client, "burst:100")
    gc.collect()
    tracemalloc.start()
    chunks = contender.keep_sync(client, model)
    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(chunks) >= pieces_of(model)
    contender.close_sync(client)
    return {"bytes": taken / len(chunks)}
