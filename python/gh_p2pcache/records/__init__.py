"""What is kept: messages, records, seals, CIDs. Pure."""
