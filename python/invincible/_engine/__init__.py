"""The deterministic workflow engine: pure, synchronous, no I/O.

An activation goes in, commands come out. The worker feeds it from Core, the replayer from histories, unit tests by
hand.
"""
