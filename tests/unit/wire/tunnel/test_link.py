"""A link's two ends, as conversations. Time is passed in; the carrier is a queue."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_wire.errors import LocalProtocolError, RemoteProtocolError
from genba_wire.tunnel import link as link_module
from genba_wire.tunnel.frames import (
    ANSWER_S,
    DATA_HEADER_BYTES,
    DEAD_AFTER_S,
    GREETING_S,
    MAX_MESSAGE_BYTES,
    MIN_MESSAGE_BYTES,
    NEVER_RESUMES,
    PING_AFTER_S,
    Accept,
    Ack,
    Challenge,
    CloseCode,
    Closed,
    Data,
    Frame,
    Hello,
    Open,
    Ping,
    Pong,
    Proof,
    Resume,
    Resumed,
    encode,
    parse,
)
from genba_wire.tunnel.link import (
    ACK_BESIDE_BYTES,
    ACK_EVERY_BYTES,
    ACK_WITHIN_S,
    CarrierDead,
    DataReceived,
    Link,
    LinkClosed,
    LinkOpened,
    LinkResumed,
    LinkState,
)
from genba_wire.tunnel.replay import CONTROL_RESERVE_BYTES, JOIN_BELOW_BYTES, MAX_REPLAY_BYTES
from tests.unit.wire.tunnel.link_network import Network
from tests.unit.wire.tunnel.link_pair import BOOT, KEEP_S, LinkPair, agent_of, make_agent, make_client, opened


def types(frames: Sequence[Frame | None]) -> list[type]:
    return [type(frame) for frame in frames]


def test_all_that_is_public_is_there() -> None:
    assert [name for name in link_module.__all__ if not hasattr(link_module, name)] == []


def test_a_link_opens() -> None:
    pair = LinkPair()
    pair.connect()
    assert types(pair.under_way()[0]) == [Hello, Open]
    pair.deliver_to_agent()
    pair.deliver_to_agent()
    assert types(pair.under_way()[1]) == [Hello, Accept]
    assert agent_of(pair).state is LinkState.OPEN
    pair.deliver_all()
    assert pair.client_events == [LinkOpened(BOOT, KEEP_S)]
    assert pair.client.boot_id == agent_of(pair).boot_id == BOOT


def test_bytes_go_both_ways() -> None:
    pair = opened()
    pair.send_from_client(b"hello ")
    pair.send_from_client(b"agent")
    pair.send_from_agent(b"hello client")
    pair.deliver_all()
    assert pair.agent_received == b"hello agent"
    assert pair.client_received == b"hello client"


def test_client_may_send_before_it_was_accepted() -> None:
    pair = LinkPair()
    pair.connect()
    pair.send_from_client(b"early")
    pair.deliver_all()
    assert pair.agent_received == b"early"
    assert isinstance(pair.client_events[0], LinkOpened)


def test_parts_are_one_message_and_not_copied() -> None:
    pair = opened()
    body = memoryview(bytes(JOIN_BELOW_BYTES))
    pair.client.send((b"head ", body))
    [parts] = pair.client.messages_to_send()
    assert parts[-1] is body
    frame = parse(b"".join(parts))
    assert isinstance(frame, Data)
    assert (frame.offset, bytes(frame.data)) == (0, b"head " + body)


def test_received_bytes_are_a_view_of_the_message() -> None:
    pair = opened()
    message = encode(Data(0, b"abc"))
    [event] = agent_of(pair).receive_message(message, 1.0)
    assert isinstance(event, DataReceived)
    assert isinstance(event.data, memoryview)
    assert event.data.obj is message


def test_idle_link_is_resumed() -> None:
    pair = opened()
    pair.send_from_client(b"one")
    pair.send_from_agent(b"two")
    pair.deliver_all()
    pair.cut()
    assert pair.client.state is agent_of(pair).state is LinkState.DETACHED
    pair.connect()
    assert types(pair.under_way()[0]) == [Hello, Resume]
    pair.deliver_to_agent()
    pair.deliver_to_agent()
    assert types(pair.under_way()[1]) == [Hello, Challenge]
    pair.deliver_to_client()
    pair.deliver_to_client()
    assert types(pair.under_way()[0]) == [Proof]
    assert not pair.client.is_writable
    pair.deliver_to_agent()
    assert types(pair.under_way()[1]) == [Resumed]
    assert pair.agent_events[-1] == LinkResumed()
    pair.deliver_all()
    assert pair.client_events[-1] == LinkResumed()
    pair.send_from_client(b" more")
    pair.deliver_all()
    assert pair.agent_received == b"one more"


def test_agent_that_did_not_notice_the_loss_lets_go_of_the_old_carrier() -> None:
    pair = opened()
    pair.cut(agent_notices=False)
    assert agent_of(pair).state is LinkState.OPEN
    pair.connect()
    pair.deliver_all()
    assert pair.client.state is agent_of(pair).state is LinkState.OPEN


@pytest.mark.parametrize("is_clients", [True, False])
def test_bytes_that_were_under_way_are_sent_again(is_clients: bool) -> None:
    pair = opened()
    send = pair.send_from_client if is_clients else pair.send_from_agent
    send(b"arrives ")
    pair.deliver_all()
    send(b"is lost, ")
    send(b"and this too")
    pair.cut()
    pair.connect()
    pair.deliver_all()
    sender = pair.client if is_clients else agent_of(pair)
    assert sender.has_more_to_resend
    assert not sender.is_writable
    sender.resend(1)
    pair.collect()
    pair.deliver_all()
    assert (pair.agent_received if is_clients else pair.client_received) == b"arrives is lost, "
    sender.resend(1000)
    pair.collect()
    pair.deliver_all()
    assert (pair.agent_received if is_clients else pair.client_received) == b"arrives is lost, and this too"
    assert sender.is_writable


def test_what_is_sent_without_a_carrier_waits_for_the_next_one() -> None:
    pair = opened()
    pair.cut()
    pair.send_from_client(b"meanwhile ")
    pair.connect()
    pair.send_from_client(b"and before the proof")
    assert types(pair.under_way()[0]) == [Hello, Resume]
    pair.deliver_all()
    pair.client.resend(1000)
    pair.collect()
    pair.deliver_all()
    assert pair.agent_received == b"meanwhile and before the proof"
    with pytest.raises(LocalProtocolError):
        make_client().send((b"x",))


@pytest.mark.parametrize("received", [1, 7])
def test_other_end_that_has_what_it_can_not_have_ends_the_link(received: int) -> None:
    pair = opened()
    pair.send_from_client(b"abcdef")
    pair.put(Ack(2), to_client=True)
    pair.deliver_to_client()
    pair.cut()
    agent_of(pair).received = received
    pair.connect()
    pair.deliver_all()
    for link in (pair.client, agent_of(pair)):
        assert link.ended is not None
        assert link.ended.code == CloseCode.BYTES_LOST


def test_carrier_lost_before_the_link_was_accepted_ends_it() -> None:
    pair = LinkPair()
    pair.connect()
    pair.cut()
    [closed] = pair.client_events
    assert isinstance(closed, LinkClosed)
    assert closed.code == CloseCode.BYTES_LOST


def test_resume_may_be_cut_and_tried_again() -> None:
    pair = opened()
    pair.cut()
    for messages in range(5):
        pair.connect()
        for _ in range(messages):
            if pair.to_agent:
                pair.deliver_to_agent()
            elif pair.to_client:
                pair.deliver_to_client()
        pair.cut()
    pair.connect()
    pair.deliver_all()
    assert pair.client.state is agent_of(pair).state is LinkState.OPEN


def test_whoever_lacks_the_secret_neither_gets_the_link_nor_ends_it() -> None:
    pair = opened()
    pair.cut()
    agent = agent_of(pair)
    agent.resume(Resume(agent.link_id, BOOT, 1, 0, b"n" * 16), 1.0)
    [event] = agent.receive_message(encode(Proof(b"x" * 32)), 1.0)
    assert isinstance(event, CarrierDead)
    closed = parse(b"".join(agent.messages_to_send()[-1]))
    assert isinstance(closed, Closed)
    assert closed.code == CloseCode.BAD_PROOF
    assert not agent.is_attached
    agent.resume(Resume(agent.link_id, BOOT, 1, 0, b"n" * 16), 1.0)
    [event] = agent.receive_message(b"\xffgarbage", 1.0)
    assert isinstance(event, CarrierDead)
    pair.connect()
    pair.deliver_all()
    assert pair.client.state is agent.state is LinkState.OPEN


def test_recorded_resume_is_of_no_use() -> None:
    pair = opened()
    pair.cut()
    pair.connect()
    hello, resume = pair.to_agent
    pair.deliver_to_agent()
    pair.deliver_to_agent()
    pair.deliver_to_client()
    pair.deliver_to_client()
    proof = pair.to_agent[0]
    pair.deliver_all()
    pair.cut()
    frame = parse(resume)
    assert isinstance(frame, Resume)
    agent = agent_of(pair)
    agent.resume(frame, 1.0)
    [event] = agent.receive_message(proof, 1.0)
    assert isinstance(event, CarrierDead)
    assert agent.state is LinkState.DETACHED
    assert parse(hello) == Hello()


def test_older_resume_with_a_right_proof_does_not_take_over_a_later_one() -> None:
    pair = opened()
    pair.cut()
    pair.client.attach(0.0)
    pair.client.messages_to_send()
    pair.client.detach(0.0)
    pair.connect()
    pair.deliver_all()
    late = make_client()
    late.boot_id, late.state = BOOT, LinkState.DETACHED
    late._secret = pair.client._secret  # pyright: ignore[reportPrivateUsage]  # whoever has it, in an older epoch
    late.attach(0.0)
    resume = parse(b"".join(late.messages_to_send()[1]))
    assert isinstance(resume, Resume)
    assert resume.epoch == 1
    agent = agent_of(pair)
    agent.resume(resume, 1.0)
    late.receive_message(encode(Hello(BOOT)), 1.0)
    late.receive_message(b"".join(agent.messages_to_send()[0]), 1.0)
    [event] = agent.receive_message(b"".join(late.messages_to_send()[0]), 1.0)
    assert event == CarrierDead("a later connection of the link was there already")


def test_agent_that_can_not_prove_itself_is_refused() -> None:
    pair = opened()
    pair.cut()
    pair.connect()
    pair.to_client.clear()
    for frame in (Hello(BOOT), Challenge(b"n" * 16), Resumed(0, b"x" * 32)):
        pair.put(frame, to_client=True)
        pair.deliver_to_client()
    assert pair.client.ended is not None
    assert pair.client.ended.code == CloseCode.BAD_PROOF


def test_another_boot_id_ends_the_link_at_once() -> None:
    pair = opened()
    pair.cut()
    pair.connect()
    pair.put(Hello(b"B" * 16), to_client=True)
    pair.deliver_to_client()
    assert pair.client_events[-1] == LinkClosed(CloseCode.WORKSPACE_RESTARTED, "the workspace restarted")


def test_closing_tells_the_other_end() -> None:
    pair = opened()
    pair.client.close(CloseCode.NORMAL, "done")
    pair.collect()
    pair.deliver_all()
    assert pair.agent_events == [LinkClosed(CloseCode.NORMAL, "done")]
    assert pair.client.ended == LinkClosed(CloseCode.NORMAL, "done")
    assert pair.client.next_timer() is None
    assert pair.client.receive_message(encode(Data(0, b"late")), 1.0) == []
    pair.client.send((b"dropped",))
    assert pair.client.messages_to_send() == []


def test_code_of_a_later_version_is_passed_on() -> None:
    pair = opened()
    pair.put(Closed(999, "why not"), to_client=True)
    pair.deliver_to_client()
    assert pair.client.ended == LinkClosed(999, "why not")


def test_duplicate_bytes_are_dropped_and_a_gap_is_fatal() -> None:
    pair = opened()
    agent = agent_of(pair)
    agent.receive_message(encode(Data(0, b"abc")), 1.0)
    assert agent.receive_message(encode(Data(0, b"abc")), 1.0) == []
    [event] = agent.receive_message(encode(Data(1, b"bcd")), 1.0)
    assert event == DataReceived(b"d")
    with pytest.raises(RemoteProtocolError):
        agent.receive_message(encode(Data(5, b"f")), 1.0)
    assert agent.ended is not None
    assert agent.ended.code == CloseCode.PROTOCOL
    assert types([parse(b"".join(parts)) for parts in agent.messages_to_send()])[-1] is Closed


def test_message_at_the_limit_and_past_it() -> None:
    pair = opened()
    most = MAX_MESSAGE_BYTES - DATA_HEADER_BYTES
    assert pair.client.max_send_bytes == agent_of(pair).max_send_bytes == most
    pair.send_from_client(bytes(most))
    with pytest.raises(LocalProtocolError):
        pair.client.send((bytes(most), b"x"))
    opening = LinkPair()
    opening.connect()
    assert opening.client.max_send_bytes == MIN_MESSAGE_BYTES - DATA_HEADER_BYTES


def test_other_end_that_takes_less_or_more_gets_what_both_take() -> None:
    opening = Open(b"l" * 16, make_client()._public_key)  # pyright: ignore[reportPrivateUsage]
    less = make_agent(opening, hello=Hello(max_message=MIN_MESSAGE_BYTES + 1))
    assert less.max_send_bytes == MIN_MESSAGE_BYTES + 1 - DATA_HEADER_BYTES
    more = make_agent(opening, hello=Hello(max_message=0xFFFF_FFFF))
    assert more.max_send_bytes == MAX_MESSAGE_BYTES - DATA_HEADER_BYTES


def test_bulk_is_acknowledged_now_and_then() -> None:
    pair = opened()
    chunk = bytes(ACK_EVERY_BYTES // 32)
    for _ in range(31):
        pair.send_from_client(chunk)
    pair.deliver_all()
    assert pair.client.acknowledged == 0
    pair.send_from_client(chunk)
    pair.deliver_all()
    assert pair.client.acknowledged == ACK_EVERY_BYTES


@pytest.mark.parametrize("received", [4, 0])
def test_acknowledgement_of_what_was_not_sent_or_less_than_before_is_fatal(received: int) -> None:
    pair = opened()
    pair.send_from_client(b"abc")
    pair.put(Ack(2), to_client=True)
    pair.put(Ack(received), to_client=True)
    pair.deliver_to_client()
    with pytest.raises(RemoteProtocolError):
        pair.deliver_to_client()


def test_quiet_link_pings_acknowledges_and_stays() -> None:
    pair = opened()
    pair.send_from_client(b"abc")
    pair.deliver_all()
    for _ in range(10):
        due = pair.client.next_timer()
        assert due is not None
        assert due <= pair.now + PING_AFTER_S
        pair.now = due
        for link in (pair.client, agent_of(pair)):
            assert link.handle_timer(pair.now) == []
        pair.collect()
        pair.deliver_all()
    assert pair.client.acknowledged == 3
    assert pair.client.state is LinkState.OPEN


def test_what_came_is_acknowledged_beside_what_is_sent() -> None:
    pair = opened()
    pair.send_from_client(bytes(ACK_BESIDE_BYTES - 1))
    pair.deliver_all()
    pair.send_from_agent(b"credit")
    assert types(pair.under_way()[1]) == [Data]
    pair.send_from_client(b"x")
    pair.deliver_all()
    pair.send_from_agent(b"credit")
    assert types(pair.under_way()[1]) == [Ack, Data]
    pair.deliver_all()
    assert pair.client.acknowledged == ACK_BESIDE_BYTES


def test_what_came_is_acknowledged_soon_when_nothing_follows() -> None:
    pair = opened()
    agent = agent_of(pair)
    pair.send_from_client(b"abc")
    pair.deliver_all()
    assert agent.ack_at == agent.next_timer() == pair.now + ACK_WITHIN_S
    assert agent.handle_timer(pair.now + ACK_WITHIN_S - 0.01) == []
    assert pair.client.acknowledged == 0
    pair.now += ACK_WITHIN_S
    agent.handle_timer(pair.now)
    pair.collect()
    pair.deliver_all()
    assert pair.client.acknowledged == 3
    assert agent.ack_at == math.inf


def test_link_has_room_for_so_much_that_is_not_acknowledged() -> None:
    pair = opened()
    chunk = bytes(MAX_REPLAY_BYTES // 256)
    for _ in range(255):
        pair.client.send((chunk,))
    assert pair.client.room == len(chunk)
    pair.client.send((chunk,))
    assert pair.client.room == 0
    pair.put(Ack(1), to_client=True)
    pair.deliver_to_client()
    assert pair.client.room == 1
    for _ in range(CONTROL_RESERVE_BYTES // len(chunk)):
        pair.client.send((chunk,))
    pair.client.send((b"x",))
    with pytest.raises(LocalProtocolError):
        pair.client.send((b"x",))
    pair.client.close(CloseCode.NORMAL, "")
    assert pair.client.room == MAX_REPLAY_BYTES


def test_ping_is_answered() -> None:
    pair = opened()
    pair.put(Ping(b"12345678"), to_client=True)
    pair.deliver_to_client()
    assert pair.under_way()[0] == [Pong(b"12345678")]


def test_silent_carrier_is_dead_in_time() -> None:
    pair = opened()
    assert pair.client.next_timer() == PING_AFTER_S
    assert pair.client.handle_timer(PING_AFTER_S) == []
    assert types([parse(b"".join(parts)) for parts in pair.client.messages_to_send()]) == [Ping]
    assert pair.client.next_timer() == DEAD_AFTER_S
    assert pair.client.handle_timer(DEAD_AFTER_S - 0.1) == []
    assert pair.client.handle_timer(DEAD_AFTER_S) == [CarrierDead("nothing was heard for 30 s")]
    assert pair.client.state is LinkState.DETACHED


def test_client_that_is_not_answered_gives_up_in_time() -> None:
    client = make_client(100.0)
    client.attach(100.0)
    assert client.next_timer() == 100 + ANSWER_S
    dead, closed = client.handle_timer(100 + ANSWER_S)
    assert isinstance(dead, CarrierDead)
    assert closed == client.ended


def test_agent_whose_challenge_is_not_answered_gives_the_carrier_up_in_time() -> None:
    pair = opened()
    agent = agent_of(pair)
    agent.resume(Resume(agent.link_id, BOOT, 1, 0, b"n" * 16), 100.0)
    assert agent.next_timer() == 100 + GREETING_S
    [dead] = agent.handle_timer(100 + GREETING_S)
    assert isinstance(dead, CarrierDead)
    assert agent.state is LinkState.DETACHED


def test_link_without_a_carrier_is_kept_for_its_time() -> None:
    pair = opened()
    pair.now = 1000.0
    pair.cut()
    agent = agent_of(pair)
    assert agent.next_timer() == 1000 + KEEP_S
    assert agent.handle_timer(1000 + KEEP_S - 1) == []
    [closed] = agent.handle_timer(1000 + KEEP_S)
    assert isinstance(closed, LinkClosed)
    assert closed.code == CloseCode.EXPIRED
    with pytest.raises(LocalProtocolError):
        agent.resume(Resume(agent.link_id, BOOT, 1, 0, b"n" * 16), 5000.0)


def test_only_the_right_end_attaches_and_resumes() -> None:
    pair = opened()
    resume = Resume(b"x" * 16, BOOT, 1, 0, b"n" * 16)
    with pytest.raises(LocalProtocolError):
        agent_of(pair).attach(0.0)
    with pytest.raises(LocalProtocolError):
        pair.client.resume(resume, 0.0)
    with pytest.raises(LocalProtocolError):
        agent_of(pair).resume(resume, 0.0)


def test_client_key_that_is_no_use_is_refused() -> None:
    with pytest.raises(RemoteProtocolError):
        make_agent(Open(b"l" * 16, bytes(32)))


OUT_OF_PLACE = [Open(b"l" * 16, b"k" * 32), Accept(b"k" * 32, 1), Challenge(b"n" * 16), Proof(b"m" * 32)]


@pytest.mark.parametrize(
    "frame", [*OUT_OF_PLACE, Resumed(0, b"m" * 32), Hello()], ids=lambda frame: type(frame).__name__
)
def test_frame_out_of_place_is_fatal(frame: Open | Accept | Challenge | Proof | Resumed | Hello) -> None:
    for end in ("client", "agent"):
        pair = opened()
        link: Link = pair.client if end == "client" else agent_of(pair)
        with pytest.raises(RemoteProtocolError):
            link.receive_message(encode(frame), 1.0)
        assert link.ended is not None


@given(st.lists(st.binary(max_size=60), max_size=4), st.booleans(), st.booleans())
def test_random_bytes_raise_nothing_else(messages: list[bytes], is_client: bool, is_resuming: bool) -> None:
    pair = opened()
    link: Link = pair.client if is_client else agent_of(pair)
    if is_resuming:
        pair.cut()
        pair.connect()
        pair.deliver_to_agent()
        pair.deliver_to_agent()
    try:
        for message in messages:
            link.receive_message(message, 1.0)
    except RemoteProtocolError:
        assert link.ended is not None


def test_link_that_is_never_resumed_ends_with_its_carrier_at_both_ends() -> None:
    pair = LinkPair()
    pair.client = Link.connect(b"l" * 16, b"c" * 32, now=0.0, never_resumes=True)
    pair.connect()
    hello = pair.under_way()[0][0]
    assert isinstance(hello, Hello)
    assert hello.features == NEVER_RESUMES
    pair.deliver_all()
    assert pair.client_events == [LinkOpened(BOOT, 0)]
    pair.cut()
    for link in (pair.client, agent_of(pair)):
        assert (link.state, link.next_timer()) == (LinkState.CLOSED, None)
        assert link.ended is not None
        assert link.ended.code == CloseCode.EXPIRED


def test_agent_that_does_not_know_of_links_that_are_never_resumed_keeps_its_own_end_only() -> None:
    pair = LinkPair()
    pair.client = Link.connect(b"l" * 16, b"c" * 32, now=0.0, never_resumes=True)
    pair.connect()
    pair.to_agent[0] = encode(Hello())
    pair.deliver_all()
    pair.cut()
    assert (pair.client.state, agent_of(pair).state) == (LinkState.CLOSED, LinkState.DETACHED)


def test_time_without_a_carrier_is_known() -> None:
    pair = opened()
    agent = agent_of(pair)
    assert agent.detached_at is None
    pair.now = 7.0
    pair.cut()
    assert agent.detached_at == 7.0
    agent.close(CloseCode.NORMAL, "")
    assert agent.detached_at is None


def test_ten_minutes_in_which_nothing_passes_lose_nothing() -> None:
    network = Network()
    network.settle()
    network.send(from_client=True, size=500)
    network.send(from_client=False, size=700)
    dials = 0
    network.lose(-1, client_hears=False, agent_hears=False)
    for _ in range(600):
        network.pass_time(1.0)
        if network.client.carrier is None:
            # Whatever is dialled meanwhile is silent too.
            dials += 1
            network.dial()
            network.lose(-1, client_hears=False, agent_hears=False)
    assert dials > 600 / (DEAD_AFTER_S + 1)
    assert network.agent is not None
    assert network.agent.link.state is LinkState.DETACHED
    network.settle()
    assert (network.client.ended, network.agent.ended) == (None, None)
    assert bytes(network.agent.received) == network.client.sent
    assert bytes(network.client.received) == network.agent.sent
    assert len(network.client.sent) + len(network.agent.sent) == 1200
