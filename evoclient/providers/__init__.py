"""Providers: what a server does differently, as data."""
