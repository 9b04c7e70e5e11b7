"""Tests; the folders mirror the rooms of fluenzr_app."""
