"""What giving is, decided without database, clock or framework: one module a noun."""
