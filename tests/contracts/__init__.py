"""Checks that translations, manifest, icons, YAML files and quality scale match the code."""
