"""The risk profile: the card's assessment as a page, opened from the EHR by SMART App Launch 2 with PKCE."""
