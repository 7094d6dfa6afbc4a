"""What is watched of each tenant week by week: figures, limits by the null, charts, a page and rules for Prometheus."""
