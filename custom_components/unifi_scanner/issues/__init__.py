"""Create and delete repair issues; `repairs.py` fixes them."""
