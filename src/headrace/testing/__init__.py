"""What tests of Headrace and of its plug-ins may use: real servers as pytest fixtures (`headrace.testing.postgres`)."""
