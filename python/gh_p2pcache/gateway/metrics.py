"""The statistics in Prometheus' text format; imported at the first scrape (64 ms)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gh_p2pcache.policy.ratelimit import Budget

_ANSWERS = ("hit", "miss", "revalidated", "stale", "coalesced", "bypass")


class _Statistics(Collector):
    def __init__(
        self, stats: Mapping[str, Any], budgets: Sequence[tuple[str, str, Budget]]
    ) -> None:
        self._stats = stats
        self._budgets = budgets

    def collect(self) -> Iterator[Metric]:
        answers = CounterMetricFamily(
            "gh_p2pcache_answers", "Answers given, by route class and source",
            labels=["route", "source"],
        )  # fmt: skip
        for route, counts in self._stats["routes"].items():
            for source, count in counts.items():
                answers.add_metric([route, source], count)
        yield answers
        yield CounterMetricFamily(
            "gh_p2pcache_calls_saved", "Answers that cost nothing of GitHub's rate limit",
            value=self._stats["calls_saved"],
        )  # fmt: skip
        events = CounterMetricFamily(
            "gh_p2pcache_events", "Whatever else happened", labels=["event"]
        )
        for name, count in sorted(self._stats["totals"].items()):
            if name not in _ANSWERS:
                events.add_metric([name], count)
        yield events
        store = self._stats["store"]
        yield GaugeMetricFamily("gh_p2pcache_records", "Records kept", value=store["records"])
        yield GaugeMetricFamily(
            "gh_p2pcache_store_bytes", "Disk blocks the store takes", value=store["bytes"]
        )
        yield from self._limits()

    def _limits(self) -> Iterator[Metric]:
        labels = ["token", "site", "resource"]
        remaining = GaugeMetricFamily(
            "gh_p2pcache_ratelimit_remaining", "Calls left, as GitHub last said", labels=labels
        )
        reset = GaugeMetricFamily(
            "gh_p2pcache_ratelimit_reset_seconds", "When a budget is full again (Unix time)",
            labels=labels,
        )  # fmt: skip
        for token, site, budget in self._budgets:
            remaining.add_metric([token, site, budget.resource], budget.remaining)
            reset.add_metric([token, site, budget.resource], budget.reset)
        yield remaining
        yield reset


def exposition(stats: Mapping[str, Any], budgets: Sequence[tuple[str, str, Budget]]) -> bytes:
    """Return the page that GET /metrics answers with; tokens appear as pseudonyms."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Statistics(stats, budgets))
    return generate_latest(registry)
