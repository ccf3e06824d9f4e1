"""Compiled inner loops of the worlds: free functions on plain arrays, no policy, no validation."""
