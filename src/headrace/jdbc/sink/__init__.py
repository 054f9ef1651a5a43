"""headrace.jdbc.sink"""
