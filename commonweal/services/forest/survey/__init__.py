"""Survival surveys: where to look (from a seed committed before), what follows from the counts, how much to look."""

from commonweal.services.forest.survey.design import Draw, commitment, draw, opens
from commonweal.services.forest.survey.estimate import Count, Estimate, estimate, intracluster_correlation, read_counts
from commonweal.services.forest.survey.plan import Plan, plan

__all__ = [
    "Count",
    "Draw",
    "Estimate",
    "Plan",
    "commitment",
    "draw",
    "estimate",
    "intracluster_correlation",
    "opens",
    "plan",
    "read_counts",
]
