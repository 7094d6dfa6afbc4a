"""What is kept: evaluations, cards, suggestions, feedback, outcomes, and who switched what."""
