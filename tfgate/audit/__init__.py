"""The audit trail: records, their chain, evidence, and the proof that nobody edited them."""
