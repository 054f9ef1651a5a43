"""headrace.connect.converters"""
