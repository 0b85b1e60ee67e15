"""What every service stands on: promises kept as ledger entries, and proof that strangers can check."""
