"""Steps, forms and choices of the config and options flows."""
