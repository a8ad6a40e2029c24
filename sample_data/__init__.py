"""Sample data: the files that come with Marginalia, the scripts that make them, and the truth about them."""
