"""Every client of Kafka that the project uses puts a key into the partition that we compute."""

from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from streams.contract.partitioning import murmur2, partition_of


@given(key=st.binary(max_size=100), partitions=st.integers(1, 1_000))
def test_aiokafka_and_kafka_python_agree_with_us(key: bytes, partitions: int) -> None:
    every = list(range(partitions))
    assert DefaultPartitioner()(key, every, every) == partition_of(key, partitions)


def test_the_bits_are_those_of_apache_kafka() -> None:
    """Values of Kafka's own test (UtilsTest.testMurmur2)."""
    cases = {
        b"21": -973932308,
        b"foobar": -790332482,
        b"a-little-bit-long-string": -985981536,
        b"a-little-bit-longer-string": -1486304829,
        b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
        b"abc": 479470107,
    }
    assert {key: murmur2(key) - (1 << 32 if murmur2(key) >> 31 else 0) for key in cases} == cases
