"""headrace.jdbc.source"""
