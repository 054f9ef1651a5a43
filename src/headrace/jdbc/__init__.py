"""headrace.jdbc"""
