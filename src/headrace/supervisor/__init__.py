"""headrace.supervisor"""
