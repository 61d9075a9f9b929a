"""Tests of the wire, over real sockets where sockets matter."""
