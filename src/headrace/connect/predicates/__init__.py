"""headrace.connect.predicates"""
