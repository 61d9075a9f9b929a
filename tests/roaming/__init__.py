"""Tests of the roam tracker."""
