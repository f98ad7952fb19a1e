"""How this repository makes its generated files; nothing of it is shipped."""
