"""What Java's own classes make of a value: the texts of its numbers and dates, and back. Connect's formats are made of
these, so converters and transforms share them."""
