"""headrace.cli"""
