"""Audiences: what is in them, what would change, and changing it."""
