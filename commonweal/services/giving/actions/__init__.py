"""What changes something: one public function is one transaction with one receipt, one module a noun."""
