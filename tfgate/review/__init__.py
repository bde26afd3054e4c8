"""``tfgate review``: a plan laid out for a person, in the terminal or as a page."""
