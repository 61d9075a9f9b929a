"""The benchmark tells the truth, and what it found stays so."""
