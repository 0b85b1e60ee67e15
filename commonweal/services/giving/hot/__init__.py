"""The hot path of giving: gifts that come together are written together, by the same action as a lone one.

`batcher` is asyncio and knows nothing of gifts; `writer` carries a batch through `actions.gifts.take` in a thread
with a database session and a stripe of its own; the route is in `giving.live`.
"""
