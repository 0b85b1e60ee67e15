"""Benchmarks: one module a service; every figure in docs/performance.md comes from here."""
