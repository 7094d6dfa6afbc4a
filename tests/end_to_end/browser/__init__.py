"""A real browser at the pages: Chromium, driven by Playwright."""
