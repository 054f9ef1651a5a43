"""headrace.connect.stores"""
