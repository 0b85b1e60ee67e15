"""Running the platform: the supervisor and what it starts, the seeded world, backup, erasure and the fault tests."""
