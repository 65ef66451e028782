"""Which partition a key belongs to: Kafka's default partitioner, murmur2 (KIP-794 keeps it for keys).

Java, kafka-python and aiokafka use it; librdkafka (Go, .NET, Node, Python) only with
`partitioner=murmur2_random`. Pure.
"""

from functools import lru_cache
from typing import Final

SEED: Final = 0x9747B28C
M: Final = 0x5BD1E995
MASK: Final = 0xFFFFFFFF
KEYS: Final = 65_536  # keys whose partition is remembered


def murmur2(key: bytes) -> int:
    """The 32 bits of murmur2 as Kafka computes them (org.apache.kafka.common.utils.Utils)."""
    value = SEED ^ len(key)
    whole = len(key) & ~3
    for at in range(0, whole, 4):
        k = int.from_bytes(key[at : at + 4], "little") * M & MASK
        k = (k ^ k >> 24) * M & MASK
        value = (value * M & MASK) ^ k
    if rest := key[whole:]:
        value = (value ^ int.from_bytes(rest, "little")) * M & MASK
    value = (value ^ value >> 13) * M & MASK
    return value ^ value >> 15


@lru_cache(maxsize=KEYS)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key in a topic of so many partitions."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions
