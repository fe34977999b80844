from __future__ import annotations

from genba_wire.aio.send_marks import SendMarks
from tests.support.carriers import Hearer


def test_a_pause_begins_above_the_high_mark_and_ends_at_the_low_one() -> None:
    marks, hearer = SendMarks(10, 4), Hearer()
    marks.add(10)
    marks.check(hearer)
    assert (marks.is_paused, hearer.pauses) == (False, 0)
    marks.add(1)
    marks.check(hearer)
    marks.check(hearer)
    assert (marks.is_paused, hearer.pauses) == (True, 1)
    marks.take(6, hearer)
    assert (marks.is_paused, hearer.resumes, marks.kept_bytes) == (True, 0, 5)
    marks.take(1, hearer)
    marks.take(4, hearer)
    assert (marks.is_paused, hearer.resumes, marks.kept_bytes) == (False, 1, 0)


def test_marks_hold_where_nobody_is_told() -> None:
    marks = SendMarks(10, 4)
    marks.add(11)
    marks.check(None)
    assert marks.is_paused
    marks.take(11, None)
    assert not marks.is_paused
