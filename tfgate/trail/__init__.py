"""Questions to the audit trail: search, SQL, the evidence report, the bundle, delivery to sinks."""
