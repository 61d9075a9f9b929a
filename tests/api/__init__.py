"""Tests of the API layer, over real sockets where that matters."""
