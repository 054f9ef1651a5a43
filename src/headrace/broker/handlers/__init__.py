"""headrace.broker.handlers"""
