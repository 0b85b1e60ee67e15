"""What can be done in the forest: one public function, one transaction. One module a noun."""
