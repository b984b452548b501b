"""A local Talon.One to work and test against."""
