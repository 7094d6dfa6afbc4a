"""What a whole site's data would become: exports read, counted, and told as the mapping report."""
