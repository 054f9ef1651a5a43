"""headrace.connect"""
