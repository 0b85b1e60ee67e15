"""Tests of the whole house; those of one part live beside it."""
