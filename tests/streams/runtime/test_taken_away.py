"""A partition that is taken away while its fetch is being processed: its position goes with its state.

A position without its state would be written to the changelog at the next commit. Whoever reads that back
would pass over the records up to it, and their people would be lost.
"""

import pytest

from tests.streams.runtime.test_flow import AT, BEGINNING, Around, fetch, flow_of


@pytest.mark.parametrize(("pieces", "outputs"), [(0, 1), (1, 1), (1, 2), (3, 4)])
async def test_no_position_is_left_where_it_happens_while_outputs_go_out(pieces: int, outputs: int) -> None:
    """The producer may have no room for them for seconds. A rebalance does not wait for that."""
    around, published = Around(pieces), []
    flow = flow_of(around, 0)

    async def publish(*_: object) -> None:
        published.append(1)
        if len(published) == outputs:
            flow.revoked([AT])

    around.publish = publish  # type: ignore[method-assign] # for this flow alone
    await flow.process(fetch(0, 4))
    assert len(published) == outputs
    await flow.settle(stamp=True)
    assert (flow.position(AT), around.written) == (None, {})


async def test_no_position_is_left_where_it_happens_while_the_beginning_is_asked_for() -> None:
    around = Around()
    flow = flow_of(around, 0)

    async def reread(*_: object) -> int:
        flow.revoked([AT])
        return BEGINNING

    around.reread = reread  # type: ignore[method-assign] # for this flow alone
    await flow.process(fetch(BEGINNING, 4))
    await flow.settle(stamp=True)
    assert (flow.position(AT), around.written, around.unread) == (None, {}, 0)


async def test_the_state_that_came_back_meanwhile_keeps_its_position() -> None:
    around = Around()
    flow = flow_of(around, 0)

    async def publish(*_: object) -> None:
        flow.revoked([AT])
        flow.positions[AT.partition] = 2  # read back from the changelog

    around.publish = publish  # type: ignore[method-assign] # for this flow alone
    await flow.process(fetch(0, 4))
    assert flow.position(AT) == 2
