"""headrace.jdbc.dialects"""
