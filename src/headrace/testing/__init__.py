"""headrace.testing"""
