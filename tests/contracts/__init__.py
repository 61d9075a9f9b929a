"""What is promised outside the code, checked against the code."""
