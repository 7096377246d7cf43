"""Tests mirror the packages; plus architecture, browser and acceptance."""
