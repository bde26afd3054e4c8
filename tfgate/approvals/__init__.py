"""The approver's side: sign an approval; list and import waivers."""
