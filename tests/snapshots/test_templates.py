from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncp_tui.snapshots.rules import (
    DEFAULT_TEMPLATE,
    InvalidTemplate,
    name_problems,
    render_name,
    template_warning,
    zone_of_template,
)
from tests.tables import each_row

KST = timezone(timedelta(hours=9))
NEW_YEAR_IN_SEOUL = datetime(2026, 1, 1, 0, 30, 0, tzinfo=KST)


def render(template: str, cluster: str = "prod", profile: str = "main", now: datetime = NEW_YEAR_IN_SEOUL) -> str:
    return render_name(template, cluster=cluster, profile=profile, region="KR", now=now)


@each_row(
    ("template", "name", "zone"),
    [
        ("snap-{date}-{time}", "snap-20251231-153000", "UTC"),
        ("snap-{date:utc}-{time}", "snap-20251231-153000", "UTC"),
        ("snap-{date:kst}-{time:kst}", "snap-20260101-003000", "KST"),
        ("snap-{date:KST}", "snap-20260101", "KST"),
        ("{cluster}-{region}", "prod-kr", "UTC"),
        ("{profile}.{cluster}", "main-prod", "UTC"),
        ("{date}{time}", "s-20251231153000", "UTC"),
        ("Before Upgrade!", "before-upgrade", "UTC"),
        ("{{{cluster}}}", "prod", "UTC"),
    ],
)
def test_rendering(template: str, name: str, zone: str) -> None:
    """The date around midnight is another one in Korea, so the zone has to be said."""
    assert render(template) == name
    assert zone_of_template(template) == zone


def test_the_default_keeps_the_time_and_cuts_the_cluster() -> None:
    assert render(DEFAULT_TEMPLATE) == "prod-20251231-153000"
    assert render(DEFAULT_TEMPLATE, "search-production-main") == "search-product-20251231-153000"
    assert render(DEFAULT_TEMPLATE, "검색-로그-서울") == "cluster-20251231-153000"
    assert render("{profile}-{cluster}-{date}-{time}", "cl", "a-very-long-profile") == "a-very-long-pr-20251231-153000"


def test_ten_thousand_clusters() -> None:
    """Cut in the time part, two snapshots of one day would have one name."""
    dice = random.Random(20260101)  # noqa: S311 - the same names every time
    letters = "abcXYZ019-_. 가나검\u200b\x1b[]{}é"
    for _ in range(10_000):
        cluster = "".join(dice.choices(letters, k=dice.randrange(40)))
        moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=dice.randrange(10**8))
        name = render(DEFAULT_TEMPLATE, cluster, now=moment)
        assert name_problems(name) == []
        assert name.endswith(f"{moment:%Y%m%d-%H%M%S}")


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_any_template_gives_a_legal_name_or_a_problem(template: str, cluster: str, profile: str) -> None:
    try:
        name = render(template, cluster, profile)
    except InvalidTemplate as problem:
        assert problem.what.isprintable()  # noqa: PT017 - either outcome is right
    else:
        assert name_problems(name) == []


@each_row(
    "template",
    [
        "{",
        "}",
        "{cluster",
        "cluster}",
        "{}",
        "{0}",
        "{nope}-{time}",
        "{ cluster }",
        "{Cluster}",
        "{cluster.__class__}",
        "{cluster.__class__.__mro__}",
        "{cluster[0]}",
        "{now.year}",
        "{cluster!r}",
        "{cluster!s}-{time}",
        "{date!a:kst}",
        "{cluster:kst}",
        "{cluster:>30}",
        "{date:%Y}",
        "{date:est}",
        "{date:{cluster}}",
        "{date:utc}-{time:kst}",
        "",
        "{profile:}!{",
        "ab",
        "x" * 31,
        "this-literal-text-is-too-long-{time}",
        "가나다",
        "{cluster.\x1b[31m}",
        "{date:\x1b[31m}",
    ],
)
def test_what_is_no_template(template: str) -> None:
    """Attribute access in a format string reads whatever the process holds."""
    with pytest.raises(InvalidTemplate) as caught:
        render(template)
    assert caught.value.sentences().isprintable()
    assert caught.value.next_step or caught.value.meaning


def test_a_template_that_mixes_zones_is_refused_before_it_is_used() -> None:
    with pytest.raises(InvalidTemplate):
        zone_of_template("{date:utc}-{time:kst}")


@each_row("zone", [UTC, KST, timezone(timedelta(hours=-11))])
def test_the_machines_own_zone_does_not_matter(zone: timezone) -> None:
    assert render("snap-{date}-{time}", now=NEW_YEAR_IN_SEOUL.astimezone(zone)) == "snap-20251231-153000"


@each_row(
    ("template", "warns"),
    [
        (None, False),
        ("{cluster}-{date}-{time:kst}", False),
        ("{cluster}-{date}", True),
        ("nightly", True),
        ("{x", False),
    ],
)
def test_a_template_that_gives_the_same_name_again_is_warned_about(template: str | None, warns: bool) -> None:
    """Every night after the first would be refused."""
    assert bool(template_warning(template)) is warns
