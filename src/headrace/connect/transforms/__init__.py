"""headrace.connect.transforms"""
