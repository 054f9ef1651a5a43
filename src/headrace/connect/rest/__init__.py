"""headrace.connect.rest"""
