"""The blocking client: the classes of :mod:`invincible.client` for programs without an event loop.

Nobody writes them: :mod:`.classes` makes each from its async class, and the build makes the stub that type checkers
read. What they share is written here: where calls run (:mod:`.portal`), how a thread waits for them (:mod:`.calls`),
how objects are wrapped (:mod:`.blocking`), and which there are (:mod:`.discovery`).
"""
