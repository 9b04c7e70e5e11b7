"""Tests of the queue through which every mail goes out."""
