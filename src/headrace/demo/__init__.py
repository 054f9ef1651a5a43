"""headrace.demo"""
