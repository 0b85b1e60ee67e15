"""What can be read in the forest; nothing here writes. One module a noun."""
