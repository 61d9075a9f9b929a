"""Tests of the discovery steps and the options flow."""
