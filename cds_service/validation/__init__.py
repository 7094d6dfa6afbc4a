"""The validation report of one hospital from its own record, and the gates that stand before its first card."""
