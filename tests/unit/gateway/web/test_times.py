from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from genba_gateway.web.languages import speaking
from genba_gateway.web.rendering import answer_html
from genba_gateway.web.times import say_relative, say_times, show_time

EVENING = datetime(2026, 11, 28, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("away", "english", "japanese"),
    [
        (timedelta(seconds=0.9), "in 1 second", "1 秒後"),
        (timedelta(seconds=0.2), "now", "今"),
        (timedelta(seconds=-0.9), "now", "今"),
        (timedelta(seconds=-1), "1 second ago", "1 秒前"),
        (timedelta(seconds=-119), "1 minute ago", "1 分前"),
        (timedelta(minutes=90), "in 2 hours", "2 時間後"),
        (timedelta(minutes=-90), "1 hour ago", "1 時間前"),
        # From a Saturday evening to Monday morning it is a day and a half, and it is not tomorrow.
        (timedelta(hours=36), "in 2 days", "2 日後"),
        (timedelta(hours=-25), "1 day ago", "1 日前"),
        (timedelta(days=-13), "1 week ago", "1 週間前"),
        (timedelta(days=89.9), "in 3 months", "3 か月後"),
        (timedelta(days=-800), "2 years ago", "2 年前"),
    ],
)
def test_moments_are_said_in_the_largest_full_unit(away: timedelta, english: str, japanese: str) -> None:
    for language, said in (("en", english), ("ja", japanese)):
        with speaking(language):
            assert say_relative(EVENING + away, EVENING) == said


def test_html_says_its_moments_when_it_goes_out_and_leaves_the_exact_ones() -> None:
    moment = datetime(2026, 11, 29, 5, 55, tzinfo=timezone(timedelta(hours=9)))
    kept = f"<p>{show_time(moment)}</p>{show_time(moment, absolute=True)}"
    with speaking("ja"):
        said = say_times(kept, EVENING)
    assert said == (
        '<p><time datetime="2026-11-28T20:55:00Z">5 分前</time></p>'
        '<time datetime="2026-11-28T20:55:00Z" data-absolute>2026-11-28 20:55 UTC</time>'
    )
    assert say_times(said, EVENING + timedelta(hours=1)).startswith('<p><time datetime="2026-11-28T20:55:00Z">1 hour')


async def test_every_answer_says_its_moments() -> None:
    with speaking("en"):
        answer = answer_html(show_time(datetime.now(UTC) - timedelta(minutes=5, seconds=30)))
    assert "5 minutes ago" in await answer.get_data(as_text=True)
