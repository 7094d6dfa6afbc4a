"""Speed as ratios within one run: these machines are shared, and single figures mean little."""
