"""Operations, outcomes in time, and what may be counted."""
