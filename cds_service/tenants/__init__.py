"""Tenants as their files say: one EHR installation each, read strictly, with the limits that cards open by."""
