"""Builds from setup.cfg; a file of its own so that compiled parts have a place to be added."""

from setuptools import setup

setup()
