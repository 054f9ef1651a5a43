"""headrace.wire"""
