"""Any input at all, in any order: nothing raises, nothing grows, what is told makes sense."""
