"""headrace.connect.runtime"""
