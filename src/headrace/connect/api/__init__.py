"""headrace.connect.api"""
