"""Both clients against servers that this project did not write; `tox -e integration` runs them."""
