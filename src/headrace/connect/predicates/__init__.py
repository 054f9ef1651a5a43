"""Predicates that come with Headrace: which records a transformation is for."""
