"""Rules evaluated on a plan or on sources: outcomes, waivers, overrides and the decision."""
