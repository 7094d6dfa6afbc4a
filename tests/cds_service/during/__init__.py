"""Tests of what comes in of operations and of the page that shows one."""
